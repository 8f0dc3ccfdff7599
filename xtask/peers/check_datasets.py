"""Projects, ontologies and datasets: made, read, changed, linked and deleted."""

from uuid import uuid4

from encord.constants.enums import DataType
from encord.exceptions import AuthorisationError, EncordException
from encord.objects import Object, OntologyStructure, Shape
from encord.orm.dataset import DataLinkDuplicatesBehavior, StorageLocation
from encord.orm.project import Project, ProjectStatus

import sandbox
from checks import check, equal, raises

TEMPLATE = "5e900000-0000-4000-8000-000000000005"


def _new_project(box, datasets=(sandbox.DATASET,)):
    client = box.client()
    made = client.create_project(
        "From a template",
        list(datasets),
        project_description="new",
        ontology_hash=sandbox.ONTOLOGY,
        workflow_template_hash=TEMPLATE,
    )
    return client.get_project(made)


def _new_dataset(box, title: str):
    created = box.client().create_dataset(title, StorageLocation.CORD_STORAGE, dataset_description="of " + title)
    return box.client().get_dataset(created.dataset_hash)


def _items(box) -> dict:
    (folder,) = [folder for folder in box.client().list_storage_folders() if folder.name == "Samples"]
    return {item.name: item.uuid for item in folder.list_items()}


@check("projects: are created from a workflow template, with a task for every data unit")
def create_project(box) -> None:
    project = _new_project(box)
    equal((project.title, project.description), ("From a template", "new"), "title and description")
    equal([stage.title for stage in project.workflow.stages], ["Find things", "Rank", "Annotate", "Complete"], "stages")
    expected = {item["name"] for item in sandbox.sample_seed()["datasets"][0]["items"]}
    equal({task.data_title for task in project.workflow.stages[0].get_tasks()}, expected, "tasks")
    listed = [str(one.project_hash) for one in box.client().list_projects()]
    assert str(project.project_hash) in listed, listed


@check("projects: a deleted project is gone")
def delete_project(box) -> None:
    project = _new_project(box)
    # The way the integration tests of encord-agents delete projects.
    box.client().querier.basic_delete(Project, uid=project.project_hash)
    raises(AuthorisationError, lambda: box.client().get_project(project.project_hash), "a deleted project")
    assert project.project_hash not in {str(one.project_hash) for one in box.client().list_projects()}
    equal(box.project().title, "Samples, one after another", "the other project")


@check("projects: an unknown template or dataset is refused")
def refuse_project(box) -> None:
    client = box.client()
    create = client.create_project
    raises(EncordException, lambda: create("x", [sandbox.DATASET], workflow_template_hash=str(uuid4())), "template")
    raises(EncordException, lambda: create("x", [str(uuid4())], workflow_template_hash=TEMPLATE), "dataset")


@check("projects: datasets are attached with new tasks, and detached")
def attach(box) -> None:
    project = _new_project(box, datasets=[])
    equal(len(project.list_label_rows_v2()), 0, "rows of an empty project")
    project.add_datasets([sandbox.DATASET])
    equal(len(project.list_label_rows_v2()), 11, "rows")
    equal(len(list(box.project(project.project_hash).workflow.stages[0].get_tasks())), 11, "tasks")
    project.remove_datasets([sandbox.DATASET])
    equal(len(project.list_label_rows_v2()), 0, "rows afterwards")


@check("projects: the status can be set")
def status(box) -> None:
    box.project().set_status(ProjectStatus.PAUSED)
    equal(box.project().status, ProjectStatus.PAUSED, "status")


@check("ontologies: are created, read, changed and listed")
def ontologies(box) -> None:
    structure = OntologyStructure()
    car = structure.add_object("Car", Shape.BOUNDING_BOX)
    client = box.client()
    made = client.create_ontology("Traffic", "what moves", structure)
    again = client.get_ontology(made.ontology_hash)
    equal((again.title, again.description), ("Traffic", "what moves"), "title and description")
    found = again.structure.get_child_by_title("Car", Object)
    equal((found.feature_node_hash, found.shape), (car.feature_node_hash, Shape.BOUNDING_BOX), "object")
    again.structure.add_object("Lane", Shape.POLYLINE)
    again.title = "Roads"
    again.save()
    changed = client.get_ontology(made.ontology_hash)
    equal([one.name for one in changed.structure.objects], ["Car", "Lane"], "objects")
    titles = sorted(entry["ontology"].title for entry in client.get_ontologies())
    equal(titles, ["Roads", "Things in samples"], "titles")


