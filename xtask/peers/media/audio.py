"""Sound against the `ffmpeg` command: as long to the sample, equal where nothing is lost, and close otherwise."""

from __future__ import annotations

import pathlib
from typing import Iterator

import numpy as np
import soundfile

import through_rust

SWEEP = "aevalsrc=0.5*sin(2*PI*t*(200+100*t))|0.3*sin(2*PI*t*440):d=3:s={rate}"
# Name, encoder, and how far samples may lie apart: nothing where decoding is exact.
CASES = [
    ("s16.wav", "-c:a pcm_s16le", 0),
    ("s24.wav", "-c:a pcm_s24le", 0),
    ("s32.wav", "-c:a pcm_s32le", 0),
    ("f32.wav", "-c:a pcm_f32le", 0),
    ("u8.wav", "-c:a pcm_u8", 0),
    ("mulaw.wav", "-c:a pcm_mulaw", 0),
    ("alaw.wav", "-c:a pcm_alaw", 0),
    ("mono.wav", "-c:a pcm_s16le -ac 1", 0),
    ("a.flac", "-c:a flac", 0),
    ("s24.flac", "-c:a flac -sample_fmt s32 -bits_per_raw_sample 24", 0),
    ("a.aiff", "-c:a pcm_s16be", 0),
    ("alac.m4a", "-c:a alac", 0),
    ("a.mka", "-c:a flac", 0),
    ("a.mp3", "-c:a libmp3lame -b:a 192k", 1e-4),
    ("v.mp3", "-c:a libmp3lame -q:a 4", 1e-4),
    ("no-header.mp3", "-c:a libmp3lame -b:a 128k -write_xing 0", 1e-4),
    ("a.m4a", "-c:a aac -b:a 192k", 1e-4),
    ("a.mp4", "-c:a aac -b:a 96k", 1e-4),
    ("a.aac", "-c:a aac -b:a 192k -f adts", 1e-4),
    ("a.mkv", "-c:a aac -b:a 192k", 1e-4),
    ("a.ogg", "-c:a libvorbis -q:a 6", 1e-4),
    ("a.webm", "-c:a libvorbis -q:a 6", 1e-4),
]


def compare(folder: pathlib.Path) -> Iterator[tuple[str, str | None]]:
    files = []
    for rate in (44100, 48000, 16000):
        for name, codec, tolerance in CASES:
            path = folder / f"{rate}-{name}"
            through_rust.ffmpeg("-f", "lavfi", "-i", SWEEP.format(rate=rate), *codec.split(), path)
            files.append((path, tolerance))
    answers = through_rust.arrays([("audio", path) for path, _ in files], folder)
    for (path, tolerance), (answer, ours) in zip(files, answers):
        yield path.name, answer["error"] if ours is None else problem(path, tolerance, ours, answer["rate"])


def problem(path: pathlib.Path, tolerance: float, ours: np.ndarray, rate: int) -> str | None:
    raw = path.with_suffix(path.suffix + ".raw")
    through_rust.ffmpeg("-i", path, "-f", "f32le", "-c:a", "pcm_f32le", raw)
    theirs = np.fromfile(raw, "<f4").reshape(-1, len(ours)).T
    if ours.shape != theirs.shape:
        return f"{ours.shape} instead of {theirs.shape}"
    difference = float(np.abs(ours - theirs).max())
    if difference > tolerance:
        return f"differs by {difference:.2g} from ffmpeg"
    if path.suffix in (".wav", ".flac"):
        samples, found = soundfile.read(path, dtype="float32", always_2d=True)
        if found != rate or not np.array_equal(samples.T, ours):
            return "differs from soundfile"
    return None
