"""What is measured. `floor` is the least that must be done: parsing to plain values, say."""

import pathlib
import subprocess
import sys
from typing import ContextManager, Iterator

import media_cases
import queue_cases
import runner_cases
import surroundings
from measure import Case
from runner_cases import PROJECT, STAGE

HERE = pathlib.Path(__file__).parent


def all_cases(programs: pathlib.Path, work: pathlib.Path, quick: bool, only: str) -> Iterator[Case]:
    """The measurements whose names contain `only`, smallest first; what they need is made on the way."""
    groups = {"labels": labels, "runner": runner_cases.runner, "twin": runner_cases.twins}
    groups |= {"sandbox": sandbox, "queue": queue, "media": media}
    # What begins with the name of one group is not looked for in another, whose inputs would be made for nothing.
    named = [group for group in groups if only.startswith(group)]
    for group in named or groups:
        yield from (case for case in groups[group](programs, work, quick) if only in case.name)


def labels(programs: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    """Reading label rows into the model and writing them back."""
    subprocess.run([sys.executable, HERE / "documents.py", work, *(["--quick"] if quick else [])], check=True)
    for document in ["boxes", "masks"] + ([] if quick else ["many_boxes"]):
        for action in ("parse", "write"):
            arguments = [action, work / f"{document}.json", work / "ontology.json"]
            yield Case(
                f"labels {action} {document}",
                {
                    "ours": [programs / "bench_labels", *arguments],
                    "theirs": [sys.executable, HERE / "reference_labels.py", *arguments],
                    "floor": [programs / "bench_labels", f"floor-{action}", *arguments[1:]],
                },
                input_bytes=arguments[1].stat().st_size,
                # A few milliseconds each.
                rounds=15 if document != "many_boxes" and not quick else None,
                goal_ratio=30,
                goal_floor=0.5,
            )


def sandbox(programs: pathlib.Path, _: pathlib.Path, quick: bool) -> Iterator[Case]:
    """A sandbox with ever more rows: starting it, a thousand pages of tasks, a thousand rows by data and by label
    hash each. A tenth of the rows has labels in the last."""
    for rows in [10_000, 100_000] + ([] if quick else [1_000_000]):
        for action in ("start", "pages", "rows"):
            yield Case(f"sandbox {action} {rows} rows", {"ours": [programs / "bench_sandbox", action, str(rows)]})


def queue(programs: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    """Running the tasks of a stage through a queue."""
    sandboxes = lambda count: serving(programs, work, count)  # noqa: E731
    yield from queue_cases.cases(programs, work, quick, sandboxes, PROJECT, STAGE)


def media(programs: pathlib.Path, work: pathlib.Path, quick: bool) -> Iterator[Case]:
    """Frames of videos and downloads."""
    yield from media_cases.cases(programs, work, quick, PROJECT, STAGE)


def serving(programs: pathlib.Path, work: pathlib.Path, count: int) -> ContextManager[dict[str, str]]:
    """A sandbox with so many tasks; gives the variables by which it is found."""
    images = [{"generate": "image", "count": count, "width": 16, "height": 16, "client_metadata": {}}]
    return surroundings.sandbox(programs, work, surroundings.seed(PROJECT, STAGE, images))
