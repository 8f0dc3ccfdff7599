//! Uploads: place, file, job.

use encord_client::{Error, UploadKind};
use serde_json::{Map, Value, json};

use crate::server::{Reply, Request, Server};

const FOLDER: &str = "9823beb1-e6ba-4ad7-8de4-5321ad915a36";
const ITEM: &str = "bea75def-e8cb-419d-855c-d6e0683d063f";
const JOB: &str = "0f0f0f0f-e8cb-419d-855c-d6e0683d063f";

/// A platform and its storage in one; `put` and `job` answer the upload itself and questions about the job.
async fn platform(
    put: impl Fn(usize) -> Reply + Send + Sync + 'static,
    job: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> Server {
    let seen = std::sync::Mutex::new((0, 0));
    Server::start(move |request, _| {
        let mut seen = seen.lock().unwrap();
        let host = request.header("host").unwrap();
        match (request.method.as_str(), request.target.as_str()) {
            ("POST", target) if target.ends_with("/upload-signed-urls") => Reply::json(json!({"results": [
                {"itemUuid": ITEM, "objectKey": "key", "signedUrl": format!("http://{host}/bucket/key?secret"),
                 "uploadHeaders": {"x-goog-meta": "1", "Content-Type": "image/special"}}]})),
            ("PUT", "/bucket/key?secret") => {
                seen.0 += 1;
                put(seen.0)
            }
            ("POST", target) if target.ends_with("/data-upload-jobs") => Reply::json(json!(JOB)),
            ("GET", target) if target.contains(JOB) => {
                seen.1 += 1;
                Reply::json(job(seen.1))
            }
            _ => Reply::body(500, ""),
        }
    })
    .await
}

fn status(status: &str) -> Value {
    let items = if status == "DONE" { json!([{"itemUuid": ITEM, "name": "x"}]) } else { json!([]) };
    json!({"status": status, "itemsWithNames": items, "errors": ["bad pixels"], "unitErrors": []})
}

async fn upload(server: &Server, path: &std::path::Path) -> Result<String, Error> {
    let folder = FOLDER.parse().unwrap();
    let metadata = Map::from_iter([("a".to_owned(), json!(1))]);
    let item = server.client().upload(folder, UploadKind::Image, path, None, metadata).await?;
    Ok(item.to_string())
}

fn picture() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    std::fs::write(&path, vec![7; 200_000]).unwrap();
    (folder, path)
}

fn find<'a>(requests: &'a [Request], method: &str, part: &str) -> Vec<&'a Request> {
    requests.iter().filter(|request| request.method == method && request.target.contains(part)).collect()
}

#[tokio::test]
async fn a_file_goes_to_its_place_and_is_taken_in() {
    let server = platform(
        |attempt| Reply::body(if attempt == 1 { 503 } else { 201 }, ""),
        |question| status(if question == 1 { "PENDING" } else { "DONE" }),
    )
    .await;
    let (_folder, path) = picture();
    assert_eq!(upload(&server, &path).await.unwrap(), ITEM);
    let requests = server.requests();
    let puts = find(&requests, "PUT", "/bucket/key");
    assert_eq!(puts.len(), 2);
    assert!(puts[1].body == vec![7; 200_000]);
    assert_eq!(puts[1].header("content-length"), Some("200000"));
    assert_eq!(puts[1].header("content-type"), Some("image/special"));
    assert_eq!(puts[1].header("cache-control"), Some("max-age=86400"));
    assert_eq!(puts[1].header("x-goog-meta"), Some("1"));
    assert!(puts[1].header("authorization").is_none() && puts[1].header("signature").is_none());
    let job = find(&requests, "POST", "/data-upload-jobs")[0].json();
    assert_eq!(
        job["dataItems"]["images"],
        json!([{"objectUrl": "key", "title": "photo.png", "clientMetadata": {"a": 1}, "externalFileType": "IMAGE",
            "placeholderItemUuid": ITEM}])
    );
    assert_eq!(job["dataItems"].as_object().unwrap().len(), 13);
    assert_eq!(find(&requests, "GET", JOB).len(), 2);
}

#[tokio::test]
async fn refusals_are_explained_without_secrets() {
    let (_folder, path) = picture();
    let check = async |server: Server, expected: &str| {
        let error = upload(&server, &path).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    };
    let fine = || Reply::body(200, "");
    check(platform(|_| Reply::body(403, "<xml>"), |_| status("DONE")).await, "refuses the file (status 403)")
        .await;
    check(platform(move |_| fine(), |_| status("ERROR")).await, "bad pixels").await;
    check(platform(move |_| fine(), |_| status("CANCELLED")).await, "cancelled").await;
    let server = platform(move |_| fine(), |_| status("DONE")).await;
    let missing = path.with_file_name("missing.png");
    let error = upload(&server, &missing).await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("missing.png"), "{error}");
    assert!(server.requests().is_empty());
}
