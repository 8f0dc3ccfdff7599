//! Several things per request: chunks, grouping, missing results.

use std::sync::Arc;

use encord_client::{Error, InitialiseArgs, ItemUpdate, LabelRowFilter};
use encord_labels::id::{DataHash, ItemUuid, LabelHash};
use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

use crate::retries::{STAGE, project, project_reply};
use crate::server::{Reply, Request, Server};

fn metadata(data: DataHash, label: Option<LabelHash>, branch: &str) -> Value {
    json!({"label_hash": label, "branch_name": branch, "data_hash": data,
        "dataset_hash": "b37523a5-3b4a-4ee2-8463-513755ac0ecd", "dataset_title": "d", "data_title": "clip.png",
        "data_type": "IMAGE", "data_link": null, "label_status": "NOT_LABELLED", "number_of_frames": 1, "spaces": {}})
}

fn row(data: DataHash, label: Option<LabelHash>, branch: &str) -> LabelRow {
    let metadata = LabelRowMetadata::from_json(metadata(data, label, branch)).unwrap();
    let ontology = Ontology::from_json(&json!({"objects": [], "classifications": []})).unwrap();
    LabelRow::new(metadata, Arc::new(ontology))
}

fn document(data: &str, label: &str, branch: &str) -> Value {
    json!({"label_hash": label, "branch_name": branch, "created_at": "Tue, 04 Mar 2025 10:20:30 UTC",
        "last_edited_at": "Tue, 04 Mar 2025 10:20:30 UTC", "dataset_hash": "b37523a5-3b4a-4ee2-8463-513755ac0ecd",
        "dataset_title": "d", "data_title": "clip.png", "data_hash": data, "data_type": "image",
        "data_units": {data: {"data_hash": data, "data_title": "clip.png", "data_link": null, "data_type": "image/png",
            "data_sequence": 0, "labels": {"objects": [], "classifications": []}, "width": 4, "height": 3}},
        "object_answers": {}, "classification_answers": {}, "object_actions": {}, "label_status": "LABEL_IN_PROGRESS"})
}

/// Label hashes are made from data hashes, so that both ways of asking lead to the same row.
fn label_of(data: &str) -> String {
    data.replacen(&data[..8], "11111111", 1)
}

/// Answers label requests in reversed order; rows whose data hash begins with a zero are left out.
fn labels_reply(request: &Request) -> Reply {
    let body = request.json();
    let values = &body["values"];
    let ids = values["uid"].as_array().unwrap().iter().rev().map(|id| id.as_str().unwrap());
    let branch = values["payload"]["branch_name"].as_str().unwrap_or("main");
    let documents: Vec<Value> = ids
        .filter(|id| !id.starts_with('0'))
        .map(|id| match body["query_method"].as_str().unwrap() {
            "PUT" => document(id, &label_of(id), branch),
            _ => document("22222222-0000-4000-8000-000000000000", id, branch),
        })
        .collect();
    Reply::v1(json!(documents))
}

async fn labels_server() -> Server {
    Server::start(|request, _| project_reply(request).unwrap_or_else(|| labels_reply(request))).await
}

/// A data hash that the server knows.
fn known() -> DataHash {
    let text = DataHash::random().to_string();
    format!("a{}", &text[1..]).parse().unwrap()
}

/// Verb, number of ids and branch of each label request.
fn sent(server: &Server) -> Vec<(String, usize, String)> {
    let bodies = server.requests().into_iter().skip(2).map(|request| request.json());
    bodies
        .map(|body| {
            let values = &body["values"];
            let branch = values["payload"]["branch_name"].as_str().unwrap_or("-").to_owned();
            (
                body["query_method"].as_str().unwrap().to_owned(),
                values["uid"].as_array().unwrap().len(),
                branch,
            )
        })
        .collect()
}

