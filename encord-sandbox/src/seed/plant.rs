//! From a seed to the first state of a store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{LabelSeed, OntologySeed, ProjectSeed, Seed, datasets, templates};
use crate::auth::{KeyPair, PublicKey};
use crate::clock::Moment;
use crate::error::Error;
use crate::store::{INTEGRATIONS, MAIN_BRANCH, Ontology, Project, Role, RowKey, Store, Template, User};

/// The user of a sandbox whose seed names none.
const DEFAULT_USER: &str = "sandbox@example.org";

/// A store and, when the seed has no keys of its own, the private key to it.
pub(crate) struct Planted {
    pub(crate) store: Store,
    pub(crate) private_key: Option<String>,
}

/// Fills an empty store with what a seed describes.
pub(crate) fn plant(seed: &Seed, mut store: Store) -> Result<Planted, Error> {
    let now = Moment::now();
    let private_key = users(&mut store, seed)?;
    let owner: Arc<str> = seed.file.users.first().map_or(DEFAULT_USER, |user| &user.email).into();
    let clouds = seed.file.cloud_integrations.iter();
    let clouds = clouds.map(|cloud| {
        let hash = cloud.integration_hash.unwrap_or_else(Uuid::new_v4);
        (hash.to_string(), Value::from(cloud.title.as_str()))
    });
    store.settings.insert(INTEGRATIONS.into(), Value::Object(clouds.collect()));
    let (mut ontologies, mut workflows, mut sets) = (Names::default(), Names::default(), Names::default());
    for ontology in &seed.file.ontologies {
        let hash = ontology.ontology_hash.unwrap_or_else(Uuid::new_v4);
        ontologies.add(hash, &ontology.title);
        let structure = ontology.structure.clone().unwrap_or_else(empty_structure);
        add_ontology(&mut store, hash, ontology, structure, &owner, now);
    }
    for (index, template) in seed.file.workflow_templates.iter().enumerate() {
        let workflow = Arc::new(templates::workflow(template, &format!("$.workflow_templates[{index}]"))?);
        let hash = template.template_hash.unwrap_or_else(Uuid::new_v4);
        workflows.add(hash, &template.title);
        store.templates.insert(hash, Template { hash, title: template.title.clone(), workflow });
    }
    for (index, dataset) in seed.file.datasets.iter().enumerate() {
        let path = format!("$.datasets[{index}]");
        let hash = datasets::plant(&mut store, dataset, &path, &seed.base, &owner, now)?;
        sets.add(hash, &dataset.title);
    }
    for (index, project) in seed.file.projects.iter().enumerate() {
        let mut planter = Planter {
            store: &mut store,
            ontologies: &ontologies,
            workflows: &workflows,
            sets: &sets,
            owner: &owner,
            path: format!("$.projects[{index}]"),
            now,
        };
        planter.project(project)?;
    }
    Ok(Planted { store, private_key })
}

fn users(store: &mut Store, seed: &Seed) -> Result<Option<String>, Error> {
    for (index, user) in seed.file.users.iter().enumerate() {
        let keys = user.public_key.as_deref().map(PublicKey::parse).transpose();
        let keys =
            keys.map_err(|error| Error::seed(format!("$.users[{index}].public_key"), error.to_string()))?;
        store.add_user(User { email: user.email.clone(), keys: keys.into_iter().collect() });
    }
    // A sandbox nobody can sign in to is of no use.
    if seed.file.users.iter().any(|user| user.public_key.is_some()) {
        return Ok(None);
    }
    let email = seed.file.users.first().map_or(DEFAULT_USER, |user| &user.email);
    let pair = KeyPair::generate();
    store.add_user(User { email: email.to_owned(), keys: vec![pair.public()] });
    Ok(Some(pair.to_openssh(email)))
}

fn empty_structure() -> Value {
    json!({"objects": [], "classifications": []})
}

fn add_ontology(
    store: &mut Store,
    hash: Uuid,
    seed: &OntologySeed,
    structure: Value,
    owner: &str,
    now: Moment,
) {
    let ontology = Ontology {
        hash,
        title: seed.title.clone(),
        description: seed.description.clone(),
        structure,
        owner: owner.into(),
        readers: seed.users.clone(),
        created_at: now,
        last_edited_at: now,
    };
    store.ontologies.insert(hash, ontology);
}

/// Things that can be named by hash or by title.
#[derive(Default)]
struct Names {
    hashes: Vec<Uuid>,
    titles: HashMap<String, Uuid>,
}

impl Names {
    fn add(&mut self, hash: Uuid, title: &str) {
        self.hashes.push(hash);
        self.titles.insert(title.to_owned(), hash);
    }

    fn find(&self, what: &str, name: &str, path: String) -> Result<Uuid, Error> {
        let hash = name.parse().ok().filter(|hash| self.hashes.contains(hash));
        let found = hash.or_else(|| self.titles.get(name).copied());
        found.ok_or_else(|| Error::seed(path, format!("the seed has no {what} \"{name}\"")))
    }
}

