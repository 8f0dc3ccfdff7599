"""Stages of every type, the actions on their tasks, routers, moves, and issues on tasks."""

from uuid import UUID, uuid4

from encord.exceptions import EncordException
from encord.issues import (
    AnnotationIssue,
    CoordinateIssue,
    FileIssue,
    FrameIssue,
    IssueFrameRange,
    SceneCoordinateIssue,
)
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.workflow import (
    AgentStage,
    AnnotationStage,
    ConsensusAnnotationStage,
    ConsensusReviewStage,
    FinalStage,
    ReviewStage,
)
from encord.workflow.stages.annotation import AnnotationTaskStatus
from encord.workflow.stages.review import LabelReviewStatus, ReviewTaskStatus

import sandbox
from checks import check, equal, raises

PROJECT = "e9000000-0000-4000-8000-000000000001"
IMAGES = 4


def people() -> dict:
    """A workflow with every type of stage for people, and a few images."""
    stages = [
        {"type": "AGENT", "title": "Sort", "pathways": [
            {"name": "to people", "destination": "Annotate"},
            {"name": "to many", "destination": "Split"},
        ]},
        {"type": "ANNOTATION", "title": "Annotate"},
        {"type": "REVIEW", "title": "Review", "next": "Complete"},
        {"type": "PERCENTAGE_ROUTER", "title": "Split", "routes": [
            {"destination": "Consensus", "percentage": 100},
            {"destination": "Complete", "percentage": 0},
        ]},
        {"type": "CONSENSUS_ANNOTATION", "title": "Consensus", "annotators": 2},
        {"type": "CONSENSUS_REVIEW", "title": "Judge", "next": "Complete", "reject": "Annotate"},
        {"type": "DONE", "title": "Complete"},
    ]  # fmt: skip
    return {
        "ontologies": sandbox.sample_seed()["ontologies"],
        "workflow_templates": [{"title": "People", "stages": stages}],
        "datasets": [{"title": "Images", "items": [{"generate": "image", "count": IMAGES}]}],
        "projects": [
            {
                "project_hash": PROJECT,
                "title": "People",
                "ontology": "Things in samples",
                "workflow_template": "People",
                "datasets": ["Images"],
            }
        ],
    }


def _stage(box, title: str):
    return box.project(PROJECT).workflow.get_stage(name=title)


def _tasks(box, title: str) -> list:
    return list(_stage(box, title).get_tasks())


def _send(box, pathway: str):
    """Sends the first task along a pathway; returns its data hash."""
    task = _tasks(box, "Sort")[0]
    task.proceed(pathway_name=pathway)
    return task.data_hash


def _counts(box) -> dict[str, int]:
    counts = box.own("GET", f"state/projects/{PROJECT}")["tasks_per_stage"]
    return {title: count for title, count in counts.items() if count}


@check("workflow: stages of every type are read; routers are not shown", seed=people)
def stage_types(box) -> None:
    found = {stage.title: type(stage) for stage in box.project(PROJECT).workflow.stages}
    expected = {
        "Sort": AgentStage,
        "Annotate": AnnotationStage,
        "Review": ReviewStage,
        "Consensus": ConsensusAnnotationStage,
        "Judge": ConsensusReviewStage,
        "Complete": FinalStage,
    }
    equal(found, expected, "stages")


@check("workflow: annotation tasks are assigned, released and submitted", seed=people)
def annotation(box) -> None:
    data = _send(box, "to people")
    (task,) = _tasks(box, "Annotate")
    equal((task.status, task.assignee), (AnnotationTaskStatus.NEW, None), "new task")
    task.assign("ana@example.org")
    (task,) = _tasks(box, "Annotate")
    equal((task.status, task.assignee), (AnnotationTaskStatus.ASSIGNED, "ana@example.org"), "assigned task")
    equal(len(list(_stage(box, "Annotate").get_tasks(assignee="bob@example.org"))), 0, "tasks of somebody else")
    equal(len(list(_stage(box, "Annotate").get_tasks(assignee="ana@example.org"))), 1, "tasks of the assignee")
    task.release()
    (task,) = _tasks(box, "Annotate")
    equal((task.status, task.assignee), (AnnotationTaskStatus.RELEASED, None), "released task")
    task.submit()
    equal([task.data_hash for task in _tasks(box, "Review")], [data], "tasks to review")
    raises(EncordException, task.submit, "a second submission")


@check("workflow: reviewed tasks go on, rejected ones go back and are reopened", seed=people)
def review(box) -> None:
    data = _send(box, "to people")
    _tasks(box, "Annotate")[0].submit()
    _tasks(box, "Review")[0].reject()
    (task,) = _tasks(box, "Annotate")
    equal((task.data_hash, task.status), (data, AnnotationTaskStatus.REOPENED), "rejected task")
    task.submit(assignee="eve@example.org")
    (task,) = _tasks(box, "Review")
    equal(task.assignee, "eve@example.org", "assignee given with the submission")
    task.approve()
    equal([task.data_hash for task in _tasks(box, "Complete")], [data], "tasks done")


