//! Celery's messages on Redis, as much of them as a worker and a producer need: message protocol 2 in the envelope of
//! its transport library, and results where its Redis backend keeps them.
//!
//! This is what "any other queue" looks like: a loop of your own around a stage's handler, a task spec in, a
//! completion out.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis::AsyncCommands;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde_json::{Value, json};

/// How long Celery's backend keeps results by default: a day, in seconds.
const KEEP_RESULT: u64 = 24 * 3600;

/// How long to wait for a message before looking whether to stop, in seconds.
const WAIT: f64 = 1.0;

/// How long the server may take for an answer, waiting for a message included.
const ANSWER: Duration = Duration::from_secs(30);

/// A Redis server as Celery uses it.
#[derive(Clone)]
pub struct Celery {
    connection: ConnectionManager,
    queue: String,
}

/// One call of a Celery task with one text argument.
pub struct Call {
    /// The id of the call, under which its result is kept.
    pub id: String,
    /// The name of the task.
    pub task: String,
    /// The argument: a task spec.
    pub argument: String,
    raw: String,
}

impl Celery {
    /// Connects to a server such as `redis://127.0.0.1:6379/0`. `queue` is `celery` unless yours has another name.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn connect(url: &str, queue: &str) -> Result<Self> {
        let client = redis::Client::open(url).context("the address of the broker")?;
        // Waiting for a message may take as long as it takes; by default no answer may take a second.
        let settings = ConnectionManagerConfig::new().set_response_timeout(Some(ANSWER));
        let connection = ConnectionManager::new_with_config(client, settings);
        let connection = connection.await.context("cannot reach the broker")?;
        Ok(Celery { connection, queue: queue.to_owned() })
    }

    /// Puts a call into the queue and returns its id.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn send(&mut self, task: &str, argument: &str) -> Result<String> {
        let id = uuid::Uuid::new_v4().to_string();
        let queue = self.queue.clone();
        let message = envelope(&id, task, argument, &queue).to_string();
        let () = self.connection.lpush(&queue, message).await?;
        Ok(id)
    }

    /// The next call, or none when there was none for a second. It stays in a list beside the queue until it is
    /// answered, so that nothing is lost with this process. A message that is not one of Celery's is put aside, into
    /// the list `QUEUE.unreadable`.
    ///
    /// # Errors
    /// When the server cannot be reached.
    #[allow(clippy::print_stderr, reason = "an example has no log")]
    pub async fn next(&mut self) -> Result<Option<Call>> {
        let (from, to) = (self.queue.clone(), self.in_hand());
        let mut command = redis::cmd("BLMOVE");
        command.arg(from).arg(to).arg("RIGHT").arg("LEFT").arg(WAIT);
        let raw: Option<String> = command.query_async(&mut self.connection).await?;
        let Some(raw) = raw else { return Ok(None) };
        match Call::read(&raw) {
            Ok(call) => Ok(Some(call)),
            Err(problem) => {
                eprintln!("a message is put aside: {problem:#}");
                self.put_aside(&raw).await?;
                Ok(None)
            }
        }
    }

    async fn put_aside(&mut self, raw: &str) -> Result<()> {
        let (in_hand, aside) = (self.in_hand(), format!("{}.unreadable", self.queue));
        let mut pipeline = redis::pipe();
        pipeline.atomic().lpush(&aside, raw).ignore().lrem(&in_hand, 1, raw).ignore();
        Ok(pipeline.query_async(&mut self.connection).await?)
    }

    /// Gives a call back that is for other workers, behind all others.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn put_back(&mut self, call: &Call) -> Result<()> {
        let (in_hand, queue) = (self.in_hand(), self.queue.clone());
        let mut pipeline = redis::pipe();
        pipeline.atomic().lpush(&queue, &call.raw).ignore().lrem(&in_hand, 1, &call.raw).ignore();
        Ok(pipeline.query_async(&mut self.connection).await?)
    }

    /// Puts back what a worker that died had in its hands. For queues with one such worker at a time.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn recover(&mut self) -> Result<()> {
        let (from, to) = (self.in_hand(), self.queue.clone());
        loop {
            let mut command = redis::cmd("LMOVE");
            let moved: Option<String> = command
                .arg(&from)
                .arg(&to)
                .arg("RIGHT")
                .arg("RIGHT")
                .query_async(&mut self.connection)
                .await?;
            if moved.is_none() {
                return Ok(());
            }
        }
    }

    /// Stores the result of a call and takes it out of the queue.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn answer(&mut self, call: &Call, outcome: Result<String>) -> Result<()> {
        let (status, result) = match outcome {
            Ok(completion) => ("SUCCESS", json!(completion)),
            Err(error) => (
                "FAILURE",
                json!({"exc_type": "RuntimeError", "exc_message": [format!("{error:#}")], "exc_module": "builtins"}),
            ),
        };
        let stored = json!({
            "status": status, "result": result, "traceback": null, "children": [], "task_id": call.id,
        });
        let (key, in_hand) = (result_key(&call.id), self.in_hand());
        let mut pipeline = redis::pipe();
        pipeline.atomic().set_ex(&key, stored.to_string(), KEEP_RESULT);
        pipeline.publish(&key, stored.to_string()).lrem(&in_hand, 1, &call.raw);
        let _: Value =
            pipeline.query_async::<redis::Value>(&mut self.connection).await.map(|_| Value::Null)?;
        Ok(())
    }

    /// The result of a call, if it is there: what the Python function returned, or an error.
    ///
    /// # Errors
    /// When the server cannot be reached, or the call failed.
    pub async fn result(&mut self, id: &str) -> Result<Option<String>> {
        let Some(text): Option<String> = self.connection.get(result_key(id)).await? else { return Ok(None) };
        let stored: Value = serde_json::from_str(&text)?;
        match stored["status"].as_str() {
            Some("SUCCESS") => {
                Ok(Some(stored["result"].as_str().context("the result is no text")?.to_owned()))
            }
            Some("FAILURE") => bail!("the call failed: {}", stored["result"]),
            _ => Ok(None),
        }
    }

    fn in_hand(&self) -> String {
        format!("{}.in-hand", self.queue)
    }
}

