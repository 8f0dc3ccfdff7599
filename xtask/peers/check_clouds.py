"""Items that are more than one uploaded file: scenes, files in clouds, groups of images that are there already."""

import contextlib
import functools
import http.server
import threading
import urllib.request
from typing import Iterator

import cv2
import numpy as np
from encord.beta.scene import SceneBuilder, SceneReader
from encord.exceptions import AuthorisationError, EncordException, ResourceNotFoundError
from encord.orm.storage import (
    CustomerProvidedImageMetadata,
    CustomerProvidedVideoMetadata,
    DataGroupCustom,
    DataUploadImage,
    DataUploadImageGroupFromItems,
    DataUploadItems,
    DataUploadVideo,
    StorageItemType,
    StorageLocationName,
)

import sandbox
from checks import check, equal, raises

INTEGRATION = "c1000000-0000-4000-8000-000000000001"


def clouds() -> dict:
    """The sample seed with a name for a cloud."""
    cloud = {"integration_hash": INTEGRATION, "title": "Bucket"}
    return {**sandbox.sample_seed(), "cloud_integrations": [cloud]}


@contextlib.contextmanager
def bucket() -> Iterator[str]:
    """Serves the samples, as a cloud would."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_) -> None:
            pass

    handler = functools.partial(Quiet, directory=sandbox.samples())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def _folder(box):
    return box.client().create_storage_folder("Cloud")


def _add(folder, items: DataUploadItems | dict, ignore_errors: bool = False):
    job = folder.add_private_data_to_folder_start(INTEGRATION, items, ignore_errors)
    return folder.add_private_data_to_folder_get_result(job)


@check("clouds: integrations are listed, and filtered by title", seed=clouds)
def integrations(box) -> None:
    found = box.client().get_cloud_integrations()
    equal([(one.id, one.title) for one in found], [(INTEGRATION, "Bucket")], "integrations")
    equal(box.client().get_cloud_integrations(filter_integration_titles=["Other"]), [], "integrations of another name")


@check("clouds: files become items with what is said of them, and links lead to the cloud", seed=clouds)
def cloud_items(box) -> None:
    folder = _folder(box)
    with bucket() as url:
        metadata = CustomerProvidedImageMetadata(mime_type="image/jpeg", file_size=1234, height=240, width=320)
        clip = CustomerProvidedVideoMetadata(
            fps=10, duration=3, width=320, height=240, file_size=99, mime_type="video/mp4"
        )
        items = DataUploadItems(
            images=[DataUploadImage(object_url=f"{url}/street.jpg", title="Street", image_metadata=metadata)],
            videos=[DataUploadVideo(object_url="s3://bucket/ride.mp4", video_metadata=clip)],
        )
        equal(len(_add(folder, items).items_with_names), 2, "items made")
        found = {item.name: item for item in folder.list_items(get_signed_urls=True)}
        street, ride = found["Street"], found["ride.mp4"]
        equal((street.width, street.height, street.file_size), (320, 240, 1234), "facts")
        equal(street.storage_location, StorageLocationName.DIRECT_ACCESS, "location")
        equal(str(street.integration_hash), INTEGRATION, "integration")
        equal(_download(street.get_signed_url()), (sandbox.samples() / "street.jpg").read_bytes(), "bytes")
        equal((ride.storage_location, ride.url), (StorageLocationName.S3, "s3://bucket/ride.mp4"), "place")
        equal((ride.fps, ride.duration, ride.frame_count), (10.0, 3.0, 30), "facts of the video")


@check("clouds: files are described in JSON too, and one bad file need not stop the others", seed=clouds)
def described(box) -> None:
    folder = _folder(box)
    described = {
        "images": [{"objectUrl": "https://h.example/a.jpg", "clientMetadata": {"k": 1}}, {"objectUrl": "no url"}],
        "image_groups": [
            {"title": "Two", "createVideo": False, "objectUrl_0": "s3://b/0.jpg", "objectUrl_1": "s3://b/1.jpg"}
        ],
    }
    result = _add(folder, described, ignore_errors=True)
    equal((result.units_done_count, result.units_error_count), (2, 1), "units")
    (group,) = folder.list_items(item_types=[StorageItemType.IMAGE_GROUP])
    equal([child.url for child in group.get_child_items()], ["s3://b/0.jpg", "s3://b/1.jpg"], "frames")
    equal(_add(folder, described).status.name, "ERROR", "status when errors are not ignored")


@check("clouds: files that are there already are skipped, or get new metadata", seed=clouds)
def duplicates(box) -> None:
    folder = _folder(box)

    def image(**metadata) -> list[DataUploadImage]:
        return [DataUploadImage(object_url="gs://b/a.jpg", client_metadata=metadata)]

    _add(folder, DataUploadItems(images=image(round=1)))
    _add(folder, DataUploadItems(images=image(round=2), skip_duplicate_urls=True))
    equal([item.client_metadata for item in folder.list_items()], [{"round": 1}], "items")
    _add(folder, DataUploadItems(images=image(round=3), skip_duplicate_urls=True, upsert_metadata=True))
    equal([item.client_metadata for item in folder.list_items()], [{"round": 3}], "items with new metadata")


@check("clouds: an integration that does not exist is refused")
def unknown_integration(box) -> None:
    items = DataUploadItems(images=[DataUploadImage(object_url="s3://b/a.jpg")])
    raises((ResourceNotFoundError, AuthorisationError), lambda: _add(_folder(box), items), "an unknown integration")


@check("clouds: data is added to a dataset too, with a task for each", seed=clouds)
def cloud_dataset(box) -> None:
    dataset = box.client().get_dataset(sandbox.DATASET)
    before = len(box.project().list_label_rows_v2())
    added = dataset.add_private_data_to_dataset(INTEGRATION, {"images": [{"objectUrl": "https://h.example/new.jpg"}]})
    equal([one.title for one in added.dataset_data_list], ["new.jpg"], "rows added")
    equal(len(box.project().list_label_rows_v2()), before + 1, "label rows")


@check("scenes: a point cloud in a file becomes a scene that can be worked on")
def scene_file(box) -> None:
    path = box.folder / "cloud.pcd"
    path.write_text("VERSION .7\nFIELDS x y z\nPOINTS 1\nDATA ascii\n0 0 0\n")
    folder = box.client().create_storage_folder("Scenes")
    uuid = folder.upload_scene_file(path, client_metadata={"sensor": "top"})
    item = box.client().get_storage_item(uuid)
    equal((item.item_type, item.name, item.client_metadata), (StorageItemType.SCENE, "cloud.pcd", {"sensor": "top"}), "item")
    read = SceneReader(item)._read_internal_scene()
    equal((read.format.value, _download(read.signed_url)), ("pcd", path.read_bytes()), "format and bytes")
    box.client().get_dataset(sandbox.DATASET).link_items([uuid])
    (row,) = [row for row in box.project().list_label_rows_v2() if row.data_title == "cloud.pcd"]
    row.initialise_labels()
    row.save()
    equal(row.data_type.name, "SCENE", "type of the row")
    (task,) = [
        task
        for task in box.project().workflow.get_stage(uuid=sandbox.FIND_STAGE).get_tasks()
        if task.data_title == "cloud.pcd"
    ]
    task.proceed(pathway_name="found")
    bad = box.folder / "cloud.docx"
    bad.write_text("no scene")
    raises(EncordException, lambda: folder.upload_scene_file(bad), "a format that is none")


def composite() -> SceneBuilder:
    """Two point clouds, half a second apart."""
    scene = SceneBuilder()
    lidar = scene.add_pcd_stream("lidar")
    for number in range(2):
        lidar.add_pcd(uri=f"https://h.example/{number}.pcd", timestamp=number / 2)
    return scene


@check("scenes: streams of point clouds are read as they were built, and are spaces of the row", seed=clouds)
def scene_streams(box) -> None:
    folder = _folder(box)
    uuid = folder.upload_scene(composite(), "Drive", INTEGRATION)
    scene = SceneReader(box.client().get_storage_item(uuid)).read()
    (stream,) = scene.point_cloud_streams
    equal([(event.timestamp, event.url) for event in stream.events], [
        (0.0, "https://h.example/0.pcd"), (0.5, "https://h.example/1.pcd")
    ], "events")  # fmt: skip
    box.client().get_dataset(sandbox.DATASET).link_items([uuid])
    (row,) = [row for row in box.project().list_label_rows_v2() if row.data_title == "Drive"]
    row.initialise_labels()
    space = row.get_space(stream_id="lidar", event_index=1, type_="point_cloud")
    equal(type(space).__name__, "PointCloudFileSpace", "space")
    row.save()


@check("groups: images that are there already are grouped, and made a sequence of")
def from_items(box) -> None:
    folder = box.client().create_storage_folder("Pictures")
    paths = []
    for number in range(3):
        path = box.folder / f"{number}.png"
        cv2.imwrite(str(path), np.full((24, 32, 3), 60 * number, np.uint8))
        paths.append(path)
    uuids = [folder.upload_image(path) for path in paths]
    groups = [
        DataUploadImageGroupFromItems(image_items=uuids[::-1], title="Backwards", create_video=False),
        DataUploadImageGroupFromItems(image_items=uuids, title="Film", create_video=True),
    ]
    result = folder._add_data(integration_id=None, private_files=DataUploadItems(image_groups_from_items=groups))
    equal((result.status.name, result.errors), ("DONE", []), "status")
    made = {one.name: box.client().get_storage_item(one.item_uuid, sign_url=True) for one in result.items_with_names}
    group, film = made["Backwards"], made["Film"]
    equal(group.item_type, StorageItemType.IMAGE_GROUP, "type")
    equal([child.uuid for child in group.get_child_items()], uuids[::-1], "frames")
    equal((film.item_type, film.frame_count, film.width), (StorageItemType.IMAGE_SEQUENCE, 3, 32), "film")
    capture = cv2.VideoCapture(film.get_signed_url())
    equal([int(capture.read()[1].mean()) for _ in range(3)], [0, 60, 120], "frames of the film")
    equal(box.client().get_storage_item(uuids[0]).get_summary().frame_in_groups, 2, "groups of the first picture")


@check("groups: the layout of a data group is kept")
def layouts(box) -> None:
    folder = box.client().create_storage_folder("Group")
    members = {
        "sound": folder.upload_audio(sandbox.samples() / "answer.wav"),
        "words": folder.upload_text(sandbox.samples() / "answer.txt"),
    }
    layout = {
        "direction": "row",
        "first": {"type": "data_unit", "key": "sound"},
        "second": {"type": "data_unit", "key": "words"},
        "splitPercentage": 30,
    }
    uuid = folder.create_data_group(
        DataGroupCustom(
            name="Pair",
            layout_contents=members,
            layout=layout,
            timeline=["sound"],
            settings={"fixed_layout": True},
            client_metadata={"k": "v"},
        )
    )
    item = box.client().get_storage_item(uuid)
    equal((item.name, item.client_metadata), ("Pair", {"k": "v"}), "group")
    group = item.get_summary().data_group
    equal({key: child.uuid for key, child in group.layout_contents.items()}, members, "members by their place")
    equal((group.layout.direction, group.layout.split_percentage), ("row", 30), "layout")
    equal((group.layout_settings.fixed_layout, group.timeline), (True, ["sound"]), "settings and timeline")