@check("workflow: single labels are reviewed", seed=people)
def label_reviews(box) -> None:
    data = _send(box, "to people")
    (row,) = box.project(PROJECT).list_label_rows_v2(data_hashes=[data])
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.5, top_left_x=0.25, top_left_y=0.25))
    row.add_object_instance(instance)
    row.save()
    _tasks(box, "Annotate")[0].submit()
    (task,) = _tasks(box, "Review")
    (label,) = task.get_label_reviews()
    found = (label.label_id, label.label_type, label.status)
    equal(found, (instance.object_hash, "Object", LabelReviewStatus.NEW), "review")
    label.reject()
    equal([label.status for label in task.get_label_reviews()], [LabelReviewStatus.REJECTED], "status")
    label.reopen()
    label.approve()
    equal([label.status for label in task.get_label_reviews()], [LabelReviewStatus.APPROVED], "status at last")


@check("workflow: a router passes on to consensus, which waits for every annotator", seed=people)
def consensus(box) -> None:
    data = _send(box, "to many")
    (task,) = _tasks(box, "Consensus")
    equal((task.data_hash, len(task.subtasks)), (data, 2), "task")
    branches = {part.label_branch_name for part in task.subtasks}
    equal((len(branches), "main" in branches), (2, False), "branches of the annotators")
    task.subtasks[0].assign("ana@example.org")
    equal([part.assignee for part in _tasks(box, "Consensus")[0].subtasks], ["ana@example.org", None], "assignees")
    task.subtasks[0].submit()
    equal(_counts(box), {"Sort": IMAGES - 1, "Consensus": 1}, "tasks after the first submission")
    task.subtasks[1].submit()
    (judged,) = _tasks(box, "Judge")
    equal({option.label_branch_name for option in judged.options}, branches, "options")
    judged.approve()
    equal([task.data_hash for task in _tasks(box, "Complete")], [data], "tasks done")


@check("workflow: a rejected consensus goes where the template says", seed=people)
def rejected_consensus(box) -> None:
    data = _send(box, "to many")
    for part in _tasks(box, "Consensus")[0].subtasks:
        part.submit()
    (task,) = _tasks(box, "Judge")
    task.assign("eve@example.org")
    equal(_tasks(box, "Judge")[0].assignee, "eve@example.org", "assignee")
    task.release()
    task.reject()
    equal([task.data_hash for task in _tasks(box, "Annotate")], [data], "tasks sent back")


@check("workflow: tasks of all types are moved to any stage", seed=people)
def moves(box) -> None:
    project = box.project(PROJECT)
    ids = {stage.title: stage.uuid for stage in project.workflow.stages}
    with project.create_bundle() as bundle:
        for task in _tasks(box, "Sort"):
            task.move(destination_stage_uuid=ids["Annotate"], bundle=bundle)
    equal(_counts(box), {"Annotate": IMAGES}, "tasks")
    order = ["Annotate", "Review", "Consensus", "Judge", "Complete", "Sort"]
    for origin, destination in zip(order, order[1:]):
        _tasks(box, origin)[0].move(destination_stage_uuid=ids[destination])
        equal(_counts(box), {"Annotate": IMAGES - 1, destination: 1}, f"tasks after the move to {destination}")
    (task,) = _tasks(box, "Sort")
    raises(EncordException, lambda: task.move(destination_stage_uuid=uuid4()), "a move to nowhere")
    equal(_counts(box), {"Annotate": IMAGES - 1, "Sort": 1}, "tasks after the refused move")


@check("workflow: a pathway that does not exist is refused", seed=people)
def unknown_pathway(box) -> None:
    task = _tasks(box, "Sort")[0]
    raises(EncordException, lambda: task.proceed(pathway_name="nowhere"), "an unknown name")
    raises(EncordException, lambda: task.proceed(pathway_uuid=uuid4()), "an unknown uuid")
    equal(_counts(box), {"Sort": IMAGES}, "tasks")


@check("workflow: tasks are filtered by data, dataset and title", seed=people)
def task_filters(box) -> None:
    project, stage = box.project(PROJECT), _stage(box, "Sort")
    tasks = list(stage.get_tasks())
    count = lambda **filters: len(list(stage.get_tasks(**filters)))
    equal(count(data_hash=[tasks[0].data_hash, tasks[2].data_hash]), 2, "by two data hashes")
    equal(count(data_hash=uuid4()), 0, "by an unknown data hash")
    equal(count(dataset_hash=next(iter(project.list_datasets())).dataset_hash), IMAGES, "by dataset")
    equal(count(data_title=tasks[1].data_title), 1, "by title")
    equal(count(dataset_hash=uuid4()), 0, "by an unknown dataset")


