"""Our example agents on a project of 520 images: every task done once, in few requests."""

import json
import subprocess
from typing import Callable

from encord_agents.tasks.models import TaskCompletionResult

import sandbox
from checks import check, equal

PROJECT = "e8000000-0000-4000-8000-000000000001"
DONE = "e8000000-0000-4000-8000-000000000002"
COUNT = 520


def many_images() -> dict:
    """One agent stage and more images than fit into one batch."""
    ontology, template, dataset = (f"e8000000-0000-4000-8000-00000000000{number}" for number in (3, 4, 5))
    stages = [
        {"type": "AGENT", "title": "Agent 1", "pathways": [{"name": "complete", "destination": DONE}]},
        {"uuid": DONE, "type": "DONE", "title": "Complete"},
    ]
    images = {"generate": "image", "count": COUNT, "width": 16, "height": 16, "client_metadata": {}}
    structure = {"objects": [], "classifications": []}
    return {
        "ontologies": [{"ontology_hash": ontology, "title": "Nothing", "structure": structure}],
        "workflow_templates": [{"template_hash": template, "title": "One stage", "stages": stages}],
        "datasets": [{"dataset_hash": dataset, "title": "Images", "items": [images]}],
        "projects": [
            {
                "project_hash": PROJECT,
                "title": "Many images",
                "ontology": ontology,
                "workflow_template": template,
                "datasets": [dataset],
            }
        ],
    }


def run(box, name: str, *arguments: str) -> dict:
    """Runs an example until the project is done; returns the sandbox's state."""
    box.own("POST", "reset-counters")
    box.run(name, "--project-hash", PROJECT, "--quiet", *arguments)
    state = box.own("GET", f"state/projects/{PROJECT}")
    equal(state["tasks_per_stage"], {"Agent 1": 0, "Complete": COUNT}, "tasks per stage")
    equal({task["moved"] for task in state["tasks"]}, {1}, "moves per task")
    return state


def requests(box) -> int:
    """How many requests came since the last reset."""
    return box.own("GET", "requests")["total"]["count"]


def register(name: str, most: int, program: str, *arguments: str) -> Callable:
    """Makes a check of one example; what the decorated function checks comes on top."""

    def decorate(further: Callable) -> Callable:
        @check(f"examples: {name}", seed=many_images)
        def examined(box) -> None:
            state = run(box, program, *arguments)
            count = requests(box)
            if count > most:
                raise AssertionError(f"{count} requests instead of at most {most}: {json.dumps(box.own('GET', 'requests'))}")
            further(state)

        return examined

    return decorate


# Ten requests per 300 tasks are allowed.
@register("noop moves every task", 17, "noop")
def noop(state: dict) -> None:
    equal(state["rows"], [], "label rows that were initialised")


@register("noop fetches and saves on demand", 20, "noop", "--with-label-row", "--with-storage-item", "--save")
def saving(state: dict) -> None:
    equal({row["saves"] for row in state["rows"]}, {1}, "saves per row")
    equal(len(state["rows"]), COUNT, "rows")


@register("priority_by_title sets every priority", 17, "priority_by_title")
def priorities(state: dict) -> None:
    values = {task["priority"] for task in state["tasks"]}
    assert None not in values and len(values) == COUNT, f"priorities: {sorted(values, key=str)[:5]}"


@check("examples: prelabel_images boxes the disc of each image and leaves the rest")
def prelabel(box) -> None:
    box.run("prelabel_images", "--project-hash", sandbox.PROJECT, "--quiet")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    moved = {task["data_title"] for task in state["tasks"] if task["moved"]}
    equal(moved, {"street.jpg", "plan.png"}, "tasks moved")
    row = box.row("street.jpg")
    row.initialise_labels()
    (disc,) = row.get_object_instances()
    corners = disc.get_annotation(0).coordinates
    # The disc has a radius of 40 pixels; JPEG blurs its rim.
    assert abs(corners.width * row.width - 80) <= 3, corners
    assert abs(corners.height * row.height - 80) <= 3, corners
    equal(disc.get_annotation(0).manual_annotation, False, "whether a person drew the box")


def moved(box) -> dict[str, float]:
    """The priorities of the data units that an example has moved."""
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    return {task["data_title"]: task["priority"] for task in state["tasks"] if task["moved"]}


@check("examples: audio_level ranks recordings by loudness")
def audio(box) -> None:
    box.run("audio_level", "--project-hash", sandbox.PROJECT, "--quiet")
    # A third of it is a tone of 0.8: a power of 0.32 / 3, or 9.7 decibels below full.
    equal({title: round(priority, 2) for title, priority in moved(box).items()}, {"call.wav": 0.84}, "priorities")


@check("examples: dicom_window looks through a bone window")
def dicom(box) -> None:
    box.run("dicom_window", "--project-hash", sandbox.PROJECT, "--quiet")
    ((title, priority),) = moved(box).items()
    equal(title, "ct", "data unit that was moved")
    # The ball is in three of five slices and small.
    assert 0.0 < priority < 0.05, priority


@check("examples: queue_producer fills a queue that queue_worker empties", seed=many_images)
def queue(box) -> None:
    arguments = ("--project-hash", PROJECT, "--queue", str(box.folder / "tasks.db"))
    equal(box.run("queue_producer", *arguments), f"{COUNT} tasks put into the queue, 0 were there already\n", "first call")
    equal(box.run("queue_producer", *arguments), f"0 tasks put into the queue, {COUNT} were there already\n", "second call")
    done = box.run("queue_worker", *arguments, "--until-empty", "--concurrency", "2", "--batch", "100")
    equal(done, f"{COUNT} done, 0 failed, 0 handed back, 0 dead, 0 redelivered\n", "what the worker did")
    status = json.loads(box.run("queue_producer", "status", *arguments, "--json"))
    expected = {"stage": "Agent 1", "waiting": 0, "running": 0, "done": COUNT, "dead": 0, "oldest_seconds": None}
    equal({key: status["stages"][0][key] for key in expected}, expected, "status")
    results = box.run("queue_producer", "results", *arguments).splitlines()
    equal(len({TaskCompletionResult.model_validate_json(line).task_uuid for line in results}), COUNT, "completions")
    equal(json.loads(box.run("queue_producer", "dead", "list", *arguments, "--json")), {"dead": []}, "dead tasks")
    state = box.own("GET", f"state/projects/{PROJECT}")
    equal(state["tasks_per_stage"], {"Agent 1": 0, "Complete": COUNT}, "tasks per stage")
    equal({task["moved"] for task in state["tasks"]}, {1}, "moves per task")
    equal({row["saves"] for row in state["rows"]}, {1}, "saves per row")


@check("examples: a program that cannot start says why on one line and exits with 2")
def cannot_start(box) -> None:
    command = [sandbox.program("noop"), "--project-hash", "00000000-0000-4000-8000-000000000000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 2, "exit code")
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
