"""Every dependency of `encord-agents` on every type of data: the sequential runner, the queue runner and custom agents
get the same from what can give it, and an error from what cannot."""

import json
import uuid
from pathlib import Path
from typing import Callable, Iterable, Iterator, Sequence

import numpy as np
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord.workflow.stages.agent import AgentTask
from encord_agents import FrameData
from encord_agents.core.data_model import Frame, LabelRowInitialiseLabelsArgs, LabelRowMetadataIncludeArgs
from encord_agents.core.dependencies.shares import DataLookup
from encord_agents.fastapi import dependencies as custom
from encord_agents.fastapi.cors import get_encord_app
from encord_agents.tasks import Depends, QueueRunner, Runner
from encord_agents.tasks import dependencies as deps
from encord_agents.tasks.models import TaskAgentReturnStruct
from fastapi import Depends as Provides
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from typing_extensions import Annotated

import sandbox
from checks import check, equal

TWIN = "5e900000-0000-4000-8000-000000000002"
ITEMS = ("street.jpg", "plan.png", "views", "steps", "ride.mp4", "call.wav", "report.txt", "letter.pdf", "ct",
         "brain.nii.gz", "pair")  # fmt: skip
FILES = {"street.jpg", "plan.png", "steps", "ride.mp4", "call.wav", "report.txt", "letter.pdf", "brain.nii.gz"}
PICTURES = {"street.jpg", "plan.png", "views", "steps", "ride.mp4"}
MANY = 520

Sampler = Callable[[float | Sequence[int]], Iterable[Frame]]


def _asset(seen: dict) -> Callable:
    def agent(task: AgentTask, asset: Annotated[Path, Depends(deps.dep_asset)]) -> str:
        seen[task.data_title] = asset.stat().st_size > 0
        return "ranked"

    return agent


def _frame(seen: dict) -> Callable:
    def agent(task: AgentTask, frame: Annotated[NDArray[np.uint8], Depends(deps.dep_single_frame)]) -> str:
        seen[task.data_title] = frame.ndim == 3
        return "ranked"

    return agent


def _iterator(seen: dict) -> Callable:
    def agent(task: AgentTask, frames: Annotated[Iterator[Frame], Depends(deps.dep_video_iterator)]) -> str:
        seen[task.data_title] = sum(1 for _ in frames) > 1
        return "ranked"

    return agent


def _sampler(seen: dict) -> Callable:
    def agent(task: AgentTask, sampler: Annotated[Sampler, Depends(deps.dep_video_sampler)]) -> str:
        seen[task.data_title] = [frame.frame for frame in sampler([0, 5])] == [0, 5]
        return "ranked"

    return agent


# What makes an agent, and the data units that can give it what it asks for.
MEDIA = {
    "asset": (_asset, FILES),
    "first frame": (_frame, PICTURES),
    "iterator": (_iterator, {"ride.mp4", "steps"}),
    "sampler": (_sampler, {"ride.mp4"}),
}


def _forget_lookups() -> None:
    """The reference keeps what it looked up for the life of the process; each sandbox has hashes of its own."""
    DataLookup.__instances__.clear()


def _at(box, stage: str) -> list:
    return list(box.project().workflow.get_stage(uuid=stage).get_tasks())


def _to_rank(box, title: str | None = None) -> None:
    for task in _at(box, sandbox.FIND_STAGE):
        if title in (None, task.data_title):
            task.proceed(pathway_name="found")


def _compare(outcomes: dict[str, bool], able: set[str], what: str) -> None:
    equal({title for title, good in outcomes.items() if good}, able, f"data units with {what}")
    equal(set(outcomes), set(ITEMS), "data units tried")


def _sequentially(make: Callable) -> Callable:
    """One run per data unit, since an error in a dependency ends the reference's run."""

    def run(box) -> None:
        factory, able = MEDIA[make]
        outcomes = {}
        for title in ITEMS:
            _to_rank(box, title)
            runner, seen = Runner(project_hash=sandbox.PROJECT), {}
            runner.stage("Rank")(factory(seen))
            try:
                runner()
            except BaseException as error:  # The reference aborts through its command line.
                print(f"{title}: {error!r}")
            outcomes[title] = seen.get(title, False)
            left = {task.data_title for task in _at(box, sandbox.RANK_STAGE)}
            equal(title in left, not outcomes[title], f"whether {title} stayed")
            for task in _at(box, sandbox.RANK_STAGE):
                task.proceed(pathway_name="ranked")
        _compare(outcomes, able, make)

    return run


def _queued(make: Callable) -> Callable:
    def run(box) -> None:
        factory, able = MEDIA[make]
        _to_rank(box)
        runner, seen = QueueRunner(project_hash=sandbox.PROJECT), {}
        work = runner.stage("Rank")(factory(seen))
        (stage,) = runner.get_agent_stages()
        results = {task.data_title: json.loads(work(task.model_dump_json())) for task in stage.get_tasks()}
        _compare({title: result["success"] for title, result in results.items()}, able, make)
        equal(seen, dict.fromkeys(able, True), "what the agent saw")
        for title in set(ITEMS) - able:
            assert results[title]["error"], f"{title} has no error"

    return run


for _name in MEDIA:
    check(f"sweep: the sequential runner and the {_name} of every type")(_sequentially(_name))
    check(f"sweep: the queue runner and the {_name} of every type")(_queued(_name))


