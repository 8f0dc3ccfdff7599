//! The floor of the runner measurements: a bare HTTP client that sends the requests which the work cannot do
//! without, one after the other, and looks into the answers no further than it must.
//!
//! ```text
//! bench_floor PROJECT_HASH STAGE noop|save
//! ```

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use encord_agents::client::Client;
use encord_benches::Stopwatch;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// As many tasks as the runners fetch together.
const BATCH: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    results: Vec<Task>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    uuid: String,
    data_hash: String,
}

#[derive(Deserialize)]
struct Envelope<T> {
    response: T,
}

/// A connection with the token of the key in the environment.
struct Bare {
    http: reqwest::Client,
    domain: String,
    token: String,
    project: String,
}

impl Bare {
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>> {
        let answer = request.bearer_auth(&self.token).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>> {
        self.send(self.http.get(format!("{}{path}", self.domain))).await
    }

    async fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<Vec<u8>> {
        let request = self.http.post(format!("{}{path}", self.domain)).body(serde_json::to_vec(body)?);
        self.send(request.header("content-type", "application/json")).await
    }

    async fn v1(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = self.http.post(format!("{}/public", self.domain)).body(body);
        let headers = [("content-type", "application/json"), ("resourcetype", "project")];
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.send(request.header("resourceid", &self.project)).await
    }

    /// What must be sent for label rows: list, create, items, save, priorities.
    async fn save(&self, tasks: &[Task]) -> Result<()> {
        #[derive(Deserialize)]
        struct Row {
            backing_item_uuid: String,
        }
        #[derive(Deserialize)]
        struct Labels {
            label_hash: String,
        }
        let data: Vec<&str> = tasks.iter().map(|task| &*task.data_hash).collect();
        let filter = json!({"include_uninitialised_labels": true, "data_hashes": data, "include_workflow_graph_node": true,
            "branch_name": "main"});
        let listed = self.v1(v1("GET", "labelrowmetadata", Value::Null, filter)).await?;
        let rows: Envelope<Vec<Row>> = serde_json::from_slice(&listed)?;
        let items: Vec<&str> = rows.response.iter().map(|row| &*row.backing_item_uuid).collect();
        self.post("/v2/public/storage/items/get-bulk", &json!({"itemUuids": items, "signUrls": true}))
            .await?;
        let arguments = json!({"multi_request": true, "get_signed_url": false, "branch_name": "main"});
        let created = self.v1(v1("PUT", "labelrow", json!(data), arguments)).await?;
        let labels = response(&created)?;
        let hashes: Vec<Labels> = serde_json::from_slice(labels)?;
        let hashes: Vec<&str> = hashes.iter().map(|row| &*row.label_hash).collect();
        // The documents go back as they came.
        let mut body = br#"{"query_type":"labelrow","query_method":"POST","values":{"uid":"#.to_vec();
        serde_json::to_writer(&mut body, &hashes)?;
        body.extend_from_slice(br#","payload":{"multi_request":true,"labels":"#);
        body.extend_from_slice(labels);
        body.extend_from_slice(br#","validate_before_saving":false}}}"#);
        self.v1(body).await?;
        let priorities: Vec<_> = data.iter().map(|data| (data, 0.5)).collect();
        let path = format!("/v2/public/projects/{}/priorities", self.project);
        self.post(&path, &json!({"priorities": priorities})).await?;
        Ok(())
    }
}

/// The body of a request to the older half of the interface.
fn v1(verb: &str, kind: &str, uid: Value, payload: Value) -> Vec<u8> {
    let values = json!({"uid": uid, "payload": payload});
    json!({"query_type": kind, "query_method": verb, "values": values}).to_string().into_bytes()
}

/// The text of the result in an answer of that half.
fn response(answer: &[u8]) -> Result<&[u8]> {
    const KEY: &[u8] = br#""response":"#;
    let start =
        answer.windows(KEY.len()).position(|window| window == KEY).context("no response")? + KEY.len();
    let mut values = serde_json::Deserializer::from_slice(&answer[start..]).into_iter::<IgnoredAny>();
    values.next().context("an empty response")??;
    Ok(&answer[start..start + values.byte_offset()])
}

/// A client that will only meet plain HTTP, but cannot be made without TLS.
fn plain_http() -> Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [project, stage, work] = arguments.as_slice() else {
        bail!("expected a project hash, a stage and the work")
    };
    let client = Client::from_env()?;
    let known = client.project(project.parse()?).await?;
    let stage =
        known.stages().iter().find(|known| known.title == *stage).context("there is no such stage")?;
    let pathway = stage.pathways().first().context("the stage has no pathway")?.uuid;
    let bare = Bare {
        http: plain_http()?,
        domain: std::env::var("ENCORD_DOMAIN").context("ENCORD_DOMAIN is not set")?,
        token: client.bearer_token().await?.expose().to_owned(),
        project: project.clone(),
    };
    let stopwatch = Stopwatch::start();
    bare.get(&format!("/v2/public/projects/{project}")).await?;
    let stage = format!("/v2/public/projects/{project}/workflow/stages/{}", stage.uuid);
    let (mut waiting, mut token, mut more) = (Vec::new(), None::<String>, true);
    while more || !waiting.is_empty() {
        while more && waiting.len() < BATCH {
            let query = token.as_ref().map(|token| format!("?pageToken={token}")).unwrap_or_default();
            let page: Page = serde_json::from_slice(&bare.get(&format!("{stage}/tasks{query}")).await?)?;
            waiting.extend(page.results);
            more = page.next_page_token.is_some();
            token = page.next_page_token;
        }
        let batch: Vec<Task> = waiting.drain(..BATCH.min(waiting.len())).collect();
        if batch.is_empty() {
            break;
        }
        if work == "save" {
            bare.save(&batch).await?;
        }
        let action =
            |task: &Task| json!({"taskUuid": task.uuid, "action": "PATHWAY_ACTION", "pathwayUuid": pathway});
        bare.post(&format!("{stage}/actions"), &batch.iter().map(action).collect::<Vec<_>>()).await?;
    }
    stopwatch.report();
    Ok(())
}
