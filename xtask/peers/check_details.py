"""What is asked for less often: listings with filters, older calls, members, copies, bundles of changes, schemas."""

import datetime
import urllib.request

from encord.exceptions import CorruptedLabelError, EncordException, ResourceExistsError
from encord.http.bundle import Bundle
from encord.objects import Classification, Object, OntologyStructure, Option
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.dataset import DatasetUserRole, ImagesDataFetchOptions
from encord.orm.label_log import Action
from encord.orm.label_row import LabelRowMetadata
from encord.storage import FoldersSortBy
from encord.user_client import EncordUserClient

import sandbox
from checks import check, equal, raises

LATER = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
EARLIER = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


def two_users() -> dict:
    """The sample seed with a second user, who may see nothing yet."""
    seed = sandbox.sample_seed()
    seed["users"] = [{"email": "ana@example.org"}, {"email": "bob@example.org"}]
    for thing in (*seed["datasets"], *seed["ontologies"]):
        thing["users"] = ["ana@example.org"]
    return seed


def _titles(projects) -> set[str]:
    return {project.title for project in projects}


def _item(box, name: str):
    return next(item for item in box.client().find_storage_items(search=name) if item.name == name)


@check("projects: are listed with every filter")
def project_filters(box) -> None:
    client = box.client()
    both = {"Samples, one after another", "Samples, through a queue"}
    equal(_titles(client.list_projects()), both, "all")
    equal(_titles(client.list_projects(title_eq="Samples, through a queue")), {"Samples, through a queue"}, "title")
    equal(_titles(client.list_projects(title_like="%one after%")), {"Samples, one after another"}, "like")
    equal(_titles(client.list_projects(created_after=EARLIER, created_before=LATER)), both, "time of creation")
    equal(_titles(client.list_projects(edited_after=LATER)), set(), "time of change")
    equal(_titles(client.list_projects(desc_eq="nothing like it")), set(), "description")
    equal(_titles(client.list_projects(include_org_access=True)), both, "with the organisation's")


@check("projects: the older calls list them, show them and tell where their data is")
def older_projects(box) -> None:
    found = {one["project"].title: one["user_role"].name for one in box.client().get_projects()}
    equal(found, {"Samples, one after another": "ADMIN", "Samples, through a queue": "ADMIN"}, "projects")
    equal(box.client().get_projects(created_after="2100-01-01"), [], "projects of the future")
    project = box.project()
    video, images = project.get_data(box.row("ride.mp4").data_hash, get_signed_url=True)
    equal(images, None, "images of a video")
    with urllib.request.urlopen(video["file_link"], timeout=30) as response:
        equal(response.read(), (sandbox.samples() / "ride.mp4").read_bytes(), "bytes of the video")
    video, images = project.get_data(box.row("views").data_hash)
    equal((video, len(images)), (None, 3), "images of a group")


@check("projects: are copied with their datasets and members, and start from the beginning", seed=two_users)
def copies(box) -> None:
    project = box.project()
    stage = project.workflow.get_stage(uuid=sandbox.FIND_STAGE)
    next(iter(stage.get_tasks())).proceed(pathway_name="found")
    copy = box.project(project.copy_project(copy_datasets=True, copy_collaborators=True, new_title="Again"))
    equal(copy.title, "Again", "title")
    equal(len(list(copy.workflow.stages[0].get_tasks())), len(sandbox.sample_seed()["datasets"][0]["items"]), "tasks")
    equal({user.user_email for user in copy.list_users()}, {"ana@example.org", "bob@example.org"}, "members")
    empty = box.project(project.copy_project(new_title="Empty"))
    members = [user.user_email for user in empty.list_users()]
    equal((len(empty.list_label_rows_v2()), members), (0, ["ana@example.org"]), "bare copy")
    raises(EncordException, lambda: project.copy_project(copy_models=True), "a copy of models")


@check("datasets: users are added, listed and removed", seed=two_users)
def dataset_users(box) -> None:
    dataset = box.client().get_dataset(sandbox.DATASET)
    equal([user.user_email for user in dataset.list_users()], ["ana@example.org"], "users at first")
    (added,) = dataset.add_users(["bob@example.org"], DatasetUserRole.USER)
    equal((added.user_email, added.user_role), ("bob@example.org", DatasetUserRole.USER), "user added")
    found = {user.user_email: user.user_role for user in dataset.list_users()}
    equal(found, {"ana@example.org": DatasetUserRole.ADMIN, "bob@example.org": DatasetUserRole.USER}, "users")
    dataset.remove_users(["bob@example.org", "nobody@example.org"])
    equal([user.user_email for user in dataset.list_users()], ["ana@example.org"], "users at last")
    raises(EncordException, lambda: dataset.add_users(["nobody@example.org"], DatasetUserRole.USER), "a stranger")


