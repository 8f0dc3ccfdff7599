"""Listing label rows: filters, branches, members of groups, and what single calls may hold."""

import urllib.request
from datetime import datetime, timedelta, timezone

import cv2
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.label_row import AnnotationTaskStatus

import sandbox
from checks import check, equal

ALL = 11


def _titles(rows) -> list[str]:
    return sorted(row.data_title for row in rows)


def _boxed(row, left: float) -> str:
    """Saves one box; returns its hash."""
    instance = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=left, top_left_y=0.25))
    row.add_object_instance(instance)
    row.save()
    return instance.object_hash


@check("rows: are filtered by data and label hash")
def by_hash(box) -> None:
    project = box.project()
    street, ride = box.row("street.jpg"), box.row("ride.mp4")
    equal(_titles(project.list_label_rows_v2(data_hashes=[street.data_hash])), ["street.jpg"], "by data hash")
    equal(project.list_label_rows_v2(label_hashes=[street.data_hash]), [], "by a hash that is not of labels")
    ride.initialise_labels()
    equal(_titles(project.list_label_rows_v2(label_hashes=[ride.label_hash])), ["ride.mp4"], "by label hash")


@check("rows: are filtered by exact and similar titles")
def by_title(box) -> None:
    project = box.project()
    equal(_titles(project.list_label_rows_v2(data_title_eq="call.wav")), ["call.wav"], "exact")
    equal(_titles(project.list_label_rows_v2(data_title_like="%.mp4")), ["ride.mp4"], "ending")
    equal(_titles(project.list_label_rows_v2(data_title_like="s%")), ["steps", "street.jpg"], "beginning")
    equal(_titles(project.list_label_rows_v2(data_title_eq="CALL.WAV.")), [], "nothing like it")


@check("rows: are filtered by the stage they are at")
def by_stage(box) -> None:
    project = box.project()
    tasks = project.workflow.get_stage(name="Find things").get_tasks()
    next(task for task in tasks if task.data_title == "ct").proceed(pathway_name="found")
    equal(_titles(project.list_label_rows_v2(workflow_graph_node_title_eq="Rank")), ["ct"], "exact")
    rows = project.list_label_rows_v2(workflow_graph_node_title_like="Find%")
    equal((len(rows), "ct" in _titles(rows)), (ALL - 1, False), "similar")


@check("rows: are filtered by when they were edited and by status")
def by_time(box) -> None:
    project = box.project()
    row = box.row("plan.png")
    row.initialise_labels()
    _boxed(row, 0.0)
    hour = timedelta(hours=1)
    now = datetime.now(timezone.utc)
    assert "plan.png" in _titles(project.list_label_rows_v2(edited_after=now - hour)), "edited in the last hour"
    equal(project.list_label_rows_v2(edited_after=now + hour), [], "edited in the future")
    equal(project.list_label_rows_v2(edited_before=now - hour), [], "edited long ago")
    row.workflow_complete()
    rows = project.list_label_rows_v2(label_statuses=[AnnotationTaskStatus.COMPLETED])
    equal(_titles(rows), ["plan.png"], "completed")
    rows = project.list_label_rows_v2(label_statuses=[AnnotationTaskStatus.QUEUED])
    equal((len(rows), "plan.png" in _titles(rows)), (ALL - 1, False), "waiting")


@check("rows: branches have labels of their own")
def branches(box) -> None:
    project = box.project()
    main = box.row("street.jpg")
    main.initialise_labels()
    first = _boxed(main, 0.25)
    (other,) = project.list_label_rows_v2(data_title_eq="street.jpg", branch_name="second")
    other.initialise_labels()
    equal((other.branch_name, other.get_object_instances()), ("second", []), "new branch")
    second = _boxed(other, 0.75)
    assert main.label_hash != other.label_hash, "both branches have the same labels"
    for branch, expected in (("main", first), ("second", second)):
        (row,) = project.list_label_rows_v2(data_title_eq="street.jpg", branch_name=branch)
        row.initialise_labels()
        equal([one.object_hash for one in row.get_object_instances()], [expected], f"boxes on {branch}")
    equal(sorted(project.list_branches()), ["main", "second"], "branches")
    rows = project.list_label_rows_v2(data_title_eq="street.jpg", include_all_label_branches=True)
    equal(sorted(row.branch_name for row in rows), ["main", "second"], "rows of all branches")


