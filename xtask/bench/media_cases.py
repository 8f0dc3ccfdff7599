"""Frames of videos and downloads. Videos are made when they are first measured, and kept."""

import contextlib
import pathlib
import random
import shutil
import struct
import subprocess
import sys
from typing import Iterator

import surroundings
from measure import Case

REFERENCE = [sys.executable, pathlib.Path(__file__).parent / "reference_media.py"]


def cases(programs: pathlib.Path, work: pathlib.Path, quick: bool, project: str, stage: str) -> Iterator[Case]:
    """The measurements; those of frames only if the program could be built."""
    ours = programs / "bench_media"
    if not ours.exists():
        print("media: no bench_media, because this machine lacks the FFmpeg libraries (`cargo xtask setup`)")
        return
    yield from frames(ours, work, quick)
    yield downloads(programs, work, quick, project, stage)


def frames(ours: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    count = 300 if quick else 1200
    # Far apart, as what samplers take; the same on every run.
    ten = ",".join(map(str, sorted(random.Random(7).sample(range(count), 10))))

    def case(name: str, gop: int, action: list[str], floor: list, **goals: float) -> Case:
        video = work / f"video-{count}-{gop}.mp4"
        sides = {"ours": [ours, *action, video], "theirs": [*REFERENCE, *action, video], "floor": [*floor, video]}
        return Case(f"media {name}, GOP {gop}", sides, lambda: made(video, count, gop), **goals)

    decode_all = [ours, "all"]
    yield case("all frames", 120, ["all"], [*REFERENCE, "ffmpeg"], goal_ratio=1.5, goal_floor=0.95)
    beside = case("all frames beside PyAV", 120, ["all"], [*REFERENCE, "ffmpeg"])
    beside.sides["theirs"] = [*REFERENCE, "pyav", work / f"video-{count}-120.mp4"]
    yield beside
    # From here on the floor is decoding everything, which sampling must never be slower than.
    yield case("every 5th frame", 120, ["every", "5"], decode_all, goal_ratio=15, goal_floor=1)
    for gop in (30, 120, 600):
        yield case("every 100th frame", gop, ["every", "100"], decode_all, goal_ratio=2, goal_floor=1)
        yield case("ten frames", gop, ["indices", ten], decode_all, goal_ratio=2, goal_floor=1)
    yield case("last frame", 120, ["indices", str(count - 1)], decode_all, goal_ratio=1)


@contextlib.contextmanager
def made(video: pathlib.Path, count: int, gop: int) -> Iterator[dict[str, str]]:
    """Makes a video of 720 lines unless it is there."""
    if not video.exists():
        unfinished = video.with_suffix(".part.mp4")
        source = f"testsrc2=size=1280x720:rate=25:duration={count / 25}"
        coding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p"]
        keys = ["-g", gop, "-keyint_min", gop, "-sc_threshold", 0]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, *coding, *keys, unfinished]
        subprocess.run(list(map(str, command)), check=True)
        unfinished.rename(video)
    yield {}


def downloads(programs: pathlib.Path, work: pathlib.Path, quick: bool, project: str, stage: str) -> Case:
    """A large file over the loopback interface; the floor is `curl`."""
    size = (64 if quick else 512) << 20
    sound, target = work / f"silence-{size >> 20}.wav", work / "downloaded"

    @contextlib.contextmanager
    def sandbox() -> Iterator[dict[str, str]]:
        work.mkdir(parents=True, exist_ok=True)
        with sound.open("wb") as file:
            file.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", 16))
            file.write(struct.pack("<HHIIHH", 1, 1, 48000, 96000, 2, 16) + b"data" + struct.pack("<I", size))
            file.truncate(44 + size)
        items = [{"type": "audio", "name": "silence.wav", "file": str(sound.resolve())}]
        with surroundings.sandbox(programs, work, surroundings.seed(project, stage, items)) as variables:
            yield variables
        target.unlink(missing_ok=True)

    action = ["download", project, target]
    sides = {"ours": [programs / "bench_media", *action], "theirs": [*REFERENCE, *action]}
    if shutil.which("curl"):
        sides["floor"] = [*REFERENCE, "curl", project, target]
    return Case(f"media download {size >> 20} MB", sides, sandbox, goal_floor=0.9)
