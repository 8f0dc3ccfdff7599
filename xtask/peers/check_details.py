"""What is asked for less often: listings with filters, older calls, members, copies, bundles of changes, schemas."""

import datetime
import urllib.request

from encord.exceptions import EncordException
from encord.http.bundle import Bundle
from encord.orm.dataset import DatasetUserRole
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


@check("rows: labels that do not fit are told, and those that do are valid")
def validity(box) -> None:
    row = box.row("street.jpg")
    row.initialise_labels()
    row.save(validate_before_saving=True)
    equal(row.get_validation_errors(), None, "errors of an empty row")


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
