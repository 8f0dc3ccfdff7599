//! The seam between a task's context and the place its files come from.
//!
//! Everything else the runner asks of the platform goes through [`encord_client::Project`] in bulk. Files are
//! different: they are fetched one by one, while agents run, and tests want to give them from disk. So this
//! is the one thing behind a trait, with the platform's implementation below and the tests' one in
//! [`testing`](crate::testing).

use std::path::Path;

use encord_client::{Client, Download, Error, StorageItem};
use futures::future::BoxFuture;

/// Where the files of storage items come from.
pub trait ItemStore: Send + Sync {
    /// Writes the item's file to `to`, which does not exist yet.
    ///
    /// # Errors
    /// When the item has no file, is gone, or the transfer fails.
    fn download<'a>(&'a self, item: &'a StorageItem, to: &'a Path) -> BoxFuture<'a, Result<(), Error>>;

    /// The parts of an image group, image sequence, DICOM series or data group, in order, with signed URLs.
    ///
    /// # Errors
    /// When the platform cannot list them.
    fn children<'a>(&'a self, item: &'a StorageItem) -> BoxFuture<'a, Result<Vec<StorageItem>, Error>>;
}

/// The platform: signed URLs, renewed when they have expired.
pub(crate) struct Platform {
    pub(crate) client: Client,
    /// Larger files are refused.
    pub(crate) max_bytes: u64,
}

impl ItemStore for Platform {
    fn download<'a>(&'a self, item: &'a StorageItem, to: &'a Path) -> BoxFuture<'a, Result<(), Error>> {
        let client = &self.client;
        let sign = move || async move {
            let url = client.sign_item(item.uuid).await?;
            url.ok_or_else(|| Error::InvalidInput(format!("storage item {} has no file", item.uuid)))
        };
        Box::pin(async move {
            if let Some(size) = item.file_size
                && size > self.max_bytes
            {
                let file = format!("storage item {} ({})", item.uuid, item.name);
                return Err(Error::TooLarge { file, size, limit: self.max_bytes });
            }
            let url = match &item.signed_url {
                Some(url) => url.clone(),
                None => sign().await?,
            };
            let download = Download::new(url).with_limit(self.max_bytes).with_resign(sign);
            client.download(download, to).await?;
            Ok(())
        })
    }

    fn children<'a>(&'a self, item: &'a StorageItem) -> BoxFuture<'a, Result<Vec<StorageItem>, Error>> {
        Box::pin(self.client.child_items(item, true))
    }
}
