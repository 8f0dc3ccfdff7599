//! Any bytes as the platform's answer: an error, or a value; never a panic, and never an endless listing.
//!
//! The first byte says what is asked for, the second how the platform says it went; the rest is the body of every
//! answer.
#![no_main]

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use encord_client::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use encord_client::{
    BearerToken, Client, DataRowFilter, LabelRowFilter, OntologyFilter, ProjectFilter, RetryPolicy, TaskFilter,
};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;

/// Answers everything in the same way.
struct Same {
    status: StatusCode,
    body: Bytes,
}

impl fmt::Debug for Same {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Same")
    }
}

impl Transport for Same {
    fn send(&self, _request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let body = stream::once(std::future::ready(Ok(self.body.clone()))).boxed();
        let response = HttpResponse { status: self.status, headers: HeaderMap::new(), body };
        Box::pin(std::future::ready(Ok(response)))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [action, status, body @ ..] = bytes else { return };
    let status = [200, 400, 401, 403, 404, 409, 413, 422][usize::from(*status) % 8];
    let status = StatusCode::from_u16(status).expect("one of the list above");
    let client = Client::builder()
        .bearer_token(BearerToken::new("token"))
        .transport(Arc::new(Same { status, body: Bytes::copy_from_slice(body) }))
        .retry(RetryPolicy::never())
        .build()
        .expect("settings that never change");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(ask(*action, &client));
});

/// Asks for one kind of thing. What comes is looked at only by reading it.
async fn ask(action: u8, client: &Client) {
    let any = "5e900000-0000-4000-8000-000000000001";
    match action % 9 {
        0 => {
            let Ok(project) = client.project(any.parse().expect("a uuid")).await else { return };
            let _ = project.datasets().await;
            let _ = project.label_rows(&LabelRowFilter::default()).await;
            for stage in project.stages() {
                let filter = TaskFilter::new();
                let _ = Box::pin(project.agent_tasks(stage.uuid, &filter)).take(3).count().await;
                let _ = Box::pin(project.annotation_tasks(stage.uuid, &filter)).take(3).count().await;
                let _ = Box::pin(project.review_tasks(stage.uuid, &filter)).take(3).count().await;
            }
        }
        1 => drop(Box::pin(client.projects(&ProjectFilter::new())).take(3).count().await),
        2 => drop(client.ontologies(&OntologyFilter::new()).await),
        3 => drop(client.ontology(any.parse().expect("a uuid")).await),
        4 => drop(client.datasets(None).await),
        5 => drop(client.data_rows(any.parse().expect("a uuid"), &DataRowFilter::new()).await),
        6 => {
            if let Ok(item) = client.storage_item(any.parse().expect("a uuid"), true).await {
                let _ = client.child_items(&item, true).await;
            }
        }
        7 => drop(client.storage_items(&[any.parse().expect("a uuid")], true).await),
        _ => drop(client.bearer_token().await),
    }
}
