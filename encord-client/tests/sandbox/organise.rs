//! What holds the data: projects, datasets, ontologies and folders are made, listed, changed and removed.

use encord_client::{
    Duplicates, FolderFilter, ItemFilter, NewFolder, NewProject, OntologyFilter, ProjectFilter, UploadKind,
};
use encord_labels::Ontology;
use encord_labels::id::{DatasetHash, FolderUuid, TemplateHash};
use encord_sandbox::{Sandbox, Seed};
use futures::TryStreamExt;
use serde_json::{Map, json};

use super::World;

impl World {
    async fn folder(&self, name: &str) -> FolderUuid {
        self.client.create_folder(&NewFolder::new(name)).await.unwrap().uuid
    }
}

#[tokio::test]
async fn projects_are_made_of_datasets_and_removed() {
    let template = TemplateHash::random();
    let stages = json!([
        {"type": "AGENT", "title": "Agent 1", "pathways": [{"name": "complete", "destination": "Complete"}]},
        {"type": "DONE", "title": "Complete"},
    ]);
    let seed = json!({
        "ontologies": [{"title": "none"}],
        "workflow_templates": [{"template_hash": template, "title": "one", "stages": stages}],
        "datasets": [{"title": "images", "items": [{"generate": "image", "count": 3}]}],
        "projects": [
            {"title": "cats", "ontology": "none", "workflow_template": "one", "datasets": ["images"]},
        ],
    });
    let seed = Seed::from_json(seed.to_string().as_bytes(), ".").unwrap();
    let world = World::of(Sandbox::start(seed).await.unwrap()).await;
    let client = &world.client;
    let dataset = world.project.datasets().await.unwrap()[0].hash;
    let ontology = world.project.summary().ontology_hash;
    let wanted = NewProject::new("dogs", [dataset])
        .with_description("barking")
        .with_ontology(ontology)
        .with_workflow_template(template);
    let hash = client.create_project(&wanted).await.unwrap();
    let project = client.project(hash).await.unwrap();
    assert_eq!((project.title(), project.stages().len()), ("dogs", 2));
    assert_eq!(project.label_rows(&Default::default()).await.unwrap().len(), 3);
    let filter = ProjectFilter::new().with_title_like("do%");
    let found: Vec<_> = client.projects(&filter).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|project| project.hash).collect::<Vec<_>>(), [hash]);
    client.delete_project(hash).await.unwrap();
    assert!(client.project(hash).await.unwrap_err().is_access_denied());
    assert!(client.projects(&filter).try_collect::<Vec<_>>().await.unwrap().is_empty());
    let nowhere = NewProject::new("none", [DatasetHash::random()]).with_ontology(ontology);
    assert!(client.create_project(&nowhere).await.unwrap_err().is_access_denied());
}

#[tokio::test]
async fn datasets_are_made_and_filled_from_the_storage() {
    let world = World::images(2).await;
    let client = &world.client;
    let made = client.create_dataset("birds", Some("singing")).await.unwrap();
    let found = client.datasets(Some("bir%")).await.unwrap();
    assert_eq!((found.len(), found[0].title.as_str()), (1, "birds"));
    let rows = world.project.label_rows(&Default::default()).await.unwrap();
    let items: Vec<_> = rows.iter().map(|row| row.metadata().backing_item_uuid().unwrap()).collect();
    let linked = client.link_items(made.hash, &items, Duplicates::Skip).await.unwrap();
    assert_eq!(linked.len(), 2);
    assert!(client.link_items(made.hash, &items, Duplicates::Skip).await.unwrap().is_empty());
    client.link_items(made.hash, &items, Duplicates::Fail).await.unwrap_err();
    client.remove_data(made.hash, &[linked[0].data_hash]).await.unwrap();
    assert_eq!(client.data_rows(made.hash, &Default::default()).await.unwrap().len(), 1);
    assert!(client.storage_item(items[0], false).await.is_ok(), "the file stays in the storage");
}

#[tokio::test]
async fn ontologies_are_made_read_changed_and_listed() {
    let world = World::images(1).await;
    let client = &world.client;
    let class = json!({
        "id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "be7f1a6b",
        "required": false, "archived": false, "attributes": [],
    });
    let structure = Ontology::from_json(&json!({"objects": [class], "classifications": []})).unwrap();
    let made = client.create_ontology("things", "to be boxed", &structure).await.unwrap();
    let read = client.ontology(made.hash).await.unwrap();
    assert_eq!((read.title.as_str(), read.structure.objects().len()), ("things", 1));
    let none = Ontology::from_json(&json!({"objects": [], "classifications": []})).unwrap();
    client.update_ontology(made.hash, "nothing", "", &none).await.unwrap();
    let listed = client.ontologies(&OntologyFilter::new().with_title_like("noth%")).await.unwrap();
    assert_eq!((listed.len(), listed[0].structure.objects().len()), (1, 0));
}

#[tokio::test]
async fn folders_are_made_found_moved_and_removed() {
    let world = World::images(1).await;
    let client = &world.client;
    let (outer, other) = (world.folder("outer").await, world.folder("other").await);
    let wanted = NewFolder::new("inner").with_parent(outer).with_description("within");
    let inner = client.create_folder(&wanted).await.unwrap();
    assert_eq!((inner.parent, inner.description.as_str()), (Some(outer), "within"));
    client.move_folders(&[inner.uuid], Some(other)).await.unwrap();
    assert_eq!(client.folder(inner.uuid).await.unwrap().parent, Some(other));
    client.move_folders(&[inner.uuid], None).await.unwrap();
    assert_eq!(client.folder(inner.uuid).await.unwrap().parent, None);
    let error = client.move_folders(&[outer], Some(outer)).await.unwrap_err();
    assert!(error.is_rejected(), "{error}");
    let named = FolderFilter::new().with_search("inn");
    let found: Vec<_> = client.folders(None, &named).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|folder| folder.uuid).collect::<Vec<_>>(), [inner.uuid]);
    client.delete_folder(inner.uuid).await.unwrap();
    assert!(client.folder(inner.uuid).await.unwrap_err().is_access_denied());
}

#[tokio::test]
async fn items_are_listed_moved_and_removed() {
    let world = World::images(1).await;
    let client = &world.client;
    let (from, to) = (world.folder("from").await, world.folder("to").await);
    let file = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(file.path(), "words").unwrap();
    let item =
        client.upload(from, UploadKind::PlainText, file.path(), Some("note"), Map::new()).await.unwrap();
    client.move_items(from, to, &[item]).await.unwrap();
    let filter = ItemFilter::new().with_search("not").with_signed_urls();
    let found: Vec<_> = client.folder_items(to, &filter).try_collect().await.unwrap();
    assert_eq!((found.len(), found[0].uuid, found[0].parent), (1, item, to));
    assert!(found[0].signed_url.is_some());
    client.delete_items(to, &[item]).await.unwrap();
    assert!(client.folder_items(to, &ItemFilter::new()).try_collect::<Vec<_>>().await.unwrap().is_empty());
}
