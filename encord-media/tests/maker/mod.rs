//! Makes real media with real encoders while the tests run.
//!
//! Every file comes from the `ffmpeg` command, which `cargo xtask setup` installs, into a temporary
//! directory that goes away with the [`Maker`].

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

#[cfg(feature = "dicom")]
pub mod dicom;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A way to make one file, and its name with extension.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// File name; the extension picks the container.
    pub name: &'static str,
    /// Arguments between the input (a moving test picture of 60 frames, 25 per second, 160x120) and the file.
    pub arguments: &'static str,
    /// Whether the number of frames and their order follow from the container alone.
    pub regular: bool,
}

const fn regular(name: &'static str, arguments: &'static str) -> Case {
    Case { name, arguments, regular: true }
}

const fn irregular(name: &'static str, arguments: &'static str) -> Case {
    Case { name, arguments, regular: false }
}

/// Codecs and containers that agents meet.
pub const VIDEOS: &[Case] = &[
    regular("h264_b_frames.mp4", "-c:v libx264 -g 12 -bf 3 -pix_fmt yuv420p"),
    regular("h264_open_gop.mp4", "-c:v libx264 -x264-params open-gop=1:keyint=15:bframes=3 -pix_fmt yuv420p"),
    regular("h264_open_gop.mkv", "-c:v libx264 -x264-params open-gop=1:keyint=15:bframes=3 -pix_fmt yuv420p"),
    regular("h264_no_b.mov", "-c:v libx264 -g 10 -bf 0 -pix_fmt yuv420p"),
    regular("h264_one_gop.mkv", "-c:v libx264 -g 250 -bf 3 -pix_fmt yuv420p"),
    regular(
        "h264_variable_rate.mp4",
        "-vf select=not(mod(n\\,7))+not(mod(n\\,3)) -vsync vfr -c:v libx264 -g 10 -pix_fmt yuv420p",
    ),
    regular(
        "h264_variable_rate.mkv",
        "-vf select=not(mod(n\\,7))+not(mod(n\\,3)) -vsync vfr -c:v libx264 -g 10 -pix_fmt yuv420p",
    ),
    regular("h264_ten_bit.mp4", "-c:v libx264 -g 12 -pix_fmt yuv420p10le"),
    regular("h264_odd_size.mp4", "-vf scale=161:91 -c:v libx264 -g 12 -pix_fmt yuv444p"),
    regular("h264_late_start.mp4", "-c:v libx264 -g 12 -pix_fmt yuv420p -output_ts_offset 5"),
    regular("h264_late_start.mkv", "-c:v libx264 -g 12 -pix_fmt yuv420p -output_ts_offset 5"),
    regular("h264_fragmented.mp4", "-c:v libx264 -g 12 -pix_fmt yuv420p -movflags frag_keyframe+empty_moov"),
    regular(
        "h264_with_sound.mp4",
        "-f lavfi -i sine=frequency=440:duration=2.4 -c:v libx264 -g 12 -pix_fmt yuv420p -c:a aac",
    ),
    regular("h264_one_frame.mp4", "-frames:v 1 -c:v libx264 -pix_fmt yuv420p"),
    regular("h264.avi", "-c:v libx264 -g 12 -bf 0 -pix_fmt yuv420p"),
    regular("hevc.mp4", "-c:v libx265 -x265-params keyint=12:log-level=none -tag:v hvc1 -pix_fmt yuv420p"),
    regular(
        "hevc_ten_bit.mkv",
        "-c:v libx265 -x265-params keyint=20:open-gop=1:log-level=none -pix_fmt yuv420p10le",
    ),
    regular("vp8.webm", "-c:v libvpx -g 12 -auto-alt-ref 1 -lag-in-frames 10"),
    regular("vp9.webm", "-c:v libvpx-vp9 -g 12 -row-mt 0 -cpu-used 8 -deadline realtime"),
    regular("vp9_alt_ref.mkv", "-c:v libvpx-vp9 -g 20 -auto-alt-ref 1 -lag-in-frames 12 -cpu-used 8"),
    regular("av1.mp4", "-c:v libsvtav1 -g 12 -preset 12"),
    regular("av1.mkv", "-c:v libsvtav1 -g 20 -preset 12"),
    regular("mpeg4.avi", "-c:v mpeg4 -g 12 -bf 0"),
    regular("mpeg4_b_frames.mp4", "-c:v mpeg4 -g 12 -bf 2"),
    regular("mjpeg.avi", "-c:v mjpeg -pix_fmt yuvj420p"),
    regular("prores.mov", "-c:v prores -pix_fmt yuv422p10le"),
    regular("ffv1.mkv", "-c:v ffv1 -g 10 -pix_fmt yuv420p"),
    irregular("h264.ts", "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p"),
    irregular("mpeg2.mpg", "-c:v mpeg2video -g 12 -bf 2"),
    irregular("raw.h264", "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p"),
    irregular("mpeg4_packed.avi", "-c:v mpeg4 -g 12 -bf 2"),
];

/// A directory with media made for one test.
pub struct Maker {
    directory: tempfile::TempDir,
}

impl Maker {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Where a file of this name is or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `ffmpeg` with these arguments, separated by spaces, and the file as output.
    pub fn ffmpeg(&self, arguments: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut command = Command::new("ffmpeg");
        command
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split(' ').filter(|word| !word.is_empty()));
        run(command.arg("-threads").arg("2").arg(&path));
        path
    }

    /// Makes one of [`VIDEOS`].
    pub fn video(&self, case: &Case) -> PathBuf {
        let input = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=2.4";
        self.ffmpeg(&format!("{input} {}", case.arguments), case.name)
    }

    /// Makes a picture of 33 by 21 pixels in a pixel layout of `ffmpeg`.
    pub fn picture(&self, layout: &str, name: &str) -> PathBuf {
        let input = "-f lavfi -i testsrc2=size=34x22:duration=0.04 -frames:v 1";
        self.ffmpeg(&format!("{input} -vf format=rgb24,crop=33:21:0:0:exact=1,format={layout}"), name)
    }

    /// A copy of the sample tables with another rotation, turned by a quarter when shown.
    pub fn rotated(&self, name: &str) -> PathBuf {
        let upright = self.video(&VIDEOS[0]);
        let path = self.path(name);
        run(Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(&upright)
            .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
            .arg(&path));
        path
    }

    /// A piece of a video cut without encoding again, so that an edit list hides its first frames.
    pub fn cut(&self, name: &str) -> PathBuf {
        let whole = self.video(&VIDEOS[0]);
        let path = self.path(name);
        run(Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-ss", "0.7", "-i"])
            .arg(&whole)
            .args(["-t", "1", "-c", "copy"])
            .arg(&path));
        path
    }
}

/// One value that `ffprobe` reads from the first stream of a kind (`v` or `a`).
pub fn ffprobe(path: &Path, stream: &str, entry: &str) -> String {
    let mut command = Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-count_frames",
        "-select_streams",
        &format!("{stream}:0"),
        "-show_entries",
    ]);
    let text = run(command.arg(format!("stream={entry}")).args(["-of", "csv=p=0"]).arg(path));
    text.lines().next().unwrap_or("").trim_end_matches(',').to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot run {:?}: {error}; `cargo xtask setup` installs it", command.get_program())
    });
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
