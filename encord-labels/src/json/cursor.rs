//! A forward-only reader over JSON text.
//!
//! It knows only structure; what a value means is up to the caller. Strings without escapes are borrowed from the
//! input. Errors gain their JSON path while they travel up through [`Cursor::object`] and [`Cursor::array`], so
//! the good case pays nothing for it. Values that are skipped or kept as a whole are checked by `serde_json`,
//! which also bounds their depth.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::number::{is_number, short_decimal};
use super::spelling::Spelling;
use super::string::plain_end;
use crate::error::{Error, Result};

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts reading `json`, which must be UTF-8.
    pub(crate) fn from_slice(json: &'a [u8]) -> Result<Self> {
        std::str::from_utf8(json).map(Self::new).map_err(|error| Error::syntax(format!("not UTF-8: {error}")))
    }

    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax("unexpected text after the document")),
        }
    }

    /// The kind of the next value; nothing is consumed.
    pub(crate) fn kind(&mut self) -> Result<Kind> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(_) => Err(self.syntax("expected a value")),
            None => Err(self.syntax("the text ends where a value should be")),
        }
    }

    /// Reads an object, calling `field` on each key with the cursor at the value.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, Cow<'a, str>) -> Result<()>,
    ) -> Result<()> {
        self.open(b'{', "an object")?;
        if self.eat(b'}') {
            return Ok(());
        }
        self.fields(&mut field)
    }

    /// Opens an object and passes over the fields at its beginning that are spelled as in `before`. Returns how
    /// many these are; [`Cursor::rest_of_object`] must follow.
    #[inline]
    pub(crate) fn object_like(&mut self, before: &Spelling<'a>) -> Result<usize> {
        self.open(b'{', "an object")?;
        let same = before.repeated(&self.text.as_bytes()[self.at..]);
        if let Some(last) = same.checked_sub(1) {
            self.at += before.end(last);
        }
        Ok(same)
    }

    /// Reads what [`Cursor::object_like`] left, calling `field` as [`Cursor::object`] does. It returns whether the
    /// field shall be recognised in the next object, which ends with the first that shall not.
    #[inline]
    pub(crate) fn rest_of_object(
        &mut self,
        same: usize,
        spelling: &mut Spelling<'a>,
        mut field: impl FnMut(&mut Self, Cow<'a, str>) -> Result<bool>,
    ) -> Result<()> {
        let start = match same.checked_sub(1) {
            Some(last) => self.at - spelling.end(last),
            None => self.at,
        };
        spelling.start(&self.text[start..], same);
        if same == 0 && self.eat(b'}') {
            return Ok(());
        }
        let mut follow = true;
        let mut end = None;
        self.fields(&mut |cursor: &mut Self, key| {
            // The previous field ended just before this one's key, so its comma is part of it.
            if let Some(end) = end.take() {
                spelling.push(end);
            }
            follow &= field(cursor, key)?;
            if follow {
                end = u32::try_from(cursor.at - start + 1).ok();
                follow = end.is_some();
            }
            Ok(())
        })
    }

    /// Reads keys and values up to the end of an object that has at least one.
    #[inline]
    fn fields(&mut self, field: &mut impl FnMut(&mut Self, Cow<'a, str>) -> Result<()>) -> Result<()> {
        loop {
            let start = self.at;
            let key = self.key()?;
            field(self, key).map_err(|error| self.locate(error, start))?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.syntax("expected `,` or `}`")),
            }
        }
    }

    /// Reads a list, calling `item` on each index with the cursor at the value.
    #[inline]
    pub(crate) fn array(&mut self, mut item: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        self.open(b'[', "a list")?;
        if self.eat(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            item(self, index).map_err(|error| error.at(index))?;
            index += 1;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.syntax("expected `,` or `]`")),
            }
        }
    }

    /// Reads a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        let start = self.at + 1;
        let end = plain_end(self.text.as_bytes(), start);
        match self.text.as_bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                Ok(Cow::Borrowed(&self.text[start..end]))
            }
            Some(_) => self.escaped_string(),
            None => Err(self.syntax("the text ends inside a string")),
        }
    }

    /// Reads a finite number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<f64> {
        self.peek();
        if let Some((value, length)) = short_decimal(&self.text.as_bytes()[self.at..]) {
            self.at += length;
            return Ok(value);
        }
        let text = self.number_text()?;
        let value = match text.parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            _ => return Err(Error::invalid(format!("the number {text} is out of range"))),
        };
        Ok(value)
    }

    /// Reads a whole number that is not negative. Fractions that are zero (`3.0`) are accepted.
    #[inline]
    pub(crate) fn whole(&mut self) -> Result<u64> {
        self.peek();
        if let Some((value, length)) = short_decimal(&self.text.as_bytes()[self.at..])
            && value >= 0.0
            && value.fract() == 0.0
        {
            self.at += length;
            return Ok(value as u64);
        }
        let text = self.number_text()?;
        if let Ok(value) = text.parse::<u64>() {
            return Ok(value);
        }
        match text.parse::<f64>() {
            Ok(value) if value >= 0.0 && value.fract() == 0.0 && value < 9e15 => Ok(value as u64),
            _ => Err(Error::invalid(format!("expected a whole number that is not negative, found {text}"))),
        }
    }

    /// Reads a number as it is spelled.
    pub(crate) fn exact_number(&mut self) -> Result<serde_json::Number> {
        let text = self.number_text()?;
        serde_json::from_str(text).map_err(|_| Error::invalid(format!("the number {text} is out of range")))
    }

    /// Reads `true` or `false`.
    #[inline]
    pub(crate) fn boolean(&mut self) -> Result<bool> {
        self.peek();
        if self.literal("true") {
            Ok(true)
        } else if self.literal("false") {
            Ok(false)
        } else {
            Err(self.expected("true or false"))
        }
    }

    /// Consumes a `null` if one is next.
    #[inline]
    pub(crate) fn null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.literal("null")
    }

    /// Reads a value that may be null.
    #[inline]
    pub(crate) fn nullable<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.null() { Ok(None) } else { read(self).map(Some) }
    }

    /// Skips a value of any kind and returns its text.
    pub(crate) fn skip(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.whole_value::<IgnoredAny>()?;
        Ok(&self.text[start..self.at])
    }

    /// Passes over a value of any kind that will be read later, and returns its text. Only its extent is found; what
    /// is wrong inside is noticed when it is read.
    pub(crate) fn set_aside(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        let mut at = start;
        loop {
            match bytes.get(at) {
                Some(b'"') => at = self.string_end(at)?,
                Some(b'{' | b'[') => {
                    depth += 1;
                    at += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    at += 1;
                }
                Some(b',' | b':' | b' ' | b'\n' | b'\t' | b'\r') if depth > 0 => {
                    at += 1;
                    continue;
                }
                Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                    let scalar = bytes[at..].iter().position(|byte| {
                        matches!(byte, b',' | b'}' | b']' | b':' | b' ' | b'\n' | b'\t' | b'\r' | b'"')
                    });
                    at = scalar.map_or(bytes.len(), |length| at + length);
                }
                Some(_) => return Err(self.syntax("expected a value")),
                None => return Err(self.syntax("the text ends inside a value")),
            }
            if depth == 0 {
                self.at = at;
                return Ok(&self.text[start..at]);
            }
        }
    }

    /// The position after the string that starts at `at`.
    #[inline]
    fn string_end(&self, at: usize) -> Result<usize> {
        let bytes = self.text.as_bytes();
        let mut at = at + 1;
        loop {
            at = plain_end(bytes, at);
            match bytes.get(at) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => at += 2,
                Some(_) => return Err(self.syntax("a string holds a control character")),
                None => return Err(self.syntax("the text ends inside a string")),
            }
        }
    }

    /// Reads a value of any kind.
    pub(crate) fn value(&mut self) -> Result<Value> {
        self.whole_value::<Value>()
    }

    /// The text from byte `start` up to here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Where the next value starts, in bytes.
    pub(crate) fn position(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// An error saying what should be here instead of what is.
    #[cold]
    pub(crate) fn expected(&mut self, expected: &'static str) -> Error {
        let found = match self.kind() {
            Ok(Kind::Null) => "null".to_owned(),
            Ok(Kind::Array) => "a list".to_owned(),
            Ok(Kind::Object) => "an object".to_owned(),
            Ok(_) => match self.clone().value() {
                Ok(value) => super::describe(&value),
                Err(error) => return error,
            },
            Err(error) => return error,
        };
        Error::wrong_type(expected, found)
    }

    fn whole_value<T: serde::de::DeserializeOwned>(&mut self) -> Result<T> {
        let rest = &self.text[self.at..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<T>();
        match stream.next() {
            Some(Ok(value)) => {
                self.at += stream.byte_offset();
                Ok(value)
            }
            Some(Err(error)) => Err(self.syntax(&error.to_string())),
            None => Err(self.syntax("the text ends where a value should be")),
        }
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("expected a key"));
        }
        let key = self.string()?;
        if self.eat(b':') { Ok(key) } else { Err(self.syntax("expected `:`")) }
    }

    /// Puts the key that starts at or after `start` in front of the path of an error.
    #[cold]
    fn locate(&self, error: Error, start: usize) -> Error {
        match (Cursor { text: self.text, at: start }).string() {
            Ok(key) => error.under(&key),
            Err(_) => error,
        }
    }

    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn open(&mut self, byte: u8, what: &'static str) -> Result<()> {
        if self.eat(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn literal(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Reads a string that holds a backslash, or is malformed. Masks are full of them.
    fn escaped_string(&mut self) -> Result<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let mut text = String::with_capacity(self.string_end(self.at)? - self.at - 2);
        let mut from = self.at + 1;
        loop {
            let end = plain_end(bytes, from);
            match (bytes.get(end), bytes.get(end + 1)) {
                (Some(b'"'), _) => {
                    text.push_str(&self.text[from..end]);
                    self.at = end + 1;
                    return Ok(Cow::Owned(text));
                }
                (Some(b'\\'), Some(b'\\' | b'"' | b'/')) => {
                    text.push_str(&self.text[from..end]);
                    text.push(char::from(bytes[end + 1]));
                    from = end + 2;
                }
                // All that is rare, and what is wrong.
                _ => return self.whole_value::<String>().map(Cow::Owned),
            }
        }
    }

    #[inline]
    fn number_text(&mut self) -> Result<&'a str> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.expected("a number"));
        }
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        if !is_number(number.as_bytes()) {
            return Err(self.syntax("malformed number"));
        }
        self.at += length;
        Ok(number)
    }

    #[cold]
    fn syntax(&self, reason: &str) -> Error {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Error::syntax(format!("{reason} (line {line}, column {column})"))
    }
}

#[cfg(test)]
mod tests;
