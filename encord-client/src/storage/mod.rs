//! The platform's file storage: items (files and groups of files) in folders.

/// What is stored: what folders and items have in common, and what only one of them has.
macro_rules! stored {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            /// Its name; of an item usually a file name.
            pub name: String,
            /// What it is, or is for.
            #[serde(default, deserialize_with = "lenient::or_default")]
            pub description: String,
            /// The metadata that users attached; null if none.
            #[serde(default, alias = "client_metadata", deserialize_with = "lenient::embedded")]
            pub client_metadata: Value,
            /// Email of its owner.
            #[serde(default)]
            pub owner: Option<String>,
            /// When it was made.
            #[serde(alias = "created_at")]
            pub created_at: DateTime,
            /// When it last changed.
            #[serde(alias = "last_edited_at")]
            pub last_edited_at: DateTime,
            $($(#[$field_meta])* pub $field: $type,)*
        }
    };
}

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
