//! Issues raised on data units.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Store;
use crate::clock::Moment;

/// What an issue is about; which fields are there depends on the kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Anchor {
    #[serde(rename = "type")]
    pub(crate) kind: AnchorKind,
    pub(crate) data_uuid: Uuid,
    pub(crate) space_id: Option<String>,
    pub(crate) frame_index: Option<u64>,
    pub(crate) x: Option<f64>,
    pub(crate) y: Option<f64>,
    pub(crate) z: Option<f64>,
    pub(crate) annotation_id: Option<String>,
    pub(crate) frame_ranges: Option<Vec<FrameRange>>,
}

/// Frames from `start` to `end`, both included.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct FrameRange {
    start: u64,
    end: u64,
}

impl Anchor {
    pub(crate) fn is_on_label(&self) -> bool {
        matches!(self.kind, AnchorKind::Annotation)
    }

    /// Whether it has what its kind needs, which readers of the issue rely on.
    pub(crate) fn check(&self) -> Result<(), String> {
        use AnchorKind as Kind;
        let framed = matches!(self.kind, Kind::Frame | Kind::FrameCoordinate | Kind::SceneCoordinate);
        let placed = matches!(self.kind, Kind::FrameCoordinate | Kind::SceneCoordinate);
        let ranged = matches!(self.kind, Kind::FrameRange);
        let is_range = |range: &FrameRange| range.start <= range.end;
        if framed && self.frame_index.is_none() {
            return Err("the anchor has no frameIndex".into());
        }
        if placed && (self.x.is_none() || self.y.is_none()) {
            return Err("the anchor has no x and y".into());
        }
        if matches!(self.kind, Kind::SceneCoordinate) && self.z.is_none() {
            return Err("the anchor has no z".into());
        }
        if self.is_on_label() && self.annotation_id.is_none() {
            return Err("the anchor has no annotationId".into());
        }
        match self.frame_ranges.as_deref() {
            Some([]) => Err("frameRanges is an empty list".into()),
            Some(ranges) if !ranges.iter().all(is_range) => Err("a frame range ends before it starts".into()),
            None if ranged => Err("the anchor has no frameRanges".into()),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum AnchorKind {
    DataUnit,
    Frame,
    FrameCoordinate,
    FrameRange,
    SceneCoordinate,
    Annotation,
}

/// A name that issues of a project can carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssueTag {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
}

/// One issue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Issue {
    pub(crate) uuid: Uuid,
    pub(crate) project: Uuid,
    pub(crate) anchor: Anchor,
    pub(crate) comment: String,
    pub(crate) author: String,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: Moment,
}

impl Store {
    pub(crate) fn issues_of(&self, project: Uuid, data: Uuid) -> impl Iterator<Item = &Issue> {
        let raised = self.raised.get(&(project, data)).into_iter().flatten();
        raised.filter_map(|issue| self.issues.get(issue))
    }

    pub(crate) fn add_issue(&mut self, issue: Issue) {
        self.raised.entry((issue.project, issue.anchor.data_uuid)).or_default().push(issue.uuid);
        self.issues.insert(issue.uuid, issue);
    }

    pub(crate) fn remove_issue(&mut self, uuid: Uuid) {
        if let Some(issue) = self.issues.remove(&uuid)
            && let Some(raised) = self.raised.get_mut(&(issue.project, issue.anchor.data_uuid))
        {
            raised.retain(|other| *other != uuid);
        }
    }
}
