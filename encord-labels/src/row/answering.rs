//! Reading and setting answers by title or hash.
//!
//! The same rules hold for objects and classifications: an attribute must belong to the class, a nested one can only
//! be answered where every option above it is chosen, and a value must fit the attribute. Either a change is made
//! completely or nothing changes.

use std::sync::Arc;

use serde_json::Number;

use super::answer::{AnswerEntry, AnswerValue, Chosen};
use super::given::{Answer, AttributeKey, Choice, GivenAnswer};
use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::id::FeatureHash;
use crate::ontology::{Attribute, AttributeKind, AttributeOption, Found, find_by_hash, find_by_title, walk};

/// The attribute of a class that is meant.
pub(super) fn find<'a>(attributes: &'a [Arc<Attribute>], key: AttributeKey<'_>) -> Result<Found<'a>> {
    match key {
        AttributeKey::Title(title) => find_by_title(attributes, title),
        AttributeKey::Hash(hash) => find_by_hash(attributes, hash),
    }
}

/// Makes an entry of a given answer, checked against the attribute.
pub(super) fn entry(attribute: &Arc<Attribute>, given: GivenAnswer) -> Result<AnswerEntry> {
    let mismatch = |expected: &str, found: &str| {
        Err(Error::mismatch(format!("the attribute \"{}\"", attribute.name()), expected, found))
    };
    let value = match (attribute.kind(), given) {
        (AttributeKind::Text, GivenAnswer::Text(text)) => AnswerValue::Text(text.into()),
        (AttributeKind::Text, _) => return mismatch("a text", "something else"),
        (AttributeKind::Numeric, GivenAnswer::Exact(number)) => AnswerValue::Number(number),
        (AttributeKind::Numeric, GivenAnswer::Number(number)) => match Number::from_f64(number) {
            Some(number) => AnswerValue::Number(number),
            None => return mismatch("a finite number", &number.to_string()),
        },
        (AttributeKind::Numeric, _) => return mismatch("a number", "something else"),
        (kind @ (AttributeKind::Radio | AttributeKind::Checklist), given) => {
            let options = options(attribute, given)?;
            if kind == AttributeKind::Radio && options.len() != 1 {
                return mismatch("exactly one option", &format!("{} options", options.len()));
            }
            AnswerValue::Options(options.into_iter().map(Chosen::new).collect())
        }
    };
    Ok(AnswerEntry { attribute: attribute.clone(), value, manual: Some(true), extra: Extra::default() })
}

/// The options that are meant, in the ontology's order and each once.
fn options(attribute: &Attribute, given: GivenAnswer) -> Result<Vec<&AttributeOption>> {
    let meant = match given {
        GivenAnswer::Text(label) => vec![attribute.option(&label)?],
        GivenAnswer::Labels(labels) => {
            labels.iter().map(|label| attribute.option(label)).collect::<Result<_>>()?
        }
        GivenAnswer::Hashes(hashes) => {
            hashes.iter().map(|hash| attribute.option_by_hash(hash.as_str())).collect::<Result<_>>()?
        }
        GivenAnswer::Number(_) | GivenAnswer::Exact(_) => {
            let what = format!("the attribute \"{}\"", attribute.name());
            return Err(Error::mismatch(what, "options", "a number"));
        }
    };
    let chosen = |option: &&AttributeOption| meant.iter().any(|other| std::ptr::eq(*other, *option));
    Ok(attribute.options().iter().filter(chosen).collect())
}

