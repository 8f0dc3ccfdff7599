"""Custom agents: the FastAPI dependencies of `encord-agents`, called as the label editor calls them."""

from pathlib import Path
from typing import Iterator
from uuid import uuid4

import cv2
import numpy as np
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.objects.ontology_object_instance import ObjectInstance
from encord.project import Project
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord_agents import FrameData
from encord_agents.core.data_model import Frame, InstanceCrop
from encord_agents.fastapi import dependencies as deps
from encord_agents.fastapi.cors import get_encord_app
from fastapi import Depends
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from typing_extensions import Annotated

import sandbox
from checks import check, equal


def _call(agent, row: LabelRowV2, frame: int = 0, project: str = sandbox.PROJECT, **more):
    """Serves this one agent and calls it for a frame of a row."""
    app = get_encord_app()
    app.post("/agent")(agent)
    body = {"projectHash": project, "dataHash": row.data_hash, "frame": frame, **more}
    return TestClient(app).post("/agent", json=body)


def _boxed(box) -> tuple[LabelRowV2, ObjectInstance]:
    """The street with a box over its middle."""
    row = box.row("street.jpg")
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=0.25, top_left_y=0.25))
    row.add_object_instance(instance)
    row.save()
    return row, instance


def _frames(name: str, count: int) -> list[NDArray[np.uint8]]:
    """The first frames of a sample, blue first as OpenCV has them."""
    capture = cv2.VideoCapture(str(sandbox.samples() / name))
    return [capture.read()[1] for _ in range(count)]


@check("custom agents: get the frame, its row, item, project and client")
def basics(box) -> None:
    def agent(
        frame_data: FrameData,
        client: Annotated[EncordUserClient, Depends(deps.dep_client)],
        project: Annotated[Project, Depends(deps.dep_project)],
        row: Annotated[LabelRowV2, Depends(deps.dep_label_row)],
        item: Annotated[StorageItem, Depends(deps.dep_storage_item)],
    ) -> dict:
        return {
            "frame": frame_data.frame,
            "project": project.title,
            "by client": client.get_project(frame_data.project_hash).title,
            "row": row.data_title,
            "ready": row.is_labelling_initialised,
            "item": str(item.uuid),
        }

    row = box.row("ride.mp4")
    title = "Samples, one after another"
    expected = {
        "frame": 3, "project": title, "by client": title,
        "row": "ride.mp4", "ready": True, "item": str(row.backing_item_uuid),
    }  # fmt: skip
    answer = _call(agent, row, frame=3)
    equal((answer.status_code, answer.json()), (200, expected), "answer")


@check("custom agents: get the pixels of the frame that is looked at")
def single_frame(box) -> None:
    frames = {}

    def agent(frame_data: FrameData, frame: Annotated[NDArray[np.uint8], Depends(deps.dep_single_frame)]) -> None:
        frames[frame_data.frame] = frame

    for number in (0, 17):
        equal(_call(agent, box.row("ride.mp4"), frame=number).status_code, 200, "status")
    expected = [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in _frames("ride.mp4", 18)]
    for number in (0, 17):
        equal(np.array_equal(frames[number], expected[number]), True, f"pixels of frame {number}")
    equal(np.array_equal(frames[0], frames[17]), False, "whether both frames are the same")


@check("custom agents: get the file of every type that has one, and of a video the frame")
def assets(box) -> None:
    contents = {}

    def agent(
        row: Annotated[LabelRowV2, Depends(deps.dep_label_row)], asset: Annotated[Path, Depends(deps.dep_asset)]
    ) -> None:
        contents[row.data_title] = asset.read_bytes()

    names = ("street.jpg", "call.wav", "report.txt", "letter.pdf", "brain.nii.gz")
    for name in names:
        equal(_call(agent, box.row(name)).status_code, 200, f"status for {name}")
    equal(set(contents), set(names), "rows")
    for name in names:
        equal(contents[name], (sandbox.samples() / name).read_bytes(), f"bytes of {name}")
    equal(_call(agent, box.row("ride.mp4"), frame=5).status_code, 200, "status for a video")
    picture = cv2.imdecode(np.frombuffer(contents["ride.mp4"], np.uint8), cv2.IMREAD_COLOR)
    equal(np.array_equal(picture, _frames("ride.mp4", 6)[5]), True, "pixels of frame 5")


@check("custom agents: iterate over the frames of a video")
def video(box) -> None:
    def agent(frames: Annotated[Iterator[Frame], Depends(deps.dep_video_iterator)]) -> list[int]:
        return [frame.frame for frame in frames]

    equal(_call(agent, box.row("ride.mp4")).json(), list(range(30)), "frames")


@check("custom agents: get the objects that were chosen, and their crops")
def objects(box) -> None:
    def agent(
        chosen: Annotated[list[ObjectInstance], Depends(deps.dep_objects)],
        crops: Annotated[list[InstanceCrop], Depends(deps.dep_object_crops())],
    ) -> dict:
        return {"chosen": [one.object_hash for one in chosen], "crops": [one.content.shape for one in crops]}

    row, instance = _boxed(box)
    answer = _call(agent, row, objectHashes=[instance.object_hash])
    expected = {"chosen": [instance.object_hash], "crops": [[120, 80, 3]]}
    equal((answer.status_code, answer.json()), (200, expected), "answer")


@check("custom agents: save labels, which are there afterwards")
def saves(box) -> None:
    def agent(frame_data: FrameData, row: Annotated[LabelRowV2, Depends(deps.dep_label_row)]) -> None:
        instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
        corners = BoundingBoxCoordinates(height=0.5, width=0.5, top_left_x=0.125, top_left_y=0.25)
        instance.set_for_frames(corners, frames=frame_data.frame)
        row.add_object_instance(instance)
        row.save()

    equal(_call(agent, box.row("ride.mp4"), frame=21).status_code, 200, "status")
    row = box.row("ride.mp4")
    row.initialise_labels()
    (instance,) = row.get_object_instances()
    equal([one.frame for one in instance.get_annotations()], [21], "frames with the box")


@check("custom agents: a project that may not be seen is answered with 403")
def refused(box) -> None:
    def agent(row: Annotated[LabelRowV2, Depends(deps.dep_label_row)]) -> None:
        raise AssertionError("the agent ran")

    equal(_call(agent, box.row("street.jpg"), project=str(uuid4())).status_code, 403, "status")
