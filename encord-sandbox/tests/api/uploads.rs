//! Uploads: URLs, files, jobs, and items that can be linked and worked on.

use encord_sandbox::{Options, Sandbox};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::wire::{Wire, images};

const IMAGE: &[u8] = b"P5 2 1 255 \x10\xff";

async fn folder(wire: &Wire) -> String {
    let folder = wire.post("/storage/folders", json!({"name": "up"})).await.ok();
    format!("/storage/folders/{}", folder["uuid"].as_str().unwrap())
}

/// Puts the bytes and returns what the URL request answered, with the status of the put.
async fn put(wire: &Wire, folder: &str, bytes: &'static [u8]) -> (Value, StatusCode) {
    let body = json!({"itemType": "image", "count": 1});
    let mut urls = wire.post(&format!("{folder}/upload-signed-urls"), body).await.ok();
    let url = urls["results"][0].take();
    let status = wire.http.put(url["signedUrl"].as_str().unwrap()).body(bytes).send().await.unwrap().status();
    (url, status)
}

async fn job(wire: &Wire, folder: &str, items: Value) -> Value {
    let id = wire
        .post(&format!("{folder}/data-upload-jobs"), json!({"dataItems": items, "ignoreErrors": false}))
        .await
        .ok();
    wire.get(&format!("{folder}/data-upload-jobs/{}?timeoutSeconds=60", id.as_str().unwrap())).await.ok()
}

#[tokio::test]
async fn an_uploaded_file_becomes_an_item_and_a_task() {
    let (sandbox, wire, project, stage) = images(1).await;
    let folder = folder(&wire).await;
    let (url, status) = put(&wire, &folder, IMAGE).await;
    assert_eq!(status, StatusCode::OK);
    let image = json!({"objectUrl": url["objectKey"], "title": "t", "clientMetadata": {"a": 1}, "placeholderItemUuid": url["itemUuid"]});
    let done = job(&wire, &folder, json!({"images": [image]})).await;
    assert_eq!((&done["status"], &done["itemsWithNames"][0]["itemUuid"]), (&json!("DONE"), &url["itemUuid"]));
    let item =
        wire.get(&format!("/storage/items/{}?signUrl=True", url["itemUuid"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&item["width"], &item["height"], &item["clientMetadata"]),
        (&json!(2), &json!(1), &json!("{\"a\":1}"))
    );
    let bytes =
        wire.http.get(item["signedUrl"].as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, IMAGE);

    let dataset = wire.rows(project, json!({})).await[0]["dataset_hash"].as_str().unwrap().to_owned();
    let link = json!({"item_uuids": [url["itemUuid"]], "duplicates_behavior": "SKIP"});
    let linked =
        wire.v1(("dataset", &dataset), "datasetlinkitems", "POST", json!(dataset), link.clone()).await;
    assert_eq!(linked["response"][0]["backing_item_uuid"], url["itemUuid"]);
    let again = wire.v1(("dataset", &dataset), "datasetlinkitems", "POST", json!(dataset), link).await;
    assert_eq!(again["response"], json!([]));
    assert_eq!(wire.tasks(project, stage).await.len(), 2);
    let gone = wire
        .v1(
            ("dataset", &dataset),
            "video",
            "DELETE",
            json!([linked["response"][0]["data_hash"]]),
            Value::Null,
        )
        .await;
    assert_eq!(gone["status"], 200);
    assert_eq!(sandbox.state(project).unwrap().tasks.len(), 1);
}

#[tokio::test]
async fn what_is_not_there_or_not_an_image_is_an_error_of_the_job() {
    let (_sandbox, wire, _, _) = images(1).await;
    let folder = folder(&wire).await;
    let (text, _) = put(&wire, &folder, b"just words").await;
    for key in [
        text["objectKey"].as_str().unwrap(),
        "uploads/../../etc/passwd",
        "uploads/00000000-0000-4000-8000-000000000000",
    ] {
        let failed = job(&wire, &folder, json!({"images": [{"objectUrl": key, "title": "t"}]})).await;
        assert_eq!(
            (&failed["status"], failed["unitsErrorCount"].as_u64()),
            (&json!("ERROR"), Some(1)),
            "{failed}"
        );
        assert!(!failed["errors"][0].as_str().unwrap().contains("/tmp"), "{failed}");
    }
    let items = wire.get(&format!("{folder}/items")).await.ok();
    assert_eq!(items["results"], json!([]));
    let cloud = json!({"externalFiles": {}, "integrationHash": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(wire.post(&format!("{folder}/data-upload-jobs"), cloud).await.status, StatusCode::NOT_FOUND);
    let group = json!({"itemType": "imageGroup", "count": 1});
    assert_eq!(
        wire.post(&format!("{folder}/upload-signed-urls"), group).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn files_and_requests_have_limits() {
    let mut options = Options::default();
    (options.limits.upload, options.limits.api_body) = (4, 2000);
    let sandbox = Sandbox::builder().project("p").images(1).options(options).start().await.unwrap();
    let wire = Wire::new(&sandbox);
    let folder = folder(&wire).await;
    assert_eq!(put(&wire, &folder, b"1234").await.1, StatusCode::OK);
    assert_eq!(put(&wire, &folder, b"12345").await.1, StatusCode::PAYLOAD_TOO_LARGE);
    let long = "x".repeat(2000);
    assert_eq!(
        wire.post("/storage/folders", json!({"name": long})).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let v1 =
        wire.query(("", ""), "project", "POST", Value::Null, json!({"title": long})).send().await.unwrap();
    assert_eq!(v1.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