struct Planter<'a> {
    store: &'a mut Store,
    ontologies: &'a Names,
    workflows: &'a Names,
    sets: &'a Names,
    owner: &'a Arc<str>,
    path: String,
    now: Moment,
}

impl Planter<'_> {
    fn project(&mut self, seed: &ProjectSeed) -> Result<(), Error> {
        let path = self.path.clone();
        let hash = seed.project_hash.unwrap_or_else(Uuid::new_v4);
        if self.store.projects.contains(&hash) {
            return Err(Error::seed(format!("{path}.project_hash"), format!("{hash} is used twice")));
        }
        let ontology = match &seed.ontology {
            Some(name) => self.ontologies.find("ontology", name, format!("{path}.ontology"))?,
            None => {
                let hash = Uuid::new_v4();
                let ontology = OntologySeed { title: seed.title.clone(), ..OntologySeed::default() };
                add_ontology(self.store, hash, &ontology, empty_structure(), self.owner, self.now);
                hash
            }
        };
        let template = seed.workflow_template.as_ref();
        let template = template
            .map(|name| self.workflows.find("workflow template", name, format!("{path}.workflow_template")))
            .transpose()?;
        let mut datasets = Vec::new();
        for (index, name) in seed.datasets.iter().enumerate() {
            datasets.push(self.sets.find("dataset", name, format!("{path}.datasets[{index}]"))?);
        }
        let members = self.members(seed)?;
        let project = Project {
            hash,
            title: seed.title.clone(),
            description: seed.description.clone(),
            ontology,
            workflow: template
                .and_then(|hash| self.store.templates.get(&hash))
                .map(|found| found.workflow.clone()),
            template,
            datasets,
            creator: members.keys().next().cloned().unwrap_or_else(|| self.owner.to_string()),
            members,
            status: "inProgress".into(),
            issue_tags: Vec::new(),
            tags: Vec::new(),
            created_at: self.now,
            last_edited_at: self.now,
        };
        let wanted: std::collections::HashSet<&str> =
            seed.labels.iter().map(|label| label.data.as_str()).collect();
        let by_name = if wanted.is_empty() { HashMap::new() } else { self.by_name(&project, &wanted) };
        self.store.add_project(project, self.now);
        for (index, label) in seed.labels.iter().enumerate() {
            self.label(hash, label, &by_name, &format!("{path}.labels[{index}]"))?;
        }
        Ok(())
    }

    /// Everybody is an admin unless the project says who may see it.
    fn members(&self, seed: &ProjectSeed) -> Result<BTreeMap<String, Role>, Error> {
        if seed.users.is_empty() {
            return Ok(self.store.users.values().map(|user| (user.email.clone(), Role::Admin)).collect());
        }
        let mut members = BTreeMap::new();
        for (index, member) in seed.users.iter().enumerate() {
            if !self.store.users.contains(&member.email) {
                let reason = format!("\"{}\" is not one of the users of the seed", member.email);
                return Err(Error::seed(format!("{}.users[{index}].email", self.path), reason));
            }
            members.insert(member.email.clone(), member.role);
        }
        Ok(members)
    }

    /// The data units of the project by item name and by hash, as far as labels name them.
    fn by_name(&self, project: &Project, wanted: &std::collections::HashSet<&str>) -> HashMap<String, Uuid> {
        let datasets = project.datasets.iter().filter_map(|dataset| self.store.datasets.get(dataset));
        let units = datasets.flat_map(|dataset| &dataset.units).filter_map(|unit| self.store.units.get(unit));
        let mut found = HashMap::new();
        for unit in units {
            let Some(item) = self.store.items.get(&unit.item) else { continue };
            let hash = unit.hash.to_string();
            for name in [item.name.as_str(), hash.as_str()] {
                if wanted.contains(name) {
                    found.entry(name.to_owned()).or_insert(unit.hash);
                }
            }
        }
        found
    }

    fn label(
        &mut self,
        project: Uuid,
        label: &LabelSeed,
        by_name: &HashMap<String, Uuid>,
        path: &str,
    ) -> Result<(), Error> {
        let data = by_name.get(&label.data).copied().ok_or_else(|| {
            Error::seed(format!("{path}.data"), format!("the project has no data unit \"{}\"", label.data))
        })?;
        let branch = label.branch.as_deref().unwrap_or(MAIN_BRANCH).into();
        let key = RowKey { project, data, branch };
        let hash = self.store.initialise_row(&key, self.now).label_hash;
        if let Some(row) = self.store.row_of_label_mut(hash) {
            // An empty document says that the row exists but has no labels yet.
            let document = Value::Object(label.label_row.clone());
            row.document = (!label.label_row.is_empty()).then(|| document.to_string().into());
        }
        Ok(())
    }
}
