//! Frames of videos made by real encoders: the same whichever way they are asked for and whichever backend
//! decodes, and never a panic or a hang.

#![cfg(any(feature = "video-ffmpeg", feature = "video-opencv"))]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod maker;

use std::path::Path;

use encord_media::video::{Backend, Frame, Frames, Sampling, Video};
use encord_media::{Error, Limits, RgbArray};
use maker::{Case, Maker};

fn collect(frames: Frames) -> Vec<Frame> {
    frames.map(|frame| frame.unwrap()).collect()
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.index).collect()
}

/// The largest difference between two pictures of one size.
fn difference(left: &RgbArray, right: &RgbArray) -> u8 {
    assert_eq!(left.dim(), right.dim());
    left.iter().zip(right).map(|(left, right)| left.abs_diff(*right)).max().unwrap_or(0)
}

/// Every way to ask for frames gives the frames of the iterator.
fn check_ways(path: &Path, backend: Backend) -> Vec<Frame> {
    let name = path.file_name().unwrap().display().to_string();
    let video = Video::open(path, backend).unwrap();
    let all = collect(video.frames().unwrap());
    let count = all.len() as u64;
    assert!(count > 0, "{name}: no frames");
    assert_eq!(numbers(&all), (0..count).collect::<Vec<_>>(), "{name}");
    assert_eq!(video.frame_count().unwrap(), count, "{name}: count");
    let times = video.timestamps().unwrap();
    for frame in &all {
        let (height, width, _) = frame.pixels.dim();
        assert_eq!(
            (width as u32, height as u32),
            (video.facts().width, video.facts().height),
            "{name}: size"
        );
        let stamp = times[frame.index as usize];
        assert!(
            (frame.time - stamp).abs() < 1e-6,
            "{name}: frame {} at {} or {stamp}",
            frame.index,
            frame.time
        );
    }
    let last = count - 1;
    let middle = count / 2;
    let picks = [
        Sampling::Every(2),
        Sampling::Every(7),
        Sampling::Every(25),
        Sampling::Rate(0.3),
        Sampling::Indices(vec![last]),
        Sampling::Indices(vec![middle, 0, last, middle, middle.saturating_sub(1)]),
        Sampling::Indices((0..count).rev().collect()),
        Sampling::Indices(vec![]),
    ];
    for pick in picks {
        let taken = collect(video.sample(&pick).unwrap());
        assert_eq!(numbers(&taken), pick.numbers(count), "{name}: {pick:?}");
        for frame in &taken {
            assert!(
                *frame == all[frame.index as usize],
                "{name}: {pick:?} gives another frame {}",
                frame.index
            );
        }
    }
    for index in [0, middle, last] {
        assert!(video.frame(index).unwrap() == all[index as usize], "{name}: frame {index} alone");
    }
    all
}

fn check_backends(path: &Path) {
    let name = path.file_name().unwrap().display().to_string();
    let decoded: Vec<_> = Backend::available().iter().map(|backend| check_ways(path, *backend)).collect();
    for pair in decoded.windows(2) {
        assert_eq!(pair[0].len(), pair[1].len(), "{name}: frames");
        for (left, right) in pair[0].iter().zip(&pair[1]) {
            // OpenCV converts with the padding that the codec adds below the picture; with more than eight bits
            // per sample the scaler looks at it for the last rows.
            let rows = if name.contains("ten_bit") { left.pixels.dim().0 - 4 } else { left.pixels.dim().0 };
            let top = |frame: &Frame| frame.pixels.slice(ndarray::s![..rows, .., ..]).to_owned();
            let difference = difference(&top(left), &top(right));
            assert!(difference == 0, "{name}: frame {} differs by {difference}", left.index);
        }
    }
}

#[test]
fn every_way_gives_the_same_frames() {
    let maker = Maker::new();
    for case in maker::VIDEOS {
        check_backends(&maker.video(case));
    }
}

#[test]
fn rotation_is_applied() {
    let maker = Maker::new();
    check_backends(&maker.rotated("turned.mov"));
}

#[test]
fn frames_before_a_cut_are_not_shown() {
    let maker = Maker::new();
    check_backends(&maker.cut("cut.mp4"));
}

fn first_case(maker: &Maker) -> std::path::PathBuf {
    maker.video(maker::VIDEOS.first().unwrap())
}

#[test]
fn a_number_past_the_end_is_an_error_after_what_exists() {
    let maker = Maker::new();
    let path = first_case(&maker);
    for backend in Backend::available() {
        let video = Video::open(&path, *backend).unwrap();
        let mut frames = video.sample(&Sampling::Indices(vec![100, 1, 59])).unwrap();
        assert_eq!(frames.next().unwrap().unwrap().index, 1);
        assert_eq!(frames.next().unwrap().unwrap().index, 59);
        let error = frames.next().unwrap().unwrap_err();
        assert!(
            error.to_string().contains("frame 100") && error.to_string().contains("60 frames"),
            "{error}"
        );
        assert!(frames.next().is_none());
        assert!(matches!(video.frame(60), Err(Error::OutOfRange { .. })));
    }
}

