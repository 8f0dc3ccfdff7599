//! One suite for every engine: what holds for a queue in a file holds for a queue on a server.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a campaign prints its figures")]

#[path = "../support/mod.rs"]
mod support;

/// Runs each check once per engine.
macro_rules! on_each_engine {
    ($($check:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(&crate::place::Place::file().unwrap()).await;
            })*
        }
        mod server {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                if let Some(place) = crate::place::Place::server() {
                    super::$check(&place).await;
                }
            })*
        }
    };
}

#[cfg(feature = "cli")]
mod command_line;
mod crash;
mod nats;
#[cfg(all(feature = "metrics", feature = "otlp"))]
mod observe;
mod place;
mod suite;
mod trouble;