/// What a set of entries says about an attribute, for one frame or for all.
pub(super) fn answer_of<'e>(
    attribute: &Attribute,
    entries: impl Iterator<Item = &'e AnswerEntry>,
) -> Option<Answer> {
    let mut answer = None;
    let mut ticked: Vec<&FeatureHash> = Vec::new();
    let mut is_answered = false;
    for entry in entries {
        match &entry.value {
            AnswerValue::Text(text) => answer = Some(Answer::Text(text.to_string())),
            AnswerValue::Number(number) => answer = Some(Answer::Number(number.clone())),
            // A radio with none or several options counts as not answered.
            AnswerValue::Options(chosen) if attribute.kind() == AttributeKind::Radio => {
                if let [only] = chosen.as_slice() {
                    answer = choice(attribute, &only.feature_hash).map(Answer::Radio);
                }
            }
            AnswerValue::Options(chosen) => {
                is_answered = true;
                ticked.extend(chosen.iter().map(|chosen| &chosen.feature_hash));
            }
        }
    }
    if !is_answered {
        return answer;
    }
    let ticked = attribute.options().iter().filter(|option| ticked.contains(&option.feature_hash()));
    Some(Answer::Checklist(ticked.map(to_choice).collect()))
}

fn choice(attribute: &Attribute, hash: &FeatureHash) -> Option<Choice> {
    attribute.option_by_hash(hash.as_str()).ok().map(to_choice)
}

fn to_choice(option: &AttributeOption) -> Choice {
    Choice { label: option.label().to_owned(), feature_hash: option.feature_hash().clone() }
}

/// Entries about one attribute.
pub(super) fn about<'e>(
    entries: &'e [AnswerEntry],
    attribute: &'e Attribute,
) -> impl Iterator<Item = &'e AnswerEntry> {
    entries.iter().filter(move |entry| entry.attribute.feature_hash() == attribute.feature_hash())
}

/// Checks that every option above an attribute is chosen.
pub(super) fn check_parents(
    found: &Found<'_>,
    is_chosen: impl Fn(&Attribute, &AttributeOption) -> bool,
) -> Result<()> {
    match found.parents.iter().find(|(radio, option)| !is_chosen(radio, option)) {
        None => Ok(()),
        Some((radio, option)) => Err(Error::conflict(format!(
            "the attribute \"{}\" can only be answered where \"{}\" is answered with \"{}\"",
            found.attribute.name(),
            radio.name(),
            option.label()
        ))),
    }
}

/// Whether entries answer a radio attribute with an option.
pub(super) fn chooses(entries: &[AnswerEntry], radio: &Attribute, option: &AttributeOption) -> bool {
    match answer_of(radio, about(entries, radio)) {
        Some(Answer::Radio(choice)) => choice.feature_hash == *option.feature_hash(),
        _ => false,
    }
}

/// Puts an answer among the others: attributes that come later in the ontology stand first, as the platform's own
/// tools write them.
pub(super) fn put(attributes: &[Arc<Attribute>], entries: &mut Vec<AnswerEntry>, new: AnswerEntry) {
    let mut order: Vec<&FeatureHash> = Vec::new();
    walk(attributes, &mut |attribute| order.push(attribute.feature_hash()));
    let rank = |entry: &AnswerEntry| order.iter().position(|hash| *hash == entry.attribute.feature_hash());
    entries.retain(|entry| entry.attribute.feature_hash() != new.attribute.feature_hash());
    let position = entries.iter().position(|entry| rank(entry) < rank(&new)).unwrap_or(entries.len());
    entries.insert(position, new);
}

/// Makes entries refer to the attributes of another class, that of the row they come to.
pub(super) fn adopt<'e>(
    attributes: &[Arc<Attribute>],
    entries: impl Iterator<Item = &'e mut AnswerEntry>,
) -> Result<()> {
    for entry in entries {
        let old = &entry.attribute;
        let new = find_by_hash(attributes, old.feature_hash().as_str())?.attribute;
        if (new.kind(), new.is_dynamic()) != (old.kind(), old.is_dynamic()) {
            let describe = |attribute: &Attribute| {
                let how = if attribute.is_dynamic() { "per frame" } else { "once" };
                format!("a {} answered {how}", attribute.kind().as_str())
            };
            let what = format!("the attribute \"{}\" of the row's ontology", new.name());
            return Err(Error::mismatch(what, describe(new), describe(old)));
        }
        if let AnswerValue::Options(chosen) = &entry.value {
            chosen
                .iter()
                .try_for_each(|chosen| new.option_by_hash(chosen.feature_hash.as_str()).map(|_| ()))?;
        }
        entry.attribute = new.clone();
    }
    Ok(())
}

