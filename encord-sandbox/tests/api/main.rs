//! The sandbox as clients see it: over HTTP, with signatures made here.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod auth;
mod blobs;
mod faults;
mod hostile;
mod items;
mod kills;
mod labels;
mod persistence;
mod seeds;
mod server;
mod status_page;
mod tasks;
mod uploads;
mod webhooks;
mod wire;
