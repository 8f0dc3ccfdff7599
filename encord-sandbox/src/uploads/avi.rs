//! Image sequences: the platform makes a video of uploaded images. Here they are
//! put one after another into an AVI file as they are, which takes no encoder.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Frames per second of a sequence.
pub(super) const RATE: u32 = 25;

/// What all frames have in common.
pub(super) struct Format {
    pub(super) width: u32,
    pub(super) height: u32,
    /// How AVI calls the coding of the frames.
    code: [u8; 4],
}

impl Format {
    /// The format of images of this MIME type; only those that players know in
    /// an AVI file have one.
    pub(super) fn new(mime: &str, width: u32, height: u32) -> Option<Self> {
        let code = match mime {
            "image/jpeg" => *b"MJPG",
            "image/png" => *b"MPNG",
            _ => return None,
        };
        Some(Self { width, height, code })
    }
}

/// Writes the frames to a new file.
pub(super) fn write(path: &Path, format: &Format, frames: &[PathBuf]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let largest =
        frames.iter().map(|frame| Ok(frame.metadata()?.len() as u32)).collect::<io::Result<Vec<_>>>()?;
    let largest = largest.into_iter().max().unwrap_or(0);
    file.write_all(&header(format, frames.len() as u32, largest))?;
    let movie = file.stream_position()?;
    file.write_all(b"LIST\0\0\0\0movi")?;
    let mut index = Vec::new();
    let mut offset = 4u32;
    for frame in frames {
        let bytes = std::fs::read(frame)?;
        let size = bytes.len() as u32;
        file.write_all(b"00dc")?;
        file.write_all(&size.to_le_bytes())?;
        file.write_all(&bytes)?;
        // Chunks begin at even places.
        let padding = size % 2;
        file.write_all(&[0][..padding as usize])?;
        index.extend(chunk_entry(offset, size));
        offset = offset.checked_add(8 + size + padding).ok_or(io::ErrorKind::FileTooLarge)?;
    }
    file.write_all(b"idx1")?;
    file.write_all(&(index.len() as u32).to_le_bytes())?;
    file.write_all(&index)?;
    let end = u32::try_from(file.stream_position()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&(end - 8).to_le_bytes())?;
    file.seek(SeekFrom::Start(movie + 4))?;
    file.write_all(&offset.to_le_bytes())?;
    file.flush()
}

/// A key frame at this offset from the start of the movie list.
fn chunk_entry(offset: u32, size: u32) -> Vec<u8> {
    const KEY_FRAME: u32 = 0x10;
    [&b"00dc"[..], &numbers(&[KEY_FRAME, offset, size])].concat()
}

fn header(format: &Format, frames: u32, largest: u32) -> Vec<u8> {
    const HAS_INDEX: u32 = 0x10;
    let (width, height) = (format.width, format.height);
    let main =
        numbers(&[1_000_000 / RATE, 0, 0, HAS_INDEX, frames, 0, 1, largest, width, height, 0, 0, 0, 0]);
    let stream = [
        &b"vids"[..],
        &format.code,
        &numbers(&[0, 0, 0, 1, RATE, 0, frames, largest, u32::MAX, 0, 0]),
        &((height << 16) | (width & 0xffff)).to_le_bytes(),
    ]
    .concat();
    let planes_and_bits = 1 | (24 << 16);
    let picture = [
        &numbers(&[40, width, height, planes_and_bits])[..],
        &format.code,
        &numbers(&[width.saturating_mul(height).saturating_mul(3), 0, 0, 0, 0]),
    ]
    .concat();
    let stream = list(b"strl", &[chunk(b"strh", &stream), chunk(b"strf", &picture)]);
    let lists = list(b"hdrl", &[chunk(b"avih", &main), stream]);
    [&b"RIFF\0\0\0\0AVI "[..], &lists].concat()
}

fn list(name: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[&name[..], &parts.concat()].concat())
}

fn chunk(name: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    [&name[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use encord_media::Limits;
    use encord_media::probe::{MediaKind, probe};

    use super::{Format, write};
    use crate::blobs::png;

    #[test]
    fn the_video_has_every_frame() {
        let folder = tempfile::tempdir().unwrap();
        let frames: Vec<_> = (0..5).map(|number| folder.path().join(number.to_string())).collect();
        for (number, path) in frames.iter().enumerate() {
            std::fs::write(path, png(16, 8, number as u64)).unwrap();
        }
        let path = folder.path().join("sequence");
        write(&path, &Format::new("image/png", 16, 8).unwrap(), &frames).unwrap();
        let facts = probe(path.as_path(), &Limits::default()).unwrap();
        assert_eq!(facts.kind, MediaKind::Video);
        assert_eq!((facts.width, facts.height, facts.frame_count), (Some(16), Some(8), Some(5)));
        assert_eq!(facts.frame_rate, Some(25.0));
    }
}
