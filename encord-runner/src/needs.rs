//! What a parameter list wants fetched, known at compile time.
//!
//! The runner asks for label rows, labels, storage items and signed URLs in bulk, one request per batch.
//! It can only do so when it knows before the first task which of them the agent will look at, so every
//! extractor states its needs in a constant and the constants of all parameters are folded together.

/// A set of things to fetch for a task before its agent runs.
///
/// ```
/// use encord_runner::Needs;
///
/// const BOTH: Needs = Needs::LABELS.or(Needs::STORAGE_ITEM);
/// assert!(BOTH.contains(Needs::LABELS));
/// assert!(!Needs::NOTHING.contains(Needs::ASSET));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs(u8);

impl Needs {
    /// Nothing beyond the task itself.
    pub const NOTHING: Needs = Needs(0);
    /// The row of the label listing: titles, sizes, hashes, but no labels.
    pub const LABEL_ROW: Needs = Needs(0b0_0001);
    /// The labels themselves; includes [`Needs::LABEL_ROW`].
    pub const LABELS: Needs = Needs(0b0_0011);
    /// The storage item behind the data unit; includes [`Needs::LABEL_ROW`], where its id is found.
    pub const STORAGE_ITEM: Needs = Needs(0b0_0101);
    /// The storage item with a signed URL; includes [`Needs::STORAGE_ITEM`].
    pub const SIGNED_URL: Needs = Needs(0b0_1101);
    /// The file itself, which the runner may then download ahead of the agent; includes [`Needs::SIGNED_URL`].
    pub const ASSET: Needs = Needs(0b1_1101);

    /// The union of two sets.
    #[must_use]
    pub const fn or(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Needs) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::Needs;

    #[test]
    fn wider_needs_include_narrower_ones() {
        assert!(Needs::ASSET.contains(Needs::SIGNED_URL));
        assert!(Needs::SIGNED_URL.contains(Needs::STORAGE_ITEM));
        assert!(Needs::STORAGE_ITEM.contains(Needs::LABEL_ROW));
        assert!(Needs::LABELS.contains(Needs::LABEL_ROW));
        assert!(!Needs::LABELS.contains(Needs::STORAGE_ITEM));
        assert!(!Needs::LABEL_ROW.contains(Needs::LABELS));
        assert!(Needs::NOTHING.or(Needs::ASSET).contains(Needs::NOTHING));
    }
}