impl Call {
    fn read(raw: &str) -> Result<Self> {
        let message: Value = serde_json::from_str(raw).context("the message is not JSON")?;
        let headers = &message["headers"];
        let text = |value: &Value, what: &str| {
            value.as_str().map(str::to_owned).with_context(|| format!("the message has no {what}"))
        };
        let mut body = text(&message["body"], "body")?.into_bytes();
        if message["properties"]["body_encoding"] == "base64" {
            body = STANDARD.decode(body).context("the body is not base64")?;
        }
        let body: Value =
            serde_json::from_slice(&body).context("the body is not JSON; use the json serializer")?;
        Ok(Call {
            id: text(&headers["id"], "id")?,
            task: text(&headers["task"], "task")?,
            argument: text(&body[0][0], "text as its first argument")?,
            raw: raw.to_owned(),
        })
    }
}

fn result_key(id: &str) -> String {
    format!("celery-task-meta-{id}")
}

/// The message of one call: the arguments, and around them what Celery and its transport want to know.
fn envelope(id: &str, task: &str, argument: &str, queue: &str) -> Value {
    let body = json!([[argument], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]);
    json!({
        "body": STANDARD.encode(body.to_string()),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py", "task": task, "id": id, "root_id": id, "parent_id": null, "group": null,
            "argsrepr": "('…',)", "kwargsrepr": "{}", "origin": "encord-examples", "retries": 0,
            "eta": null, "expires": null, "timelimit": [null, null], "shadow": null, "ignore_result": false,
        },
        "properties": {
            "correlation_id": id,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": uuid::Uuid::new_v4().to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_can_be_read() {
        let call = Call::read(&envelope("7", "agent", "{\"uuid\":\"ü\"}", "celery").to_string()).unwrap();
        assert_eq!((call.id.as_str(), call.task.as_str()), ("7", "agent"));
        assert_eq!(call.argument, "{\"uuid\":\"ü\"}");
        for strange in ["", "[]", "{\"body\": \"!\", \"properties\": {\"body_encoding\": \"base64\"}}"] {
            assert!(Call::read(strange).is_err(), "{strange}");
        }
    }
}
