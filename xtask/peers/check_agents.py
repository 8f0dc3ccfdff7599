"""What the `encord-agents` package does: its sequential and queue runners, with everything they can inject."""

import json
from pathlib import Path
from typing import Callable, Iterable, Iterator, Sequence
from uuid import UUID

import numpy as np
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.project import Project
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord.workflow.stages.agent import AgentStage, AgentTask
from encord_agents.core.data_model import Frame
from encord_agents.tasks import Depends, QueueRunner, Runner
from encord_agents.tasks.dependencies import (
    dep_asset,
    dep_client,
    dep_single_frame,
    dep_video_iterator,
    dep_video_sampler,
)
from encord_agents.tasks.models import TaskAgentReturnStruct
from numpy.typing import NDArray
from typing_extensions import Annotated

import sandbox
from checks import check, equal


def _titles(box, stage: str) -> set[str]:
    return {task.data_title for task in box.project().workflow.get_stage(uuid=stage).get_tasks()}


def _expected_titles() -> set[str]:
    return {item["name"] for item in sandbox.sample_seed()["datasets"][0]["items"]}


@check("agents: the sequential runner sees every type with its row, item and task")
def every_type(box) -> None:
    runner = Runner(project_hash=sandbox.PROJECT)
    seen = {}

    @runner.stage("Find things")
    def find(
        task: AgentTask,
        stage: AgentStage,
        project: Project,
        row: LabelRowV2,
        item: StorageItem,
        client: Annotated[EncordUserClient, Depends(dep_client)],
    ) -> TaskAgentReturnStruct:
        equal(str(stage.uuid), sandbox.FIND_STAGE, "stage")
        equal(project.project_hash, sandbox.PROJECT, "project")
        equal(row.data_hash, str(task.data_hash), "row of the task")
        equal(item.uuid, row.backing_item_uuid, "item of the task")
        equal(client.get_project(sandbox.PROJECT).title, project.title, "project through the injected client")
        seen[task.data_title] = item.item_type
        return TaskAgentReturnStruct(pathway="found", label_row=row, label_row_priority=0.75)

    runner()
    equal(set(seen), _expected_titles(), "data units the agent was called with")
    equal(_titles(box, sandbox.FIND_STAGE), set(), "tasks left")
    equal(_titles(box, sandbox.RANK_STAGE), _expected_titles(), "tasks moved")
    priorities = {row.priority for row in box.project().list_label_rows_v2()}
    equal(priorities, {0.75}, "priorities")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    assert state, "the sandbox's own view of the project is empty"


@check("agents: assets, first frames, iterators and samplers read what the sandbox serves")
def media(box) -> None:
    contents, shapes, numbers = {}, {}, {}

    def run(titles: set[str], agent: Callable) -> None:
        """Runs the agent in the second stage on these data units alone."""
        stage = box.project().workflow.get_stage(uuid=sandbox.FIND_STAGE)
        for task in stage.get_tasks():
            if task.data_title in titles:
                task.proceed(pathway_name="found")
        runner = Runner(project_hash=sandbox.PROJECT)
        runner.stage(UUID(sandbox.RANK_STAGE))(agent)
        runner()
        equal(_titles(box, sandbox.RANK_STAGE), set(), "tasks left by an agent for media")

    def asset(task: AgentTask, asset: Annotated[Path, Depends(dep_asset)]) -> str:
        contents[task.data_title] = asset.read_bytes()
        return "ranked"

    def first_frame(task: AgentTask, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
        shapes[task.data_title] = frame.shape
        return "ranked"

    def video(
        frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)],
        sampler: Annotated[Callable[[float | Sequence[int]], Iterable[Frame]], Depends(dep_video_sampler)],
    ) -> str:
        numbers["all"] = [frame.frame for frame in frames]
        numbers["some"] = [frame.frame for frame in sampler([3, 7, 29])]
        return "ranked"

    run({"call.wav", "report.txt", "letter.pdf"}, asset)
    for title in ("call.wav", "report.txt", "letter.pdf"):
        equal(contents.get(title), (sandbox.samples() / title).read_bytes(), f"asset {title}")
    run({"street.jpg", "plan.png", "steps"}, first_frame)
    equal(shapes, {"street.jpg": (240, 320, 3), "plan.png": (260, 200, 3), "steps": (240, 320, 3)}, "first frames")
    run({"ride.mp4"}, video)
    equal(numbers, {"all": list(range(30)), "some": [3, 7, 29]}, "frames of the video")


@check("agents: labels saved by the sequential runner are there afterwards")
def labels(box) -> None:
    runner = Runner(project_hash=sandbox.PROJECT)
    corners = BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=0.5, top_left_y=0.25)

    @runner.stage("Find things")
    def find(task: AgentTask, row: LabelRowV2) -> TaskAgentReturnStruct | None:
        if task.data_title != "street.jpg":
            return None
        instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
        instance.set_for_frames(corners)
        row.add_object_instance(instance)
        return TaskAgentReturnStruct(pathway="found", label_row=row)

    runner()
    equal(_titles(box, sandbox.RANK_STAGE), {"street.jpg"}, "tasks moved")
    row = box.row("street.jpg")
    row.initialise_labels()
    (instance,) = row.get_object_instances()
    equal(instance.get_annotation(0).coordinates, corners, "box")


@check("agents: the queue runner takes task specs and returns results")
def queue(box) -> None:
    runner = QueueRunner(project_hash=sandbox.PROJECT)

    @runner.stage("Find things")
    def find(task: AgentTask, row: LabelRowV2) -> str:
        return "found"

    (stage,) = runner.get_agent_stages()
    specs = [task.model_dump_json() for task in stage.get_tasks()]
    equal(len(specs), len(_expected_titles()), "task specs")
    first = json.loads(find(specs[0]))
    equal((first["success"], first["error"]), (True, None), "single result")
    repeated = json.loads(find(specs[0]))
    equal((repeated["success"], repeated["error"]), (False, None), "result of a task that has left")
    rest = json.loads(find(specs[1:]))
    equal(len(rest["success"]), len(specs) - 1, "results of a batch")
    equal(_titles(box, sandbox.RANK_STAGE), _expected_titles(), "tasks moved")
