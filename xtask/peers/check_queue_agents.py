"""Task agents with every dependency of `encord-agents`, run through its queue runner and over every type."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterable, Iterator, Sequence
from uuid import UUID

import numpy as np
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.project import Project
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord.workflow.stages.agent import AgentStage, AgentTask
from encord_agents.core.data_model import Frame
from encord_agents.core.dependencies.shares import DataLookup
from encord_agents.tasks import Depends, QueueRunner, Runner
from encord_agents.tasks import dependencies as deps
from encord_agents.tasks.models import TaskAgentReturnStruct
from numpy.typing import NDArray
from typing_extensions import Annotated

import sandbox
from checks import check, equal

# The second project over the same data, see examples/src/samples/seed.rs.
TWIN = "5e900000-0000-4000-8000-000000000002"


def _items() -> dict[str, dict]:
    return {item["name"]: item for item in sandbox.sample_seed()["datasets"][0]["items"]}


def _work_off(box, agent: Callable, titles: set[str] | None = None) -> list[dict]:
    """Puts the tasks of these data units through a queue of text, as a worker would; returns the results."""
    runner = QueueRunner(project_hash=sandbox.PROJECT)
    wrapped = runner.stage("Find things")(agent)
    (stage,) = runner.get_agent_stages()
    tasks = [task for task in stage.get_tasks() if titles is None or task.data_title in titles]
    return [json.loads(wrapped(task.model_dump_json())) for task in tasks]


def _succeeded(results: list[dict], count: int) -> None:
    equal([result["error"] for result in results], [None] * count, "errors")
    equal({result["success"] for result in results}, {True}, "whether all succeeded")


def _at_rank(box) -> set[str]:
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    return {task["data_title"] for task in state["tasks"] if task["stage_uuid"] == sandbox.RANK_STAGE}


@check("queue: tasks of every type are done, with all that is known of them")
def every_type(box) -> None:
    kinds, metadata = {}, {}

    def agent(
        task: AgentTask,
        stage: AgentStage,
        project: Project,
        row: LabelRowV2,
        item: StorageItem,
        same: Annotated[StorageItem, Depends(deps.dep_storage_item)],
        client: Annotated[EncordUserClient, Depends(deps.dep_client)],
    ) -> str:
        equal((str(stage.uuid), project.project_hash), (sandbox.FIND_STAGE, sandbox.PROJECT), "stage and project")
        equal((row.data_hash, item.uuid), (str(task.data_hash), row.backing_item_uuid), "row and item")
        equal(client.get_storage_item(same.uuid).name, task.data_title, "item through the client")
        kinds[task.data_title], metadata[task.data_title] = item.item_type.value, item.client_metadata
        row.save()
        return "found"

    items = _items()
    _succeeded(_work_off(box, agent), len(items))
    # Seeds write types with underscores, the platform in camel case.
    types = {name: item["type"].title().replace("_", "") for name, item in items.items()}
    equal({name: kind[0].upper() + kind[1:] for name, kind in kinds.items()}, types, "types")
    equal(metadata, {name: item["client_metadata"] for name, item in items.items()}, "client metadata")
    equal(_at_rank(box), set(items), "tasks moved")


@check("queue: files and first frames are read for the types that have them")
def media(box) -> None:
    contents, shapes = {}, {}

    def asset(task: AgentTask, asset: Annotated[Path, Depends(deps.dep_asset)]) -> str:
        contents[task.data_title] = asset.read_bytes()
        return "found"

    def frame(task: AgentTask, frame: Annotated[NDArray[np.uint8], Depends(deps.dep_single_frame)]) -> str:
        shapes[task.data_title] = frame.shape
        return "found"

    files = {"street.jpg", "call.wav", "report.txt", "letter.pdf", "brain.nii.gz"}
    _succeeded(_work_off(box, asset, files), len(files))
    equal(contents, {name: (sandbox.samples() / name).read_bytes() for name in files}, "files")
    pictures = {"plan.png": (260, 200, 3), "ride.mp4": (240, 320, 3), "steps": (240, 320, 3), "views": None}
    _succeeded(_work_off(box, frame, set(pictures)), len(pictures))
    height, width = shapes.pop("views")[:2]
    assert height > 0 and width > 0, "size of the first picture of a group"
    del pictures["views"]
    equal(shapes, pictures, "shapes")


@check("queue: videos are iterated over and sampled")
def video(box) -> None:
    numbers = {}

    def agent(
        frames: Annotated[Iterator[Frame], Depends(deps.dep_video_iterator)],
        sampler: Annotated[Callable[[float | Sequence[int]], Iterable[Frame]], Depends(deps.dep_video_sampler)],
    ) -> str:
        numbers["all"] = [frame.frame for frame in frames]
        numbers["third"] = [frame.frame for frame in sampler(1 / 3)]
        return "found"

    _succeeded(_work_off(box, agent, {"ride.mp4"}), 1)
    equal(numbers, {"all": list(range(30)), "third": list(range(0, 30, 3))}, "frames")


@check("queue: twins are found in the other project, with their task")
def twins(box) -> None:
    found = {}
    twin_of = deps.dep_twin_label_row(TWIN, include_task=True)

    def agent(task: AgentTask, row: LabelRowV2, twin: Annotated[deps.Twin, Depends(twin_of)]) -> str:
        found[task.data_title] = twin.label_row.data_hash == row.data_hash
        equal(twin.label_row.is_labelling_initialised, True, "whether the twin is initialised")
        equal(twin.task.data_hash, task.data_hash, "task of the twin")
        assert twin.task.uuid != task.uuid, "the twin has the task of this project"
        return "found"

    _succeeded(_work_off(box, agent), len(_items()))
    equal(found, dict.fromkeys(_items(), True), "twins")


@check("queue: data is looked up by hash")
def lookup(box) -> None:
    # The reference keeps what it looked up for the life of the process; each sandbox has hashes of its own.
    DataLookup.__instances__.clear()
    found = {}

    def agent(task: AgentTask, lookup: Annotated[DataLookup, Depends(deps.dep_data_lookup)]) -> str:
        row, item = lookup.get_data_row(task.data_hash), lookup.get_storage_item(task.data_hash)
        found[task.data_title] = (row.title, item.name)
        return "found"

    _succeeded(_work_off(box, agent), len(_items()))
    equal(found, {name: (name, name) for name in _items()}, "titles")


@check("queue: an agent that fails is told with its trace, and its task stays")
def failure(box) -> None:
    def agent(task: AgentTask) -> str:
        raise RuntimeError("no idea what this is")

    (result,) = _work_off(box, agent, {"ct"})
    equal(result["success"], False, "success")
    assert "no idea what this is" in result["error"], result
    equal(_at_rank(box), set(), "tasks moved")


@check("queue: pathways can be chosen by uuid, and labels and priorities go with them")
def pathways(box) -> None:
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        pathway = UUID("5e900000-0000-4000-8000-000000000021")
        return TaskAgentReturnStruct(pathway=pathway, label_row=row, label_row_priority=0.25)

    _succeeded(_work_off(box, agent, {"letter.pdf"}), 1)
    row = box.row("letter.pdf")
    equal((row.workflow_graph_node.title, row.priority), ("Annotate", 0.25), "stage and priority")


@check("agents: the sequential runner stops after as many tasks as allowed, and resumes")
def limited(box) -> None:
    seen = []
    runner = Runner(project_hash=sandbox.PROJECT)

    @runner.stage("Find things")
    def find(task: AgentTask) -> str:
        seen.append(task.data_title)
        return "found"

    runner(task_batch_size=2, max_tasks_per_stage=4)
    equal((len(seen), len(_at_rank(box))), (4, 4), "tasks of the first run")
    runner()
    equal((sorted(seen), _at_rank(box)), (sorted(_items()), set(_items())), "tasks of both runs")


@check("agents: the command line of the reference names the agent stages")
def command_line(box) -> None:
    command = [sys.executable, "-c", "from encord_agents.cli.main import app; app()", "print", "agent-nodes"]
    done = subprocess.run([*command, sandbox.PROJECT], capture_output=True, text=True, timeout=120)
    equal(done.returncode, 0, f"exit code ({done.stderr[-500:]})")
    for text in ("Find things", sandbox.FIND_STAGE, "Rank", sandbox.RANK_STAGE):
        assert text in done.stdout, f"{text!r} is not in {done.stdout!r}"
    assert "Annotate" not in done.stdout, "a stage for people is listed"
