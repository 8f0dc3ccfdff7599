//! How answers are named and spelled in code: attributes by title or hash, options by label, numbers as numbers.

use std::sync::Arc;

use serde_json::Number;

use crate::id::FeatureHash;
use crate::ontology::{Attribute, AttributeOption};

/// What was answered to an attribute.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// To a text attribute.
    Text(String),
    /// To a numeric attribute.
    Number(Number),
    /// To a radio attribute.
    Radio(Choice),
    /// To a checklist attribute; empty if it was answered with nothing ticked.
    Checklist(Vec<Choice>),
}

/// A chosen option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The option's label.
    pub label: String,
    /// The option's identity.
    pub feature_hash: FeatureHash,
}

impl Answer {
    /// The text, for text attributes.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, for numeric attributes.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The chosen options, for radio and checklist attributes.
    pub fn choices(&self) -> &[Choice] {
        match self {
            Self::Radio(choice) => std::slice::from_ref(choice),
            Self::Checklist(choices) => choices,
            Self::Text(_) | Self::Number(_) => &[],
        }
    }

    /// The label of the chosen option, for radio attributes.
    pub fn as_label(&self) -> Option<&str> {
        match self {
            Self::Radio(choice) => Some(&choice.label),
            _ => None,
        }
    }
}

/// An attribute, named by its title or its feature hash.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum AttributeKey<'a> {
    /// By title, which must be unique within the class.
    Title(&'a str),
    /// By feature hash.
    Hash(&'a str),
}

impl<'a> From<&'a str> for AttributeKey<'a> {
    fn from(title: &'a str) -> Self {
        Self::Title(title)
    }
}

impl<'a> From<&'a String> for AttributeKey<'a> {
    fn from(title: &'a String) -> Self {
        Self::Title(title)
    }
}

impl<'a> From<&'a FeatureHash> for AttributeKey<'a> {
    fn from(hash: &'a FeatureHash) -> Self {
        Self::Hash(hash.as_str())
    }
}

impl<'a> From<&'a Arc<Attribute>> for AttributeKey<'a> {
    fn from(attribute: &'a Arc<Attribute>) -> Self {
        Self::Hash(attribute.feature_hash().as_str())
    }
}

impl<'a> From<&'a Attribute> for AttributeKey<'a> {
    fn from(attribute: &'a Attribute) -> Self {
        Self::Hash(attribute.feature_hash().as_str())
    }
}

/// An answer to be given: text or an option's label, a number, labels, or options themselves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum GivenAnswer {
    /// A text; for radio attributes the label of an option.
    Text(String),
    /// A number.
    Number(f64),
    /// A number as it is spelled in a document.
    Exact(Number),
    /// Labels of options.
    Labels(Vec<String>),
    /// Options by feature hash.
    Hashes(Vec<FeatureHash>),
}

impl From<&str> for GivenAnswer {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for GivenAnswer {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for GivenAnswer {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<f64> for GivenAnswer {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// The number as it is printed: 0.1 stays 0.1.
impl From<f32> for GivenAnswer {
    fn from(number: f32) -> Self {
        Self::Number(number.to_string().parse().unwrap_or_else(|_| number.into()))
    }
}

macro_rules! given_whole_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for GivenAnswer {
            fn from(number: $number) -> Self {
                Self::Exact(number.into())
            }
        }
    )*};
}

given_whole_numbers! { i32 i64 u32 u64 usize }

/// An option.
impl From<&FeatureHash> for GivenAnswer {
    fn from(hash: &FeatureHash) -> Self {
        Self::Hashes(vec![hash.clone()])
    }
}

/// Options, in any order.
impl From<Vec<FeatureHash>> for GivenAnswer {
    fn from(hashes: Vec<FeatureHash>) -> Self {
        Self::Hashes(hashes)
    }
}

impl From<&[&str]> for GivenAnswer {
    fn from(labels: &[&str]) -> Self {
        Self::Labels(labels.iter().map(|label| (*label).to_owned()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for GivenAnswer {
    fn from(labels: [&str; N]) -> Self {
        labels.as_slice().into()
    }
}

impl From<Vec<&str>> for GivenAnswer {
    fn from(labels: Vec<&str>) -> Self {
        labels.as_slice().into()
    }
}

impl From<Vec<String>> for GivenAnswer {
    fn from(labels: Vec<String>) -> Self {
        Self::Labels(labels)
    }
}

impl From<&AttributeOption> for GivenAnswer {
    fn from(option: &AttributeOption) -> Self {
        Self::Hashes(vec![option.feature_hash().clone()])
    }
}

impl From<Vec<&AttributeOption>> for GivenAnswer {
    fn from(options: Vec<&AttributeOption>) -> Self {
        Self::Hashes(options.into_iter().map(|option| option.feature_hash().clone()).collect())
    }
}

impl From<Answer> for GivenAnswer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Text(text) => Self::Text(text),
            Answer::Number(number) => Self::Exact(number),
            Answer::Radio(choice) => Self::Hashes(vec![choice.feature_hash]),
            Answer::Checklist(choices) => {
                Self::Hashes(choices.into_iter().map(|choice| choice.feature_hash).collect())
            }
        }
    }
}
