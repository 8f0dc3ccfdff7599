//! What the roles of a project allow, in the words of refusals.

use uuid::Uuid;

use crate::auth::Principal;
use crate::refusal::{Answer, Refusal};
use crate::store::{Role, Store};

/// Refuses everybody but admins and team managers; `what` completes "may ...".
pub(super) fn managed(store: &Store, project: Uuid, who: &Principal, what: &str) -> Answer<()> {
    allowed(store, project, who, Role::may_manage, || format!("only admins and team managers may {what}"))
}

/// Refuses viewers; `what` completes "cannot ...".
pub(super) fn writable(store: &Store, project: Uuid, who: &Principal, what: &str) -> Answer<()> {
    allowed(store, project, who, Role::may_write, || format!("viewers cannot {what}"))
}

/// Refuses those who do not review; `what` completes "may ...".
pub(super) fn reviewable(store: &Store, project: Uuid, who: &Principal, what: &str) -> Answer<()> {
    allowed(store, project, who, Role::may_review, || format!("only reviewers may {what}"))
}

fn allowed(
    store: &Store,
    project: Uuid,
    who: &Principal,
    is_allowed: impl FnOnce(Role) -> bool,
    refusal: impl FnOnce() -> String,
) -> Answer<()> {
    let (_, role) = store.project(project, who)?;
    if is_allowed(role) { Ok(()) } else { Err(Refusal::Forbidden(refusal())) }
}
