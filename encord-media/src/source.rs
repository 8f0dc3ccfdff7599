//! Where the bytes come from: a file on disk or a buffer in memory.
//!
//! Decoders take a [`Source`] so that each of them is written once and its messages name the file.

use std::any::Any;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::Limits;

/// A file or a buffer that holds media. Cheap to clone.
///
/// ```
/// use encord_media::Source;
///
/// let file = Source::from("clip.mp4");
/// let buffer = Source::from(vec![0u8; 4]);
/// assert_eq!(file.to_string(), "clip.mp4");
/// assert_eq!(buffer.to_string(), "4 bytes in memory");
/// ```
#[derive(Clone)]
pub struct Source {
    kind: Kind,
    /// Whatever keeps the file where it is, for example the handle of a temporary file.
    keeper: Option<Arc<dyn Any + Send + Sync>>,
}

#[derive(Clone)]
enum Kind {
    Path(Arc<Path>),
    Bytes(Arc<[u8]>),
}

impl Source {
    /// The same source, holding on to something until its last copy is dropped.
    ///
    /// Give it the handle of a temporary file, and the file stays as long as anything reads it.
    #[must_use]
    pub fn keeping(mut self, keeper: Arc<dyn Any + Send + Sync>) -> Self {
        self.keeper = Some(keeper);
        self
    }

    /// The path, if this is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Path(path) => Some(path),
            Kind::Bytes(_) => None,
        }
    }

    /// The lower-case extension of the file name, if there is one.
    pub(crate) fn extension(&self) -> Option<String> {
        self.path()?.extension()?.to_str().map(str::to_ascii_lowercase)
    }

    /// Opens the source for reading, after checking its size.
    pub(crate) fn open(&self, limits: &Limits) -> Result<SourceReader> {
        let reader = match &self.kind {
            Kind::Path(path) => {
                let file = File::open(path).map_err(|source| self.io(source))?;
                let metadata = file.metadata().map_err(|source| self.io(source))?;
                if metadata.is_dir() {
                    return Err(self.io(io::Error::other("it is a directory, not a file")));
                }
                SourceReader {
                    length: metadata.len(),
                    inner: Inner::File(BufReader::with_capacity(64 << 10, file)),
                }
            }
            Kind::Bytes(bytes) => SourceReader {
                length: bytes.len() as u64,
                inner: Inner::Bytes(Cursor::new(Arc::clone(bytes))),
            },
        };
        limits.check_input(&self.to_string(), reader.length)?;
        Ok(reader)
    }

    /// An I/O error about this source.
    pub(crate) fn io(&self, source: io::Error) -> Error {
        Error::Io { what: self.to_string(), source }
    }

    /// A decoding error about this source.
    pub(crate) fn broken(&self, format: &'static str, reason: impl ToString) -> Error {
        Error::Decode { what: self.to_string(), format, reason: reason.to_string() }
    }

    /// Runs a decoder and turns a panic inside it into an error about this source.
    ///
    /// Files are hostile and decoders have bugs: one bad file must not take down the process.
    pub(crate) fn contain<T>(&self, format: &'static str, decode: impl FnOnce() -> Result<T>) -> Result<T> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no reason given");
            Err(self.broken(format, format_args!("the decoder gave up on damaged content ({reason})")))
        })
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Path(path) => path.display().fmt(f),
            Kind::Bytes(bytes) => write!(f, "{} bytes in memory", bytes.len()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({self})")
    }
}

impl From<Kind> for Source {
    fn from(kind: Kind) -> Self {
        Self { kind, keeper: None }
    }
}

impl From<&Source> for Source {
    fn from(source: &Source) -> Self {
        source.clone()
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Kind::Path(path.into()).into()
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Kind::Path(path.into()).into()
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Self {
        Kind::Path(path.as_path().into()).into()
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Kind::Path(Path::new(path).into()).into()
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Kind::Bytes(bytes.into()).into()
    }
}

impl From<&[u8]> for Source {
    fn from(bytes: &[u8]) -> Self {
        Kind::Bytes(bytes.into()).into()
    }
}

impl From<Arc<[u8]>> for Source {
    fn from(bytes: Arc<[u8]>) -> Self {
        Kind::Bytes(bytes).into()
    }
}

/// A buffered, seekable reader over a source.
pub(crate) struct SourceReader {
    inner: Inner,
    length: u64,
}

enum Inner {
    File(BufReader<File>),
    Bytes(Cursor<Arc<[u8]>>),
}

impl SourceReader {
    /// The size of the source, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Moves by an offset and keeps what is buffered, where possible.
    #[cfg(feature = "audio")]
    pub(crate) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let offset = i64::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        match &mut self.inner {
            Inner::File(file) => file.seek_relative(offset),
            Inner::Bytes(bytes) => bytes.seek_relative(offset),
        }
    }
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::File(file) => file.read(buffer),
            Inner::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

impl io::BufRead for SourceReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.inner {
            Inner::File(file) => file.fill_buf(),
            Inner::Bytes(bytes) => bytes.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match &mut self.inner {
            Inner::File(file) => file.consume(amount),
            Inner::Bytes(bytes) => bytes.consume(amount),
        }
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match &mut self.inner {
            Inner::File(file) => file.seek(position),
            Inner::Bytes(bytes) => bytes.seek(position),
        }
    }
}
