//! Answers to the attributes of an object or classification.

use std::sync::Arc;

use serde_json::Number;

use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::FeatureHash;
use crate::json::{Cursor, Emitter, Kind};
use crate::ontology::{Attribute, AttributeKind, AttributeOption};
use crate::range::FrameSet;

/// One answer as a document holds it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnswerEntry {
    pub(crate) attribute: Arc<Attribute>,
    pub(crate) value: AnswerValue,
    pub(crate) manual: Option<bool>,
    pub(crate) extra: Extra,
}

/// An answer on some frames.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DynamicEntry {
    pub(crate) answer: AnswerEntry,
    pub(crate) frames: FrameSet,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AnswerValue {
    Text(Box<str>),
    Number(Number),
    Options(Vec<Chosen>),
}

/// A chosen option.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) feature_hash: FeatureHash,
    pub(crate) extra: Extra,
}

impl AnswerValue {
    fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Options(_) => "a list of options",
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        match cursor.kind()? {
            Kind::String => Ok(Self::Text(cursor.string()?.into())),
            Kind::Number => Ok(Self::Number(cursor.exact_number()?)),
            Kind::Array => {
                let mut chosen = Vec::new();
                cursor.array(|cursor, _| {
                    chosen.push(Chosen::read(cursor)?);
                    Ok(())
                })?;
                Ok(Self::Options(chosen))
            }
            _ => Err(cursor.expected("a string, a number or a list of options")),
        }
    }

    fn check(&self, attribute: &Attribute) -> Result<()> {
        let expected = match (attribute.kind(), self) {
            (AttributeKind::Text, Self::Text(_)) | (AttributeKind::Numeric, Self::Number(_)) => return Ok(()),
            (AttributeKind::Radio | AttributeKind::Checklist, Self::Options(chosen)) => {
                return chosen.iter().enumerate().try_for_each(|(index, chosen)| {
                    attribute.option_by_hash(chosen.feature_hash.as_str()).map(|_| ()).at(index)
                });
            }
            (AttributeKind::Text, _) => "a string",
            (AttributeKind::Numeric, _) => "a number",
            (AttributeKind::Radio | AttributeKind::Checklist, _) => "a list of options",
        };
        Err(Error::wrong_type(expected, self.describe()))
    }
}

impl Chosen {
    pub(crate) fn new(option: &AttributeOption) -> Self {
        Self { feature_hash: option.feature_hash().clone(), extra: Extra::default() }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let mut feature_hash = None;
        let mut extra = Extra::default();
        cursor.object(|cursor, key| {
            match &*key {
                "featureHash" => feature_hash = Some(FeatureHash::from(&*cursor.string()?)),
                _ => extra.insert(key, cursor.value()?),
            }
            Ok(())
        })?;
        Ok(Self { feature_hash: feature_hash.ok_or_else(|| Error::missing("featureHash"))?, extra })
    }

    /// Forgets a name and value that the ontology says as well.
    fn tidy(&mut self, attribute: &Attribute) {
        if let Ok(option) = attribute.option_by_hash(self.feature_hash.as_str()) {
            drop_equal(&mut self.extra, "name", option.label());
            drop_equal(&mut self.extra, "value", option.value());
        }
    }

    fn write(&self, attribute: &Attribute, out: &mut Emitter<'_>) -> Result<()> {
        out.object(|out| {
            if let Ok(option) = attribute.option_by_hash(self.feature_hash.as_str()) {
                write_unless(&self.extra, out, "name", option.label());
                write_unless(&self.extra, out, "value", option.value());
            }
            out.key("featureHash").string(self.feature_hash.as_str());
            self.extra.write(out);
            Ok(())
        })
    }
}

/// Drops a kept value that the model reproduces.
pub(crate) fn drop_equal(extra: &mut Extra, key: &str, known: &str) {
    if extra.get(key).is_some_and(|value| value == known) {
        extra.remove(key);
    }
}

