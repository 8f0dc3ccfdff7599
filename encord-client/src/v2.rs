//! The newer interface: plain JSON over HTTP methods and statuses.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Answer, Call, Scope};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Target;
use crate::retry::Safety;

impl Client {
    /// Reads something.
    pub(crate) async fn v2_get<T: DeserializeOwned>(&self, target: impl Into<Target>) -> Result<T> {
        self.v2_send(Method::GET, target.into(), Bytes::new(), Safety::Idempotent).await?.v2()
    }

    /// Sends a body and reads the result.
    pub(crate) async fn v2_call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: impl Into<Target>,
        body: &impl Serialize,
        safety: Safety,
    ) -> Result<T> {
        self.v2_send(method, target.into(), json(body)?, safety).await?.v2()
    }

    /// Sends a body; the answer only says that it was accepted.
    pub(crate) async fn v2_command(
        &self,
        method: Method,
        target: impl Into<Target>,
        body: &impl Serialize,
        safety: Safety,
    ) -> Result<()> {
        self.v2_send(method, target.into(), json(body)?, safety).await?.v2_done()
    }

    /// Removes something.
    pub(crate) async fn v2_delete(&self, target: impl Into<Target>) -> Result<()> {
        self.v2_send(Method::DELETE, target.into(), Bytes::new(), Safety::Idempotent).await?.v2_done()
    }

    async fn v2_send(&self, method: Method, target: Target, body: Bytes, safety: Safety) -> Result<Answer> {
        self.send(&Call { method, target, body, safety, scope: Scope::V2, label: "" }).await
    }
}

impl Answer {
    fn v2<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.protocol_error(format!("unexpected answer: {error}")))
    }

    /// 204, or any JSON: pages of proxies must not pass for success.
    fn v2_done(&self) -> Result<()> {
        if self.status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        self.v2::<serde::de::IgnoredAny>().map(drop)
    }
}

fn json(body: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|error| Error::invalid(format!("the request cannot be written as JSON: {error}")))
}