@check("datasets: are listed with every filter, and rows too")
def dataset_filters(box) -> None:
    client = box.client()
    titles = lambda **filters: [one["dataset"].title for one in client.get_datasets(**filters)]  # noqa: E731
    equal(titles(title_eq="Samples"), ["Samples"], "title")
    equal(titles(title_like="Sam%", created_after=EARLIER, edited_before=LATER), ["Samples"], "like and times")
    equal(titles(desc_like="%more%"), [], "description")
    dataset = client.get_dataset(sandbox.DATASET)
    hashes = [row.uid for row in dataset.list_data_rows()][:2]
    equal({row.uid for row in dataset.list_data_rows(data_hashes=hashes)}, set(hashes), "rows by hash")
    equal(list(dataset.list_data_rows(created_after=LATER)), [], "rows of the future")
    row = dataset.list_data_rows(title_eq="street.jpg")[0]
    row.refetch_data(signed_url=True, client_metadata=True)
    with urllib.request.urlopen(row.signed_url, timeout=30) as response:
        equal(response.read(), (sandbox.samples() / "street.jpg").read_bytes(), "bytes behind a row")


@check("ontologies: are listed with every filter")
def ontology_filters(box) -> None:
    titles = lambda **filters: [one["ontology"].title for one in box.client().get_ontologies(**filters)]  # noqa: E731
    equal(titles(), ["Things in samples"], "all")
    equal(titles(title_like="Things%", created_after=EARLIER, edited_before=LATER), ["Things in samples"], "like")
    equal(titles(title_eq="Other"), [], "another title")
    equal(titles(created_before=EARLIER), [], "time of creation")


@check("rows: the older calls for one row read, make and save it")
def older_rows(box) -> None:
    project = box.project()
    data = box.row("street.jpg").data_hash
    made = project.create_label_row(data)
    label = made["label_hash"]
    equal((made["data_hash"], made["branch_name"]), (data, "main"), "new row")
    project.save_label_row(label, made)
    equal(project.get_label_row(label)["label_hash"], label, "row")
    equal([row["label_hash"] for row in project.get_label_rows([label])], [label], "rows")
    state = box.own("GET", f"state/projects/{sandbox.PROJECT}")
    equal([row["saves"] for row in state["rows"]], [1], "saves")


@check("rows: client metadata comes in the listing, or through links when it is large")
def row_metadata(box) -> None:
    project = box.project()
    rows = lambda **how: {row.data_title: row.client_metadata for row in project.list_label_rows_v2(**how)}  # noqa: E731
    expected = {item["name"]: item["client_metadata"] for item in sandbox.sample_seed()["datasets"][0]["items"]}
    equal(rows(include_client_metadata=True), expected, "in the listing")
    equal(rows(include_client_metadata=True, resolve_client_metadata_locally=True), expected, "through links")


def _boxed(box):
    """The row of a picture with a box on it that is not saved yet."""
    row = box.row("street.jpg")
    row.initialise_labels()
    disc = row.ontology_structure.get_child_by_title("Disc", Object).create_instance()
    disc.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.5, top_left_x=0.25, top_left_y=0.25))
    row.add_object_instance(disc)
    return row


@check("rows: labels that do not fit are told, refused where they must fit, and those that do are valid")
def validity(box) -> None:
    row = _boxed(box)
    row.save(validate_before_saving=True)
    equal((box.row("street.jpg").is_valid, row.get_validation_errors()), (True, None), "a row that fits")
    ontology = box.client().get_ontology(sandbox.ONTOLOGY)
    ontology.structure.objects[:] = [one for one in ontology.structure.objects if one.title != "Disc"]
    ontology.save()
    raises(CorruptedLabelError, lambda: row.save(validate_before_saving=True), "a class that is gone")
    row.save()
    again = box.row("street.jpg")
    equal(again.is_valid, False, "validity of the row that was saved all the same")
    (error,) = again.get_validation_errors()
    assert "discbox1" in error, error