@check("sweep: the sequential runner with row, item, twin and lookup of every type, saving all of them")
def sequential_everything(box) -> None:
    _forget_lookups()
    found = {}
    twin_of = deps.dep_twin_label_row(TWIN, include_task=True)
    runner = Runner(project_hash=sandbox.PROJECT)

    @runner.stage(
        "Find things",
        label_row_metadata_include_args=LabelRowMetadataIncludeArgs(include_client_metadata=True),
        label_row_initialise_labels_args=LabelRowInitialiseLabelsArgs(include_signed_url=True),
    )
    def agent(
        task: AgentTask,
        row: LabelRowV2,
        item: Annotated[StorageItem, Depends(deps.dep_storage_item)],
        client: Annotated[EncordUserClient, Depends(deps.dep_client)],
        twin: Annotated[deps.Twin, Depends(twin_of)],
        lookup: Annotated[DataLookup, Depends(deps.dep_data_lookup)],
    ) -> TaskAgentReturnStruct:
        equal((item.name, twin.label_row.data_hash, twin.task.data_hash),
              (task.data_title, row.data_hash, task.data_hash), "item and twin")  # fmt: skip
        equal(lookup.get_storage_item(task.data_hash).uuid, item.uuid, "item looked up")
        equal(row.client_metadata, item.client_metadata, "client metadata")
        equal(client.get_storage_item(item.uuid).uuid, item.uuid, "item through the client")
        found[task.data_title] = True
        return TaskAgentReturnStruct(pathway="found", label_row=row, label_row_priority=0.125)

    runner()
    equal(found, dict.fromkeys(ITEMS, True), "data units")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    equal({row["saves"] for row in state["rows"]}, {1}, "saves")
    equal({task["priority"] for task in state["tasks"]}, {0.125}, "priorities")


def _custom(agent: Callable, row: LabelRowV2, **headers: str) -> bool:
    """Serves the agent and calls it for the first frame; whether it went well."""
    app = get_encord_app()
    app.post("/agent")(agent)
    body = {"projectHash": sandbox.PROJECT, "dataHash": row.data_hash, "frame": 0}
    try:
        answer = TestClient(app).post("/agent", json=body, headers=headers)
        print(f"{row.data_title}: {answer.status_code} {answer.text[:500]}")
        return answer.status_code == 200
    except Exception as error:
        print(f"{row.data_title}: {error!r}")
        return False


@check("sweep: custom agents and the media of every type")
def custom_media(box) -> None:
    def asset(asset: Annotated[Path, Provides(custom.dep_asset)]) -> None:
        assert asset.stat().st_size > 0

    def frame(frame: Annotated[NDArray[np.uint8], Provides(custom.dep_single_frame)]) -> None:
        equal(frame.ndim, 3, "dimensions")

    def frames(frames: Annotated[Iterator[Frame], Provides(custom.dep_video_iterator)]) -> None:
        assert sum(1 for _ in frames) > 1

    rows = {row.data_title: row for row in box.project().list_label_rows_v2()}
    # A frame is asked for, so a group of images can give the file of one too.
    for agent, able in ((asset, FILES | {"views"}), (frame, PICTURES), (frames, {"ride.mp4", "steps"})):
        _compare({title: _custom(agent, row) for title, row in rows.items()}, able, agent.__name__)


@check("sweep: custom agents with row, item, project and lookup of every type, and the caller's trace id")
def custom_everything(box) -> None:
    def agent(
        frame_data: FrameData,
        row: Annotated[LabelRowV2, Provides(custom.dep_label_row)],
        item: Annotated[StorageItem, Provides(custom.dep_storage_item)],
        client: Annotated[EncordUserClient, Provides(custom.dep_client)],
        lookup: Annotated[DataLookup, Provides(custom.dep_data_lookup)],
        trace: Annotated[str | None, Provides(custom.dep_trace_id)],
    ) -> None:
        equal((row.data_hash, item.uuid), (str(frame_data.data_hash), row.backing_item_uuid), "row and item")
        equal(lookup.get_data_row(frame_data.data_hash).title, row.data_title, "row looked up")
        equal(client.get_project(frame_data.project_hash).project_hash, sandbox.PROJECT, "project")
        assert trace, "no trace id"

    _forget_lookups()
    for row in box.project().list_label_rows_v2():
        equal(_custom(agent, row, **{"X-Cloud-Trace-Context": f"{uuid.uuid4().hex}/1;o=1"}), True, row.data_title)


def many() -> dict:
    """The sample seed with one dataset of many images."""
    seed = sandbox.sample_seed()
    seed["datasets"][0]["items"] = [{"generate": "image", "count": MANY}]
    return seed


@check(f"sweep: none of {MANY} tasks is skipped or done twice while they leave between pages", seed=many)
def pages(box) -> None:
    seen = []
    runner = Runner(project_hash=sandbox.PROJECT)

    @runner.stage("Find things")
    def agent(task: AgentTask, row: LabelRowV2, item: StorageItem) -> TaskAgentReturnStruct:
        seen.append(task.uuid)
        return TaskAgentReturnStruct(pathway="found", label_row=row)

    runner(task_batch_size=70)
    equal((len(seen), len(set(seen))), (MANY, MANY), "tasks")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    equal({(task["stage_uuid"], task["moved"]) for task in state["tasks"]}, {(sandbox.RANK_STAGE, 1)}, "where they are")
    equal({row["saves"] for row in state["rows"]}, {1}, "saves")
