//! What one user can see. Things that exist but may not be seen look like things
//! that do not exist.

use uuid::Uuid;

use super::{Dataset, Folder, Item, Ontology, Project, Store};
use crate::auth::Principal;
use crate::refusal::{Answer, Refusal};

/// The store through the eyes of a user.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    store: &'a Store,
    who: &'a Principal,
}

impl Store {
    pub(crate) fn seen_by<'a>(&'a self, who: &'a Principal) -> Sight<'a> {
        Sight { store: self, who }
    }
}

impl<'a> Sight<'a> {
    pub(crate) fn ontology(self, hash: Uuid) -> Answer<&'a Ontology> {
        let found = self.store.ontologies.get(&hash).filter(|ontology| self.sees_ontology(ontology));
        found.ok_or_else(|| Refusal::Forbidden(format!("no access to ontology {hash}")))
    }

    pub(crate) fn dataset(self, hash: Uuid) -> Answer<&'a Dataset> {
        let found = self.store.datasets.get(&hash).filter(|dataset| self.sees_dataset(dataset));
        found.ok_or_else(|| Refusal::Forbidden(format!("no access to dataset {hash}")))
    }

    pub(crate) fn folder(self, uuid: Uuid) -> Answer<&'a Folder> {
        let found = self.store.folders.get(&uuid).filter(|folder| self.sees_folder(folder));
        found.ok_or_else(|| Refusal::Forbidden(format!("no access to folder {uuid}")))
    }

    pub(crate) fn item(self, uuid: Uuid) -> Answer<&'a Item> {
        let found = self.store.items.get(&uuid).filter(|item| self.sees_item(item));
        found.ok_or_else(|| Refusal::Forbidden(format!("no access to item {uuid}")))
    }

    /// An item that the user may change. Seeing it through a project is not enough.
    pub(crate) fn own_item(self, uuid: Uuid) -> Answer<&'a Item> {
        let item = self.item(uuid)?;
        self.folder(item.folder)
            .map_err(|_| Refusal::Forbidden(format!("no right to change item {uuid}")))?;
        Ok(item)
    }

    /// Its readers see an ontology, and the members of projects that use it.
    pub(crate) fn sees_ontology(self, ontology: &Ontology) -> bool {
        self.is_among(&ontology.readers) || self.projects().any(|project| project.ontology == ontology.hash)
    }

    pub(crate) fn sees_dataset(self, dataset: &Dataset) -> bool {
        self.is_among(&dataset.readers)
    }

    pub(crate) fn sees_folder(self, folder: &Folder) -> bool {
        self.is_among(&folder.readers)
    }

    /// Readers of its folder see an item, and members of projects that work on it.
    pub(crate) fn sees_item(self, item: &Item) -> bool {
        if self.store.folders.get(&item.folder).is_some_and(|folder| self.sees_folder(folder)) {
            return true;
        }
        let units =
            self.store.units_backed_by(item.uuid).iter().filter_map(|unit| self.store.units.get(unit));
        let datasets: Vec<Uuid> = units.map(|unit| unit.dataset).collect();
        self.projects().any(|project| project.datasets.iter().any(|dataset| datasets.contains(dataset)))
    }

    fn projects(self) -> impl Iterator<Item = &'a Project> {
        self.store.projects.values().filter(move |project| project.members.contains_key(&self.who.0))
    }

    /// A list of nobody means everybody.
    fn is_among(self, readers: &[String]) -> bool {
        readers.is_empty() || readers.contains(&self.who.0)
    }
}
