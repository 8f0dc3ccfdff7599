"""State that outlives the program: after a proper end and after one that leaves no time for anything."""

import signal
import urllib.request

from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates

import sandbox
from checks import check, equal


def _work(box) -> None:
    """One change of each kind."""
    row = box.row("street.jpg")
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=0.5, top_left_y=0.25))
    row.add_object_instance(instance)
    row.save()
    row.set_priority(0.75)
    tasks = box.project().workflow.get_stage(name="Find things").get_tasks()
    next(task for task in tasks if task.data_title == "street.jpg").proceed(pathway_name="found")
    folder = box.client().create_storage_folder("Kept")
    folder.upload_image(sandbox.samples() / "plan.png", title="kept.png", client_metadata={"n": 1})


def _state(box) -> dict:
    return box.own("GET", f"state/projects/{sandbox.PROJECT}?documents=true")


def _is_there(box) -> None:
    """Looks for the changes with the real package."""
    row = box.row("street.jpg")
    equal((row.priority, row.workflow_graph_node.title), (0.75, "Rank"), "priority and stage")
    row.initialise_labels()
    (instance,) = row.get_object_instances()
    equal(instance.get_annotation(0).coordinates.top_left_x, 0.5, "box")
    (folder,) = box.client().list_storage_folders(search="Kept")
    (item,) = folder.list_items(get_signed_urls=True)
    equal((item.name, item.client_metadata), ("kept.png", {"n": 1}), "uploaded item")
    with urllib.request.urlopen(item.get_signed_url(), timeout=30) as response:
        equal(response.read(), (sandbox.samples() / "plan.png").read_bytes(), "uploaded bytes")


@check("persistence: everything is there after a proper end", keep=True)
def proper_end(box) -> None:
    _work(box)
    before = _state(box)
    equal(box.restart(signal.SIGTERM), 0, "exit code")
    equal(_state(box), before, "state")
    _is_there(box)


@check("persistence: everything that was answered is there after kill -9", keep=True)
def killed(box) -> None:
    _work(box)
    before = _state(box)
    equal(box.restart(signal.SIGKILL), -signal.SIGKILL, "exit code")
    equal(_state(box), before, "state")
    _is_there(box)


@check("persistence: without a folder nothing is kept")
def memory_only(box) -> None:
    _work(box)
    box.restart(signal.SIGTERM)
    state = _state(box)
    equal({task["moved"] for task in state["tasks"]}, {0}, "moves")
    equal(list(box.client().list_storage_folders(search="Kept")), [], "folders")
