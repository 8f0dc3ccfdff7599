//! Which agent works at which stage: collected at registration, checked against the project before a run.

use std::sync::Arc;

use encord_client::{Project, Stage};
use encord_labels::id::PathwayUuid;

use crate::agent::Agent;
use crate::error::Error;
use crate::sequential::{RunOptions, StageOptions};
use crate::stage::{self, StageRef};

/// The agents of a runner in the order of registration.
#[derive(Default)]
pub(crate) struct Registry {
    entries: Vec<Entry>,
}

struct Entry {
    wanted: StageRef,
    agent: Arc<dyn Agent>,
    options: StageOptions,
}

/// An agent and the stage of the project it works at.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) stage: Arc<Stage>,
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) options: Arc<StageOptions>,
    pub(crate) failure_pathway: Option<PathwayUuid>,
    pub(crate) max_asset_bytes: u64,
}

impl Registry {
    pub(crate) fn add(&mut self, wanted: StageRef, agent: Arc<dyn Agent>, options: StageOptions) {
        self.entries.push(Entry { wanted, agent, options });
    }

    /// Finds every stage in the project. A stage named twice, even once by title and once by uuid, is refused
    /// unless the later registration overwrites the earlier one, whose place it then takes.
    pub(crate) fn prepare(&self, project: &Project, options: &RunOptions) -> Result<Vec<Prepared>, Error> {
        if self.entries.is_empty() {
            return Err(Error::NoStages);
        }
        let mut prepared: Vec<Prepared> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let stage = stage::resolve(project, &entry.wanted)?;
            let new = entry.at(stage, options)?;
            match prepared.iter_mut().find(|earlier| earlier.stage.uuid == new.stage.uuid) {
                Some(earlier) if entry.options.overwrite => *earlier = new,
                Some(_) => return Err(Error::DuplicateStage { stage: stage::describe(&new.stage) }),
                None => prepared.push(new),
            }
        }
        Ok(prepared)
    }

    /// As [`Registry::prepare`], but only for one stage; the others need not exist in the project.
    pub(crate) fn prepare_one(
        &self,
        project: &Project,
        wanted: &StageRef,
        options: &RunOptions,
    ) -> Result<Prepared, Error> {
        let stage = stage::resolve(project, wanted)?;
        let here = |entry: &&Entry| match &entry.wanted {
            StageRef::Title(title) => *title == stage.title,
            StageRef::Uuid(uuid) => *uuid == stage.uuid,
        };
        let mut entries = self.entries.iter().filter(here);
        let Some(first) = entries.next() else {
            let registered: Vec<_> = self.entries.iter().map(|entry| entry.wanted.to_string()).collect();
            let registered = if registered.is_empty() { "none".to_owned() } else { registered.join(", ") };
            return Err(Error::NotRegistered { stage: stage::describe(&stage), registered });
        };
        let mut chosen = first;
        for later in entries {
            if !later.options.overwrite {
                return Err(Error::DuplicateStage { stage: stage::describe(&stage) });
            }
            chosen = later;
        }
        chosen.at(stage, options)
    }
}

impl Entry {
    fn at(&self, stage: Arc<Stage>, run: &RunOptions) -> Result<Prepared, Error> {
        let failure_pathway = run.failure_pathway.as_ref();
        let failure_pathway =
            failure_pathway.map(|wanted| stage::resolve_pathway(&stage, wanted)).transpose()?;
        Ok(Prepared {
            stage,
            agent: Arc::clone(&self.agent),
            options: Arc::new(self.options.clone()),
            failure_pathway,
            max_asset_bytes: run.max_asset_bytes,
        })
    }
}
