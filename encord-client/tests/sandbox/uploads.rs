//! Files go up, become items of the right kind, and come back the same.

use std::path::{Path, PathBuf};

use encord_client::{Download, Error, ItemType, NewFolder, SeriesKind, UploadKind};
use encord_labels::id::{FolderUuid, ItemUuid};
use serde_json::{Map, json};

use super::World;

/// A world, a folder in it, and a folder on disk.
struct Place {
    world: World,
    folder: FolderUuid,
    disk: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let world = World::images(3).await;
        let folder = world.client.create_folder(&NewFolder::new("uploads")).await.unwrap().uuid;
        Self { world, folder, disk: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.disk.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn fetch(&self, item: ItemUuid, path: &Path) -> Vec<u8> {
        let link = self.world.client.sign_item(item).await.unwrap().unwrap();
        self.world.client.download(Download::new(link), path).await.unwrap();
        std::fs::read(path).unwrap()
    }

    /// Pictures that the sandbox made, as files.
    async fn pictures(&self) -> Vec<PathBuf> {
        let rows = self.world.project.label_rows(&Default::default()).await.unwrap();
        let mut paths = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let path = self.disk.path().join(format!("{number}.png"));
            self.fetch(row.metadata().backing_item_uuid().unwrap(), &path).await;
            paths.push(path);
        }
        paths
    }
}

/// A DICOM file of one element after its header: enough to tell series and instance.
fn dicom(instance: &str) -> Vec<u8> {
    let element = |group: u16, number: u16, kind: &str, value: &str| {
        let value = if value.len().is_multiple_of(2) { value.to_owned() } else { format!("{value}\0") };
        let head = [&group.to_le_bytes()[..], &number.to_le_bytes(), kind.as_bytes()].concat();
        [&head[..], &(value.len() as u16).to_le_bytes(), value.as_bytes()].concat()
    };
    let class = "1.2.840.10008.5.1.4.1.1.2";
    let meta = [
        element(2, 2, "UI", class),
        element(2, 3, "UI", instance),
        element(2, 0x10, "UI", "1.2.840.10008.1.2.1"),
    ]
    .concat();
    let length = [&[2, 0, 0, 0][..], b"UL", &4u16.to_le_bytes(), &(meta.len() as u32).to_le_bytes()].concat();
    let data = [
        element(8, 0x16, "UI", class),
        element(8, 0x18, "UI", instance),
        element(0x20, 0xd, "UI", "1.2.3"),
        element(0x20, 0xe, "UI", "1.2.3.4"),
    ]
    .concat();
    [&[0; 128][..], b"DICM", &length, &meta, &data].concat()
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    let place = Place::new().await;
    let path = place.write("note.md", b"# Words");
    let metadata = json!({"k": [1, null]}).as_object().unwrap().clone();
    let client = &place.world.client;
    let uuid =
        client.upload(place.folder, UploadKind::PlainText, &path, None, metadata.clone()).await.unwrap();
    let item = client.storage_item(uuid, false).await.unwrap();
    assert_eq!(
        (item.item_type, item.name.as_str(), item.file_size),
        (ItemType::PlainText, "note.md", Some(7))
    );
    assert_eq!(item.client_metadata, json!(metadata));
    assert_eq!(place.fetch(uuid, &place.disk.path().join("back")).await, b"# Words");
}

#[tokio::test]
async fn pictures_become_groups_and_sequences_in_order() {
    let place = Place::new().await;
    let mut paths = place.pictures().await;
    paths.reverse();
    let client = &place.world.client;
    for (kind, made) in
        [(SeriesKind::ImageGroup, ItemType::ImageGroup), (SeriesKind::ImageSequence, ItemType::ImageSequence)]
    {
        let uuid = client.upload_series(place.folder, kind, &paths, "views", Map::new()).await.unwrap();
        let item = client.storage_item(uuid, false).await.unwrap();
        assert_eq!((item.item_type, item.name.as_str(), item.frame_count), (made, "views", Some(3)));
        let frames = client.child_items(&item, false).await.unwrap();
        let names: Vec<_> = frames.iter().map(|frame| frame.name.as_str()).collect();
        assert_eq!(names, ["2.png", "1.png", "0.png"]);
        let back = place.fetch(frames[0].uuid, &place.disk.path().join("back")).await;
        assert_eq!(back, std::fs::read(&paths[0]).unwrap());
    }
}

#[tokio::test]
async fn slices_become_a_series() {
    let place = Place::new().await;
    let paths: Vec<_> = (1..=3)
        .map(|number| place.write(&format!("{number}.dcm"), &dicom(&format!("1.2.3.4.{number}"))))
        .collect();
    let client = &place.world.client;
    let kind = SeriesKind::DicomSeries;
    let uuid = client.upload_series(place.folder, kind, &paths, "ct", Map::new()).await.unwrap();
    let item = client.storage_item(uuid, false).await.unwrap();
    assert_eq!((item.item_type, item.frame_count), (ItemType::DicomSeries, Some(3)));
    assert_eq!(item.dicom_series_uid.as_deref(), Some("1.2.3.4"));
    let one = client.upload(place.folder, UploadKind::DicomFile, &paths[0], None, Map::new()).await.unwrap();
    let one = client.storage_item(one, false).await.unwrap();
    assert_eq!((one.item_type, one.name.as_str()), (ItemType::DicomSeries, "1.dcm"));
}

#[tokio::test]
async fn items_become_a_data_group() {
    let place = Place::new().await;
    let client = &place.world.client;
    let mut members = Vec::new();
    for name in ["a.txt", "b.txt"] {
        let path = place.write(name, name.as_bytes());
        let text = UploadKind::PlainText;
        members.push(client.upload(place.folder, text, &path, None, Map::new()).await.unwrap());
    }
    let group = client.create_data_group(place.folder, "pair", &members, Map::new()).await.unwrap();
    let group = client.storage_item(group, false).await.unwrap();
    assert_eq!(group.item_type, ItemType::Group);
    let found = client.child_items(&group, false).await.unwrap();
    assert_eq!(found.iter().map(|item| item.uuid).collect::<Vec<_>>(), members);
}

#[tokio::test]
async fn what_cannot_be_uploaded_is_told_with_its_name() {
    let place = Place::new().await;
    let client = &place.world.client;
    let none: [PathBuf; 0] = [];
    let empty = client.upload_series(place.folder, SeriesKind::ImageGroup, &none, "views", Map::new()).await;
    assert!(matches!(&empty, Err(Error::InvalidInput(text)) if text.contains("views")), "{empty:?}");
    place.world.sandbox.reset_counters();
    let gone = place.disk.path().join("gone.png");
    let missing = client.upload(place.folder, UploadKind::Image, &gone, None, Map::new()).await;
    assert!(matches!(&missing, Err(Error::Io { path, .. }) if *path == gone), "{missing:?}");
    assert_eq!(
        place.world.sandbox.requests().total.count,
        0,
        "nothing is asked for a file that is not there"
    );
    let path = place.write("words.png", b"words");
    let wrong = client.upload(place.folder, UploadKind::Image, &path, None, Map::new()).await.unwrap_err();
    assert!(wrong.to_string().contains("words.png"), "{wrong}");
}
