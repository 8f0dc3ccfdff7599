//! `project`: creating and deleting projects, and the listings of the old API.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, metadata_of, uuid};
use crate::clock::Moment;
use crate::pattern::like;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::managed;
use crate::store::{Ontology, Project, Role, Store};
use crate::workflow::Workflow;

#[derive(Debug, Deserialize)]
struct NewProject {
    title: String,
    #[serde(default)]
    description: String,
    dataset_hashes: Vec<Uuid>,
    ontology_hash: Option<Uuid>,
    workflow_template_id: Option<Uuid>,
}

/// Makes a project with a task per data unit. What is not named is made: an empty
/// ontology, and a workflow of the usual stages.
pub(super) fn create(call: &Call<'_>) -> Answer<Value> {
    let wanted: NewProject = call.payload()?;
    let hash = Uuid::new_v4();
    call.platform.write(|store| {
        for dataset in &wanted.dataset_hashes {
            store.seen_by(call.who).dataset(*dataset)?;
        }
        if let Some(ontology) = wanted.ontology_hash {
            store.seen_by(call.who).ontology(ontology)?;
        }
        let workflow = match wanted.workflow_template_id {
            None => Arc::new(Workflow::standard()),
            Some(template) => {
                let missing = || Refusal::NotFound(format!("there is no workflow template {template}"));
                Arc::clone(&store.templates.get(&template).ok_or_else(missing)?.workflow)
            }
        };
        let ontology = wanted.ontology_hash.unwrap_or_else(|| {
            let ontology = Ontology::empty(wanted.title.clone(), &call.who.0, call.now);
            let hash = ontology.hash;
            store.ontologies.insert(hash, ontology);
            hash
        });
        let project = Project {
            hash,
            title: wanted.title.clone(),
            description: wanted.description.clone(),
            ontology,
            workflow: Some(workflow),
            template: wanted.workflow_template_id,
            datasets: wanted.dataset_hashes.clone(),
            members: BTreeMap::from([(call.who.0.clone(), Role::Admin)]),
            creator: call.who.0.clone(),
            status: "inProgress".into(),
            issue_tags: Vec::new(),
            tags: Vec::new(),
            created_at: call.now,
            last_edited_at: call.now,
        };
        store.add_project(project, call.now);
        Ok(())
    })?;
    call.platform.journal.record(&call.who.0, "create project", json!({"project": hash}));
    Ok(json!(hash))
}

