"""The measurements of the runner and of twin projects: each run has a sandbox process of its own."""

import contextlib
import json
import pathlib
import statistics
import sys
import urllib.request
from typing import Iterator

from measure import Case, Side
from surroundings import sandbox, seed

HERE = pathlib.Path(__file__).parent
PROJECT = "be000000-0000-4000-8000-000000000001"
TWIN = "be000000-0000-4000-8000-000000000002"
STAGE = "Agent"
# How long the sandbox waits before it sends a file, in milliseconds.
FILE_LATENCY = 50


def runner(programs: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    """Throughput, downloads, memory."""
    yield from throughput(programs, work, 300 if quick else 5000)
    yield downloads(programs, work, 40 if quick else 200)
    yield memory(programs, work, 2000, 20_000 if quick else 200_000)


def twins(programs: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    """The time to the first call of an agent that sees a twin project of a given size. The reference is not asked
    for the largest one: it lists every row."""
    for size in [1000, 10_000] if quick else [10_000, 100_000, 1_000_000]:
        sides = {"ours": [programs / "bench_twin", PROJECT, STAGE, TWIN]}
        if size <= 100_000:
            sides["theirs"] = theirs("twin", TWIN)
        goal = 100 if size == 100_000 else None
        surroundings = lambda size=size: sandbox(programs, work, with_twin(size))  # noqa: E731
        yield Case(f"twin of {size} rows", sides, surroundings, rounds=2, goal_ratio=goal)


def ours(programs: pathlib.Path, work_done: str) -> list:
    return [programs / "bench_runner", PROJECT, STAGE, work_done]


def theirs(*work_done: str) -> list:
    return [sys.executable, HERE / "reference_runner.py", PROJECT, STAGE, *work_done]


def throughput(programs: pathlib.Path, work: pathlib.Path, count: int) -> Iterator[Case]:
    """Moving tasks with an agent that does nothing, and one that loads label rows and items and saves."""
    for work_done in ("noop", "save"):
        sides = {
            "ours": ours(programs, work_done),
            "theirs": theirs(work_done),
            "floor": [programs / "bench_floor", PROJECT, STAGE, work_done],
        }
        surroundings = lambda: sandbox(programs, work, project(images(count)))  # noqa: E731
        goals = {"goal_ratio": 2, "goal_cpu": 10, "goal_floor": 0.7}
        yield Case(f"runner {work_done} {count} tasks", sides, surroundings, **goals)


def downloads(programs: pathlib.Path, work: pathlib.Path, count: int) -> Case:
    """An agent that works 20 ms on a video that takes longer to arrive. The floor is the work alone."""
    sides = {
        "ours": ours(programs, "assets"),
        "theirs": theirs("assets"),
        "floor": ours(programs, "work-only"),
        "one by one": ours(programs, "assets-one-by-one"),
    }

    def hidden(sides: dict[str, Side]) -> str:
        ahead, floor, serial = (statistics.median(sides[name].seconds) for name in ("ours", "floor", "one by one"))
        share = 1 - (ahead - floor) / (serial - floor)
        return f"one by one {serial:.2f} s: fetching ahead hides {share:.0%} of {serial - floor:.2f} s of downloads"

    @contextlib.contextmanager
    def slow_files() -> Iterator[dict[str, str]]:
        with sandbox(programs, work, project(videos(work, count))) as variables:
            delay(variables["ENCORD_DOMAIN"])
            yield variables

    return Case(f"runner {count} videos", sides, slow_files, remark=hidden, rounds=2)


def memory(programs: pathlib.Path, work: pathlib.Path, few: int, many: int) -> Case:
    """Peak memory with many tasks in one stage beside that with few."""

    def ratio(sides: dict[str, Side]) -> str:
        more, less = (statistics.median(sides[name].peak_bytes) for name in ("ours", "few"))
        return f"peak memory {more / 2**20:.1f} MB, with {few} tasks {less / 2**20:.1f} MB: {more / less:.2f} times"

    def filled(count: int):
        return lambda: sandbox(programs, work, project(images(count)))

    sides = {"ours": ours(programs, "noop"), "few": ours(programs, "noop")}
    name, fewer = f"runner memory {many} tasks", {"few": filled(few)}
    return Case(name, sides, filled(many), remark=ratio, rounds=1, surroundings_of=fewer)


def delay(url: str) -> None:
    """Makes the sandbox wait before it sends a file."""
    rule = {"endpoint": "GET /_blobs/*", "latency_ms": FILE_LATENCY}
    body = json.dumps({"seed": 1, "rules": [rule]}).encode()
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/faults", body, headers, method="PUT")).close()


def videos(work: pathlib.Path, count: int) -> list[dict]:
    """Video items that share one file."""
    clip = work / "clip.mp4"
    if not clip.exists():
        write_clip(clip)
    return [{"type": "video", "name": f"{number}.mp4", "file": str(clip.absolute())} for number in range(count)]


def write_clip(path: pathlib.Path) -> None:
    """Two seconds of noise, which no codec makes small."""
    import cv2
    import numpy

    noise = numpy.random.default_rng(1)
    clip = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, (640, 360))
    for _ in range(30):
        clip.write(noise.integers(0, 255, (360, 640, 3), numpy.uint8))
    clip.release()


def images(count: int) -> list[dict]:
    return [{"generate": "image", "count": count, "width": 16, "height": 16, "client_metadata": {}}]


def project(items: list[dict]) -> dict:
    return seed(PROJECT, STAGE, items)


def with_twin(size: int) -> dict:
    """A project of one batch, and a twin that has the same data and much more."""
    batch, more = 300, "be000000-0000-4000-8000-000000000007"
    both = project(images(batch))
    both["datasets"].append({"dataset_hash": more, "title": "More", "items": images(size - batch)})
    (own,) = both["projects"]
    both["projects"].append({**own, "project_hash": TWIN, "title": "Twin", "datasets": [*own["datasets"], more]})
    return both
