//! Black-box tests of the client against a small server that does what each test tells it to.

#![allow(clippy::unwrap_used)]

mod bounds;
mod bundles;
mod download;
mod errors;
mod paging;
mod requests;
mod retries;
mod server;
mod upload;
