//! Videos of the wandering disc. The frames are ours; coding them is left to the `ffmpeg` program.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::picture;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;
const FRAMES_PER_SECOND: u32 = 10;

/// A way to code videos on this machine.
pub(super) struct Encoder {
    codec: &'static str,
}

/// Looks for `ffmpeg`; the error says why there can be no video.
pub(super) fn find_encoder() -> Result<Encoder, String> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "the ffmpeg program, which makes the sample videos, is not installed".to_owned())?;
    let encoders = String::from_utf8_lossy(&output.stdout);
    let codec = ["libx264", "mpeg4"].into_iter().find(|codec| encoders.contains(codec));
    codec
        .map(|codec| Encoder { codec })
        .ok_or_else(|| "this ffmpeg can code neither H.264 nor MPEG-4".to_owned())
}

impl Encoder {
    /// Writes an MP4 file with this many frames.
    pub(super) fn write(&self, path: &Path, frames: u32) -> Result<()> {
        let mut child = Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-y"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &format!("{WIDTH}x{HEIGHT}")])
            .args(["-r", &FRAMES_PER_SECOND.to_string(), "-i", "-"])
            .args(["-c:v", self.codec, "-pix_fmt", "yuv420p", "-g", "10", "-movflags", "+faststart"])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start ffmpeg")?;
        let mut input = child.stdin.take().context("ffmpeg has no standard input")?;
        let last = f64::from(frames.saturating_sub(1).max(1));
        for frame in 0..frames {
            let picture = picture::draw(WIDTH, HEIGHT, f64::from(frame) / last);
            input.write_all(picture.as_raw()).context("ffmpeg stopped reading")?;
        }
        drop(input);
        let status = child.wait()?;
        if !status.success() {
            bail!("ffmpeg could not write {} ({status})", path.display());
        }
        Ok(())
    }
}
