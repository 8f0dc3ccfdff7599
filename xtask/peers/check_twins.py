"""Twin projects: the real `dep_twin_label_row` and our look-up see the same twin for every row of a mixed project."""

import json

from encord.workflow import AnnotationStage, ReviewStage
from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import Twin, dep_twin_label_row
from typing_extensions import Annotated

import sandbox
from checks import check, equal

TWIN = "e8100000-0000-4000-8000-000000000001"
OTHER_DATA = "e8100000-0000-4000-8000-000000000002"


def mixed() -> dict:
    """The sample project with three more images, and a twin with the samples only and a workflow of its own."""
    seed = sandbox.sample_seed()
    template = "e8100000-0000-4000-8000-000000000003"
    stages = [
        {"type": "ANNOTATION", "title": "Annotate"},
        {"type": "REVIEW", "title": "Review"},
        {"type": "DONE", "title": "Complete"},
    ]
    seed["workflow_templates"].append({"template_hash": template, "title": "Review", "stages": stages})
    images = {"generate": "image", "count": 3, "width": 16, "height": 16}
    seed["datasets"].append({"dataset_hash": OTHER_DATA, "title": "No twins", "items": [images]})
    seed["projects"][0]["datasets"].append(OTHER_DATA)
    twin = {"project_hash": TWIN, "title": "Twin", "ontology": sandbox.ONTOLOGY, "workflow_template": template}
    seed["projects"].append({**twin, "datasets": [sandbox.DATASET]})
    return seed


def scatter(box) -> None:
    """Sends tasks of the twin to every stage and labels one of its rows."""
    project = box.project(TWIN)
    tasks = list(project.workflow.get_stage(name="Annotate", type_=AnnotationStage).get_tasks())
    for task in tasks[::2]:
        task.submit()
    reviews = list(project.workflow.get_stage(name="Review", type_=ReviewStage).get_tasks())
    for task in reviews[::2]:
        task.approve()
    (row,) = project.list_label_rows_v2(data_title_eq="street.jpg")
    row.initialise_labels()
    row.save()


@check("twins: dep_twin_label_row and our look-up agree on every row of a mixed project", seed=mixed)
def same_twins(box) -> None:
    scatter(box)
    runner = Runner(project_hash=sandbox.PROJECT)
    seen: dict[str, dict | None] = {}

    @runner.stage("Find things")
    def look(
        task: AgentTask, twin: Annotated[Twin | None, Depends(dep_twin_label_row(TWIN, include_task=True))]
    ) -> None:
        found = twin and {
            "label_hash": twin.label_row.label_hash,
            "objects": len(twin.label_row.get_object_instances()),
            "stage": twin.label_row.workflow_graph_node.title,
            "task": str(twin.task.uuid) if twin.task else None,
        }
        seen[str(task.data_hash)] = found

    runner()
    lines = box.run("list_twins", "--project-hash", sandbox.PROJECT, "--twin-hash", TWIN).splitlines()
    ours = {line["data_hash"]: line["twin"] for line in map(json.loads, lines)}
    equal(ours, seen, "twins by data hash")
    equal(sum(twin is None for twin in seen.values()), 3, "data units without a twin")
    stages = {twin["stage"] for twin in seen.values() if twin}
    equal(stages, {"Annotate", "Review", "Complete"}, "stages of the twins")
    assert all(twin["task"] for twin in seen.values() if twin), "a twin has no task"


@check("twins: twin_transfer copies labels in the bundles of the runner", seed=mixed)
def transfer(box) -> None:
    row = box.row("street.jpg")
    box.own("POST", "reset-counters")
    box.run("twin_transfer", "--project-hash", sandbox.PROJECT, "--twin-hash", TWIN, "--quiet")
    counts = box.own("GET", "requests")["endpoints"]
    equal(counts["POST /public labelrow POST"]["count"], 1, "requests that saved labels")
    state = box.own("GET", f"state/projects/{TWIN}")
    copied = {row["data_title"]: row["saves"] for row in state["rows"]}
    equal(set(copied.values()), {1}, "saves per row of the twin")
    assert row.data_title in copied and len(copied) == len(sandbox.sample_seed()["datasets"][0]["items"])
