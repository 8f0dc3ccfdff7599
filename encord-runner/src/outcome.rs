//! What an agent wants done with its task: a pathway, labels to save, a priority, or nothing.

use std::fmt;

use encord_labels::LabelRow;
use encord_labels::id::PathwayUuid;
use uuid::Uuid;

use crate::beside::Beside;
use crate::error::BoxError;

/// A pathway out of an agent stage, by name or by uuid.
///
/// A text that reads as a UUID (with or without dashes) is a uuid, any other text is a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathwayRef {
    /// The pathway's name, matched exactly.
    Name(String),
    /// The pathway's uuid.
    Uuid(PathwayUuid),
}

impl From<&str> for PathwayRef {
    fn from(text: &str) -> Self {
        match Uuid::parse_str(text.trim()) {
            Ok(uuid) => PathwayRef::Uuid(uuid.into()),
            Err(_) => PathwayRef::Name(text.to_owned()),
        }
    }
}

impl From<String> for PathwayRef {
    fn from(text: String) -> Self {
        PathwayRef::from(text.as_str())
    }
}

impl From<PathwayUuid> for PathwayRef {
    fn from(uuid: PathwayUuid) -> Self {
        PathwayRef::Uuid(uuid)
    }
}

impl From<Uuid> for PathwayRef {
    fn from(uuid: Uuid) -> Self {
        PathwayRef::Uuid(uuid.into())
    }
}

impl fmt::Display for PathwayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathwayRef::Name(name) => write!(f, "{name:?}"),
            PathwayRef::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

/// What should happen with a task after its agent succeeded.
///
/// The runner saves the label row first, then sets the priority, then moves the task. Only what is returned
/// here is saved; when saving fails the task is not moved.
///
/// ```
/// use encord_runner::{LabelRow, Outcome};
///
/// async fn agent(row: LabelRow) -> Outcome {
///     Outcome::to("review").with_label_row(row).with_priority(0.0)
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an outcome does nothing unless the agent returns it"]
pub struct Outcome {
    pub(crate) pathway: Option<PathwayRef>,
    /// Boxed because most outcomes have none and all are handed around.
    pub(crate) label_row: Option<Box<LabelRow>>,
    pub(crate) priority: Option<f64>,
    pub(crate) beside: Vec<Beside>,
}

impl Outcome {
    /// Send the task along a pathway.
    pub fn to(pathway: impl Into<PathwayRef>) -> Self {
        Outcome { pathway: Some(pathway.into()), ..Outcome::default() }
    }

    /// Leave the task at its stage.
    pub fn stay() -> Self {
        Outcome::default()
    }

    /// Save this label row before the task moves.
    pub fn with_label_row(mut self, label_row: LabelRow) -> Self {
        self.label_row = Some(Box::new(label_row));
        self
    }

    /// Set the priority of the data unit, 0.0 (lowest) to 1.0 (highest). No label row is needed for it.
    pub fn with_priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Send the task along a pathway, replacing an earlier choice.
    pub fn with_pathway(mut self, pathway: impl Into<PathwayRef>) -> Self {
        self.pathway = Some(pathway.into());
        self
    }

    /// Make changes to another project together with those to the runner's own. Can be called several times.
    pub fn with_beside(mut self, beside: Beside) -> Self {
        self.beside.push(beside);
        self
    }

    /// The pathway chosen, if any.
    #[must_use]
    pub fn pathway(&self) -> Option<&PathwayRef> {
        self.pathway.as_ref()
    }

    /// The label row to save, if any.
    #[must_use]
    pub fn label_row(&self) -> Option<&LabelRow> {
        self.label_row.as_deref()
    }

    /// The priority to set, if any.
    #[must_use]
    pub fn priority(&self) -> Option<f64> {
        self.priority
    }
}

/// What an agent may return: a pathway by name or uuid, an [`Outcome`], `()` or `None` to leave the task where
/// it is, or a `Result` of any of these with any error that can be boxed.
#[diagnostic::on_unimplemented(
    message = "an agent cannot return `{Self}`",
    label = "not an outcome",
    note = "return a pathway (`&str`, `String`, `PathwayUuid`), an `Outcome`, `()`, an `Option` of these, or a `Result` of these"
)]
pub trait IntoOutcome {
    /// Turns the return value into what the runner should do, or into the agent's error.
    ///
    /// # Errors
    /// The error the agent returned.
    fn into_outcome(self) -> Result<Outcome, BoxError>;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        Ok(self)
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        Ok(Outcome::stay())
    }
}

macro_rules! impl_into_outcome_for_pathway {
    ($($T:ty),*) => {$(
        impl IntoOutcome for $T {
            fn into_outcome(self) -> Result<Outcome, BoxError> {
                Ok(Outcome::to(self))
            }
        }
    )*};
}

impl_into_outcome_for_pathway!(&'static str, String, PathwayUuid, Uuid, PathwayRef);

impl<T: IntoOutcome> IntoOutcome for Option<T> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map_or_else(|| Ok(Outcome::stay()), IntoOutcome::into_outcome)
    }
}

impl<T: IntoOutcome, E: Into<BoxError>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map_err(Into::into)?.into_outcome()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_a_uuid_is_a_uuid() {
        let uuid = Uuid::from_u128(7);
        assert_eq!(PathwayRef::from(uuid.simple().to_string()), PathwayRef::Uuid(uuid.into()));
        assert_eq!(PathwayRef::from("complete"), PathwayRef::Name("complete".into()));
    }

    #[test]
    fn every_return_form_becomes_an_outcome() {
        let name = Some(PathwayRef::Name("a".into()));
        assert_eq!("a".into_outcome().unwrap().pathway, name);
        assert_eq!(Some("a").into_outcome().unwrap().pathway, name);
        assert_eq!(None::<&str>.into_outcome().unwrap().pathway, None);
        assert_eq!(().into_outcome().unwrap().pathway, None);
        assert_eq!(Ok::<_, String>("a").into_outcome().unwrap().pathway, name);
        assert_eq!(Err::<&str, _>("no").into_outcome().unwrap_err().to_string(), "no");
        assert_eq!(Outcome::to("a").with_priority(0.0).priority(), Some(0.0));
    }
}
