//! Samples of files made by real encoders, against what `ffmpeg` decodes.

#![cfg(feature = "audio")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod maker;

use std::path::Path;

use encord_media::audio::{Audio, Samples};
use encord_media::{Error, Limits};
use maker::Maker;
use ndarray::{Array2, s};

/// Three seconds of a sweep on the left and a tone on the right, so that a shift or swap shows.
const SOUND: &str = "-f lavfi -i aevalsrc=0.5*sin(2*PI*t*(200+100*t))|0.3*sin(2*PI*t*440):d=3:s=44100";

fn open(path: &Path) -> Audio {
    Audio::open(path, &Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `ffmpeg` makes of it.
fn reference(maker: &Maker, path: &Path) -> Array2<f32> {
    let raw = maker.ffmpeg(&format!("-i {} -f f32le -c:a pcm_f32le", path.display()), "reference.raw");
    let bytes = std::fs::read(raw).unwrap();
    let samples: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let interleaved = Array2::from_shape_vec((samples.len() / 2, 2), samples).unwrap();
    interleaved.reversed_axes().as_standard_layout().into_owned()
}

fn largest_difference(left: &Array2<f32>, right: &Array2<f32>) -> f32 {
    let columns = left.ncols().min(right.ncols());
    let difference = &left.slice(s![.., ..columns]) - &right.slice(s![.., ..columns]);
    difference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()))
}

/// Name, encoder, how far samples may differ from `ffmpeg`, and by how many the lengths may.
const CASES: &[(&str, &str, f32, usize)] = &[
    ("s16.wav", "-c:a pcm_s16le", 0.0, 0),
    ("s24.wav", "-c:a pcm_s24le", 0.0, 0),
    ("f32.wav", "-c:a pcm_f32le", 0.0, 0),
    ("u8.wav", "-c:a pcm_u8", 0.0, 0),
    ("a.flac", "-c:a flac", 0.0, 0),
    ("a.mka", "-c:a flac", 0.0, 0),
    ("alac.m4a", "-c:a alac", 0.0, 0),
    ("a.aiff", "-c:a pcm_s16be", 0.0, 0),
    ("a.mp3", "-c:a libmp3lame -b:a 192k", 1e-4, 1200),
    ("a.ogg", "-c:a libvorbis -q:a 6", 1e-4, 128),
    ("a.m4a", "-c:a aac -b:a 192k", 1e-4, 0),
    ("a.aac", "-c:a aac -b:a 192k -f adts", 1e-3, 2200),
];

#[test]
fn samples_are_those_of_ffmpeg() {
    let maker = Maker::new();
    for (name, codec, tolerance, slack) in CASES {
        let path = maker.ffmpeg(&format!("{SOUND} {codec}"), name);
        let samples = open(&path).samples().unwrap();
        let reference = reference(&maker, &path);
        assert_eq!(samples.data.nrows(), 2, "{name}");
        let length = samples.data.ncols().abs_diff(reference.ncols());
        assert!(
            length <= *slack,
            "{name}: {} samples instead of {}",
            samples.data.ncols(),
            reference.ncols()
        );
        // The silence that an encoder puts first is cut by its length in the file, which not all decoders know.
        let shifts: &[(usize, usize)] = match *name {
            "a.ogg" => &[(0, 0), (0, 128)],
            _ => &[(0, 0)],
        };
        let differences = shifts.iter().map(|(ours, theirs)| {
            let ours = samples.data.slice(s![.., *ours..]).to_owned();
            largest_difference(&ours, &reference.slice(s![.., *theirs..]).to_owned())
        });
        let difference = differences.fold(f32::INFINITY, f32::min);
        assert!(difference <= *tolerance, "{name}: differs by {difference}");
    }
}