@check("rows: labels are read by class, without archived classes, and with their reviews")
def parts_of_labels(box) -> None:
    row = _boxed(box)
    structure = row.ontology_structure
    contents = structure.get_child_by_title("Brightness", Classification).create_instance()
    contents.set_answer(structure.get_child_by_title("Dark", Option))
    contents.set_for_frames(0)
    row.add_classification_instance(contents)
    row.save()

    def found(**how) -> tuple[int, int]:
        again = box.row("street.jpg")
        again.initialise_labels(**how)
        return len(again.get_object_instances()), len(again.get_classification_instances())

    equal(found(), (1, 1), "all")
    equal(found(include_object_feature_hashes={"discbox1"}), (1, 1), "objects of a class that is there")
    equal(found(include_object_feature_hashes={"discpoly"}), (0, 1), "objects of another class")
    equal(found(include_classification_feature_hashes={"contents"}), (1, 0), "classifications of another class")
    equal(found(include_object_feature_hashes=set()), (0, 1), "objects of no class")
    again = box.row("street.jpg")
    again.initialise_labels(include_reviews=True)
    equal([len(one.get_annotation(0).reviews) for one in again.get_object_instances()], [0], "reviews")
    ontology = box.client().get_ontology(sandbox.ONTOLOGY)
    changed = ontology.structure.to_dict()
    changed["objects"][0]["archived"] = True
    ontology._ontology_instance.structure = OntologyStructure.from_dict(changed)
    ontology.save()
    equal(found(), (0, 1), "with a class archived")
    equal(found(include_archived=True), (1, 1), "archived ones too")


@check("rows: the older project lists them, and logs tell what was saved")
def older_rows(box) -> None:
    row = _boxed(box)
    row.save()
    listed = {one.data_title: one for one in LabelRowMetadata.from_list(box.project().label_rows)}
    expected = {item["name"] for item in sandbox.sample_seed()["datasets"][0]["items"]}
    equal(set(listed), expected, "titles")
    equal((listed["street.jpg"].label_hash, listed["ride.mp4"].label_hash), (row.label_hash, None), "label hashes")
    bare = box.project()._client.get_project(include_labels_metadata=False)
    equal(bare["label_rows"], [], "rows nobody asked for")
    logs = box.project().get_label_logs(data_hash=row.data_hash)
    found = [(log.action, log.user_email, log.data_hash) for log in logs]
    equal(found, [(Action.CLICK_SAVE, "sandbox@example.org", row.data_hash)], "logs")
    equal(box.project().get_label_logs(after=LATER), [], "logs of the future")


@check("datasets: rows of groups show their pictures on request, and videos are encoded again")
def row_extras(box) -> None:
    dataset = box.client().get_dataset(sandbox.DATASET)
    (row,) = dataset.list_data_rows(title_eq="views")
    equal(row.images_data, None, "pictures nobody asked for")
    row.refetch_data(images_data_fetch_options=ImagesDataFetchOptions(fetch_signed_urls=True))
    equal([image.title for image in row.images_data], ["view-0.jpg", "view-1.jpg", "view-2.png"], "pictures")
    for image in row.images_data:
        with urllib.request.urlopen(image.signed_url, timeout=30) as response:
            equal(response.read(), (sandbox.samples() / image.title).read_bytes(), f"bytes of {image.title}")
    (video,) = dataset.list_data_rows(title_eq="ride.mp4")
    status = dataset.re_encode_data_status(dataset.re_encode_data([video.uid]))
    equal((status.status, [one.data_hash for one in status.result]), ("DONE", [video.uid]), "the task")
    with urllib.request.urlopen(status.result[0].signed_url, timeout=30) as response:
        equal(response.read(), (sandbox.samples() / "ride.mp4").read_bytes(), "the video")
    raises(EncordException, lambda: dataset.re_encode_data([row.uid]), "encoding pictures")


@check("projects: one without an ontology and a template gets an empty one and the usual stages")
def bare_project(box) -> None:
    project = box.project(box.client().create_project("Bare", [sandbox.DATASET]))
    equal((project.ontology_structure.objects, project.ontology_structure.classifications), ([], []), "classes")
    equal([stage.title for stage in project.workflow.stages], ["Annotate", "Review", "Complete"], "stages")
    equal(len(list(project.workflow.stages[0].get_tasks())), 11, "tasks")


