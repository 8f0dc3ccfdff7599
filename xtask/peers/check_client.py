"""What the plain `encord` package does: sign in, list, read, save, move, and be refused properly."""

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.exceptions import AuthenticationError, AuthorisationError
from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.orm.storage import StorageItemType
from encord.user_client import EncordUserClient
from encord.workflow import AgentStage, AnnotationStage, FinalStage

import sandbox
from checks import check, equal, raises


@check("client: signs in and reads the project")
def reads_project(box) -> None:
    project = box.project()
    equal(project.project_hash, sandbox.PROJECT, "project hash")
    equal(project.ontology_hash, sandbox.ONTOLOGY, "ontology hash")
    equal([str(dataset.dataset_hash) for dataset in project.list_datasets()], [sandbox.DATASET], "datasets")
    stages = {stage.title: type(stage) for stage in project.workflow.stages}
    expected = {"Find things": AgentStage, "Rank": AgentStage, "Annotate": AnnotationStage, "Complete": FinalStage}
    equal(stages, expected, "stages")
    structure = project.ontology_structure
    equal([one.name for one in structure.objects], ["Disc", "Outline", "Mask", "Loud part", "Word"], "objects")
    titles = [project["project"].title for project in box.client().get_projects()]
    equal(sorted(titles), ["Samples, one after another", "Samples, through a queue"], "project list")


@check("client: an unknown key is refused in both generations")
def unknown_key(box) -> None:
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    stranger = EncordUserClient.create_with_ssh_private_key(ssh_private_key=key.decode(), domain=box.url)
    raises(AuthenticationError, lambda: stranger.get_project(sandbox.PROJECT), "v2 with an unknown key")
    raises(AuthenticationError, stranger.get_projects, "v1 with an unknown key")


@check("client: a project that does not exist is refused")
def unknown_project(box) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    raises(AuthorisationError, lambda: box.client().get_project(unknown), "unknown project")


@check("client: lists label rows with facts read from the files")
def lists_rows(box) -> None:
    rows = {row.data_title: row for row in box.project().list_label_rows_v2(include_client_metadata=True)}
    expected = {item["name"] for item in sandbox.sample_seed()["datasets"][0]["items"]}
    equal(set(rows), expected, "titles")
    street = rows["street.jpg"]
    equal((street.width, street.height), (320, 240), "size of the image")
    equal(street.client_metadata, {"item_type": "image"}, "client metadata")
    equal(str(street.workflow_graph_node.uuid), sandbox.FIND_STAGE, "stage of a new row")
    ride = rows["ride.mp4"]
    equal((ride.number_of_frames, ride.fps, ride.duration), (30, 10.0, 3.0), "frames of the video")
    call = rows["call.wav"]
    equal((call.audio_sample_rate, call.audio_num_channels), (16000, 1), "facts of the recording")
    equal(call.duration, 3.0, "length of the recording")
    equal(rows["views"].number_of_frames, 3, "pictures of the group")


@check("client: initialises, labels, saves and reads every geometric type")
def saves_labels(box) -> None:
    project = box.project()
    disc = project.ontology_structure.get_child_by_title("Disc", Object)
    brightness = project.ontology_structure.get_child_by_title("Brightness", Classification)
    wanted = ["street.jpg", "plan.png", "views", "ride.mp4", "steps"]
    rows = [row for row in project.list_label_rows_v2() if row.data_title in wanted]
    equal(len(rows), len(wanted), "rows")
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    corners = BoundingBoxCoordinates(height=0.25, width=0.5, top_left_x=0.125, top_left_y=0.0625)
    with project.create_bundle() as bundle:
        for row in rows:
            instance = disc.create_instance()
            instance.set_for_frames(corners, frames=row.number_of_frames - 1)
            instance.set_answer(disc.attributes[0].options[1])
            row.add_object_instance(instance)
            answer = brightness.create_instance()
            answer.set_answer(brightness.attributes[0].options[0])
            answer.set_for_frames(0)
            row.add_classification_instance(answer)
            row.save(bundle=bundle)
    for row in box.project().list_label_rows_v2():
        if row.data_title not in wanted:
            continue
        row.initialise_labels()
        (instance,) = row.get_object_instances()
        (annotation,) = instance.get_annotations()
        equal(annotation.frame, row.number_of_frames - 1, f"frame in {row.data_title}")
        equal(annotation.coordinates, corners, f"box in {row.data_title}")
        equal(instance.get_answer(disc.attributes[0]).title, "Large", f"answer in {row.data_title}")
        (answer,) = row.get_classification_instances()
        equal(answer.get_answer().title, "Dark", f"classification in {row.data_title}")