#[test]
fn a_slice_is_part_of_the_whole() {
    let maker = Maker::new();
    for (name, codec, ..) in CASES {
        let audio = open(&maker.ffmpeg(&format!("{SOUND} {codec}"), name));
        let whole = audio.samples().unwrap().data;
        for (from, to) in [(0.0, 0.5), (0.9, 1.1), (2.0, 2.7), (2.5, 9.0), (1.0, 1.0), (5.0, 6.0)] {
            let slice = audio.slice(from, to).unwrap();
            let first = ((from * 44100.0) as usize).min(whole.ncols());
            let end = ((to * 44100.0) as usize).min(whole.ncols());
            assert_eq!(slice.data.ncols(), end - first, "{name}: {from} to {to}");
            if slice.data.ncols() > 0 {
                let part = whole.slice(s![.., first..end]).to_owned();
                let difference = largest_difference(&slice.data, &part);
                assert!(difference < 1e-5, "{name}: {from} to {to} differs by {difference}");
            }
        }
    }
}

#[test]
fn chunks_add_up_to_the_whole() {
    let maker = Maker::new();
    for (name, codec, ..) in CASES {
        let audio = open(&maker.ffmpeg(&format!("{SOUND} {codec}"), name));
        let whole = audio.samples().unwrap().data;
        let chunks: Vec<Samples> = audio.chunks(10_000).unwrap().map(|chunk| chunk.unwrap()).collect();
        assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk.data.ncols() == 10_000), "{name}");
        let views: Vec<_> = chunks.iter().map(|chunk| chunk.data.view()).collect();
        assert_eq!(ndarray::concatenate(ndarray::Axis(1), &views).unwrap(), whole, "{name}");
        assert_eq!(chunks[1].start, 10_000);
    }
}

#[test]
fn senseless_requests_are_refused() {
    let maker = Maker::new();
    let audio = open(&maker.ffmpeg(SOUND, "a.wav"));
    for (from, to) in [(-1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        assert!(matches!(audio.slice(from, to), Err(Error::InvalidArgument { .. })), "{from} to {to}");
    }
    assert!(audio.chunks(0).is_err());
}

#[test]
fn limits_are_kept() {
    let maker = Maker::new();
    let path = maker.ffmpeg(SOUND, "a.wav");
    let short = Limits::default().with_max_seconds(1.0);
    let error = Audio::open(&path, &short).unwrap().samples().unwrap_err();
    assert!(matches!(error, Error::Limit { limit: "max_seconds", .. }), "{error}");
    assert!(Audio::open(&path, &short).unwrap().slice(2.0, 2.5).is_ok());
    let small = Limits::default().with_max_decoded_bytes(1000);
    let error = Audio::open(&path, &small).unwrap().samples().unwrap_err();
    assert!(matches!(error, Error::Limit { limit: "max_decoded_bytes", .. }), "{error}");
}

#[test]
fn cut_and_damaged_files_give_errors_or_less() {
    let maker = Maker::new();
    for (name, codec, ..) in CASES {
        let whole = std::fs::read(maker.ffmpeg(&format!("{SOUND} {codec}"), name)).unwrap();
        for step in 0..50 {
            let cut = whole[..whole.len() * step / 50].to_vec();
            let mut damaged = whole.clone();
            let at = damaged.len() * step / 50;
            for byte in damaged.iter_mut().skip(at).take(16) {
                *byte ^= 0xa5;
            }
            for bytes in [cut, damaged] {
                if let Ok(audio) = Audio::open(bytes, &Limits::default().with_max_seconds(60.0)) {
                    let _ = audio.samples();
                    let _ = audio.slice(1.4, 1.6);
                }
            }
        }
    }
}

#[cfg(feature = "resample")]
#[test]
fn resampling_keeps_the_tone() {
    let maker = Maker::new();
    let samples = open(&maker.ffmpeg(SOUND, "a.wav")).samples().unwrap();
    for rate in [16_000u32, 48_000, 44_100] {
        let resampled = samples.resampled(rate).unwrap();
        assert_eq!(resampled.sample_rate, rate);
        assert!((resampled.seconds() - 3.0).abs() < 0.01, "{}", resampled.seconds());
        // The right channel is a sine of 440 Hz: compare with the formula away
        // from the edges, to within half a sample.
        for index in (rate as usize)..(2 * rate as usize) {
            let expected =
                0.3 * (std::f64::consts::TAU * 440.0 * index as f64 / f64::from(rate)).sin() as f32;
            let sample = resampled.data[[1, index]];
            assert!((sample - expected).abs() < 0.03, "{rate}: sample {index} is {sample}, not {expected}");
        }
    }
    assert!(samples.resampled(0).is_err());
}
