//! File bytes over HTTP: URLs that carry their own permission, ranges, uploads.

mod generate;
mod range;
mod serve;
mod sign;

pub(crate) use self::generate::png;
pub(crate) use self::serve::{client_metadata, download, refuse};
pub(crate) use self::sign::{Links, UrlSigner};
