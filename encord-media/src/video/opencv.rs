//! Video through OpenCV: decode from the start, convert only what is wanted.
//!
//! OpenCV can be told to jump to a frame, but on many files it then shows another one. Grabbing frame after frame
//! is exact by definition, and skipping the conversion of the others is what can be saved.

use std::path::Path;
use std::sync::{Arc, Mutex};

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual};
use opencv::videoio::{
    CAP_FFMPEG, CAP_PROP_FOURCC, CAP_PROP_FPS, CAP_PROP_FRAME_COUNT, CAP_PROP_FRAME_HEIGHT,
    CAP_PROP_FRAME_WIDTH, CAP_PROP_ORIENTATION_AUTO, CAP_PROP_ORIENTATION_META, CAP_PROP_POS_MSEC,
    VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst,
};

use super::lanes::{self, Frames, Halt};
use super::turn::Turn;
use super::{Engine, Frame, VideoFacts, out_of_range};
use crate::RgbArray;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// Opens a file.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Arc<OpenCv>> {
    let capture = capture(path)?;
    let turn = turn(&capture);
    let get = |property| capture.get(property).unwrap_or(0.0);
    let (width, height) = turn.size(get(CAP_PROP_FRAME_WIDTH) as u32, get(CAP_PROP_FRAME_HEIGHT) as u32);
    let facts = VideoFacts {
        width,
        height,
        frame_rate: Some(get(CAP_PROP_FPS)).filter(|rate| rate.is_finite() && *rate > 0.0),
        duration: Some(get(CAP_PROP_FRAME_COUNT) / get(CAP_PROP_FPS)).filter(|s| s.is_finite() && *s > 0.0),
        codec: codec_name(get(CAP_PROP_FOURCC) as u32),
    };
    limits.check_picture(&path.display().to_string(), facts.width.into(), facts.height.into(), 3)?;
    Ok(Arc::new(OpenCv { path: path.into(), limits: *limits, facts, turn, times: Mutex::default() }))
}

/// The engine behind [`Backend::OpenCv`](super::Backend::OpenCv).
pub(super) struct OpenCv {
    path: Arc<Path>,
    limits: Limits,
    facts: VideoFacts,
    turn: Turn,
    times: Mutex<Option<Arc<[f64]>>>,
}

impl Engine for OpenCv {
    fn facts(&self) -> &VideoFacts {
        &self.facts
    }

    fn times(&self) -> Result<Arc<[f64]>> {
        let mut times = self.times.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(times) = &*times {
            return Ok(Arc::clone(times));
        }
        let mut capture = capture(&self.path)?;
        let mut counted = Vec::new();
        while capture.grab().map_err(|error| broken(&self.path, error))? {
            counted.push(capture.get(CAP_PROP_POS_MSEC).unwrap_or(0.0) / 1000.0);
            self.limits.check_frames(&self.path.display().to_string(), counted.len() as u64)?;
        }
        let first = counted.first().copied().unwrap_or(0.0);
        let counted: Arc<[f64]> = counted.into_iter().map(|time| time - first).collect();
        *times = Some(Arc::clone(&counted));
        Ok(counted)
    }

    fn all(self: Arc<Self>) -> Result<Frames> {
        self.spawn(None)
    }

    fn pick(self: Arc<Self>, numbers: Vec<u64>) -> Result<Frames> {
        self.spawn(Some(numbers))
    }
}

