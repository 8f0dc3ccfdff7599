//! The names nearly every agent needs: what to register it with, what to take as parameters, what to return.

pub use encord_runner::extract::{FromTask, State};
pub use encord_runner::{
    AgentTask, Asset, Client, LabelRow, LabelRowMetadata, OrTerminal, Outcome, Project, RunReport, Runner,
    Stage, StorageItem, TaskContext, blocking,
};
