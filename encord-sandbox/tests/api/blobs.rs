//! Signed URLs: bound to one object, for a while, with ranges.

use std::time::Duration;

use encord_sandbox::{Options, Sandbox};
use reqwest::StatusCode;
use serde_json::json;

use super::wire::{Wire, images};

async fn signed_url(wire: &Wire, item: &serde_json::Value) -> String {
    let item = wire.get(&format!("/storage/items/{}?signUrl=True", item.as_str().unwrap())).await.ok();
    item["signedUrl"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn generated_images_are_images_that_differ() {
    let (_sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let mut files = Vec::new();
    for row in &rows {
        let response =
            wire.http.get(signed_url(&wire, &row["backing_item_uuid"]).await).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "image/png");
        files.push(response.bytes().await.unwrap());
    }
    assert_ne!(files[0], files[1]);
    let reader = png::Decoder::new(std::io::Cursor::new(&files[0])).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (16, 16));
    let item =
        wire.get(&format!("/storage/items/{}", rows[0]["backing_item_uuid"].as_str().unwrap())).await.ok();
    assert_eq!((item["fileSize"].as_u64(), item["signedUrl"].is_null()), (Some(files[0].len() as u64), true));
}

#[tokio::test]
async fn parts_of_a_file_can_be_had() {
    let (_sandbox, wire, project, _) = images(1).await;
    let item = wire.rows(project, json!({})).await[0]["backing_item_uuid"].clone();
    let url = signed_url(&wire, &item).await;
    let get = async |range: &str| wire.http.get(&url).header("range", range).send().await.unwrap();
    let whole = wire.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    let part = get("bytes=10-19").await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"].to_str().unwrap(), format!("bytes 10-19/{}", whole.len()));
    assert_eq!(part.bytes().await.unwrap(), whole[10..20]);
    assert_eq!(get("bytes=10-").await.bytes().await.unwrap(), whole[10..]);
    assert_eq!(get("bytes=99999999-").await.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn a_url_opens_its_own_object_only() {
    let (_sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let [first, second] = [0, 1].map(|index| rows[index]["backing_item_uuid"].as_str().unwrap().to_owned());
    let url = signed_url(&wire, &json!(first)).await;
    let status = async |url: String| wire.http.get(url).send().await.unwrap().status();
    assert_eq!(status(url.replace(&first, &second)).await, StatusCode::FORBIDDEN);
    assert_eq!(status(url.split('?').next().unwrap().to_owned()).await, StatusCode::FORBIDDEN);
    assert_eq!(wire.http.put(&url).body("x").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let metadata = url.replace(&first, &format!("{first}/client-metadata"));
    assert_eq!(status(metadata).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn urls_expire() {
    let mut options = Options::default();
    options.limits.signed_url_lifetime = Duration::ZERO;
    let sandbox = Sandbox::builder().project("p").images(1).options(options).start().await.unwrap();
    let wire = Wire::new(&sandbox);
    let item = wire.rows(sandbox.project("p").unwrap(), json!({})).await[0]["backing_item_uuid"].clone();
    let response = wire.http.get(signed_url(&wire, &item).await).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.text().await.unwrap().contains("ExpiredToken"));
}
