"""Runs the example programs of `encord-media` and reads the arrays they leave."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
LIBRARIES = {"ffmpeg": ["libavcodec", "libavformat", "libswscale"], "opencv": ["opencv4"]}


def arrays(jobs: list[tuple[str, pathlib.Path]], folder: pathlib.Path) -> list[tuple[dict, np.ndarray | None]]:
    """What the program `arrays` says about each job, a kind and a file, and the array if there is one."""
    targets = [folder / f"ours-{number}.raw" for number in range(len(jobs))]
    lines = "".join(f"{kind}\t{file}\t{target}\n" for (kind, file), target in zip(jobs, targets))
    program = programs()["arrays"]
    done = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        (answer, None if "error" in answer else np.fromfile(target, "<" + answer["type"]).reshape(answer["shape"]))
        for answer, target in zip(answers, targets)
    ]


@functools.cache
def programs() -> dict[str, pathlib.Path]:
    """The example programs, built with the video backends that can be built here."""
    features = [f"video-{name}" for name in backends()]
    # All of them is what the tests are built with, too.
    chosen = ["--all-features"] if len(features) == len(LIBRARIES) else ["--features", ",".join(features)]
    build = ["cargo", "build", "-q", "-p", "encord-media", "--example", "arrays", "--example", "frames", *chosen]
    messages = subprocess.run(
        [*build, "--message-format", "json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    reports = [json.loads(line) for line in messages.stdout.splitlines()]
    built = [report for report in reports if report.get("executable")]
    return {report["target"]["name"]: pathlib.Path(report["executable"]) for report in built}


def backends() -> list[str]:
    """The backends whose libraries are there; `cargo xtask setup` installs them."""
    def found(name: str) -> bool:
        return subprocess.run(["pkg-config", "--exists", *LIBRARIES[name]]).returncode == 0

    return [name for name in LIBRARIES if found(name)]


def frames(file: pathlib.Path, backend: str, *arguments: str) -> list[str]:
    """Lines of the program `frames`: number, width, height and hash."""
    command = [programs()["frames"], file, "--backend", backend, "--hash", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.splitlines()


def ffmpeg(*arguments: object) -> None:
    """Runs the `ffmpeg` command."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)
