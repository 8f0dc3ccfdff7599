//! Label rows per project, data unit and branch.

use std::sync::Arc;

use uuid::Uuid;

use super::{Board, LabelStatus, MAIN_BRANCH, Row, RowKey, Store};
use crate::clock::Moment;
use crate::refusal::{Answer, Refusal};

impl Store {
    pub(crate) fn row(&self, key: &RowKey) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The row with this label hash, if it belongs to the project.
    pub(crate) fn row_of_label(&self, project: Uuid, label: Uuid) -> Answer<&Row> {
        self.labels
            .get(&label)
            .filter(|key| key.project == project)
            .and_then(|key| self.rows.get(key))
            .ok_or_else(|| {
                Refusal::NotFound(format!("label row {label} does not belong to project {project}"))
            })
    }

    /// Every initialised row of a data unit.
    pub(crate) fn rows_of_data(&self, project: Uuid, data: Uuid) -> Vec<&Row> {
        self.branches(project)
            .into_iter()
            .filter_map(|branch| self.rows.get(&RowKey { project, data, branch }))
            .collect()
    }

    /// Main first, then the other branches in alphabetical order.
    pub(crate) fn branches(&self, project: Uuid) -> Vec<Arc<str>> {
        let others = self.boards.get(&project).map(|board| board.branches.iter().cloned());
        std::iter::once(Arc::from(MAIN_BRANCH)).chain(others.into_iter().flatten()).collect()
    }

    /// The row, which gets its label hash now if it has none.
    pub(crate) fn initialise_row(&mut self, key: &RowKey, now: Moment) -> &Row {
        if !self.rows.contains(key) {
            let label_hash = Uuid::new_v4();
            self.labels.insert(label_hash, key.clone());
            if &*key.branch != MAIN_BRANCH {
                self.board_mut(key.project).branches.insert(key.branch.clone());
            }
            let row = Row {
                key: key.clone(),
                label_hash,
                document: None,
                status: LabelStatus::LabelInProgress,
                saves: 0,
                errors: None,
                created_at: now,
                last_edited_at: now,
            };
            self.rows.insert(key.clone(), row);
        }
        self.rows.get(key).expect("the row was inserted above if it was missing")
    }

    /// The row with this label hash, to change it.
    pub(crate) fn row_of_label_mut(&mut self, label: Uuid) -> Option<&mut Row> {
        self.rows.get_mut(self.labels.get(&label)?)
    }

    pub(super) fn remove_rows(&mut self, project: Uuid, data: Uuid, board: &Board) {
        let members = self.units.get(&data).map_or_else(Vec::new, |unit| unit.members.clone());
        for data in members.into_iter().chain([data]) {
            for branch in std::iter::once(&Arc::from(MAIN_BRANCH)).chain(&board.branches) {
                let key = RowKey { project, data, branch: branch.clone() };
                if let Some(row) = self.rows.remove(&key) {
                    self.labels.remove(&row.label_hash);
                }
            }
        }
    }
}