#[tokio::test]
async fn rows_are_initialised_on_their_own_branches() {
    let server = labels_server().await;
    let project = project(&server).await;
    let mut rows = vec![
        row(known(), None, "b1"),
        row(known(), None, "b2"),
        row(known(), Some("11111111-0000-4000-8000-000000000001".parse().unwrap()), "b1"),
        row(known(), None, "b1"),
    ];
    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert!(rows.iter().all(LabelRow::is_initialised));
    let expected = [("PUT", 2, "b1"), ("PUT", 1, "b2"), ("GET", 1, "-")];
    assert_eq!(sent(&server), expected.map(|(verb, count, branch)| (verb.into(), count, branch.into())));
    for row in [&rows[0], &rows[1], &rows[3]] {
        let expected = label_of(row.metadata().data_hash());
        assert_eq!(row.metadata().label_hash().unwrap().to_string(), expected);
    }

    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert_eq!(server.requests().len(), 5, "rows with labels are not read again");
}

#[tokio::test]
async fn missing_rows_do_not_harm_the_others() {
    let server = labels_server().await;
    let project = project(&server).await;
    let unknown: DataHash = "00000000-b5fa-4b0c-9b18-bd763f20134c".parse().unwrap();
    let mut rows = vec![row(known(), None, "main"), row(unknown, None, "main"), row(known(), None, "main")];
    let failures = project.try_initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].index, 1);
    assert!(rows[0].is_initialised() && !rows[1].is_initialised() && rows[2].is_initialised());
    let error = project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap_err();
    assert!(
        matches!(&error, Error::MissingResults { missing, .. } if *missing == [unknown.to_string()]),
        "{error}"
    );
}

#[tokio::test]
async fn more_than_a_thousand_rows_take_several_requests() {
    let server = labels_server().await;
    let mut rows: Vec<_> = (0..1001).map(|_| row(known(), None, "main")).collect();
    project(&server).await.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert!(rows.iter().all(LabelRow::is_initialised));
    assert_eq!(sent(&server).iter().map(|(_, count, _)| *count).collect::<Vec<_>>(), [1000, 1]);
}

#[tokio::test]
async fn rows_created_by_a_request_with_a_lost_answer_are_read() {
    let data = [known(), known()];
    let server = Server::start(move |request, count| {
        project_reply(request).unwrap_or_else(|| match count {
            // The first row was created before the connection broke.
            2 => Reply::Drop,
            3 => Reply::v1(json!([
                metadata(data[0], Some(label_of(&data[0].to_string()).parse().unwrap()), "main"),
                metadata(data[1], None, "main"),
            ])),
            _ => labels_reply(request),
        })
    })
    .await;
    let mut rows: Vec<_> = data.iter().map(|data| row(*data, None, "main")).collect();
    project(&server).await.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert!(rows.iter().all(LabelRow::is_initialised));
    let verbs: Vec<_> = server.requests()[2..]
        .iter()
        .map(|request| {
            let body = request.json();
            format!("{} {}", body["query_method"].as_str().unwrap(), body["query_type"].as_str().unwrap())
        })
        .collect();
    assert_eq!(verbs, ["PUT labelrow", "GET labelrowmetadata", "PUT labelrow", "GET labelrow"]);
}

#[tokio::test]
async fn rows_that_were_not_created_are_asked_for_again() {
    for (failures, succeeds) in [(2, true), (9, false)] {
        let data = known();
        let server = Server::start(move |request, count| {
            project_reply(request).unwrap_or_else(|| match count {
                _ if request.json()["query_type"] == "labelrowmetadata" => {
                    Reply::v1(json!([metadata(data, None, "main")]))
                }
                // Every other request is a look at what was created.
                _ if (count - 2) / 2 < failures => Reply::body(503, ""),
                _ => labels_reply(request),
            })
        })
        .await;
        let mut rows = [row(data, None, "main")];
        let outcome = project(&server).await.initialise_labels(&mut rows, &InitialiseArgs::default()).await;
        assert_eq!((outcome.is_ok(), rows[0].is_initialised()), (succeeds, succeeds));
        // The client of this server repeats a request three times.
        let sent = server.requests().len() - 2;
        assert_eq!(sent, if succeeds { 5 } else { 8 });
    }
}

