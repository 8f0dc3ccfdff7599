//! Workflow templates of a seed: stages that name each other by uuid or title.

use uuid::Uuid;

use super::{StageSeed, TemplateSeed};
use crate::error::Error;
use crate::workflow::{Pathway, RouterRule, Stage, StageKind, Workflow};

/// Makes the workflow, or says which reference leads nowhere.
pub(super) fn workflow(template: &TemplateSeed, path: &str) -> Result<Workflow, Error> {
    if template.stages.is_empty() {
        return Err(Error::seed(format!("{path}.stages"), "a workflow needs at least one stage"));
    }
    let uuids: Vec<Uuid> =
        template.stages.iter().map(|stage| stage.uuid.unwrap_or_else(Uuid::new_v4)).collect();
    let names = Names { stages: &template.stages, uuids: &uuids };
    let mut stages = Vec::with_capacity(uuids.len());
    for (index, stage) in template.stages.iter().enumerate() {
        let path = format!("{path}.stages[{index}]");
        stages.push(Stage {
            uuid: uuids[index],
            title: stage.title.clone(),
            kind: names.kind(stage, index, &path)?,
        });
    }
    Ok(Workflow { stages })
}

struct Names<'a> {
    stages: &'a [StageSeed],
    uuids: &'a [Uuid],
}

impl Names<'_> {
    fn kind(&self, stage: &StageSeed, index: usize, path: &str) -> Result<StageKind, Error> {
        let next = || match &stage.next {
            Some(name) => self.find(name, &format!("{path}.next")),
            None => self.uuids.get(index + 1).copied().ok_or_else(|| {
                Error::seed(path, "the last stage must be of type DONE, or say in \"next\" where tasks go")
            }),
        };
        let reject = || match &stage.reject {
            Some(name) => self.find(name, &format!("{path}.reject")),
            None => {
                let annotation =
                    |stage: &StageSeed| matches!(&*stage.kind, "ANNOTATION" | "CONSENSUS_ANNOTATION");
                Ok(self.uuids[self.stages.iter().position(annotation).unwrap_or(0)])
            }
        };
        Ok(match &*stage.kind {
            "AGENT" => StageKind::Agent { pathways: self.pathways(stage, path)? },
            "ANNOTATION" => StageKind::Annotation { next: next()? },
            "REVIEW" => StageKind::Review { approve: next()?, reject: reject()? },
            "CONSENSUS_ANNOTATION" => StageKind::ConsensusAnnotation {
                next: next()?,
                annotators: stage.annotators.unwrap_or(2).max(1),
            },
            "CONSENSUS_REVIEW" => StageKind::ConsensusReview { approve: next()?, reject: reject()? },
            "PERCENTAGE_ROUTER" => {
                let routes = self.routes(stage, path)?;
                let shares =
                    routes.iter().zip(&stage.routes).map(|(to, route)| (*to, route.percentage)).collect();
                StageKind::Router { rule: RouterRule::Percentage(shares) }
            }
            "USER_ROUTER" => {
                let routes = self.routes(stage, path)?;
                let routes =
                    routes.iter().zip(&stage.routes).map(|(to, route)| (*to, route.users.clone())).collect();
                StageKind::Router { rule: RouterRule::User { routes, otherwise: next()? } }
            }
            "DONE" => StageKind::Done,
            other => {
                let reason = format!(
                    "unknown stage type \"{other}\": expected AGENT, ANNOTATION, REVIEW, CONSENSUS_ANNOTATION, CONSENSUS_REVIEW, PERCENTAGE_ROUTER, USER_ROUTER or DONE"
                );
                return Err(Error::seed(format!("{path}.type"), reason));
            }
        })
    }

    fn pathways(&self, stage: &StageSeed, path: &str) -> Result<Vec<Pathway>, Error> {
        let pathway = |(index, pathway): (usize, &super::PathwaySeed)| {
            let destination =
                self.find(&pathway.destination, &format!("{path}.pathways[{index}].destination"))?;
            let uuid = pathway.uuid.unwrap_or_else(Uuid::new_v4);
            Ok(Pathway { uuid, name: pathway.name.clone(), destination })
        };
        stage.pathways.iter().enumerate().map(pathway).collect()
    }

    fn routes(&self, stage: &StageSeed, path: &str) -> Result<Vec<Uuid>, Error> {
        if stage.routes.is_empty() {
            return Err(Error::seed(format!("{path}.routes"), "a router needs at least one route"));
        }
        let routes = stage.routes.iter().enumerate();
        routes
            .map(|(index, route)| {
                self.find(&route.destination, &format!("{path}.routes[{index}].destination"))
            })
            .collect()
    }

    /// A stage by uuid or by title.
    fn find(&self, name: &str, path: &str) -> Result<Uuid, Error> {
        let uuid = name.parse::<Uuid>().ok().filter(|uuid| self.uuids.contains(uuid));
        let titled =
            || self.stages.iter().position(|stage| stage.title == name).map(|index| self.uuids[index]);
        uuid.or_else(titled).ok_or_else(|| {
            let titles: Vec<&str> = self.stages.iter().map(|stage| stage.title.as_str()).collect();
            Error::seed(path, format!("there is no stage \"{name}\"; the stages are {}", titles.join(", ")))
        })
    }
}