@check("ontologies: one that does not exist is refused")
def unknown_ontology(box) -> None:
    raises(EncordException, lambda: box.client().get_ontology(str(uuid4())), "an unknown ontology")


@check("datasets: are created, read and listed")
def datasets(box) -> None:
    dataset = _new_dataset(box, "Fresh")
    equal((dataset.title, dataset.description), ("Fresh", "of Fresh"), "title and description")
    equal(list(dataset.list_data_rows()), [], "rows")
    titles = sorted(entry["dataset"].title for entry in box.client().get_datasets())
    equal(titles, ["Fresh", "Samples"], "titles")
    raises(AuthorisationError, lambda: box.client().get_dataset(str(uuid4())), "an unknown dataset")


@check("datasets: items are linked, and are the same items")
def link(box) -> None:
    dataset, items = _new_dataset(box, "Links"), _items(box)
    dataset.link_items([items["street.jpg"], items["ride.mp4"], items["ct"]])
    rows = {row.title: row for row in box.client().get_dataset(dataset.dataset_hash).list_data_rows()}
    kinds = {title: row.data_type for title, row in rows.items()}
    equal(kinds, {"street.jpg": DataType.IMAGE, "ride.mp4": DataType.VIDEO, "ct": DataType.DICOM}, "data types")
    equal(rows["street.jpg"].backing_item_uuid, items["street.jpg"], "item behind a row")
    equal((rows["street.jpg"].width, rows["street.jpg"].height), (320, 240), "size")
    other = box.row("street.jpg")
    assert rows["street.jpg"].uid != other.data_hash, "the same data unit is in two datasets"
    equal(other.backing_item_uuid, items["street.jpg"], "item behind the row of the other dataset")


@check("datasets: what is linked twice is skipped, refused or there twice, as asked")
def link_twice(box) -> None:
    dataset, items = _new_dataset(box, "Twice"), _items(box)
    street, plan = items["street.jpg"], items["plan.png"]
    dataset.link_items([street])
    titles = lambda: sorted(row.title for row in dataset.list_data_rows())  # noqa: E731
    link = lambda how: dataset.link_items([street, plan], duplicates_behavior=how)  # noqa: E731
    raises(EncordException, lambda: link(DataLinkDuplicatesBehavior.FAIL), "a second time")
    equal(titles(), ["street.jpg"], "rows after the refusal")
    equal([row.title for row in link(DataLinkDuplicatesBehavior.SKIP)], ["plan.png"], "rows made without the other")
    made = link(DataLinkDuplicatesBehavior.DUPLICATE)
    equal(sorted(row.title for row in made), ["plan.png", "street.jpg"], "rows made again")
    equal(titles(), ["plan.png", "plan.png", "street.jpg", "street.jpg"], "rows")
    equal(len({row.uid for row in dataset.list_data_rows()}), 4, "data hashes")


@check("datasets: rows are filtered by title and type, and deleted")
def filter_rows(box) -> None:
    dataset, items = _new_dataset(box, "Filters"), _items(box)
    dataset.link_items([items["street.jpg"], items["plan.png"], items["call.wav"]])
    titles = lambda **filters: sorted(row.title for row in dataset.list_data_rows(**filters))
    equal(titles(data_types=[DataType.IMAGE]), ["plan.png", "street.jpg"], "images")
    equal(titles(title_eq="call.wav"), ["call.wav"], "one title")
    (row,) = dataset.list_data_rows(title_eq="plan.png")
    dataset.delete_data([row.uid])
    equal(titles(), ["call.wav", "street.jpg"], "rows after the deletion")


@check("datasets: linking to a dataset of a project makes tasks")
def link_to_project(box) -> None:
    dataset, items = _new_dataset(box, "Growing"), _items(box)
    project = _new_project(box, datasets=[dataset.dataset_hash])
    dataset.link_items([items["letter.pdf"]])
    (task,) = project.workflow.stages[0].get_tasks()
    equal(task.data_title, "letter.pdf", "task")
