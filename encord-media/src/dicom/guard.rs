//! A walk over the structure of a DICOM file before its values are read.
//!
//! The parser sets aside memory for as many bytes as an element claims to have, up to four gigabytes each, and calls
//! itself for every nested sequence. So a file of a few bytes could take all memory, or the whole stack, which ends
//! the process. The walk skips values instead of keeping them and finds such claims first.

use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;

use dicom_core::{Tag, VR};
use dicom_encoding::decode::Decode;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_object::FileMetaTable;
use dicom_parser::DynStatefulDecoder;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use super::tags::{PIXEL_DATA, explain};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// Sequences within sequences. Structured reports have about a dozen.
const MAX_DEPTH: usize = 64;

/// How far the group of elements before the dataset may reach; it holds a dozen identifiers.
const MAX_META_BYTES: u64 = 64 << 10;

/// Checks that every element has the bytes it claims, up to the pixels or to the end.
pub(super) fn check(source: &Source, limits: &Limits, with_pixels: bool) -> Result<()> {
    let broken = |reason: &str| source.broken("DICOM", reason);
    let mut reader = source.open(limits)?;
    let head = reader.fill_buf().map_err(|error| source.io(error))?;
    if head.get(128..132) == Some(b"DICM") {
        reader.consume(128);
    } else if !head.starts_with(b"DICM") {
        return Err(broken("it does not begin as a DICOM file does"));
    }
    let mut head = Vec::new();
    reader.by_ref().take(MAX_META_BYTES).read_to_end(&mut head).map_err(|error| source.io(error))?;
    check_meta(&head).map_err(|reason| source.broken("DICOM", reason))?;
    let mut reader = Cursor::new(head).chain(reader);
    let meta =
        FileMetaTable::from_reader(&mut reader).map_err(|error| source.broken("DICOM", explain(&error)))?;
    let unknown = || Error::Unsupported {
        what: source.to_string(),
        reason: format!("this build does not know the transfer syntax {}", meta.transfer_syntax()),
    };
    let syntax = TransferSyntaxRegistry.get(meta.transfer_syntax()).ok_or_else(unknown)?;
    let read = Rc::new(Cell::new(0));
    let counted = |inner: Box<dyn Read>| Counted {
        inner,
        read: Rc::clone(&read),
        // What unpacks to more than may be decoded would not be kept.
        limit: limits.max_decoded_bytes,
    };
    let content = match syntax.codec() {
        Codec::Dataset(Some(adapter)) => counted(adapter.adapt_reader(Box::new(reader))),
        Codec::Dataset(None) => return Err(unknown()),
        _ => counted(Box::new(reader)),
    };
    let decoder = DynStatefulDecoder::new_with_ts(content, syntax, 0)
        .map_err(|error| source.broken("DICOM", explain(&error)))?;
    let mut parser = LazyDataSetReader::new(decoder);
    let mut depth = 0usize;
    while let Some(token) = parser.advance() {
        let token = token.map_err(|error| source.broken("DICOM", explain(&error)))?;
        match &token {
            LazyDataToken::ElementHeader(header)
                if depth == 0 && !with_pixels && header.tag >= PIXEL_DATA =>
            {
                return Ok(());
            }
            LazyDataToken::PixelSequenceStart if depth == 0 && !with_pixels => return Ok(()),
            LazyDataToken::SequenceStart { .. } | LazyDataToken::PixelSequenceStart => depth += 1,
            LazyDataToken::SequenceEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(broken("its sequences lie too deep in each other"));
        }
        if let LazyDataToken::LazyValue { header, .. } = &token
            && header.len.0 % value_size(header.vr()) != 0
        {
            // The parser would leave the rest of the value and take it for the next element.
            return Err(broken(&format!(
                "element {} has {} bytes, which are no whole number of {} values",
                name(header.tag),
                header.len.0,
                header.vr()
            )));
        }
        let claimed = match &token {
            LazyDataToken::LazyValue { header, .. } => Some((header.tag, u64::from(header.len.0))),
            LazyDataToken::LazyItemValue { len, .. } => Some((PIXEL_DATA, u64::from(*len))),
            _ => None,
        };
        let before = read.get();
        token.skip().map_err(|error| source.broken("DICOM", explain(&error)))?;
        if let Some((tag, claimed)) = claimed {
            let found = read.get() - before;
            if found < claimed {
                return Err(source.broken("DICOM", shortage(tag, claimed, found)));
            }
        }
    }
    Ok(())
}

/// Checks the group of elements that comes first and says how the rest is coded.
fn check_meta(head: &[u8]) -> Result<(), String> {
    // The magic code, then an element that tells how long the group is: (0002,0000), UL, 4 bytes. The parser would take
    // another kind of number, which begins elsewhere.
    let too_short = || "it ends within its first elements".to_owned();
    if head.get(4..12).ok_or_else(too_short)? != b"\x02\0\0\0UL\x04\0" {
        return Err("it does not begin with the length of its first elements".to_owned());
    }
    let length = head.get(12..16).and_then(|bytes| bytes.try_into().ok()).ok_or_else(too_short)?;
    let length = u64::from(u32::from_le_bytes(length));
    let mut rest = &head[16..];
    let whole = rest.len();
    while ((whole - rest.len()) as u64) < length {
        let (header, _) = ExplicitVRLittleEndianDecoder::default()
            .decode_header(&mut rest)
            .map_err(|error| explain(&error))?;
        let claimed = header.len.get().map_or(usize::MAX, |length| length as usize);
        rest = rest.get(claimed..).ok_or_else(|| shortage(header.tag, claimed as u64, rest.len() as u64))?;
    }
    Ok(())
}

fn shortage(tag: Tag, claimed: u64, found: u64) -> String {
    format!("element {} claims {claimed} bytes, of which there are {found}", name(tag))
}

fn name(Tag(group, element): Tag) -> String {
    format!("({group:04x},{element:04x})")
}

/// Bytes of one number of a representation; 1 for text and bytes.
fn value_size(representation: VR) -> u32 {
    match representation {
        VR::OW | VR::SS | VR::US => 2,
        VR::AT | VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// A reader that counts, up to a limit.
struct Counted {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
    limit: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get().saturating_add(count as u64));
        if self.read.get() > self.limit {
            return Err(io::Error::other("it unpacks to more than the limit max_decoded_bytes"));
        }
        Ok(count)
    }
}