@check("rows: labels are copied to a branch, and not over others unless told to")
def copy_branch(box) -> None:
    project = box.project()
    row = box.row("street.jpg")
    row.initialise_labels()
    copied = _boxed(row, 0.5)
    equal(project.copy_labels_to_branch("copy"), 1, "rows copied")
    equal(project.copy_labels_to_branch("copy"), 0, "rows copied again")
    equal(project.copy_labels_to_branch("copy", overwrite=True), 1, "rows copied over")
    (row,) = project.list_label_rows_v2(data_title_eq="street.jpg", branch_name="copy")
    row.initialise_labels()
    equal([one.object_hash for one in row.get_object_instances()], [copied], "boxes")


@check("rows: members of groups are listed on request only")
def children(box) -> None:
    project = box.project()
    equal(len(project.list_label_rows_v2()), ALL, "rows without members")
    rows = {row.data_title: row for row in project.list_label_rows_v2(include_children=True)}
    equal(set(rows) >= {"pair", "answer.wav", "answer.txt"}, True, "titles with members")
    equal(rows["answer.wav"].group_hash, rows["pair"].data_hash, "group of a member")
    equal(rows["street.jpg"].group_hash, None, "group of a row alone")

    def named(title: str, **how) -> list[str]:
        return _titles(project.list_label_rows_v2(data_hashes=[rows[title].data_hash], **how))

    equal(named("pair", include_children=True), ["pair"], "rows of the group alone")
    equal(named("answer.wav", include_children=True), ["answer.wav"], "rows of a member alone")
    equal(named("answer.wav"), [], "rows of a member that were not asked for")


@check("rows: a group has a space for every member, and labels stay where they were put")
def spaces(box) -> None:
    row = box.row("pair")
    row.initialise_labels()
    names = sorted(space.metadata.file_name for space in row.get_spaces())
    equal(names, ["answer.txt", "answer.wav"], "spaces")
    contents = row.ontology_structure.get_child_by_title("Contents", Classification)
    for space in row.get_spaces():
        if space.metadata.file_name == "answer.txt":
            instance = contents.create_instance()
            instance.set_answer("a reply")
            space.put_classification_instance(instance)
    row.save()
    again = box.row("pair")
    again.initialise_labels()
    found = {
        space.metadata.file_name: [one.get_answer() for one in space.get_classification_instances()]
        for space in again.get_spaces()
    }
    equal(found, {"answer.txt": ["a reply"], "answer.wav": []}, "answers")


@check("rows: pictures of groups and links to the data come on request")
def images_data(box) -> None:
    (row,) = box.project().list_label_rows_v2(data_title_eq="views", include_images_data=True)
    for frame, name in enumerate(("view-0.jpg", "view-1.jpg", "view-2.png")):
        picture = row.get_frame_metadata(frame)
        height, width, _ = cv2.imread(str(sandbox.samples() / name)).shape
        equal((picture.title, picture.width, picture.height), (name, width, height), f"picture {frame}")
    plain, linked = box.row("street.jpg"), box.row("street.jpg")
    plain.initialise_labels()
    linked.initialise_labels(include_signed_url=True)
    with urllib.request.urlopen(linked.data_link, timeout=30) as response:
        equal(response.read(), (sandbox.samples() / "street.jpg").read_bytes(), "bytes behind the link")
    assert not (plain.data_link or "").startswith("http"), "a signed link nobody asked for"