impl OpenCv {
    /// Starts a worker that delivers frames of these ascending numbers, or all.
    fn spawn(self: Arc<Self>, numbers: Option<Vec<u64>>) -> Result<Frames> {
        let lane = lanes::spawn(Source::from(&*self.path), 4, move |outlet| {
            let mut left = numbers.as_deref();
            let mut capture = capture(&self.path)?;
            let mut first = None;
            let mut count = 0u64;
            while left.is_none_or(|left| !left.is_empty()) {
                if !capture.grab().map_err(|error| broken(&self.path, error))? {
                    break;
                }
                let now = capture.get(CAP_PROP_POS_MSEC).unwrap_or(0.0) / 1000.0;
                let time = now - *first.get_or_insert(now);
                let index = count;
                count += 1;
                self.limits.check_frames(&self.path.display().to_string(), count)?;
                match &mut left {
                    None => outlet.send(Frame { index, time, pixels: self.retrieve(&mut capture)? })?,
                    Some(numbers) if numbers.first() == Some(&index) => {
                        let pixels = self.retrieve(&mut capture)?;
                        while let Some((_, rest)) = numbers.split_first().filter(|(next, _)| **next == index)
                        {
                            outlet.send(Frame { index, time, pixels: pixels.clone() })?;
                            *numbers = rest;
                        }
                    }
                    Some(_) => {}
                }
            }
            match left.and_then(<[u64]>::first) {
                Some(missing) => Err(Halt::Failed(out_of_range(&self.path, *missing, count))),
                None => Ok(()),
            }
        })?;
        Ok(Frames::from_lane(lane))
    }

    fn retrieve(&self, capture: &mut VideoCapture) -> Result<RgbArray> {
        let mut picture = Mat::default();
        let found = capture.retrieve_def(&mut picture).map_err(|error| broken(&self.path, error))?;
        if !found || picture.channels() != 3 || !picture.is_continuous() {
            return Err(broken(&self.path, "a frame could not be read"));
        }
        let (height, width) = (picture.rows().unsigned_abs(), picture.cols().unsigned_abs());
        self.limits.check_picture(&self.path.display().to_string(), width.into(), height.into(), 3)?;
        let bytes = picture.data_bytes().map_err(|error| broken(&self.path, error))?;
        let mut pixels = bytes.to_vec();
        for pixel in pixels.as_chunks_mut::<3>().0 {
            pixel.swap(0, 2);
        }
        let pixels = RgbArray::from_shape_vec((height as usize, width as usize, 3), pixels)
            .map_err(|error| broken(&self.path, error))?;
        Ok(self.turn.apply(pixels))
    }
}

fn capture(path: &Path) -> Result<VideoCapture> {
    let Some(name) = path.to_str() else {
        return Err(Error::InvalidArgument {
            argument: "path",
            reason: format!("{path:?} is not valid Unicode, which OpenCV needs"),
        });
    };
    // The FFmpeg part of OpenCV, by name: others read `image_%d.png` and the like as patterns.
    let mut capture =
        VideoCapture::from_file(format!("file:{name}"), CAP_FFMPEG).map_err(|error| broken(path, error))?;
    if !capture.is_opened().unwrap_or(false) {
        return Err(broken(path, "OpenCV can't open it as a video"));
    }
    capture.set(CAP_PROP_ORIENTATION_AUTO, 0.0).map_err(|error| broken(path, error))?;
    Ok(capture)
}

/// How frames have to be turned. OpenCV 4.6 and older got the direction wrong, so it is not left to them.
fn turn(capture: &VideoCapture) -> Turn {
    let degrees = capture.get(CAP_PROP_ORIENTATION_META).unwrap_or(0.0) as i32;
    let version = (opencv::core::get_version_major(), opencv::core::get_version_minor());
    Turn::from_degrees(if version < (4, 7) { -degrees } else { degrees })
}

fn broken(path: &Path, reason: impl ToString) -> Error {
    let reason = reason.to_string().replace('\n', " ");
    Error::Decode { what: path.display().to_string(), format: "video", reason }
}

/// The name for a four-character code.
fn codec_name(code: u32) -> String {
    let four = code.to_le_bytes();
    match &four.map(|byte| byte.to_ascii_lowercase()) {
        b"avc1" | b"h264" => "h264".into(),
        b"hev1" | b"hvc1" | b"hevc" => "hevc".into(),
        b"vp80" => "vp8".into(),
        b"vp09" | b"vp90" => "vp9".into(),
        b"av01" => "av1".into(),
        b"fmp4" | b"mp4v" | b"xvid" | b"divx" => "mpeg4".into(),
        b"mjpg" | b"jpeg" => "mjpeg".into(),
        _ => String::from_utf8_lossy(&four).trim_matches(['\0', ' ']).to_ascii_lowercase(),
    }
}