/// Static answers of something with a class and entries.
macro_rules! static_answers {
    ($owner:ty, $what:literal) => {
        impl $owner {
            #[doc = concat!("Answers an attribute of the ", $what, ", named by title or hash.")]
            ///
            /// Options are given by label, or as options.
            ///
            /// # Errors
            /// [`Error::Conflict`] if it is answered already (see `change_answer`) or the options above a nested
            /// attribute are not chosen; [`Error::NotFound`] for an unknown attribute or option;
            /// [`Error::Mismatch`] for a value that does not fit. Nothing changes then.
            pub fn answer<'k>(
                &mut self,
                attribute: impl Into<AttributeKey<'k>>,
                answer: impl Into<GivenAnswer>,
            ) -> Result<()> {
                let key = attribute.into();
                if self.answered(key)?.is_some() {
                    let name = find(self.class.attributes(), key)?.attribute.name();
                    return Err(Error::conflict(format!(
                        "the attribute \"{name}\" is answered already; use change_answer to change it"
                    )));
                }
                self.change_answer(key, answer)
            }

            /// Answers an attribute whether or not it is answered already.
            ///
            /// # Errors
            /// As `answer`, except for attributes that are answered.
            pub fn change_answer<'k>(
                &mut self,
                attribute: impl Into<AttributeKey<'k>>,
                answer: impl Into<GivenAnswer>,
            ) -> Result<()> {
                let class = self.class.clone();
                let found = find(class.attributes(), attribute.into())?;
                self.check_static(found.attribute)?;
                check_parents(&found, |radio, option| self.is_chosen(radio, option))?;
                let entry = entry(found.attribute, answer.into())?;
                put(class.attributes(), &mut self.answers, entry);
                Ok(())
            }

            /// The answer to an attribute; `None` if there is none, or if an option above it is not chosen.
            ///
            /// # Errors
            /// [`Error::NotFound`] for an unknown attribute; [`Error::Mismatch`] for one that is answered per frame.
            pub fn answered<'k>(&self, attribute: impl Into<AttributeKey<'k>>) -> Result<Option<Answer>> {
                let found = find(self.class.attributes(), attribute.into())?;
                self.check_static(found.attribute)?;
                if check_parents(&found, |radio, option| self.is_chosen(radio, option)).is_err() {
                    return Ok(None);
                }
                Ok(answer_of(found.attribute, about(&self.answers, found.attribute)))
            }

            /// All answers that are kept, also those whose options above are not chosen at present.
            pub fn answers(&self) -> Vec<(Arc<Attribute>, Answer)> {
                let mut all: Vec<(Arc<Attribute>, Answer)> = Vec::new();
                for entry in &self.answers {
                    let attribute = &entry.attribute;
                    let seen = all.iter().any(|(other, _)| other.feature_hash() == attribute.feature_hash());
                    if !seen && let Some(answer) = answer_of(attribute, about(&self.answers, attribute)) {
                        all.push((attribute.clone(), answer));
                    }
                }
                all
            }

            /// Takes the answer to an attribute back.
            ///
            /// # Errors
            /// [`Error::NotFound`] for an unknown attribute; [`Error::Mismatch`] for one that is answered per frame.
            pub fn unanswer<'k>(&mut self, attribute: impl Into<AttributeKey<'k>>) -> Result<()> {
                let class = self.class.clone();
                let attribute = find(class.attributes(), attribute.into())?.attribute;
                self.check_static(attribute)?;
                self.answers.retain(|entry| entry.attribute.feature_hash() != attribute.feature_hash());
                Ok(())
            }
        }
    };
}
pub(super) use static_answers;
