//! The platform's file storage: items (files and groups of files) in folders.

mod folder;
mod item;
mod series;
mod update;
mod upload;

pub use self::folder::{FolderFilter, ItemFilter, NewFolder, StorageFolder};
pub use self::item::{ItemType, StorageItem};
pub use self::series::SeriesKind;
pub use self::update::ItemUpdate;
pub use self::upload::UploadKind;

use encord_labels::id::{FolderUuid, ItemUuid};

fn item_path(item: ItemUuid) -> String {
    format!("/v2/public/storage/items/{item}")
}

fn folder_path(folder: FolderUuid) -> String {
    format!("/v2/public/storage/folders/{folder}")
}
