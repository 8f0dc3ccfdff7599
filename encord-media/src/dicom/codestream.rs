//! What a compressed frame says about its own size.
//!
//! Decoders believe the frame, not the tags, and set memory aside for it: a changed byte in a JPEG 2000 header asks for
//! gigabytes. So both are compared before anything is decoded.

/// The size of a frame by its own header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: u32,
    pub(super) rows: u32,
    pub(super) components: u32,
}

/// Reads the header of a JPEG or JPEG 2000 frame; `None` if it is neither or too damaged to tell.
pub(super) fn size(frame: &[u8]) -> Option<Size> {
    if frame.starts_with(&[0xff, 0xd8]) { jpeg(frame) } else { jpeg_2000(frame) }
}

/// Walks over the segments up to the one that begins the frame.
fn jpeg(frame: &[u8]) -> Option<Size> {
    let mut rest = &frame[2..];
    loop {
        // Markers may be padded with more of their first byte.
        while rest.first() == Some(&0xff) && rest.get(1) == Some(&0xff) {
            rest = &rest[1..];
        }
        let (marker, length) = (*rest.get(1)?, usize::from(short(rest, 2)?));
        if rest.first() != Some(&0xff) {
            return None;
        }
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            return Some(Size {
                rows: short(rest, 5)?.into(),
                columns: short(rest, 7)?.into(),
                components: (*rest.get(9)?).into(),
            });
        }
        rest = rest.get(2 + length..)?;
    }
}

/// Finds the start of the codestream, which may lie in a box, and reads its first segment.
fn jpeg_2000(frame: &[u8]) -> Option<Size> {
    let start = frame.windows(4).take(4096).position(|bytes| bytes == [0xff, 0x4f, 0xff, 0x51])?;
    let stream = &frame[start..];
    let side = |end, origin| Some(long(stream, end)?.saturating_sub(long(stream, origin)?));
    Some(Size { columns: side(8, 16)?, rows: side(12, 20)?, components: short(stream, 40)?.into() })
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jpeg_headers_are_read() {
        let frame =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc3, 0, 11, 8, 1, 0, 2, 1, 1, 1, 0x11, 0];
        assert_eq!(size(&frame), Some(Size { rows: 256, columns: 513, components: 1 }));
        for length in 0..frame.len() - 3 {
            assert!(size(&frame[..length]).is_none_or(|found| found.rows == 256), "cut to {length}");
        }
    }

    #[test]
    fn jpeg_2000_headers_are_read() {
        let mut frame = vec![0; 7];
        frame.extend([0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0]);
        for number in [100u32, 80, 4, 0, 100, 80, 0, 0] {
            frame.extend(number.to_be_bytes());
        }
        frame.extend([0, 3]);
        assert_eq!(size(&frame), Some(Size { columns: 96, rows: 80, components: 3 }));
        assert_eq!(size(&frame[..frame.len() - 1]), None);
        assert_eq!(size(b"neither"), None);
    }
}