#[test]
fn senseless_sampling_is_refused() {
    let maker = Maker::new();
    let path = first_case(&maker);
    let video = Video::open(&path, Backend::best().unwrap()).unwrap();
    for sampling in [Sampling::Rate(0.0), Sampling::Rate(1.5), Sampling::Rate(f64::NAN), Sampling::Every(0)] {
        assert!(matches!(video.sample(&sampling), Err(Error::InvalidArgument { .. })), "{sampling:?}");
    }
}

#[test]
fn dropping_the_iterator_stops_the_work() {
    let maker = Maker::new();
    let path = first_case(&maker);
    for backend in Backend::available() {
        let video = Video::open(&path, *backend).unwrap();
        for _ in 0..20 {
            let mut frames = video.frames().unwrap();
            assert_eq!(frames.next().unwrap().unwrap().index, 0);
        }
    }
}

#[test]
fn limits_are_kept() {
    let maker = Maker::new();
    let path = first_case(&maker);
    for backend in Backend::available() {
        let small = Limits::default().with_max_pixels(100);
        let error = Video::open_with(&path, *backend, &small).unwrap_err();
        assert!(matches!(error, Error::Limit { limit: "max_pixels", .. }), "{error}");
        let few = Limits::default().with_max_frames(10);
        let error = Video::open_with(&path, *backend, &few).unwrap().frame_count().unwrap_err();
        assert!(matches!(error, Error::Limit { limit: "max_frames", .. }), "{error}");
    }
}

#[test]
fn what_is_no_video_is_an_error() {
    let maker = Maker::new();
    let sound = maker.ffmpeg("-f lavfi -i sine=duration=1", "a.mp3");
    let text = maker.path("a.mp4");
    std::fs::write(&text, "this is no video").unwrap();
    let list = maker.path("list.mp4");
    std::fs::write(&list, format!("ffconcat version 1.0\nfile '{}'\n", first_case(&maker).display()))
        .unwrap();
    for backend in Backend::available() {
        assert!(matches!(Video::open(maker.path("missing.mp4"), *backend), Err(Error::Io { .. })));
        for path in [&sound, &text, &list] {
            assert!(Video::open(path, *backend).is_err(), "{}", path.display());
        }
    }
}

#[test]
fn cut_files_give_errors_or_fewer_frames() {
    let maker = Maker::new();
    let wanted = [
        "h264_b_frames.mp4",
        "h264_fragmented.mp4",
        "hevc.mp4",
        "vp9.webm",
        "mpeg4.avi",
        "h264.ts",
        "raw.h264",
    ];
    for case in maker::VIDEOS.iter().filter(|case| wanted.contains(&case.name)) {
        cut_and_read(&maker, case);
    }
}

fn cut_and_read(maker: &Maker, case: &Case) {
    let whole = std::fs::read(maker.video(case)).unwrap();
    let path = maker.path(&format!("cut_{}", case.name));
    for step in 0..50 {
        std::fs::write(&path, &whole[..whole.len() * step / 50]).unwrap();
        for backend in Backend::available() {
            let Ok(video) = Video::open(&path, *backend) else { continue };
            let all: Vec<_> = video.frames().unwrap().map_while(Result::ok).collect();
            assert!(all.len() <= 60, "{} cut at {step}", case.name);
            // OpenCV always decodes on several threads, which patch up damage now one way, now another.
            if *backend != Backend::Ffmpeg {
                continue;
            }
            // Of what can be decoded, frames are the same whichever way they are reached.
            let Ok(sampled) = video.sample(&Sampling::Every(9)) else { continue };
            for frame in sampled.map_while(Result::ok) {
                let same = all.iter().find(|other| other.index == frame.index);
                assert!(
                    same.is_none_or(|same| same.pixels == frame.pixels),
                    "{} cut at {step}: {}",
                    case.name,
                    frame.index
                );
            }
        }
    }
}

#[test]
fn damage_in_the_middle_changes_no_other_frame() {
    let maker = Maker::new();
    for name in ["h264_b_frames.mp4", "hevc.mp4", "vp9.webm", "mpeg4.avi"] {
        let case = maker::VIDEOS.iter().find(|case| case.name == name).unwrap();
        let mut bytes = std::fs::read(maker.video(case)).unwrap();
        let middle = bytes.len() / 2;
        for byte in &mut bytes[middle..middle + 40] {
            *byte ^= 0x5a;
        }
        let path = maker.path(&format!("damaged_{name}"));
        std::fs::write(&path, bytes).unwrap();
        for backend in Backend::available().iter().filter(|backend| **backend == Backend::Ffmpeg) {
            let video = Video::open(&path, *backend).unwrap();
            let all: Vec<_> = video.frames().unwrap().map_while(Result::ok).collect();
            for step in [1, 4, 13] {
                for frame in video.sample(&Sampling::Every(step)).unwrap().map_while(Result::ok) {
                    let same = all.iter().find(|other| other.index == frame.index).unwrap();
                    assert!(same.pixels == frame.pixels, "{name}: frame {} of every {step}", frame.index);
                }
            }
        }
    }
}

#[test]
fn a_missing_backend_names_its_feature() {
    for (backend, feature) in [(Backend::Ffmpeg, "video-ffmpeg"), (Backend::OpenCv, "video-opencv")] {
        if !Backend::available().contains(&backend) {
            let error = Video::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), backend).unwrap_err();
            assert!(error.to_string().contains(feature), "{error}");
        }
    }
}