#[derive(Debug, Deserialize)]
struct Copy {
    /// What to take over.
    copy_project_options: Vec<String>,
    #[serde(default)]
    project_copy_metadata: CopyNames,
    #[serde(default)]
    copy_labels_options: CopyLabels,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CopyNames {
    project_title: Option<String>,
    project_description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CopyLabels {
    create_new_dataset: Option<bool>,
}

/// What of a project can be copied here.
const MEMBERS: &str = "collaborators";
const DATASETS: &str = "datasets";

/// Makes a project like this one, with tasks that start from the beginning.
pub(super) fn copy(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let wanted: Copy = call.payload()?;
    let takes = |option: &str| wanted.copy_project_options.iter().any(|wanted| wanted == option);
    if wanted.copy_labels_options.create_new_dataset == Some(true)
        || wanted.copy_project_options.iter().any(|option| ![MEMBERS, DATASETS].contains(&option.as_str()))
    {
        let what = "only datasets (attached) and collaborators can be copied in the sandbox";
        return Err(Refusal::Invalid(what.into()));
    }
    let hash = Uuid::new_v4();
    call.platform.write(|store| {
        managed(store, project, call.who, "change the project")?;
        let (original, _) = store.project(project, call.who)?;
        let names = &wanted.project_copy_metadata;
        let own = BTreeMap::from([(call.who.0.clone(), Role::Admin)]);
        let copy = Project {
            hash,
            title: names.project_title.clone().unwrap_or_else(|| format!("{} (copy)", original.title)),
            description: names.project_description.clone().unwrap_or_else(|| original.description.clone()),
            datasets: if takes(DATASETS) { original.datasets.clone() } else { Vec::new() },
            members: if takes(MEMBERS) { original.members.clone() } else { own },
            creator: call.who.0.clone(),
            created_at: call.now,
            last_edited_at: call.now,
            ..original.clone()
        };
        store.add_project(copy, call.now);
        Ok(json!(hash))
    })
}

pub(super) fn delete(call: &Call<'_>) -> Answer<Value> {
    let hash = uuid(call.uid)?;
    call.platform.write(|store| {
        managed(store, hash, call.who, "delete the project")?;
        store.remove_project(hash);
        Ok(())
    })?;
    call.platform.journal.record(&call.who.0, "delete project", json!({"project": hash}));
    Ok(Value::Bool(true))
}

#[derive(Debug, Deserialize)]
struct Datasets {
    dataset_hashes: Vec<Uuid>,
}

pub(super) fn attach(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let wanted: Datasets = call.payload()?;
    call.platform.write(|store| {
        managed(store, project, call.who, "change the project")?;
        for dataset in &wanted.dataset_hashes {
            store.seen_by(call.who).dataset(*dataset)?;
        }
        for dataset in wanted.dataset_hashes {
            if let Some(found) = store.projects.get_mut(&project)
                && !found.datasets.contains(&dataset)
            {
                found.datasets.push(dataset);
                store.add_tasks_of(project, dataset, call.now);
            }
        }
        Ok(Value::Bool(true))
    })
}

pub(super) fn detach(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let datasets = call.uids()?;
    call.platform.write(|store| {
        managed(store, project, call.who, "change the project")?;
        for dataset in datasets {
            let units = store.seen_by(call.who).dataset(dataset)?.units.clone();
            if let Some(found) = store.projects.get_mut(&project) {
                found.datasets.retain(|other| *other != dataset);
            }
            for unit in units {
                store.remove_task(project, unit);
            }
        }
        Ok(Value::Bool(true))
    })
}

#[derive(Debug, Deserialize)]
struct NewUsers {
    user_emails: Vec<String>,
    user_role: u64,
}

/// Adds members; those who are members already keep their role.
pub(super) fn add_users(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let wanted: NewUsers = call.payload()?;
    let role = Role::from_wire(wanted.user_role)
        .ok_or_else(|| Refusal::Invalid(format!("there is no user role {}", wanted.user_role)))?;
    call.platform.write(|store| {
        managed(store, project, call.who, "change the project")?;
        let missing = wanted.user_emails.iter().find(|email| !store.users.contains(*email));
        if let Some(missing) = missing {
            return Err(Refusal::NotFound(format!("there is no user {missing}")));
        }
        let Some(found) = store.projects.get_mut(&project) else { return Ok(Value::Null) };
        let added = wanted.user_emails.into_iter().map(|email| {
            let role = found.members.entry(email.clone()).or_insert(role).wire();
            json!({"user_email": email, "user_role": role, "project_hash": project})
        });
        Ok(added.collect())
    })
}

/// The project as the old API shows it, with its label rows unless they are not wanted.
pub(super) fn legacy(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let (mut shown, data) = call.platform.read(|store| {
        let (project, role) = store.project(project, call.who)?;
        let datasets = project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset));
        let data: Vec<Uuid> = datasets.flat_map(|dataset| dataset.units.iter().copied()).collect();
        Ok((show(store, project, role), data))
    })?;
    if call.payload.get("include_labels_metadata").and_then(Value::as_bool) != Some(false) {
        let rows = metadata_of(call.platform, call.who, call.base, project, &data)?;
        shown["label_rows"] = Value::Array(rows);
    }
    Ok(shown)
}

pub(super) fn list(call: &Call<'_>) -> Answer<Value> {
    let filter = call.payload.get("filter").cloned().unwrap_or_default();
    let text = |key: &str| filter.get(key).and_then(Value::as_str);
    let moment = |key: &str| text(key).and_then(Moment::parse);
    call.platform.read(|store| {
        let mut mine: Vec<(&Project, Role)> = store
            .projects
            .values()
            .filter_map(|project| Some((project, *project.members.get(&call.who.0)?)))
            .filter(|(project, _)| moment("created_after").is_none_or(|after| project.created_at > after))
            .filter(|(project, _)| moment("created_before").is_none_or(|before| project.created_at < before))
            .filter(|(project, _)| text("title_eq").is_none_or(|title| title == project.title))
            .filter(|(project, _)| text("title_like").is_none_or(|title| like(title, &project.title)))
            .collect();
        mine.sort_by_key(|(project, _)| (project.created_at, project.hash));
        let entry = |(project, role): (&Project, Role)| {
            json!({"user_role": role.wire(), "project": show(store, project, role)})
        };
        Ok(Value::Array(mine.into_iter().map(entry).collect()))
    })
}

fn show(store: &Store, project: &Project, role: Role) -> Value {
    let ontology = store.ontologies.get(&project.ontology);
    let datasets = project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset));
    let datasets: Vec<Value> = datasets
        .map(|dataset| {
            json!({
                "dataset_hash": dataset.hash,
                "title": dataset.title,
                "description": dataset.description,
                "type": "CORD_STORAGE",
            })
        })
        .collect();
    json!({
        "project_hash": project.hash,
        "title": project.title,
        "description": project.description,
        "created_at": project.created_at.plain(),
        "last_edited_at": project.last_edited_at.plain(),
        "ontology_hash": project.ontology,
        "editor_ontology": ontology.map(|ontology| &ontology.structure),
        "datasets": datasets,
        "label_rows": [],
        "user_role": role.wire(),
        "source_projects": null,
        "workflow_manager_uuid": project.template,
    })
}
