//! DICOM files, written tag by tag.

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject, Tag};

/// Explicit value representations, little endian, not compressed.
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
/// The same packed as a whole.
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// Implicit value representations.
pub const IMPLICIT: &str = "1.2.840.10008.1.2";

/// A small CT slice whose values are its pixel numbers plus `base`.
pub struct Slice {
    pub uid: &'static str,
    pub depth: f64,
    pub base: u16,
    pub frames: u16,
    pub photometric: &'static str,
    pub syntax: &'static str,
}

impl Slice {
    pub fn new(uid: &'static str, depth: f64, base: u16) -> Self {
        Self { uid, depth, base, frames: 1, photometric: "MONOCHROME2", syntax: EXPLICIT }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (rows, columns) = (2u16, 3u16);
        let text = |tag: (u16, u16), vr, value: &str| {
            DataElement::new(Tag(tag.0, tag.1), vr, PrimitiveValue::from(value))
        };
        let short = |tag: (u16, u16), value: u16| {
            DataElement::new(Tag(tag.0, tag.1), VR::US, PrimitiveValue::from(value))
        };
        let values: Vec<u16> = (0..rows * columns * self.frames).map(|value| value + self.base).collect();
        let pixels = DataElement::new(Tag(0x7fe0, 0x0010), VR::OW, PrimitiveValue::U16(values.into()));
        let object = InMemDicomObject::from_element_iter([
            text((0x0008, 0x0016), VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
            text((0x0008, 0x0018), VR::UI, self.uid),
            text((0x0008, 0x0060), VR::CS, "CT"),
            text((0x0020, 0x000e), VR::UI, "1.2.3"),
            text((0x0020, 0x0032), VR::DS, &format!("0\\0\\{}", self.depth)),
            text((0x0020, 0x0037), VR::DS, "1\\0\\0\\0\\1\\0"),
            text((0x0028, 0x0004), VR::CS, self.photometric),
            text((0x0028, 0x0008), VR::IS, &self.frames.to_string()),
            text((0x0028, 0x1050), VR::DS, "40"),
            text((0x0028, 0x1051), VR::DS, "400"),
            text((0x0028, 0x1052), VR::DS, "-1024"),
            text((0x0028, 0x1053), VR::DS, "1"),
            short((0x0028, 0x0002), 1),
            short((0x0028, 0x0010), rows),
            short((0x0028, 0x0011), columns),
            short((0x0028, 0x0100), 16),
            short((0x0028, 0x0101), 16),
            short((0x0028, 0x0102), 15),
            short((0x0028, 0x0103), 0),
            pixels,
        ]);
        let meta = FileMetaTableBuilder::new().transfer_syntax(self.syntax);
        let mut bytes = Vec::new();
        object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        bytes
    }
}

/// A file whose one frame of eight bits is compressed.
pub fn encapsulated(
    syntax: &str,
    photometric: &str,
    samples: u16,
    (rows, columns): (u16, u16),
    frame: Vec<u8>,
) -> Vec<u8> {
    let text = |tag, value: &str, vr| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let short =
        |element, value: u16| DataElement::new(Tag(0x0028, element), VR::US, PrimitiveValue::from(value));
    let mut object = InMemDicomObject::from_element_iter([
        text(Tag(0x0008, 0x0016), "1.2.840.10008.5.1.4.1.1.7", VR::UI),
        text(Tag(0x0008, 0x0018), "1.2.9", VR::UI),
        short(0x0002, samples),
        text(Tag(0x0028, 0x0004), photometric, VR::CS),
        short(0x0006, 0),
        short(0x0010, rows),
        short(0x0011, columns),
        short(0x0100, 8),
        short(0x0101, 8),
        short(0x0102, 7),
        short(0x0103, 0),
    ]);
    let fragments = PixelFragmentSequence::new_fragments(vec![frame]);
    object.put(DataElement::new(Tag(0x7fe0, 0x0010), VR::OB, fragments));
    let mut bytes = Vec::new();
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// Compressed grey pictures of 16 by 12 pixels: run lengths, JPEG and JPEG 2000.
pub fn compressed(maker: &super::Maker) -> Vec<(&'static str, Vec<u8>)> {
    let pixels: Vec<u8> = (0..192u8).collect();
    // One segment, in literal runs of 128 bytes at most.
    let mut runs = vec![0u8; 64];
    runs[0] = 1;
    runs[4] = 64;
    for run in pixels.chunks(128) {
        runs.push(run.len() as u8 - 1);
        runs.extend(run);
    }
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
        .encode(&pixels, 16, 12, image::ExtendedColorType::L8)
        .unwrap();
    if jpeg.len() % 2 == 1 {
        jpeg.push(0);
    }
    let picture =
        "-f lavfi -i testsrc2=size=16x12:duration=0.04 -frames:v 1 -pix_fmt gray -c:v jpeg2000 -format j2k";
    let wavelets = std::fs::read(maker.ffmpeg(picture, "grey.j2k")).unwrap();
    [("1.2.840.10008.1.2.5", runs), ("1.2.840.10008.1.2.4.50", jpeg), ("1.2.840.10008.1.2.4.90", wavelets)]
        .map(|(syntax, frame)| (syntax, encapsulated(syntax, "MONOCHROME2", 1, (12, 16), frame)))
        .into()
}
