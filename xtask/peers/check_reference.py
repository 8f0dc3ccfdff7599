"""The seed with the fixed ids that the reference's own integration tests expect, used as they use it: a project is
made from the template, an agent works through it, the project is deleted."""

import json
import pathlib
import subprocess
import sys

from encord.exceptions import AuthorisationError
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.orm.project import Project
from encord.storage import StorageItem
from encord_agents.core.data_model import LabelRowInitialiseLabelsArgs, LabelRowMetadataIncludeArgs
from encord_agents.tasks import Runner

import sandbox
from checks import check, equal, raises

SCRIPT = pathlib.Path(__file__).parents[2] / "encord-sandbox" / "seeds" / "reference.py"
ONTOLOGY = "6d8bb167-0c9d-43b1-a577-3da0693d664e"
ONE_OF_EACH = "5d06b07b-135a-4c6d-ba5d-fa7048d996da"
MANY_IMAGES = "d0370f27-da4c-48fa-8502-049b55e26a5f"
TEMPLATE = "a59b3190-09e2-432c-a8bb-f2925872e298"
AGENT_STAGE = "6011c844-fb26-438b-b465-0b0825951015"
PATHWAY = "49a786f3-5edf-4b94-aff0-3da9042d3bf0"
TYPES = {"image", "imageGroup", "imageSequence", "pdf", "audio", "plainText", "group", "video"}


def reference() -> dict:
    """What the script writes beside the samples."""
    done = subprocess.run([sys.executable, SCRIPT, sandbox.samples()], check=True, capture_output=True, text=True)
    equal(done.stderr, "", "types that were left out")
    return json.loads((sandbox.samples() / "reference.json").read_text())


def _project(box, dataset: str) -> str:
    return box.client().create_project(
        "reference", [dataset], ontology_hash=ONTOLOGY, workflow_template_hash=TEMPLATE
    )


@check("reference: one item of each type goes through a project made from the template", seed=reference)
def one_of_each(box) -> None:
    made = _project(box, ONE_OF_EACH)
    runner = Runner(project_hash=made)
    seen = {}

    @runner.stage(
        AGENT_STAGE,
        label_row_metadata_include_args=LabelRowMetadataIncludeArgs(include_client_metadata=True),
        label_row_initialise_labels_args=LabelRowInitialiseLabelsArgs(include_signed_url=True),
    )
    def look(row: LabelRowV2, item: StorageItem) -> str:
        seen[item.item_type.value] = (row.client_metadata, item.client_metadata)
        if item.item_type.value == "image":
            box_class = row.ontology_structure.get_child_by_hash("PXFZO2ra", type_=Object)
            instance = box_class.create_instance()
            instance.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.5, top_left_x=0, top_left_y=0))
            row.add_object_instance(instance)
            row.save()
        return PATHWAY

    runner()
    equal(set(seen), TYPES, "types")
    for kind, found in seen.items():
        equal(found, ({"a": "b", "item_type": kind},) * 2, f"metadata of {kind}")
    state = box.own("GET", f"state/projects/{made}")
    equal(state["tasks_per_stage"], {"Agent 1": 0, "Complete": len(TYPES)}, "tasks")
    equal(sum(row["saves"] for row in state["rows"]), 1, "labels saved")
    box.client().querier.basic_delete(Project, uid=made)
    raises(AuthorisationError, lambda: box.client().get_project(made), "the project afterwards")


@check("reference: many images go through a project made from the template", seed=reference)
def many_images(box) -> None:
    made = _project(box, MANY_IMAGES)
    runner = Runner(project_hash=made)

    @runner.stage(AGENT_STAGE)
    def look(row: LabelRowV2) -> str:
        return "complete"

    runner()
    equal(box.own("GET", f"state/projects/{made}")["tasks_per_stage"], {"Agent 1": 0, "Complete": 300}, "tasks")
