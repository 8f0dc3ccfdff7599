//! The older interface: every call is a `POST` of an envelope, and so is every answer.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::{Answer, Call, Scope};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Target;
use crate::refusal;
use crate::retry::Safety;

/// Whose data a call is about.
#[derive(Debug, Clone)]
pub(crate) enum Entity {
    Project(String),
    Dataset(String),
    User,
}

/// What is called: entity type and verb of the envelope, and whether repeating it is safe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) query_type: &'static str,
    pub(crate) verb: &'static str,
    /// Both of them, for messages.
    pub(crate) label: &'static str,
    pub(crate) safety: Safety,
}

/// The envelope of a request.
#[derive(Serialize)]
struct Envelope<'a, U, P> {
    query_type: &'a str,
    query_method: &'a str,
    values: Values<'a, U, P>,
}

#[derive(Serialize)]
struct Values<'a, U, P> {
    uid: &'a U,
    payload: &'a P,
}

#[derive(Deserialize)]
struct Success<T> {
    status: Status,
    response: T,
}

/// 200 and nothing else, so that an error envelope never passes for a result.
struct Status;

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            200 => Ok(Self),
            other => Err(serde::de::Error::custom(format!("status {other}"))),
        }
    }
}

#[derive(Deserialize)]
struct Failure {
    status: i64,
    #[serde(default)]
    response: Value,
    #[serde(default)]
    payload: Value,
}

impl Client {
    /// Calls an operation and returns its raw answer, to be read with [`Answer::v1`].
    pub(crate) async fn v1(
        &self,
        entity: &Entity,
        operation: Operation,
        uid: &impl Serialize,
        payload: &impl Serialize,
    ) -> Result<Answer> {
        let Operation { query_type, verb: query_method, .. } = operation;
        let envelope = Envelope { query_type, query_method, values: Values { uid, payload } };
        let body = serde_json::to_vec(&envelope).map_err(|error| {
            Error::invalid(format!("{}: cannot be written as JSON: {error}", operation.label))
        })?;
        self.v1_raw(entity, operation, body.into()).await
    }

    /// As [`Client::v1`], with an envelope that has been written already.
    pub(crate) async fn v1_raw(&self, entity: &Entity, operation: Operation, body: Bytes) -> Result<Answer> {
        let (path, kind, id) = match entity {
            Entity::Project(id) => ("/public", "project", id.clone()),
            Entity::Dataset(id) => ("/public", "dataset", id.clone()),
            Entity::User => ("/public/user", "", String::new()),
        };
        let call = Call {
            method: Method::POST,
            target: Target::new(path),
            body,
            safety: operation.safety,
            scope: Scope::V1 { kind, id },
            label: operation.label,
        };
        self.send(&call).await
    }
}

impl Answer {
    /// The result inside the envelope. It may borrow from the answer.
    pub(crate) fn v1<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        match serde_json::from_slice::<Success<T>>(&self.body) {
            Ok(Success { status: Status, response }) => Ok(response),
            Err(error) => Err(self.v1_error(&error)),
        }
    }

    /// For operations without a result worth reading: checks the status, accepts anything else.
    pub(crate) fn v1_done(&self) -> Result<()> {
        self.v1::<&RawValue>().map(drop)
    }

    /// As [`Answer::v1`] for a single thing; null and empty results mean that it does not exist.
    pub(crate) fn v1_single<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let raw = self.v1::<&RawValue>()?.get();
        if matches!(raw, "null" | "false" | "{}" | "[]") {
            let text = Value::String(String::new());
            let code = Some("RESOURCE_NOT_FOUND_ERROR");
            return Err(refusal::from_code(code, &text, self.status, self.context.clone()));
        }
        serde_json::from_str(raw).map_err(|error| self.protocol_error(format!("unexpected result: {error}")))
    }

    fn v1_error(&self, parse: &serde_json::Error) -> Error {
        match serde_json::from_slice::<Failure>(&self.body) {
            Ok(failure) if failure.status != 200 => {
                // The code is the only element of a list; a bare string is tolerated.
                let code = match &failure.response {
                    Value::Array(list) if list.len() == 1 => list[0].as_str(),
                    Value::String(code) => Some(code.as_str()),
                    _ => None,
                };
                refusal::from_code(code, &failure.payload, self.status, self.context.clone())
            }
            Ok(_) => self.protocol_error(format!("unexpected result: {parse}")),
            Err(error) => self.protocol_error(format!("not an answer of the platform: {error}")),
        }
    }
}