@check("workflow: label rows are completed and reopened", seed=people)
def complete_rows(box) -> None:
    row = box.project(PROJECT).list_label_rows_v2()[0]
    row.initialise_labels()
    row.workflow_complete()
    (task,) = _tasks(box, "Complete")
    equal(str(task.data_hash), row.data_hash, "completed task")
    row.workflow_reopen()
    equal(_counts(box), {"Sort": IMAGES}, "tasks after reopening")


@check("workflow: tasks are filtered by their status", seed=people)
def status_filter(box) -> None:
    for _ in range(3):
        _send(box, "to people")
    stage = _stage(box, "Annotate")
    first, second, third = stage.get_tasks()
    first.assign("ana@example.org")
    second.assign("ana@example.org")
    second.release()
    status = AnnotationTaskStatus
    found = lambda *wanted: [task.uuid for task in stage.get_tasks(status=list(wanted))]  # noqa: E731
    equal(found(status.ASSIGNED), [first.uuid], "assigned")
    equal(found(status.RELEASED, status.NEW), [second.uuid, third.uuid], "released or new")
    equal(found(status.REOPENED), [], "reopened")


@check("workflow: an assignee is kept where there is one", seed=people)
def retained(box) -> None:
    _send(box, "to people")
    (task,) = _tasks(box, "Annotate")
    raises(EncordException, lambda: task.submit(retain_assignee=True), "nobody to keep")
    equal(_counts(box)["Annotate"], 1, "tasks that stayed")
    task.assign("ana@example.org")
    task.submit(retain_assignee=True)
    (task,) = _tasks(box, "Review")
    equal((task.assignee, task.status), ("ana@example.org", ReviewTaskStatus.ASSIGNED), "assignee kept")
    task.reject()
    (task,) = _tasks(box, "Annotate")
    equal(task.assignee, None, "assignee that was not kept")


@check("workflow: issues of every kind are put on tasks, listed and deleted", seed=people)
def issues(box) -> None:
    task = _tasks(box, "Sort")[0]
    box.project(PROJECT).add_issue_tags(["quality", "late"])
    ranges = [IssueFrameRange(start=0, end=3), IssueFrameRange(start=7, end=7)]
    task.issues.add_file_issue("blurred", ["quality"])
    task.issues.add_frame_issue(frame_index=0, comment="dark", issue_tags=["late", "quality"])
    task.issues.add_coordinate_issue(frame_index=0, x=0.25, y=0.75, comment="scratch", issue_tags=[])
    task.issues.add_scene_coordinate_issue(frame_index=2, x=1.5, y=-2.0, z=0.25, comment="hole", issue_tags=[])
    task.issues.add_annotation_issue("dS8G6qn6", "wrong class", [])
    task.issues.add_annotation_issue("dS8G6qn6", "bad outline", [], frame_ranges=ranges, space_id="left")
    task.issues.add_frame_issue(frame_index=1, comment="elsewhere", issue_tags=[], space_id="left")
    found = {issue.comments[0].content: issue for issue in task.issues.list()}
    kinds = {comment: type(issue) for comment, issue in found.items()}
    expected = {
        "blurred": FileIssue,
        "dark": FrameIssue,
        "scratch": CoordinateIssue,
        "hole": SceneCoordinateIssue,
        "wrong class": AnnotationIssue,
        "bad outline": AnnotationIssue,
        "elsewhere": FrameIssue,
    }
    equal(kinds, expected, "kinds")
    equal((found["dark"].frame_index, found["elsewhere"].space_id), (0, "left"), "frame and space")
    equal((found["scratch"].coordinate.x, found["scratch"].coordinate.y), (0.25, 0.75), "place")
    place = found["hole"].coordinate
    equal((found["hole"].frame_index, place.x, place.y, place.z), (2, 1.5, -2.0, 0.25), "place in a scene")
    outline = found["bad outline"]
    equal((outline.annotation_id, outline.frame_ranges, outline.space_id), ("dS8G6qn6", ranges, "left"), "label")
    equal(found["wrong class"].frame_ranges, None, "frames of an issue with the whole label")
    tags = {comment: sorted(tag.name for tag in issue.tags) for comment, issue in found.items() if issue.tags}
    equal(tags, {"blurred": ["quality"], "dark": ["late", "quality"]}, "tags")
    raises(EncordException, lambda: task.issues.add_file_issue("odd", ["unknown"]), "a tag that is not the project's")
    equal({issue.data_uuid for issue in found.values()}, {task.data_hash}, "data units")
    equal(list(_tasks(box, "Sort")[1].issues.list()), [], "issues of another task")
    left = [issue for comment, issue in found.items() if comment not in ("blurred", "dark")]
    task.issues.delete([found["blurred"], UUID(str(found["dark"].uuid))])
    equal({issue.uuid for issue in task.issues.list()}, {issue.uuid for issue in left}, "issues left")
    raises(EncordException, lambda: task.issues.delete([left[0], uuid4()]), "one that does not exist among others")
    equal(len(list(task.issues.list())), len(left), "issues after the refused deletion")