#[tokio::test]
async fn saves_that_are_too_large_are_cut() {
    let server = Server::start(|request, _| {
        project_reply(request).unwrap_or_else(|| {
            let body = request.json();
            match body["query_method"].as_str().unwrap() {
                "POST" if body["values"]["uid"].as_array().unwrap().len() > 2 => Reply::body(413, ""),
                "POST" => Reply::v1(json!(true)),
                _ => labels_reply(request),
            }
        })
    })
    .await;
    let project = project(&server).await;
    let mut rows: Vec<_> = (0..5).map(|_| row(known(), None, "main")).collect();
    let unsaved: Vec<_> = rows.iter().collect();
    let error = project.save_labels(&unsaved, false).await.unwrap_err();
    assert!(error.to_string().contains("initialise it before saving"), "{error}");
    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    project.save_labels(&rows.iter().collect::<Vec<_>>(), true).await.unwrap();
    let counts: Vec<_> = sent(&server).into_iter().map(|(_, count, _)| count).collect();
    assert_eq!(counts, [5, 5, 2, 2, 1]);
    let last = server.requests().pop().unwrap().json();
    let payload = &last["values"]["payload"];
    assert_eq!(payload["validate_before_saving"], true);
    assert_eq!(payload["multi_request"], true);
    assert_eq!(payload["labels"][0]["label_hash"], last["values"]["uid"][0]);
    assert_eq!(payload["labels"][0]["data_units"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_later_chunk_that_fails_says_what_was_done_before() {
    let server = Server::start(|request, count| {
        project_reply(request).unwrap_or_else(|| match count {
            2 => Reply::body(204, ""),
            _ => Reply::body(400, r#"{"message":"gone"}"#),
        })
    })
    .await;
    let tasks: Vec<_> = (0..501).map(|_| encord_labels::id::TaskUuid::random()).collect();
    let stage = STAGE.parse().unwrap();
    let error = project(&server).await.move_tasks(stage, stage, &tasks).await.unwrap_err();
    assert!(matches!(&error, Error::Incomplete { done: 500, .. }), "{error}");
    assert_eq!(error.refusal().unwrap().message(), "gone");
    assert_eq!(server.requests()[2].json()["taskUuids"].as_array().unwrap().len(), 500);
}

#[tokio::test]
async fn priorities_are_checked_and_bundled() {
    let server =
        Server::start(|request, _| project_reply(request).unwrap_or_else(|| Reply::json(json!(null)))).await;
    let project = project(&server).await;
    let data: DataHash = "0e46c215-b5fa-4b0c-9b18-bd763f20134c".parse().unwrap();
    for wrong in [f64::NAN, -0.1, 1.5] {
        assert!(matches!(project.set_priorities(&[(data, wrong)]).await, Err(Error::InvalidInput(_))));
    }
    project.set_priorities(&[(data, 0.0)]).await.unwrap();
    let request = server.requests().pop().unwrap();
    assert_eq!(request.json(), json!({"priorities": [["0e46c215-b5fa-4b0c-9b18-bd763f20134c", 0.0]]}));
    assert_eq!(server.requests().len(), 3);
}

fn item(uuid: &str) -> Value {
    json!({"uuid": uuid, "parent": "9823beb1-e6ba-4ad7-8de4-5321ad915a36", "itemType": "image", "name": uuid,
        "clientMetadata": "{}", "createdAt": "2025-03-04T10:20:30Z", "lastEditedAt": "2025-03-04T10:20:30Z"})
}

#[tokio::test]
async fn storage_items_are_matched_by_uuid() {
    let server = Server::start(|request, _| {
        let body = request.json();
        let uuids = body["itemUuids"].as_array().unwrap().iter().rev().map(|uuid| uuid.as_str().unwrap());
        let found: Vec<_> = uuids.filter(|uuid| !uuid.starts_with('0')).map(item).collect();
        Reply::json(json!({ "results": found }))
    })
    .await;
    let [a, b, gone] = ["a", "b", "0"]
        .map(|start| format!("{start}e46c215-b5fa-4b0c-9b18-bd763f20134c").parse::<ItemUuid>().unwrap());
    let items = server.client().storage_items(&[a, gone, b, a], true).await.unwrap();
    let found: Vec<_> = items.iter().map(|item| item.as_ref().map(|item| item.uuid)).collect();
    assert_eq!(found, [Some(a), None, Some(b), Some(a)]);
    assert_eq!(server.requests()[0].json()["itemUuids"].as_array().unwrap().len(), 3);
    assert!(server.client().storage_items(&[], true).await.unwrap().is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn item_updates_are_joined_and_missing_ones_named() {
    let server = Server::start(|request, _| {
        let body = request.json();
        let uuids = body["itemPatches"].as_object().unwrap().keys();
        Reply::json(json!({ "results": uuids.filter(|uuid| !uuid.starts_with('0')).map(|uuid| item(uuid)).collect::<Vec<_>>() }))
    })
    .await;
    let [a, gone] = ["a", "0"]
        .map(|start| format!("{start}e46c215-b5fa-4b0c-9b18-bd763f20134c").parse::<ItemUuid>().unwrap());
    let metadata = json!({"k": null}).as_object().unwrap().clone();
    let updates =
        [(a, ItemUpdate::new().with_client_metadata(metadata)), (a, ItemUpdate::new().with_name("n"))];
    let client = server.client();
    assert_eq!(client.update_items(updates).await.unwrap().len(), 1);
    let expected = json!({"itemPatches": {a.to_string(): {"name": "n", "clientMetadata": {"k": null}}}});
    assert_eq!(server.requests()[0].json(), expected);
    let error = client.update_items([(gone, ItemUpdate::new().with_name("n"))]).await.unwrap_err();
    assert!(error.to_string().contains(&gone.to_string()), "{error}");
}

#[tokio::test]
async fn listing_label_rows_sends_every_filter() {
    let data = known();
    let server = Server::start(move |request, _| {
        project_reply(request).unwrap_or_else(|| Reply::v1(json!([metadata(data, None, "b")])))
    })
    .await;
    let project = project(&server).await;
    let filter = LabelRowFilter::new().with_data_hashes([data]).with_branch_name("b");
    let rows = project.label_rows(&filter).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].metadata().branch_name(), "b");
    assert!(!rows[0].is_initialised());
    let payload = server.requests().pop().unwrap().json()["values"]["payload"].clone();
    assert_eq!(payload.as_object().unwrap().len(), 18);
    assert_eq!(payload["data_hashes"], json!([data]));
    assert!(project.label_rows(&LabelRowFilter::new().with_data_hashes([])).await.unwrap().is_empty());
    assert!(project.label_rows(&filter.with_all_branches()).await.is_err());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn client_metadata_behind_links_is_followed() {
    let data = [known(), known()];
    let server = Server::start(move |request, _| {
        project_reply(request).unwrap_or_else(|| match request.target.as_str() {
            "/good?secret" => Reply::json(json!({"a": 1})),
            "/bad?secret" => Reply::body(403, ""),
            _ => {
                let host = request.header("host").unwrap();
                let rows = data.iter().zip(["good", "bad"]).map(|(data, name)| {
                    let mut row = metadata(*data, None, "main");
                    row["client_metadata_signed_url"] = json!(format!("http://{host}/{name}?secret"));
                    row["client_metadata"] = json!({"old": true});
                    row
                });
                Reply::v1(rows.collect())
            }
        })
    })
    .await;
    let mut filter = LabelRowFilter::new().with_client_metadata();
    filter.client_metadata_as_signed_url = true;
    let rows = project(&server).await.label_rows(&filter).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| json!(row.metadata().client_metadata())).collect();
    assert_eq!(found, [json!({"a": 1}), json!({"old": true})]);
    let links = server.requests().into_iter().filter(|request| request.target.ends_with("secret"));
    assert!(links.into_iter().all(|request| request.header("authorization").is_none()));
}
