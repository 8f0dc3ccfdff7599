//! The filters that listings of projects, datasets and ontologies have in common.

use crate::clock::Moment;
use crate::pattern::like;
use crate::routes::Query;

/// What every listed thing has.
pub(super) struct Listed<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) created_at: Moment,
    pub(super) last_edited_at: Moment,
}

impl Listed<'_> {
    /// Whether the filters of the query let it through. Datasets spell out
    /// `description` where the others say `desc`.
    pub(super) fn passes(&self, query: &Query) -> bool {
        let text = |keys: [&'static str; 2], holds: &dyn Fn(&str) -> bool| {
            keys.iter().filter_map(|key| query.one(key)).all(holds)
        };
        let moment = |key: &'static str, holds: &dyn Fn(Moment) -> bool| {
            query.one(key).and_then(Moment::parse).is_none_or(holds)
        };
        text(["titleEq", "titleEq"], &|wanted| wanted == self.title)
            && text(["titleLike", "titleLike"], &|pattern| like(pattern, self.title))
            && text(["descEq", "descriptionEq"], &|wanted| wanted == self.description)
            && text(["descLike", "descriptionLike"], &|pattern| like(pattern, self.description))
            && moment("createdBefore", &|before| self.created_at < before)
            && moment("createdAfter", &|after| self.created_at > after)
            && moment("editedBefore", &|before| self.last_edited_at < before)
            && moment("editedAfter", &|after| self.last_edited_at > after)
    }
}
