//! Images that are made when somebody downloads them.

/// The PNG with this number. Any two numbers below 2^24 give different images,
/// and the same number always gives the same bytes. Images of one size all have
/// the same number of bytes, since nothing is compressed.
pub(crate) fn png(width: u32, height: u32, number: u64) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let tint = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    for y in 0..height {
        for x in 0..width {
            let across = (x * 255 / width.max(1)) as u8;
            let down = (y * 255 / height.max(1)) as u8;
            pixels.extend([tint[0].wrapping_add(across), tint[1].wrapping_add(down), tint[2]]);
        }
    }
    // The first pixel spells the number, which makes the images distinct.
    if let Some(first) = pixels.first_chunk_mut::<3>() {
        let [.., a, b, c] = number.to_be_bytes();
        *first = [a, b, c];
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::NoCompression);
    encoder.set_filter(png::Filter::NoFilter);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("sizes are checked when the seed is read, and writing to memory does not fail");
    file
}

#[cfg(test)]
mod tests {
    use super::png;

    #[test]
    fn images_are_valid_distinct_and_repeatable() {
        let image = png(16, 9, 5);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&image)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (16, 9));
        assert_eq!(image, png(16, 9, 5));
        assert_ne!(image, png(16, 9, 6));
        assert_eq!(image.len(), png(16, 9, 1_000_000).len());
    }
}