/// Writes a text of the ontology unless the document had another one, which follows with the kept keys.
pub(crate) fn write_unless(extra: &Extra, out: &mut Emitter<'_>, key: &'static str, text: &str) {
    if extra.get(key).is_none() {
        out.key(key).string(text);
    }
}

/// An answer that was read: per frame if it says for which frames it holds.
#[derive(Debug)]
pub(crate) enum ReadAnswer {
    Static(AnswerEntry),
    Dynamic(DynamicEntry),
}

/// Finds an attribute by its feature hash.
pub(crate) type FindAttribute<'f> = dyn Fn(&str) -> Result<Arc<Attribute>> + 'f;

impl ReadAnswer {
    pub(crate) fn read(cursor: &mut Cursor<'_>, find: &FindAttribute<'_>) -> Result<Self> {
        let (mut feature_hash, mut value, mut manual, mut range) = (None, None, None, None);
        let mut extra = Extra::default();
        cursor.object(|cursor, key| {
            match &*key {
                "featureHash" => feature_hash = Some(cursor.string()?),
                "answers" => value = Some(AnswerValue::read(cursor)?),
                "manualAnnotation" => manual = cursor.nullable(Cursor::boolean)?,
                "range" => range = cursor.nullable(FrameSet::read)?,
                _ => extra.insert(key, cursor.value()?),
            }
            Ok(())
        })?;
        let feature_hash = feature_hash.ok_or_else(|| Error::missing("featureHash"))?;
        let attribute = find(&feature_hash).under("featureHash")?;
        let mut value = value.ok_or_else(|| Error::missing("answers"))?;
        value.check(&attribute).under("answers")?;
        if let AnswerValue::Options(chosen) = &mut value {
            chosen.iter_mut().for_each(|chosen| chosen.tidy(&attribute));
        }
        drop_equal(&mut extra, "name", attribute.name());
        drop_equal(&mut extra, "value", attribute.value());
        if extra.get("dynamic").is_some_and(|dynamic| *dynamic == attribute.is_dynamic()) {
            extra.remove("dynamic");
        }
        if extra.get("shouldPropagate").is_some_and(|propagate| *propagate == false) {
            extra.remove("shouldPropagate");
        }
        let answer = AnswerEntry { attribute, value, manual, extra };
        if !answer.attribute.is_dynamic() {
            return Ok(Self::Static(answer));
        }
        let frames = range.ok_or_else(|| Error::missing("range"))?;
        Ok(Self::Dynamic(DynamicEntry { answer, frames }))
    }
}

impl AnswerEntry {
    fn write_name(&self, out: &mut Emitter<'_>) {
        write_unless(&self.extra, out, "name", self.attribute.name());
        write_unless(&self.extra, out, "value", self.attribute.value());
    }

    fn write_value(&self, out: &mut Emitter<'_>) -> Result<()> {
        let out = out.key("answers");
        match &self.value {
            AnswerValue::Text(text) => out.string(text),
            AnswerValue::Number(number) => out.value(&number.clone().into()),
            AnswerValue::Options(chosen) => out.array(|out| {
                chosen.iter().try_for_each(|chosen| chosen.write(&self.attribute, out.item()))
            })?,
        }
        Ok(())
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.object(|out| {
            self.write_name(out);
            self.write_value(out)?;
            out.key("featureHash").string(self.attribute.feature_hash().as_str());
            if let Some(manual) = self.manual {
                out.key("manualAnnotation").boolean(manual);
            }
            self.extra.write(out);
            Ok(())
        })
    }
}

impl DynamicEntry {
    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        let answer = &self.answer;
        out.object(|out| {
            answer.write_name(out);
            out.key("featureHash").string(answer.attribute.feature_hash().as_str());
            answer.write_value(out)?;
            if let Some(manual) = answer.manual {
                out.key("manualAnnotation").boolean(manual);
            }
            if answer.extra.get("dynamic").is_none() {
                out.key("dynamic").boolean(true);
            }
            self.frames.write(out.key("range"))?;
            if answer.extra.get("shouldPropagate").is_none() {
                out.key("shouldPropagate").boolean(false);
            }
            answer.extra.write(out);
            Ok(())
        })
    }
}