@check("tags: of the organisation are made, put on projects, asked for and deleted")
def organisation_tags(box) -> None:
    client, project = box.client(), box.project()
    urgent, later = client.create_organisation_tag("urgent"), client.create_organisation_tag("later")
    raises(ResourceExistsError, lambda: client.create_organisation_tag("urgent"), "a second tag of this name")
    project.add_organisation_tag(tag_name="urgent")
    project.add_organisation_tag(urgent)
    equal([tag.name for tag in project.get_organisation_tags()], ["urgent"], "tags of the project")
    equal(_titles(client.list_projects(tags_anyof=["urgent", "later"])), {project.title}, "projects with a tag")
    equal(_titles(client.list_projects(tags_anyof=["later"])), set(), "projects with another tag")
    client.delete_organisation_tag(urgent)
    equal([tag.name for tag in client.list_organisation_tags()], [later.name], "tags left")
    equal(list(project.get_organisation_tags(use_cache=False)), [], "tags of the project afterwards")
    project.add_organisation_tag(later)
    project.remove_organisation_tag(later)
    equal(list(project.get_organisation_tags(use_cache=False)), [], "tags after removing the other")


@check("schema: the older form is set and read too, and means the same")
def older_schema(box) -> None:
    client = box.client()
    equal(client.get_client_metadata_schema(), None, "schema at first")
    client.set_client_metadata_schema_from_dict({"year": "number", "place": "string"})
    equal(client.get_client_metadata_schema(), {"year": "number", "place": "string"}, "schema")
    equal(client.metadata_schema().get_key_type("year"), "number", "type in the newer form")


@check("storage: folders and items are changed in bundles")
def bundles(box) -> None:
    client = box.client()
    folders = [client.create_storage_folder(name) for name in ("A", "B")]
    with Bundle() as bundle:
        for folder in folders:
            folder.update(description="together", bundle=bundle)
    equal([client.get_storage_folder(folder.uuid).description for folder in folders], ["together"] * 2, "folders")
    items = [_item(box, name) for name in ("street.jpg", "plan.png")]
    with Bundle() as bundle:
        for number, item in enumerate(items):
            item.update(client_metadata={"number": number}, bundle=bundle)
    found = [client.get_storage_item(item.uuid).client_metadata for item in items]
    equal(found, [{"number": 0}, {"number": 1}], "items")


@check("storage: folders are ordered and counted, and their contents are summed up")
def summaries(box) -> None:
    client = box.client()
    for name in ("b", "a", "c"):
        client.create_storage_folder(name)
    found = [folder.name for folder in client.list_storage_folders(order=FoldersSortBy.NAME, desc=True)]
    equal(found, sorted(found, key=str.lower, reverse=True), "names, last first")
    synced = list(client.list_storage_folders(dataset_synced=True))
    equal([folder.name for folder in synced], [], "folders that mirror a dataset")
    folder = client.get_storage_folder(_item(box, "street.jpg").parent_folder_uuid)
    summary = folder.get_summary()
    equal((summary.videos, summary.pdfs, summary.niftis, summary.dicom_series), (1, 1, 1, 1), "kinds")
    assert summary.total_size > 100_000, summary


@check("storage: one item is moved, read again and deleted")
def one_item(box) -> None:
    client = box.client()
    first, second = client.create_storage_folder("One"), client.create_storage_folder("Two")
    item = client.get_storage_item(first.upload_image(sandbox.samples() / "plan.png"))
    item.move_to_folder(second)
    item.refetch_data(get_signed_url=True)
    equal(item.parent_folder_uuid, second.uuid, "folder")
    item.delete()
    equal(list(second.list_items()), [], "items left")
    raises(EncordException, lambda: _item(box, "street.jpg").delete(), "deleting an item that a dataset uses")


@check("schema: of client metadata is set, read and extended")
def schema(box) -> None:
    client = box.client()
    schema = client.metadata_schema()
    schema.add_scalar("year", data_type="number")
    schema.add_enum("season", values=["summer", "winter"])
    schema.save()
    again = client.metadata_schema()
    equal((again.get_key_type("year"), again.get_enum_options("season")), ("number", ["summer", "winter"]), "schema")


@check("tags: issue tags are linked to a project and listed")
def issue_tags(box) -> None:
    project = box.project()
    project.add_issue_tags(["blurred", "dark"])
    project.add_issue_tags(["dark"])
    equal(sorted(tag.name for tag in project.get_issue_tags()), ["blurred", "dark"], "tags")
    equal(list(project.get_tags()), [], "tags of the project itself")


@check("users: a token is a client of its own")
def tokens(box) -> None:
    token = box.client().get_bearer_token()
    client = EncordUserClient.create_with_bearer_token(token, domain=box.url)
    equal(client.get_project(sandbox.PROJECT).title, "Samples, one after another", "project")
    rows = client.get_dataset(sandbox.DATASET).list_data_rows()
    equal(len(rows), len(sandbox.sample_seed()["datasets"][0]["items"]), "rows")
