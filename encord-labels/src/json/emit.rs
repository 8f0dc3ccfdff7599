//! Writes JSON to a stream, piece by piece, without building a tree first.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;

/// Bytes collected before they are handed to the writer.
const CHUNK: usize = 1 << 16;

/// A JSON writer. Separators are set by looking at what was written last, so callers just write keys and values.
pub(crate) struct Emitter<'w> {
    out: &'w mut dyn Write,
    buffer: Vec<u8>,
}

impl<'w> Emitter<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, buffer: Vec::with_capacity(CHUNK + (CHUNK >> 2)) }
    }

    /// Hands the rest to the writer.
    pub(crate) fn finish(self) -> Result<()> {
        self.out.write_all(&self.buffer)?;
        Ok(())
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

    /// Starts the next entry of an object.
    #[inline]
    pub(crate) fn key(&mut self, key: &str) -> &mut Self {
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
        // Looking at all bytes without stopping at the first lets the compiler look at many at once.
        let special =
            text.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'));
        if special {
            return self.serialize(text);
        }
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.push(b'"');
    }

    #[inline]
    pub(crate) fn number(&mut self, number: f64) {
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
        if self.buffer.len() > CHUNK {
            let keep = self.buffer.len() - 1;
            self.out.write_all(&self.buffer[..keep])?;
            self.buffer.drain(..keep);
        }
        Ok(())
    }
}
