//! Headers of NIfTI-1 and NIfTI-2 volumes, packed with gzip or not.
//!
//! The header is a fixed record, so it is read here rather than by a crate that brings array types along.

use std::io::Read;

use super::{MediaFacts, MediaKind};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

/// The longer of the two headers.
const HEADER: u64 = 540;

/// Whether these bytes begin a NIfTI file of either version and byte order.
pub(super) fn is_header(head: &[u8]) -> bool {
    parse(head).is_some()
}

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let mut reader = source.open(limits)?;
    let mut magic = [0; 2];
    let packed = reader.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let reader = source.open(limits)?;
    let mut head = Vec::new();
    let read = if packed {
        flate2::read::MultiGzDecoder::new(reader).take(HEADER).read_to_end(&mut head)
    } else {
        reader.take(HEADER).read_to_end(&mut head)
    };
    match (read.ok().and_then(|_| parse(&head)), packed) {
        (Some(header), _) => {
            let mime_type = if packed { "application/gzip" } else { "application/octet-stream" };
            let mut facts = MediaFacts::new(MediaKind::Nifti, mime_type);
            facts.width = header.shape.first().and_then(|size| u32::try_from(*size).ok());
            facts.height = header.shape.get(1).and_then(|size| u32::try_from(*size).ok());
            facts.frame_count = Some(header.shape.get(2).copied().unwrap_or(1));
            facts.bit_depth = Some(header.bits.into());
            facts.nifti_shape = Some(header.shape);
            Ok(facts)
        }
        (None, true) => Ok(MediaFacts::new(MediaKind::Other, "application/gzip")),
        (None, false) => Err(source.broken("NIfTI", "the header is damaged")),
    }
}

struct Header {
    shape: Vec<u64>,
    bits: u16,
}

/// Numbers of the header in the byte order of the file.
struct Fields<'a> {
    head: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn u16(&self, offset: usize) -> Option<u16> {
        let bytes = self.head.get(offset..offset + 2)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u64(&self, offset: usize) -> Option<u64> {
        let bytes = self.head.get(offset..offset + 8)?.try_into().ok()?;
        Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

fn parse(head: &[u8]) -> Option<Header> {
    // The first field is the size of the header, which gives away version and byte order.
    let (version, big_endian) = match head.get(..4)? {
        [0x5c, 0x01, 0, 0] => (1, false),
        [0, 0, 0x01, 0x5c] => (1, true),
        [0x1c, 0x02, 0, 0] => (2, false),
        [0, 0, 0x02, 0x1c] => (2, true),
        _ => return None,
    };
    let fields = Fields { head, big_endian };
    let magic = if version == 1 { head.get(344..347)? } else { head.get(4..7)? };
    if !matches!(magic, b"n+1" | b"ni1" | b"n+2" | b"ni2") {
        return None;
    }
    let size = |axis: usize| {
        if version == 1 { fields.u16(40 + 2 * axis).map(u64::from) } else { fields.u64(16 + 8 * axis) }
    };
    let axes = size(0).filter(|axes| (1..=7).contains(axes))? as usize;
    let shape = (1..=axes).map(size).collect::<Option<Vec<_>>>()?;
    let bits = if version == 1 { fields.u16(72)? } else { fields.u16(14)? };
    Some(Header { shape, bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_version(big_endian: bool) -> Vec<u8> {
        let order = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut head = vec![0; 348];
        head[..4].copy_from_slice(&if big_endian { 348u32.to_be_bytes() } else { 348u32.to_le_bytes() });
        for (axis, size) in [3, 64, 48, 20].into_iter().enumerate() {
            head[40 + 2 * axis..42 + 2 * axis].copy_from_slice(&order(size));
        }
        head[72..74].copy_from_slice(&order(16));
        head[344..348].copy_from_slice(b"n+1\0");
        head
    }

    #[test]
    fn both_byte_orders_are_read() {
        for big_endian in [false, true] {
            let header = parse(&first_version(big_endian)).unwrap();
            assert_eq!((header.shape, header.bits), (vec![64, 48, 20], 16));
        }
    }

    #[test]
    fn a_cut_header_is_none() {
        let head = first_version(false);
        for length in 0..head.len() - 1 {
            assert!(parse(&head[..length]).is_none(), "{length}");
        }
    }
}
