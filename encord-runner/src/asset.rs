//! Files of tasks on local disk, removed when the task is over.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encord_client::StorageItem;

use crate::error::ExtractError;
use crate::scratch::ItemFolder;
use crate::source::ItemStore;

/// The file of a storage item on local disk.
///
/// As a parameter of an agent it is the file of the task's data unit, downloaded at most once per task however
/// many extractors want it. The file is removed when the task has ended and the last `Asset` of it is dropped,
/// also after a panic. After a process was killed the next one that downloads removes what is left, in the folders
/// `encord-runner-*` of the system's folder for temporary files (`TMPDIR`).
///
/// ```
/// use encord_runner::Asset;
///
/// async fn agent(asset: Asset) -> Result<&'static str, std::io::Error> {
///     let bytes = std::fs::read(asset.path())?;
///     Ok(if bytes.is_empty() { "reject" } else { "complete" })
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[derive(Clone)]
pub struct Asset {
    item: Arc<StorageItem>,
    file: Arc<AssetFile>,
}

enum AssetFile {
    /// In a directory of its own that is removed with the handle.
    Temporary { path: PathBuf, bytes: u64, _folder: ItemFolder },
    /// Somebody else's file.
    Borrowed(PathBuf),
}

impl Asset {
    /// Where the file is. Its extension fits the item's type as far as the platform knows it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &*self.file {
            AssetFile::Temporary { path, .. } | AssetFile::Borrowed(path) => path,
        }
    }

    /// The storage item the file belongs to.
    #[must_use]
    pub fn item(&self) -> &StorageItem {
        &self.item
    }

    /// A file that is there already, for tests. It is left alone when the asset is dropped.
    #[must_use]
    pub fn from_file(item: StorageItem, path: impl Into<PathBuf>) -> Self {
        Asset { item: Arc::new(item), file: Arc::new(AssetFile::Borrowed(path.into())) }
    }

    /// How much room the file takes that is removed with this asset.
    pub(crate) fn temporary_bytes(&self) -> u64 {
        match *self.file {
            AssetFile::Temporary { bytes, .. } => bytes,
            AssetFile::Borrowed(_) => 0,
        }
    }

    pub(crate) async fn download(store: &dyn ItemStore, item: StorageItem) -> Result<Self, ExtractError> {
        let folder = ItemFolder::new()
            .map_err(|source| ExtractError::Io { path: std::env::temp_dir(), source: Arc::new(source) })?;
        let path = folder.path().join(file_name(&item));
        store.download(&item, &path).await.map_err(|source| ExtractError::Fetch {
            what: "download of the asset",
            source: Arc::new(source),
        })?;
        let bytes = std::fs::metadata(&path).map(|facts| facts.len()).unwrap_or_default();
        let file = Arc::new(AssetFile::Temporary { path, bytes, _folder: folder });
        Ok(Asset { item: Arc::new(item), file })
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asset").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// `<item uuid>.<extension>`. The name of the item wins over its MIME type, which is often a generic one.
fn file_name(item: &StorageItem) -> String {
    let extension = extension_of_name(&item.name)
        .or_else(|| item.mime_type.as_deref().and_then(extension_of_mime_type).map(str::to_owned));
    match extension {
        Some(extension) => format!("{}.{extension}", item.uuid),
        None => item.uuid.to_string(),
    }
}

/// A short, plain extension; anything else in a title is not one.
fn extension_of_name(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if lower.ends_with(".nii.gz") {
        return Some("nii.gz".to_owned());
    }
    let (stem, extension) = lower.rsplit_once('.')?;
    let plain = (1..=5).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain && !stem.is_empty() && !extension.bytes().all(|b| b.is_ascii_digit()))
        .then(|| extension.to_owned())
}

fn extension_of_mime_type(mime_type: &str) -> Option<&'static str> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match essence.as_str() {
        "image/jpeg" | "image/jpg" => "jpeg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "image/bmp" => "bmp",
        "image/tiff" => "tiff",
        "image/avif" => "avif",
        "video/mp4" => "mp4",
        "video/quicktime" => "mov",
        "video/x-matroska" => "mkv",
        "video/webm" => "webm",
        "video/x-msvideo" => "avi",
        "video/mpeg" => "mpg",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/ogg" => "ogg",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "application/dicom" => "dcm",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        "text/html" => "html",
        "application/json" => "json",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_extensions_are_taken_from_names() {
        assert_eq!(extension_of_name("a.MP4").as_deref(), Some("mp4"));
        assert_eq!(extension_of_name("scan.nii.gz").as_deref(), Some("nii.gz"));
        for none in ["a", "scan 2.5", "../x./y", ".hidden", "v1.2024"] {
            assert_eq!(extension_of_name(none), None, "{none}");
        }
    }

    #[test]
    fn parameters_of_mime_types_are_ignored() {
        assert_eq!(extension_of_mime_type("text/html; charset=utf-8"), Some("html"));
        assert_eq!(extension_of_mime_type("application/octet-stream"), None);
    }
}
