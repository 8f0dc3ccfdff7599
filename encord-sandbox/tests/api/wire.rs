//! A small client with signing code of its own, made from the description of
//! the wire and not from any other client.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use encord_sandbox::Sandbox;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A signing client of one sandbox.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) key: SigningKey,
}

/// An answer of the v2 API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }
}

impl Wire {
    /// A client with the key that the sandbox made.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        Self::with_key(sandbox, secret_of(sandbox.private_key_openssh().unwrap()))
    }

    pub(crate) fn with_key(sandbox: &Sandbox, key: SigningKey) -> Self {
        Self { http: http(), url: sandbox.url().to_owned(), key }
    }

    /// A v2 request, signed now.
    pub(crate) fn signed(&self, method: Method, target: &str, body: Option<&Value>) -> RequestBuilder {
        self.signed_at(method, target, body, jiff::Timestamp::now().as_second())
    }

    /// A v2 request, signed at this unix time.
    pub(crate) fn signed_at(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
        at: i64,
    ) -> RequestBuilder {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&body)));
        let key = hex::encode(self.key.verifying_key().to_bytes());
        let input = format!(
            r#"("@method" "@request-target" "content-digest");created={at};keyid="{key}";alg="ed25519""#
        );
        let base = format!(
            "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {input}"
        );
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()).to_bytes());
        self.http
            .request(method, format!("{}{target}", self.url))
            .header("content-digest", digest)
            .header("signature-input", format!("encord-sig={input}"))
            .header("signature", format!("encord-sig=:{signature}:"))
            .body(body)
    }

    pub(crate) async fn v2(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let response = self.signed(method, &format!("/v2/public{path}"), body).send().await.unwrap();
        let status = response.status();
        Answer { status, body: response.json().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.v2(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.v2(Method::POST, path, Some(&body)).await
    }

    /// A v1 request about an entity: `("project", hash)`, or `("", "")` for the user.
    pub(crate) fn query(
        &self,
        scope: (&str, &str),
        entity: &str,
        method: &str,
        uid: Value,
        payload: Value,
    ) -> RequestBuilder {
        let body =
            json!({"query_type": entity, "query_method": method, "values": {"uid": uid, "payload": payload}});
        let body = body.to_string();
        let signature = self.key.sign(&Sha256::digest(body.as_bytes()));
        let key = hex::encode(self.key.verifying_key().to_bytes());
        let path = if scope.0.is_empty() { "/public/user" } else { "/public" };
        self.http
            .post(format!("{}{path}", self.url))
            .header("resourcetype", scope.0)
            .header("resourceid", scope.1)
            .header("authorization", format!("{key}:{}", hex::encode(signature.to_bytes())))
            .body(body)
    }

    /// The whole envelope of a v1 answer.
    pub(crate) async fn v1(
        &self,
        scope: (&str, &str),
        entity: &str,
        method: &str,
        uid: Value,
        payload: Value,
    ) -> Value {
        let response = self.query(scope, entity, method, uid, payload).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// The response of a v1 success about a project.
    pub(crate) async fn of_project(
        &self,
        project: Uuid,
        entity: &str,
        method: &str,
        uid: Value,
        payload: Value,
    ) -> Value {
        let mut answer = self.v1(("project", &project.to_string()), entity, method, uid, payload).await;
        assert_eq!(answer["status"], 200, "{answer}");
        answer["response"].take()
    }

    /// Every label row of a project.
    pub(crate) async fn rows(&self, project: Uuid, filter: Value) -> Vec<Value> {
        let rows = self.of_project(project, "labelrowmetadata", "GET", Value::Null, filter).await;
        rows.as_array().unwrap().clone()
    }

    /// All tasks of a stage, page by page.
    pub(crate) async fn tasks(&self, project: Uuid, stage: Uuid) -> Vec<Value> {
        let path = format!("/projects/{project}/workflow/stages/{stage}/tasks");
        let (mut tasks, mut token) = (Vec::new(), None::<String>);
        loop {
            let query = token.map_or(String::new(), |token| format!("?pageToken={token}"));
            let page = self.get(&format!("{path}{query}")).await.ok();
            tasks.extend(page["results"].as_array().unwrap().iter().cloned());
            token = page["nextPageToken"].as_str().map(Into::into);
            if token.is_none() {
                return tasks;
            }
        }
    }
}

/// The secret in an unencrypted OpenSSH file: it follows a length of 64.
pub(crate) fn secret_of(text: &str) -> SigningKey {
    let encoded: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let bytes = STANDARD.decode(encoded).unwrap();
    let at = bytes.windows(4).rposition(|window| window == [0, 0, 0, 64]).unwrap() + 4;
    SigningKey::from_bytes(bytes[at..at + 32].try_into().unwrap())
}

/// A project with this many images at an agent stage: sandbox, client, project
/// and the agent stage.
pub(crate) async fn images(count: u64) -> (Sandbox, Wire, Uuid, Uuid) {
    let builder = Sandbox::builder().project("images").stage_agent("Agent 1", ["complete"]).images(count);
    let sandbox = builder.start().await.unwrap();
    let wire = Wire::new(&sandbox);
    let project = sandbox.project("images").unwrap();
    let stage = sandbox.state(project).unwrap().stages[0].uuid;
    (sandbox, wire, project, stage)
}

/// The `uuid` of a JSON object.
pub(crate) fn uuid(value: &Value) -> Uuid {
    value["uuid"].as_str().unwrap().parse().unwrap()
}

/// A plain HTTP client.
pub(crate) fn http() -> reqwest::Client {
    // In a build of the whole workspace `reqwest` has TLS without a provider of its own, and wants one even
    // though a sandbox speaks plain HTTP. Whether another test came first does not matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
