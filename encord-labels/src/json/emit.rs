//! Writes JSON to a stream, piece by piece, without building a tree first.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;

/// Bytes collected before they are handed to the writer.
const CHUNK: usize = 1 << 16;

/// A JSON writer. Separators are set by looking at what was written last, so callers just write keys and values.
pub(crate) struct Emitter<'w> {
    /// Where full buffers go; without, the buffer grows.
    out: Option<&'w mut dyn Write>,
    buffer: Vec<u8>,
}

impl<'w> Emitter<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self { out: Some(out), buffer: Vec::with_capacity(CHUNK + (CHUNK >> 2)) }
    }

    /// A writer that keeps everything.
    pub(crate) fn in_memory() -> Self {
        Self { out: None, buffer: Vec::new() }
    }

    /// Hands the rest to the writer; gives back what was not handed to one.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self.out {
            Some(out) => out.write_all(&self.buffer).map(|()| Vec::new()).map_err(Into::into),
            None => Ok(self.buffer),
        }
    }

    pub(crate) fn object(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.buffer.push(b'{');
        body(self)?;
        self.buffer.push(b'}');
        self.drain()
    }

    pub(crate) fn array(&mut self, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.buffer.push(b'[');
        body(self)?;
        self.buffer.push(b']');
        self.drain()
    }

    /// Starts the next item of a list.
    #[inline]
    pub(crate) fn item(&mut self) -> &mut Self {
        self.separate();
        self
    }

    /// Starts the next entry of an object, with one of the keys of this crate.
    #[inline]
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Self {
        debug_assert!(!needs_escape(key), "keys of this crate are plain words");
        self.separate();
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        self
    }

    /// Starts the next entry of an object, with any text as its key.
    #[inline]
    pub(crate) fn text_key(&mut self, key: &str) -> &mut Self {
        self.separate();
        self.string(key);
        self.buffer.push(b':');
        self
    }

    /// Starts the next entry of an object, with a number as its key.
    #[inline]
    pub(crate) fn number_key(&mut self, key: u64) -> &mut Self {
        self.separate();
        self.buffer.push(b'"');
        self.whole(key);
        self.buffer.extend_from_slice(b"\":");
        self
    }

    /// Writes an entry whose key and value are JSON already, such as `"a":1,"b":2`.
    #[inline]
    pub(crate) fn entries(&mut self, json: &[u8]) {
        self.separate();
        self.buffer.extend_from_slice(json);
    }

    #[inline]
    pub(crate) fn string(&mut self, text: &str) {
        if needs_escape(text) {
            return self.escaped(text);
        }
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.push(b'"');
    }

    /// Writes a string with quotes or backslashes, of which masks are full.
    fn escaped(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20) {
            return self.serialize(text);
        }
        self.buffer.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            self.buffer.extend_from_slice(&rest[..at]);
            self.buffer.extend_from_slice(&[b'\\', rest[at]]);
            rest = &rest[at + 1..];
        }
        self.buffer.extend_from_slice(rest);
        self.buffer.push(b'"');
    }

    #[inline]
    pub(crate) fn number(&mut self, number: f64) {
        // The confidence of everything people made.
        if number == 1.0 {
            return self.buffer.extend_from_slice(b"1.0");
        }
        self.serialize(&number);
    }

    #[inline]
    pub(crate) fn integer(&mut self, number: i64) {
        self.serialize(&number);
    }

    #[inline]
    pub(crate) fn whole(&mut self, number: u64) {
        self.serialize(&number);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.buffer.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn null(&mut self) {
        self.buffer.extend_from_slice(b"null");
    }

    pub(crate) fn value(&mut self, value: &Value) {
        self.serialize(value);
    }

    /// Writes a string, or null.
    pub(crate) fn nullable(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    fn serialize<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Writing plain values to memory cannot fail: no custom `Serialize`, no map with odd keys.
        let written = serde_json::to_writer(&mut self.buffer, value);
        debug_assert!(written.is_ok());
    }

    #[inline]
    fn separate(&mut self) {
        if !matches!(self.buffer.last(), Some(b'{' | b'[' | b':') | None) {
            self.buffer.push(b',');
        }
    }

    /// Passes full buffers on, keeping the last byte, which decides about the next separator.
    #[inline]
    fn drain(&mut self) -> Result<()> {
        if self.buffer.len() > CHUNK
            && let Some(out) = &mut self.out
        {
            let keep = self.buffer.len() - 1;
            out.write_all(&self.buffer[..keep])?;
            self.buffer.drain(..keep);
        }
        Ok(())
    }
}

/// Whether a text cannot stand between quotes as it is.
#[inline]
fn needs_escape(text: &str) -> bool {
    // Looking at all bytes without stopping at the first lets the compiler look at many at once.
    text.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_written_as_by_serde(text in "([a-c\"\\\\é]|\\PC|[\\x00-\\x20]){0,20}") {
            let mut out = Emitter::in_memory();
            out.string(&text);
            prop_assert_eq!(out.finish().unwrap(), serde_json::to_vec(&text).unwrap());
        }
    }
}
