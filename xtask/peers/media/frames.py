"""Frames of many codecs and containers: the same hash whichever way a frame is reached, through whichever backend, and
the frames that OpenCV decodes one after the other."""

from __future__ import annotations

import hashlib
import itertools
import pathlib
from typing import Iterator

import cv2

import through_rust

SOURCE = "testsrc2=size=160x120:rate=25:duration=2.4"
H264 = "-c:v libx264 -pix_fmt yuv420p"
VARIABLE = r"-vf select=not(mod(n\,7))+not(mod(n\,3)) -vsync vfr"
CASES = {
    "h264-b-frames.mp4": f"{H264} -g 12 -bf 3",
    "h264-open-gop.mp4": f"{H264} -x264-params open-gop=1:keyint=15:bframes=3",
    "h264-open-gop.mkv": f"{H264} -x264-params open-gop=1:keyint=15:bframes=3",
    "h264-one-gop.mkv": f"{H264} -g 250 -bf 3",
    "h264-no-b-frames.mov": f"{H264} -g 10 -bf 0",
    "h264-variable-rate.mp4": f"{VARIABLE} {H264} -g 10",
    "h264-variable-rate.mkv": f"{VARIABLE} {H264} -g 10",
    "h264-ten-bit.mp4": "-c:v libx264 -g 12 -pix_fmt yuv420p10le",
    "h264-odd-size.mp4": "-vf scale=161:91 -c:v libx264 -g 12 -pix_fmt yuv444p",
    "h264-late-start.mp4": f"{H264} -g 12 -output_ts_offset 5",
    "h264-fragmented.mp4": f"{H264} -g 12 -movflags frag_keyframe+empty_moov",
    "h264.avi": f"{H264} -g 12 -bf 0",
    "h264.ts": f"{H264} -g 12 -bf 2",
    "hevc.mp4": "-c:v libx265 -x265-params keyint=12:log-level=none -tag:v hvc1 -pix_fmt yuv420p",
    "hevc-open-gop.mkv": "-c:v libx265 -x265-params keyint=20:open-gop=1:log-level=none -pix_fmt yuv420p",
    "vp8.webm": "-c:v libvpx -g 12 -auto-alt-ref 1 -lag-in-frames 10",
    "vp9.webm": "-c:v libvpx-vp9 -g 20 -auto-alt-ref 1 -lag-in-frames 12 -cpu-used 8",
    "av1.mp4": "-c:v libsvtav1 -g 12 -preset 12",
    "av1.mkv": "-c:v libsvtav1 -g 20 -preset 12",
    "mpeg4.avi": "-c:v mpeg4 -g 12 -bf 0",
    "mpeg4-b-frames.mp4": "-c:v mpeg4 -g 12 -bf 2",
    "mpeg2.mpg": "-c:v mpeg2video -g 12 -bf 2",
    "mjpeg.avi": "-c:v mjpeg -pix_fmt yuvj420p",
    "ffv1.mkv": "-c:v ffv1 -g 10 -pix_fmt yuv420p",
}


def compare(folder: pathlib.Path) -> Iterator[tuple[str, str | None]]:
    files = [folder / name for name in CASES]
    for file in files:
        through_rust.ffmpeg("-f", "lavfi", "-i", SOURCE, *CASES[file.name].split(), "-threads", 2, file)
    turned = folder / "turned.mp4"
    through_rust.ffmpeg("-i", files[0], "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
    for file in [*files, turned]:
        whole = {}
        for backend in through_rust.backends():
            try:
                whole[backend] = through_rust.frames(file, backend, "--all")
                yield f"{file.name} {backend}", ways(file, backend, whole[backend])
            except RuntimeError as error:
                yield f"{file.name} {backend}", str(error)
        # With more than eight bits the converter looks at the padding below the picture, which OpenCV keeps.
        if "ten-bit" not in file.name:
            for one, other in itertools.pairwise(whole.values()):
                yield f"{file.name} backends", first_difference(one, other)
            if file.name.startswith("av1"):
                continue  # The package from PyPI has no decoder for it.
            theirs = sequential(file)
            for backend, lines in whole.items():
                yield f"{file.name} {backend} and cv2", first_difference(lines, theirs)


def ways(file: pathlib.Path, backend: str, whole: list[str]) -> str | None:
    """Whether samples are lines of the whole."""
    if [line.split()[0] for line in whole] != [str(number) for number in range(len(whole))] or not whole:
        return f"{len(whole)} frames that are not numbered in order"
    last = len(whole) - 1
    for step in (1, 2, 5, 13):
        found = through_rust.frames(file, backend, "--every", str(step))
        if difference := first_difference(found, whole[::step]):
            return f"--every {step}: {difference}"
    for wanted in ([last], [0, last // 2, last], [7, 3, 9, 3], list(range(last, 0, -3))):
        found = through_rust.frames(file, backend, "--indices", ",".join(map(str, wanted)))
        if difference := first_difference(found, [whole[number] for number in sorted(wanted)]):
            return f"--indices {wanted}: {difference}"
    rate = through_rust.frames(file, backend, "--rate", "0.25")
    return first_difference(rate, whole[::4])


def sequential(file: pathlib.Path) -> list[str]:
    """The same lines from OpenCV, decoding from the start."""
    capture = cv2.VideoCapture(str(file))
    lines = []
    while (read := capture.read())[0]:
        frame = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        height, width, _ = frame.shape
        lines.append(f"{len(lines)} {width} {height} {hashlib.sha256(frame.tobytes()).hexdigest()}")
    return lines


def first_difference(found: list[str], expected: list[str]) -> str | None:
    for one, other in zip(found, expected):
        if one != other:
            return f"frame {one[:40]} instead of {other[:40]}"
    return None if len(found) == len(expected) else f"{len(found)} frames instead of {len(expected)}"