@check("client: every type can be initialised and saved empty")
def saves_every_type(box) -> None:
    for row in box.project().list_label_rows_v2():
        row.initialise_labels()
        before = row.to_encord_dict()
        row.save()
        again = box.row(row.data_title)
        equal(again.label_hash, row.label_hash, f"label hash of {row.data_title}")
        again.initialise_labels()
        after = again.to_encord_dict()
        for document in (before, after):
            document.pop("last_edited_at")
        equal(after, before, f"document of {row.data_title}")


@check("client: tasks move along pathways, and a bundle with a moved task is refused whole")
def moves_tasks(box) -> None:
    stage = box.project().workflow.get_stage(uuid=sandbox.FIND_STAGE)
    tasks = list(stage.get_tasks())
    equal(len(tasks), len(sandbox.sample_seed()["datasets"][0]["items"]), "tasks at the start")
    first, second, third = tasks[:3]
    first.proceed(pathway_name="found")
    left = {task.uuid for task in stage.get_tasks()}
    equal(left, {task.uuid for task in tasks} - {first.uuid}, "tasks left")
    rank = box.project().workflow.get_stage(uuid=sandbox.RANK_STAGE)
    (moved,) = rank.get_tasks()
    equal((moved.uuid, moved.data_hash), (first.uuid, first.data_hash), "task that moved")

    def stale_bundle() -> None:
        with box.project().create_bundle() as bundle:
            first.proceed(pathway_name="found", bundle=bundle)
            second.proceed(pathway_name="found", bundle=bundle)

    raises(Exception, stale_bundle, "a bundle with a task that has left")
    equal({task.uuid for task in stage.get_tasks()}, left, "tasks after the refused bundle")
    third.proceed(pathway_name="nothing found")
    annotate = box.project().workflow.get_stage(uuid=sandbox.ANNOTATE_STAGE)
    (waiting,) = annotate.get_tasks()
    waiting.submit()
    (done,) = box.project().workflow.get_stage(uuid=sandbox.DONE_STAGE).get_tasks()
    equal(done.data_hash, third.data_hash, "submitted task")


@check("client: priorities are visible in the next listing")
def sets_priorities(box) -> None:
    rows = box.project().list_label_rows_v2()
    for index, row in enumerate(rows):
        row.set_priority(index / 100)
    again = {row.data_hash: row.priority for row in box.project().list_label_rows_v2()}
    equal(again, {row.data_hash: index / 100 for index, row in enumerate(rows)}, "priorities")


@check("client: storage items come in the order asked for, with links that work")
def storage_items(box) -> None:
    client = box.client()
    rows = box.project().list_label_rows_v2()
    uuids = [row.backing_item_uuid for row in reversed(rows)]
    items = client.get_storage_items(uuids, sign_url=True)
    equal([item.uuid for item in items], uuids, "order of the items")
    kinds = {item.name: item.item_type for item in items}
    equal(kinds["ride.mp4"], StorageItemType.VIDEO, "type of the video")
    equal(kinds["steps"], StorageItemType.IMAGE_SEQUENCE, "type of the image sequence")
    equal(kinds["ct"], StorageItemType.DICOM_SERIES, "type of the series")
    street = next(item for item in items if item.name == "street.jpg")
    content = (sandbox.samples() / "street.jpg").read_bytes()
    equal(requests.get(street.get_signed_url()).content, content, "file behind the link")
    part = requests.get(street.get_signed_url(), headers={"Range": "bytes=10-19"})
    equal((part.status_code, part.content), (206, content[10:20]), "part of the file")
    views = next(item for item in items if item.name == "views")
    equal([child.name for child in views.get_child_items()], ["view-0.jpg", "view-1.jpg", "view-2.png"], "children")
    street.update(client_metadata={"checked": True})
    equal(client.get_storage_item(street.uuid).client_metadata, {"checked": True}, "updated metadata")
