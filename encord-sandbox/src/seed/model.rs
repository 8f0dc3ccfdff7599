//! The seed file as it is written.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::store::{ItemKind, Role};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SeedFile {
    pub(crate) users: Vec<UserSeed>,
    pub(crate) cloud_integrations: Vec<IntegrationSeed>,
    pub(crate) ontologies: Vec<OntologySeed>,
    pub(crate) workflow_templates: Vec<TemplateSeed>,
    pub(crate) datasets: Vec<DatasetSeed>,
    pub(crate) projects: Vec<ProjectSeed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserSeed {
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) public_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationSeed {
    #[serde(default)]
    pub(crate) integration_hash: Option<Uuid>,
    pub(crate) title: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OntologySeed {
    pub(crate) ontology_hash: Option<Uuid>,
    /// E-mail addresses of those who may see it; everybody if empty.
    pub(crate) users: Vec<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) structure: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TemplateSeed {
    pub(crate) template_hash: Option<Uuid>,
    pub(crate) title: String,
    pub(crate) stages: Vec<StageSeed>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StageSeed {
    pub(crate) uuid: Option<Uuid>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) title: String,
    /// AGENT.
    pub(crate) pathways: Vec<PathwaySeed>,
    /// Where finished or approved tasks go; the next stage in the list if missing.
    pub(crate) next: Option<String>,
    /// Where rejected tasks go; the first annotation stage if missing.
    pub(crate) reject: Option<String>,
    /// CONSENSUS_ANNOTATION.
    pub(crate) annotators: Option<usize>,
    /// Routers.
    pub(crate) routes: Vec<RouteSeed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathwaySeed {
    #[serde(default)]
    pub(crate) uuid: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) destination: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteSeed {
    pub(crate) destination: String,
    #[serde(default)]
    pub(crate) percentage: f64,
    #[serde(default)]
    pub(crate) users: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatasetSeed {
    pub(crate) dataset_hash: Option<Uuid>,
    /// E-mail addresses of those who may see it; everybody if empty.
    pub(crate) users: Vec<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) items: Vec<ItemSeed>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ItemSeed {
    #[serde(rename = "type")]
    pub(crate) kind: Option<ItemKind>,
    pub(crate) generate: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) items: Vec<ItemSeed>,
    pub(crate) client_metadata: Option<Map<String, Value>>,
    pub(crate) data_hash: Option<Uuid>,
    pub(crate) item_uuid: Option<Uuid>,
    /// Wins over what the file says.
    pub(crate) mime_type: Option<String>,
    /// The place of a member in its data group.
    pub(crate) layout_key: Option<String>,
    pub(crate) count: Option<u64>,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProjectSeed {
    pub(crate) project_hash: Option<Uuid>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) ontology: Option<String>,
    pub(crate) workflow_template: Option<String>,
    pub(crate) datasets: Vec<String>,
    pub(crate) labels: Vec<LabelSeed>,
    /// Who may see the project; everybody if empty.
    pub(crate) users: Vec<MemberSeed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberSeed {
    pub(crate) email: String,
    #[serde(default = "admin")]
    pub(crate) role: Role,
}

fn admin() -> Role {
    Role::Admin
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelSeed {
    /// A data hash or the name of an item.
    pub(crate) data: String,
    #[serde(default)]
    pub(crate) branch: Option<String>,
    pub(crate) label_row: Map<String, Value>,
}
