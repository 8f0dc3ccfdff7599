"""Folders, items, collections and the links to the bytes."""

import time
import urllib.error
import urllib.request
from uuid import UUID, uuid4

from encord.exceptions import AuthorisationError, EncordException
from encord.orm.collection import (
    ProjectCollectionType,
    ProjectDataCollectionItemRequest,
    ProjectLabelCollectionItemRequest,
)
from encord.orm.dataset import StorageLocation
from encord.orm.storage import JobStatus, StorageItemType

import sandbox
from checks import check, equal, raises


def _get(url: str, **headers: str) -> tuple[int, bytes, dict]:
    """Status, body and headers; an error status is an answer like others."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def _item(box, name: str):
    """The sample item of this name, with a link to its bytes."""
    found = box.client().find_storage_items(search=name, get_signed_urls=True)
    return next(item for item in found if item.name == name)


def _names(things) -> list[str]:
    return [thing.name for thing in things]


@check("storage: folders are created, found, listed and know their path")
def folders(box) -> None:
    client = box.client()
    outer = client.create_storage_folder("Outer", description="whole", client_metadata={"year": 2025})
    inner = client.create_storage_folder("Inner", parent_folder=outer)
    again = client.get_storage_folder(outer.uuid)
    equal((again.name, again.description, again.client_metadata), ("Outer", "whole", {"year": 2025}), "outer folder")
    assert "Outer" in _names(client.list_storage_folders()), "the new folder is not listed"
    assert "Inner" not in _names(client.list_storage_folders()), "a folder in a folder is listed at the top"
    equal(_names(outer.list_subfolders()), ["Inner"], "folders inside")
    equal(_names(client.find_storage_folders(search="Inn")), ["Inner"], "folders found by name")
    path = client.get_storage_folder(inner.uuid).path_to_root
    assert "Outer" in _names(path), path


@check("storage: folders are renamed, moved and deleted")
def change_folders(box) -> None:
    client = box.client()
    first, second = client.create_storage_folder("First"), client.create_storage_folder("Second")
    first.update(name="Renamed", client_metadata={"a": 1})
    equal(client.get_storage_folder(first.uuid).name, "Renamed", "name")
    first.move_to_folder(second)
    equal(_names(second.list_subfolders()), ["Renamed"], "folders inside after the move")
    first.delete()
    equal(_names(second.list_subfolders()), [], "folders inside after the deletion")
    raises(AuthorisationError, lambda: client.get_storage_folder(first.uuid), "a deleted folder")


@check("storage: items are renamed, described and given metadata")
def change_items(box) -> None:
    item = _item(box, "street.jpg")
    item.update(name="road.jpg", description="grey", client_metadata={"weather": "rain"})
    again = box.client().get_storage_item(item.uuid)
    found = (again.name, again.description, again.client_metadata)
    equal(found, ("road.jpg", "grey", {"weather": "rain"}), "item")


@check("storage: items are moved between folders and deleted")
def move_items(box) -> None:
    client = box.client()
    source, target = client.create_storage_folder("Source"), client.create_storage_folder("Target")
    uuids = [source.upload_image(sandbox.samples() / "plan.png", title=str(number)) for number in range(3)]
    source.move_items_to_folder(target, uuids[:2])
    equal((sorted(_names(source.list_items())), sorted(_names(target.list_items()))), (["2"], ["0", "1"]), "items")
    target.delete_storage_items([uuids[0]])
    equal(_names(target.list_items()), ["1"], "items after the deletion")
    raises(EncordException, lambda: client.get_storage_item(uuids[0]), "a deleted item")


@check("storage: items are listed in pages, filtered by type and in the order asked for")
def list_items(box) -> None:
    (folder,) = box.client().list_storage_folders()
    names = sorted(item["name"] for item in sandbox.sample_seed()["datasets"][0]["items"])
    listed = list(folder.list_items(page_size=2))
    assert set(names) <= set(_names(listed)), f"items: {_names(listed)}"
    equal(len({item.uuid for item in listed}), len(listed), "items over pages, each once")
    equal(_names(folder.list_items(item_types=[StorageItemType.PDF])), ["letter.pdf"], "PDFs")
    equal(_names(folder.list_items(desc=True)), _names(listed)[::-1], "items backwards")
    equal(_names(folder.list_items(search="ride")), ["ride.mp4"], "items found by name")


@check("storage: an item tells which datasets use it")
def usage(box) -> None:
    summary = _item(box, "street.jpg").get_summary()
    equal([str(dataset.dataset_hash) for dataset in summary.accessible_datasets], [sandbox.DATASET], "datasets")


@check("storage: several items are fetched at once, in the order asked for")
def bulk(box) -> None:
    uuids = [_item(box, name).uuid for name in ("ride.mp4", "call.wav", "street.jpg")]
    found = box.client().get_storage_items(uuids, sign_url=True)
    equal([item.name for item in found], ["ride.mp4", "call.wav", "street.jpg"], "names")
    assert all(item.get_signed_url() for item in found), "links"


@check("storage: items that do not exist are refused")
def unknown(box) -> None:
    raises(EncordException, lambda: box.client().get_storage_item(uuid4()), "an unknown item")
    raises(AuthorisationError, lambda: box.client().get_storage_folder(uuid4()), "an unknown folder")


@check("storage: collections hold items")
def collections(box) -> None:
    client = box.client()
    (folder,) = client.list_storage_folders()
    street, plan = _item(box, "street.jpg"), _item(box, "plan.png")
    collection = client.create_collection(folder.uuid, "Stills", "pictures")
    collection.add_items([street.uuid, plan.uuid])
    (listed,) = client.list_collections(folder.uuid)
    equal((listed.name, sorted(_names(listed.list_items()))), ("Stills", ["plan.png", "street.jpg"]), "collection")
    collection.remove_items([plan.uuid])
    equal(_names(client.get_collection(UUID(str(collection.uuid))).list_items()), ["street.jpg"], "items left")


@check("storage: collections are renamed and deleted")
def change_collections(box) -> None:
    client = box.client()
    (folder,) = client.list_storage_folders()
    collection = client.create_collection(folder.uuid, "Stills", "pictures")
    collection.update_collection(name="Photos")
    again = client.get_collection(collection.uuid)
    equal((again.name, again.description), ("Photos", "pictures"), "collection")
    client.delete_collection(collection.uuid)
    equal(list(client.list_collections(folder.uuid)), [], "collections")


@check("storage: collections of a project hold frames, and labels")
def project_collections(box) -> None:
    project, row = box.project(), box.row("ride.mp4")
    frames = project.create_collection("Frames", "to look at", collection_type=ProjectCollectionType.FRAME)
    wanted = [ProjectDataCollectionItemRequest(data_uuid=row.data_hash, frame=frame) for frame in (3, 7)]
    strange = ProjectDataCollectionItemRequest(data_uuid=uuid4(), frame=0)
    refused = frames.add_items([*wanted, strange]).failed_items
    equal([one.data_uuid for one in refused], [str(strange.data_uuid)], "items refused")
    ((found, instances),) = frames.list_frames()
    equal((found.data_hash, [one.frame for one in instances]), (row.data_hash, [3, 7]), "frames")
    frames.remove_items(wanted[:1])
    ((_, instances),) = frames.list_frames()
    equal([one.frame for one in instances], [7], "frames left")
    labels = project.create_collection("Labels", collection_type=ProjectCollectionType.LABEL)
    one = ProjectLabelCollectionItemRequest(data_uuid=row.data_hash, frame=2, annotation_id="dS8G6qn6")
    equal(labels.add_items([one]).failed_items, [], "labels refused")
    ((_, instances),) = labels.list_annotations()
    equal([(one.frame, one.annotation_id) for one in instances], [(2, "dS8G6qn6")], "labels")
    labels.update_collection(name="Renamed")
    equal(sorted(one.name for one in project.list_collections()), ["Frames", "Renamed"], "collections")
    project.delete_collection(frames.uuid)
    equal([one.name for one in project.list_collections()], ["Renamed"], "collections left")


@check("storage: items are found in folders below, and by whether a dataset has them")
def find_items(box) -> None:
    client = box.client()
    outer = client.create_storage_folder("Outer")
    inner = client.create_storage_folder("Inner", parent_folder=outer)
    lowest = client.create_storage_folder("Lowest", parent_folder=inner)
    used = lowest.upload_image(sandbox.samples() / "plan.png", title="deep used")
    lowest.upload_image(sandbox.samples() / "plan.png", title="deep unused")
    outer.upload_image(sandbox.samples() / "plan.png", title="high")
    created = client.create_dataset("Deep", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    client.get_dataset(created.dataset_hash).link_items([used])
    equal(_names(outer.list_items()), ["high"], "items of the folder itself")
    equal(_names(outer.find_items(item_types=[StorageItemType.IMAGE])), ["deep unused", "deep used", "high"], "below")
    equal(_names(lowest.list_items(is_in_dataset=True)), ["deep used"], "in a dataset")
    equal(_names(outer.find_items(search="deep", is_in_dataset=False)), ["deep unused"], "in none")
    equal(_names(outer.find_subfolders()), ["Inner", "Lowest"], "folders below")
    equal(_names(outer.list_subfolders()), ["Inner"], "folders of the folder itself")


@check("storage: parts of a group stay with it, and go with it when nothing else needs them")
def unused_frames(box) -> None:
    client = box.client()
    folder = client.create_storage_folder("Groups")
    pictures = [sandbox.samples() / f"view-{number}.jpg" for number in range(2)]

    def group(title: str):
        item = client.get_storage_item(folder.create_image_group(pictures, title=title))
        return item, [child.uuid for child in item.get_child_items()]

    def exists(uuid) -> bool:
        return uuid in {item.uuid for item in folder.list_items()}

    first, frames = group("first")
    raises(EncordException, lambda: folder.delete_storage_items([frames[0]]), "a frame of a group")
    equal(len(list(first.get_child_items())), 2, "frames of the group")
    folder.delete_storage_items([first.uuid], remove_unused_frames=False)
    equal([exists(frame) for frame in frames], [True, True], "frames that were to stay")
    shared = folder.create_data_group([frames[0]])
    second, others = group("second")
    both = folder.create_data_group([others[0], frames[1]])
    folder.delete_storage_items([second.uuid])
    equal([exists(frame) for frame in others], [True, False], "frames, one of which is used elsewhere")
    folder.delete_storage_items([both, shared])
    equal([exists(frame) for frame in (*frames, *others)], [False] * 4, "frames at last")


@check("storage: videos are encoded again")
def re_encode(box) -> None:
    ride, street = _item(box, "ride.mp4"), _item(box, "street.jpg")
    folder = box.client().get_storage_folder(ride.parent_folder_uuid)
    process = folder.re_encode_videos([ride.uuid], "again", False)
    state = folder.get_re_encoding_status(process)
    equal((state.status, len(state.result)), (JobStatus.DONE, 1), "state")
    raises(EncordException, lambda: folder.re_encode_videos([street.uuid], "again", False), "a picture")
    raises(EncordException, lambda: folder.get_re_encoding_status(uuid4()), "an unknown process")


@check("links: need no signature of a client and give the file whole")
def whole(box) -> None:
    status, body, headers = _get(_item(box, "letter.pdf").get_signed_url())
    equal((status, body), (200, (sandbox.samples() / "letter.pdf").read_bytes()), "answer")
    equal(headers.get("content-type", headers.get("Content-Type")), "application/pdf", "type")


@check("links: parts of a file can be asked for")
def ranges(box) -> None:
    url = _item(box, "ride.mp4").get_signed_url()
    whole = (sandbox.samples() / "ride.mp4").read_bytes()
    for asked, part in (("bytes=10-19", whole[10:20]), ("bytes=100-", whole[100:]), ("bytes=-7", whole[-7:])):
        equal(_get(url, Range=asked)[:2], (206, part), asked)
    equal(_get(url, Range=f"bytes={len(whole)}-")[0], 416, "status of a range behind the end")


@check("links: are bound to one object and cannot be changed")
def bound(box) -> None:
    street, plan = _item(box, "street.jpg"), _item(box, "plan.png")
    url = street.get_signed_url()
    equal(_get(url)[0], 200, "status of the link itself")
    equal(_get(url.replace(str(street.uuid), str(plan.uuid)))[0], 403, "status for another object")
    equal(_get(url.split("?")[0])[0], 403, "status without the signature")


@check("links: expire, and fresh ones work", options=("--signed-url-seconds", "1"))
def expiry(box) -> None:
    item = _item(box, "plan.png")
    equal(_get(item.get_signed_url())[0], 200, "status of a new link")
    time.sleep(2.2)
    equal(_get(item.get_signed_url())[0], 403, "status of an old link")
    equal(_get(item.get_signed_url(refetch=True))[0], 200, "status of a link that was asked for again")
