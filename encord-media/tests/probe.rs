//! Facts of files made by real encoders, against what `ffprobe` says after decoding them.

#![cfg(feature = "probe")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod maker;

use std::path::Path;

use encord_media::probe::{MediaFacts, MediaKind, probe};
use encord_media::{Error, Limits};
use maker::{Maker, ffprobe};

fn facts(path: &Path) -> MediaFacts {
    probe(path, &Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check_video(path: &Path) {
    let facts = facts(path);
    let name = path.display();
    assert_eq!(facts.kind, MediaKind::Video, "{name}");
    let read: u64 = ffprobe(path, "v", "nb_read_frames").parse().unwrap();
    assert_eq!(facts.frame_count, Some(read), "{name}: frames");
    assert_eq!(facts.codec.as_deref(), Some(ffprobe(path, "v", "codec_name").as_str()), "{name}: codec");
    let size = format!("{},{}", facts.width.unwrap(), facts.height.unwrap());
    assert_eq!(size, ffprobe(path, "v", "width,height"), "{name}: size");
    let rate = ffprobe(path, "v", "avg_frame_rate");
    let (over, under) = rate.split_once('/').unwrap();
    let rate = over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap();
    let ours = facts.frame_rate.unwrap();
    // For mkv the probe of ffmpeg believes the default duration in the header, even if no frame keeps it.
    let believed = path.ends_with("h264_variable_rate.mkv");
    assert!(believed || (ours - rate).abs() / rate < 0.05, "{name}: rate {ours} instead of {rate}");
}

#[test]
fn videos_of_every_kind() {
    let maker = Maker::new();
    // AVI with packed B-frames holds chunks that decode to nothing, so only decoding counts them.
    for case in maker::VIDEOS.iter().filter(|case| case.regular && case.name != "ffv1.mkv") {
        check_video(&maker.video(case));
    }
}

#[test]
fn what_an_edit_list_hides_is_not_counted() {
    let path = Maker::new();
    let cut = path.cut("cut.mp4");
    let read: u64 = ffprobe(&cut, "v", "nb_read_frames").parse().unwrap();
    assert_eq!(facts(&cut).frame_count, Some(read));
}

#[test]
fn rotation_swaps_width_and_height() {
    let maker = Maker::new();
    let facts = facts(&maker.rotated("turned.mov"));
    assert_eq!((facts.width, facts.height), (Some(120), Some(160)));
}

#[test]
fn sound_in_a_video_is_reported() {
    let maker = Maker::new();
    let case = maker::VIDEOS.iter().find(|case| case.name == "h264_with_sound.mp4").unwrap();
    let facts = facts(&maker.video(case));
    assert_eq!((facts.sample_rate, facts.channels), (Some(44100), Some(1)));
}

#[test]
fn audio_of_every_kind() {
    let maker = Maker::new();
    let cases = [
        ("a.wav", "-c:a pcm_s16le", "audio/wav", Some("pcm_s16le")),
        ("a.flac", "-c:a flac", "audio/flac", Some("flac")),
        ("a.mp3", "-c:a libmp3lame", "audio/mpeg", Some("mp3")),
        ("bare.mp3", "-c:a libmp3lame -write_xing 0 -id3v2_version 0", "audio/mpeg", Some("mp3")),
        ("a.m4a", "-c:a aac", "audio/mp4", Some("aac")),
        ("a.aac", "-c:a aac -f adts", "audio/aac", Some("aac")),
        ("a.ogg", "-c:a libvorbis", "audio/ogg", Some("vorbis")),
        ("a.opus", "-c:a libopus -ar 48000", "audio/ogg", None),
        ("a.mka", "-c:a flac", "audio/x-matroska", Some("flac")),
        ("a.aiff", "", "audio/aiff", Some("pcm_s16be")),
    ];
    for (name, codec, mime_type, codec_name) in cases {
        let path =
            maker.ffmpeg(&format!("-f lavfi -i sine=duration=3.5:sample_rate=48000 -ac 2 {codec}"), name);
        let facts = facts(&path);
        assert_eq!(facts.kind, MediaKind::Audio, "{name}");
        assert_eq!(facts.mime_type, mime_type, "{name}");
        assert_eq!((facts.sample_rate, facts.channels), (Some(48000), Some(2)), "{name}");
        assert_eq!(facts.codec.as_deref(), codec_name, "{name}");
        let seconds = facts.duration.unwrap();
        assert!((seconds - 3.5).abs() < 0.08, "{name}: {seconds} seconds");
    }
}

#[test]
fn images_of_every_kind() {
    let maker = Maker::new();
    for (name, layout, mime_type) in [
        ("a.png", "rgb24", "image/png"),
        ("a.jpg", "yuvj444p", "image/jpeg"),
        ("a.webp", "bgra", "image/webp"),
        ("a.bmp", "bgr24", "image/bmp"),
        ("a.tiff", "rgb24", "image/tiff"),
        ("a.gif", "rgb8", "image/gif"),
    ] {
        let path = maker.picture(layout, name);
        let facts = facts(&path);
        assert_eq!((facts.kind, facts.mime_type.as_str()), (MediaKind::Image, mime_type));
        assert_eq!((facts.width, facts.height), (Some(33), Some(21)), "{name}");
    }
}

#[test]
fn pdf_pages_are_counted() {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut table = "xref\n0 5\n0000000000 65535 f \n".to_owned();
    for (number, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = pdf.len();
    pdf += &format!("{table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    let facts = probe(pdf.into_bytes(), &Limits::default()).unwrap();
    assert_eq!((facts.kind, facts.pages), (MediaKind::Pdf, Some(2)));
}

#[test]
fn text_and_the_unknown() {
    let limits = Limits::default();
    let text = probe("grüße".as_bytes(), &limits).unwrap();
    assert_eq!((text.kind, text.mime_type.as_str()), (MediaKind::Text, "text/plain"));
    let other = probe(&[0u8, 1, 2, 3][..], &limits).unwrap();
    assert_eq!((other.kind, other.byte_size), (MediaKind::Other, 4));
    assert_eq!(probe(Vec::new(), &limits).unwrap().kind, MediaKind::Text);
}

#[test]
fn a_missing_file_names_itself() {
    let error = probe("/nowhere/clip.mp4", &Limits::default()).unwrap_err();
    assert!(matches!(&error, Error::Io { what, .. } if what == "/nowhere/clip.mp4"), "{error}");
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let error = probe(vec![b'x'; 100], &Limits::default().with_max_input_bytes(99)).unwrap_err();
    assert!(
        matches!(error, Error::Limit { limit: "max_input_bytes", actual: 100, maximum: 99, .. }),
        "{error}"
    );
}

#[test]
fn cut_files_give_errors_or_less() {
    let maker = Maker::new();
    let names = ["h264_b_frames.mp4", "h264_fragmented.mp4", "vp9.webm", "mjpeg.avi"];
    let videos = maker::VIDEOS.iter().filter(|case| names.contains(&case.name)).map(|case| maker.video(case));
    let others = [("rgb24", "a.png"), ("yuvj444p", "a.jpg"), ("rgb24", "a.tiff")];
    let others = others.map(|(layout, name)| maker.picture(layout, name));
    let sound = ["a.wav", "a.mp3", "a.m4a", "a.flac", "a.ogg"]
        .map(|name| maker.ffmpeg("-f lavfi -i sine=duration=1 -strict -2", name));
    for path in videos.chain(others).chain(sound) {
        let whole = std::fs::read(&path).unwrap();
        let full = probe(whole.clone(), &Limits::default()).unwrap();
        for step in 0..50 {
            let cut = &whole[..whole.len() * step / 50];
            if let Ok(facts) = probe(cut, &Limits::default()) {
                assert!(facts.frame_count <= full.frame_count, "{} cut to {}", path.display(), cut.len());
            }
        }
    }
}
