//! Stages and pathways by name or uuid, checked against the project before any task is touched.
//!
//! Every refusal lists what would have been right and, where a name is close to a right one, suggests it.

use std::fmt;
use std::sync::Arc;

use encord_client::{Project, ProjectKind, Stage};
use encord_labels::id::{PathwayUuid, StageUuid};
use uuid::Uuid;

use crate::error::{Error, UnknownPathway};
use crate::outcome::PathwayRef;

/// A workflow stage, by title or by uuid.
///
/// A text that reads as a UUID (with or without dashes) is a uuid, any other text is a title and must match
/// exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StageRef {
    /// The stage's title.
    Title(String),
    /// The stage's uuid.
    Uuid(StageUuid),
}

impl From<&str> for StageRef {
    fn from(text: &str) -> Self {
        match Uuid::parse_str(text.trim()) {
            Ok(uuid) => StageRef::Uuid(uuid.into()),
            Err(_) => StageRef::Title(text.to_owned()),
        }
    }
}

impl From<String> for StageRef {
    fn from(text: String) -> Self {
        StageRef::from(text.as_str())
    }
}

impl From<StageUuid> for StageRef {
    fn from(uuid: StageUuid) -> Self {
        StageRef::Uuid(uuid)
    }
}

impl From<Uuid> for StageRef {
    fn from(uuid: Uuid) -> Self {
        StageRef::Uuid(uuid.into())
    }
}

impl fmt::Display for StageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StageRef::Title(title) => write!(f, "{title:?}"),
            StageRef::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

/// The agent stages of a project, or why a runner cannot work on it.
pub(crate) fn agent_stages(project: &Project) -> Result<Vec<&Stage>, Error> {
    let (hash, title) = (project.hash(), project.title().to_owned());
    if project.kind() != ProjectKind::Workflow {
        return Err(Error::NotAWorkflow { project: hash, title });
    }
    let stages: Vec<_> = project.stages().iter().filter(|stage| stage.is_agent()).collect();
    if stages.is_empty() { Err(Error::NoAgentStage { project: hash, title }) } else { Ok(stages) }
}

/// Finds the agent stage that is meant.
pub(crate) fn resolve(project: &Project, wanted: &StageRef) -> Result<Arc<Stage>, Error> {
    let stages = agent_stages(project)?;
    let found = stages.iter().find(|stage| match wanted {
        StageRef::Title(title) => stage.title == *title,
        StageRef::Uuid(uuid) => stage.uuid == *uuid,
    });
    if let Some(stage) = found {
        return Ok(Arc::new((*stage).clone()));
    }
    let suggestion = match wanted {
        StageRef::Title(title) => closest(title, stages.iter().map(|stage| stage.title.as_str())),
        StageRef::Uuid(_) => None,
    };
    Err(Error::UnknownStage {
        given: wanted.to_string(),
        project: project.hash(),
        valid: list(stages.iter().map(|stage| describe(stage))),
        suggestion,
    })
}

/// A stage as messages show it.
pub(crate) fn describe(stage: &Stage) -> String {
    format!("{:?} ({})", stage.title, stage.uuid)
}

/// Finds the pathway that is meant among those of the stage.
pub(crate) fn resolve_pathway(stage: &Stage, wanted: &PathwayRef) -> Result<PathwayUuid, UnknownPathway> {
    let pathways = stage.pathways();
    let found = pathways.iter().find(|pathway| match wanted {
        PathwayRef::Name(name) => pathway.name == *name,
        PathwayRef::Uuid(uuid) => pathway.uuid == *uuid,
    });
    if let Some(pathway) = found {
        return Ok(pathway.uuid);
    }
    Err(UnknownPathway {
        stage: stage.title.clone(),
        given: wanted.to_string(),
        valid: list(pathways.iter().map(|pathway| format!("{:?} ({})", pathway.name, pathway.uuid))),
        suggestion: match wanted {
            PathwayRef::Name(name) => closest(name, pathways.iter().map(|pathway| pathway.name.as_str())),
            PathwayRef::Uuid(_) => None,
        },
    })
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The candidate nearest to what was given, if it is near enough to be what was meant.
fn closest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let given = given.trim().to_lowercase();
    let allowed = (given.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (distance(&given, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters must be added, removed or replaced to turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let titles = ["Agent 1", "Review"];
        assert_eq!(closest("agent1", titles.into_iter()).as_deref(), Some("Agent 1"));
        assert_eq!(closest("reveiw", titles.into_iter()).as_deref(), Some("Review"));
        assert_eq!(closest("something else", titles.into_iter()), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
