//! Seeds: what they make, and how mistakes in them are told.

use encord_sandbox::{Error, Sandbox, Seed};
use serde_json::{Value, json};

use super::wire::Wire;

async fn start(seed: Value) -> Result<Sandbox, Error> {
    Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".")?).await
}

#[tokio::test]
async fn a_mistake_is_told_with_its_path() {
    let done = json!({"type": "DONE", "title": "D"});
    let template = |stage: Value| json!({"workflow_templates": [{"title": "t", "stages": [stage, done]}]});
    for (seed, path) in [
        (json!({"dataset": []}), "$.dataset"),
        (
            json!({"datasets": [{"items": [{"type": "image", "file": "no-such-file.png"}]}]}),
            "$.datasets[0].items[0].file",
        ),
        (json!({"datasets": [{"items": [{"type": "picture"}]}]}), "$.datasets[0].items[0].type"),
        (json!({"datasets": [{"items": [{"generate": "video"}]}]}), "$.datasets[0].items[0].generate"),
        (json!({"datasets": [{"items": [{"generate": "image", "width": 0}]}]}), "$.datasets[0].items[0]"),
        (json!({"users": [{"email": "a", "public_key": "ssh-rsa AAAA"}]}), "$.users[0].public_key"),
        (
            template(json!({"type": "AGENT", "title": "A", "pathways": [{"name": "p", "destination": "X"}]})),
            "$.workflow_templates[0].stages[0].pathways[0].destination",
        ),
        (template(json!({"type": "ROBOT", "title": "A"})), "$.workflow_templates[0].stages[0].type"),
        (json!({"projects": [{"title": "p", "datasets": ["x"]}]}), "$.projects[0].datasets[0]"),
        (json!({"projects": [{"title": "p", "workflow_template": "x"}]}), "$.projects[0].workflow_template"),
        (
            json!({"projects": [{"title": "p", "labels": [{"data": "x", "label_row": {}}]}]}),
            "$.projects[0].labels[0].data",
        ),
    ] {
        match start(seed.clone()).await {
            Err(Error::Seed { path: found, .. }) => assert_eq!(found, path, "{seed}"),
            other => panic!("{seed}: {other:?}"),
        }
    }
    assert!(matches!(Seed::from_json(b"{", "."), Err(Error::SeedSyntax(_))));
}

#[tokio::test]
async fn files_become_items_with_their_facts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("a.pgm", b"P5 2 1 255 \x10\xff");
    write("b.pgm", b"P5 1 3 255 \x10\xff\x00");
    write("t.txt", b"words");
    let seed = json!({
        "datasets": [{"title": "d", "items": [
            {"type": "image", "file": "a.pgm", "client_metadata": {"k": "v"}},
            {"type": "image_group", "name": "both", "files": ["a.pgm", "b.pgm"]},
            {"type": "group", "name": "pair", "items": [
                {"type": "image", "file": "b.pgm", "layout_key": "left"}, {"type": "plain_text", "file": "t.txt"}]},
        ]}],
        "projects": [{"title": "p", "datasets": ["d"],
            "labels": [{"data": "a.pgm", "label_row": {"object_answers": {"x": {"objectHash": "x", "classifications": []}}}}]}],
    });
    let seed = Seed::from_json(seed.to_string().as_bytes(), folder.path()).unwrap();
    let sandbox = Sandbox::start(seed).await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let filter =
        json!({"include_children": true, "include_client_metadata": true, "include_images_data": true});
    let rows = wire.rows(project, filter).await;
    let of = |title: &str| rows.iter().find(|row| row["data_title"] == title).unwrap();
    let image = of("a.pgm");
    assert_eq!(
        (&image["width"], &image["height"], &image["client_metadata"]),
        (&json!(2), &json!(1), &json!({"k": "v"}))
    );
    assert_eq!(of("both")["images_data"][1]["height"], 3);
    let member = of("t.txt");
    assert_eq!(
        (&member["data_type"], &member["group_hash"]),
        (&json!("PLAIN_TEXT"), &of("pair")["data_hash"])
    );
    let spaces = of("pair")["spaces"].as_object().unwrap();
    assert_eq!(spaces.len(), 2);
    assert!(
        spaces
            .values()
            .any(|space| space["space_type"] == "image" && space["child_info"]["layout_key"] == "left")
    );

    let link = async |title: &str| {
        let uid = json!({"data_hash": of(title)["data_hash"], "get_signed_url": true});
        wire.of_project(project, "datasetdata", "GET", uid, Value::Null).await
    };
    let single = link("a.pgm").await["video"]["file_link"].as_str().unwrap().to_owned();
    assert_eq!(
        wire.http.get(single).send().await.unwrap().bytes().await.unwrap(),
        b"P5 2 1 255 \x10\xff"[..]
    );
    assert_eq!(link("both").await["images"].as_array().unwrap().len(), 2);

    let read = json!({"multi_request": true});
    let labels = wire.of_project(project, "labelrow", "GET", json!([image["label_hash"]]), read).await;
    assert_eq!(labels[0]["object_answers"]["x"]["objectHash"], "x");
    let payload = json!({"multi_request": true, "get_signed_url": true});
    let group = wire.of_project(project, "labelrow", "PUT", json!([of("both")["data_hash"]]), payload).await;
    let units: Vec<&Value> = group[0]["data_units"].as_object().unwrap().values().collect();
    assert_eq!((units.len(), &units[1]["data_sequence"]), (2, &json!("1")));
    let bytes =
        wire.http.get(units[1]["data_link"].as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, b"P5 1 3 255 \x10\xff\x00"[..]);
}
