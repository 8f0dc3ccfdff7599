//! The floor of the runner measurements: a bare HTTP client that sends the requests which the work cannot do
//! without, one after the other, and looks into the answers no further than it must.
//!
//! ```text
//! bench_floor PROJECT_HASH STAGE noop|save
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use encord_agents::client::Client;
use encord_benches::Stopwatch;
use serde::Deserialize;
use serde_json::value::RawValue;
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

    async fn v1(
        &self,
        verb: &str,
        kind: &str,
        uid: Value,
        payload: impl serde::Serialize,
    ) -> Result<Vec<u8>> {
        #[derive(serde::Serialize)]
        struct Values<P> {
            uid: Value,
            payload: P,
        }
        #[derive(serde::Serialize)]
        struct Body<'a, P> {
            query_type: &'a str,
            query_method: &'a str,
            values: Values<P>,
        }
        let body = Body { query_type: kind, query_method: verb, values: Values { uid, payload } };
        let request = self.http.post(format!("{}/public", self.domain)).body(serde_json::to_vec(&body)?);
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
        struct Labels<'a> {
            label_hash: String,
            #[serde(borrow, flatten)]
            _rest: HashMap<&'a str, &'a RawValue>,
        }
        #[derive(serde::Serialize)]
        struct Save<'a> {
            multi_request: bool,
            labels: &'a [&'a RawValue],
            validate_before_saving: bool,
        }
        let data: Vec<&str> = tasks.iter().map(|task| &*task.data_hash).collect();
        let filter = json!({"include_uninitialised_labels": true, "data_hashes": data, "include_workflow_graph_node": true,
            "branch_name": "main"});
        let listed = self.v1("GET", "labelrowmetadata", Value::Null, filter).await?;
        let rows: Envelope<Vec<Row>> = serde_json::from_slice(&listed)?;
        let items: Vec<&str> = rows.response.iter().map(|row| &*row.backing_item_uuid).collect();
        self.post("/v2/public/storage/items/get-bulk", &json!({"itemUuids": items, "signUrls": true}))
            .await?;
        let arguments = json!({"multi_request": true, "get_signed_url": false, "branch_name": "main"});
        let created = self.v1("PUT", "labelrow", json!(data), arguments).await?;
        let created: Envelope<Vec<&RawValue>> = serde_json::from_slice(&created)?;
        let hash = |row: &&RawValue| Ok(serde_json::from_str::<Labels>(row.get())?.label_hash);
        let hashes: Vec<String> = created.response.iter().map(hash).collect::<Result<_>>()?;
        let save = Save { multi_request: true, labels: &created.response, validate_before_saving: false };
        self.v1("POST", "labelrow", json!(hashes), save).await?;
        let priorities: Vec<_> = data.iter().map(|data| (data, 0.5)).collect();
        let path = format!("/v2/public/projects/{}/priorities", self.project);
        self.post(&path, &json!({"priorities": priorities})).await?;
        Ok(())
    }
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
