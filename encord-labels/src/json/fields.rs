//! Taking a small JSON object apart: known keys by type, and whatever is left over.

use serde_json::{Map, Value};

use crate::error::{Error, Located, Result};
use crate::extra::Extra;

/// The entries of one object that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new(value: Value) -> Result<Self> {
        expect_object(value).map(Self)
    }

    /// Takes a value, which may be absent.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes a value that must be there.
    pub(crate) fn require(&mut self, key: &'static str) -> Result<Value> {
        self.take(key).ok_or_else(|| Error::missing(key))
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Result<String> {
        match self.require(key)? {
            Value::String(text) => Ok(text),
            other => Err(Error::wrong_type("a string", describe(&other))).under(key),
        }
    }

    pub(crate) fn optional_string(&mut self, key: &'static str) -> Result<Option<String>> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Error::wrong_type("a string", describe(&other))).under(key),
        }
    }

    /// A flag that is false when absent or null.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<bool> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(Error::wrong_type("true or false", describe(&other))).under(key),
        }
    }

    /// Reads each item of a list that must be there.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        read: impl FnMut(Value) -> Result<T>,
    ) -> Result<Vec<T>> {
        let value = self.require(key)?;
        read_list(value, read).under(key)
    }

    /// Reads each item of a list; absent and null count as empty.
    pub(crate) fn optional_list<T>(
        &mut self,
        key: &'static str,
        read: impl FnMut(Value) -> Result<T>,
    ) -> Result<Vec<T>> {
        match self.take(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(value) => read_list(value, read).under(key),
        }
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Extra {
        self.0.into()
    }
}

fn read_list<T>(value: Value, mut read: impl FnMut(Value) -> Result<T>) -> Result<Vec<T>> {
    expect_list(value)?.into_iter().enumerate().map(|(index, item)| read(item).at(index)).collect()
}

pub(crate) fn expect_object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(Error::wrong_type("an object", describe(&other))),
    }
}

pub(crate) fn expect_list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(Error::wrong_type("a list", describe(&other))),
    }
}

/// A short description of a value for messages.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            let shown: String = text.chars().take(40).collect();
            let more = if shown.len() < text.len() { "…" } else { "" };
            format!("the string {:?}", shown + more)
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
