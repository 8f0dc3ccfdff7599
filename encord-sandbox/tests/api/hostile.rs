//! Requests of somebody with a key and bad intentions: nothing breaks, nothing hangs, nothing leaves its folder.

use std::time::Duration;

use encord_sandbox::{Options, Sandbox};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{Wire, images};

/// Bodies that no endpoint expects, or only nearly.
fn bodies() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!({"priorities": [deep], "layout": null});
    }
    let long = "\u{1f600}\0\u{202e}".repeat(3000);
    let uuid = "00000000-0000-4000-8000-000000000000";
    vec![
        Value::Null,
        json!([]),
        json!({}),
        json!([null, 1e308, -1, u64::MAX, "\0"]),
        deep,
        json!({"title": long, "name": long, "description": long, "clientMetadata": {long.as_str(): long}}),
        json!({"name": "../../../etc/passwd", "parent": uuid, "clientMetadata": "{\"a\": "}),
        json!({"itemUuids": vec![uuid; 5000], "signUrls": true, "childUuids": [uuid, uuid]}),
        json!({"dataItems": {"images": [{"objectUrl": "uploads/../../x", "title": long}]}, "ignoreErrors": true}),
        json!({"dataItems": {"scenes": [{"title": "s", "scene": {"a": {"type": "image", "events": 3}}}]}}),
        json!({"externalFiles": {"imageGroups": [{"objectUrl_0": 7}]}, "integrationHash": uuid}),
        json!({"itemType": "image", "count": u64::MAX}),
        json!([{"layoutType": "custom", "layoutContents": {"a": uuid, "b": [uuid]}, "timeline": [long]}]),
        json!([{"taskUuid": uuid, "action": "PATHWAY_ACTION", "pathwayName": long}]),
        json!({"priorities": [[uuid, f64::MAX], [uuid, -0.0]]}),
        json!({"itemPatches": {uuid: {"clientMetadata": null, "sceneLayout": [], "timeseriesSettings": 1}}}),
        json!({"folderUuids": [uuid], "newParentUuid": uuid, "issues": [{"anchor": {"type": "frame"}}]}),
    ]
}

#[tokio::test]
async fn no_body_makes_an_endpoint_fail() {
    let (sandbox, wire, project, stage) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let item = rows[0]["backing_item_uuid"].as_str().unwrap().to_owned();
    let folder =
        wire.get(&format!("/storage/items/{item}")).await.ok()["parent"].as_str().unwrap().to_owned();
    let stages = format!("/projects/{project}/workflow/stages/{stage}");
    let (folders, items) = (format!("/storage/folders/{folder}"), format!("/storage/folders/{folder}/items"));
    let post: Vec<String> = vec![
        format!("{stages}/actions"),
        format!("{stages}/move-tasks"),
        format!("/projects/{project}/priorities"),
        format!("/projects/{project}/issues"),
        format!("/projects/{project}/issue-tags"),
        format!("/projects/{project}/users/bulk-delete"),
        format!("/projects/{project}/labels/copy-branch"),
        "/storage/folders".into(),
        "/storage/folders/move".into(),
        "/storage/items/get-bulk".into(),
        format!("{folders}/upload-signed-urls"),
        format!("{folders}/data-upload-jobs"),
        format!("{folders}/create-group-items"),
        format!("{items}/move"),
        format!("{items}/delete"),
        "/datasets".into(),
        "/ontologies".into(),
        "/organisation/client-metadata-schema".into(),
    ];
    let patch =
        ["/storage/items/patch-bulk".into(), "/storage/folders/patch-bulk".into(), format!("{items}/{item}")];
    for body in bodies() {
        for path in &post {
            wire.v2(Method::POST, path, Some(&body)).await;
        }
        for path in &patch {
            wire.v2(Method::PATCH, path, Some(&body)).await;
        }
        for (entity, method) in [
            ("labelrowmetadata", "GET"),
            ("labelrow", "GET"),
            ("labelrow", "PUT"),
            ("labelrow", "POST"),
            ("labelworkflowgraphnode", "POST"),
            ("projectdataset", "POST"),
            ("projectcopy", "POST"),
            ("datasetdata", "GET"),
        ] {
            let scope = ("project", &*project.to_string());
            let query = wire.query(scope, entity, method, body.clone(), body.clone());
            let answer = query.send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{entity} {method} {body}: {}", answer.status());
        }
    }
    let failed: Vec<_> = sandbox
        .requests()
        .endpoints
        .into_iter()
        .filter(|(_, counts)| counts.statuses.keys().any(|status| *status == 0 || *status >= 500))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(wire.rows(project, json!({})).await.len(), 2, "the project is still there");
}

#[tokio::test]
async fn queries_that_make_no_sense_are_refused() {
    let (_sandbox, wire, project, stage) = images(2).await;
    let tasks = format!("/projects/{project}/workflow/stages/{stage}/tasks");
    for query in
        ["pageToken=x", "pageToken=", "pageToken=AAAA", "pageSize=0", "pageSize=1e9", "dataHashes=../x"]
    {
        let answer = wire.get(&format!("{tasks}?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {answer:?}");
    }
    // The place after the last of all places.
    for path in [tasks, format!("/projects/{project}/branches")] {
        let page = wire.get(&format!("{path}?pageToken=__________8")).await;
        assert_eq!(page.ok()["results"], json!([]));
    }
}

#[tokio::test]
async fn uploads_stay_in_their_folder_and_leave_no_parts() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.data_dir = Some(folder.path().join("data"));
    options.limits.stall_time = Duration::from_millis(200);
    let sandbox = Sandbox::builder().project("p").options(options).start().await.unwrap();
    let wire = Wire::new(&sandbox);
    let storage = wire.post("/storage/folders", json!({"name": "../../up"})).await.ok();
    let storage = format!("/storage/folders/{}", storage["uuid"].as_str().unwrap());
    let wish = json!({"itemType": "plainText", "count": 2});
    let urls = wire.post(&format!("{storage}/upload-signed-urls"), wish).await.ok();
    let [first, second] = [0, 1].map(|index| urls["results"][index].clone());
    let put = wire.http.put(first["signedUrl"].as_str().unwrap()).body("words").send().await.unwrap();
    assert_eq!(put.status(), StatusCode::OK);
    let text = json!({"objectUrl": first["objectKey"], "title": "../../../../tmp/evil\0name"});
    let job = json!({"dataItems": {"text": [text]}, "ignoreErrors": false});
    wire.post(&format!("{storage}/data-upload-jobs"), job).await.ok();

    // A client that sends half of its file and then nothing.
    let (address, target) =
        second["signedUrl"].as_str().unwrap().strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!("PUT /{target} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf");
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(20), slow.read_exact(&mut answer)).await;
    read.expect("a slow upload is cut off").unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");

    let names = |path: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder.path().join(path)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(""), ["data"]);
    assert_eq!(names("data/files"), [first["itemUuid"].as_str().unwrap()]);
    let foreign = second["signedUrl"].as_str().unwrap().replace("_blobs/", "_blobs/..%2f..%2f");
    assert!(wire.http.put(foreign).body("x").send().await.unwrap().status().is_client_error());
}
