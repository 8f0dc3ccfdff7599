"""Uploads through signed URLs: every kind of file arrives whole, with facts that are true of the file."""

import gzip
import struct
import time
import urllib.request
import wave
from pathlib import Path

import cv2
import numpy as np
from encord.exceptions import EncordException
from encord.orm.dataset import LongPollingStatus, StorageLocation
from encord.orm.storage import StorageItemType
from encord.storage import StorageFolder, StorageItem

import sandbox
from checks import check, equal, raises

CLOUD = "c1000000-0000-4000-8000-000000000002"


def _folder(box) -> StorageFolder:
    return box.client().create_storage_folder("Uploads")


def _sample(name: str) -> Path:
    return sandbox.samples() / name


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def _arrived(box, uuid, kind: StorageItemType, path: Path) -> StorageItem:
    """The item that was made of the file, after a look at its kind, size and bytes."""
    item = box.client().get_storage_item(uuid, sign_url=True)
    equal(item.item_type, kind, "type")
    equal(item.file_size, path.stat().st_size, "size in bytes")
    equal(_download(item.get_signed_url()), path.read_bytes(), "bytes")
    return item


@check("uploads: an image, with the size it has")
def image(box) -> None:
    path = box.folder / "odd.png"
    cv2.imwrite(str(path), np.full((23, 37, 3), 90, np.uint8))
    uuid = _folder(box).upload_image(path, title="Odd", client_metadata={"camera": 3})
    item = _arrived(box, uuid, StorageItemType.IMAGE, path)
    equal((item.name, item.width, item.height, item.mime_type), ("Odd", 37, 23, "image/png"), "facts")
    equal(item.client_metadata, {"camera": 3}, "client metadata")


@check("uploads: a JPEG under its own name")
def jpeg(box) -> None:
    path = _sample("street.jpg")
    item = _arrived(box, _folder(box).upload_image(path), StorageItemType.IMAGE, path)
    equal((item.name, item.width, item.height, item.mime_type), ("street.jpg", 320, 240, "image/jpeg"), "facts")


@check("uploads: a video, with frames, rate and length")
def video(box) -> None:
    path = _sample("ride.mp4")
    item = _arrived(box, _folder(box).upload_video(path), StorageItemType.VIDEO, path)
    capture = cv2.VideoCapture(str(path))
    frames = sum(1 for _ in iter(lambda: capture.read()[0], False))
    equal(frames, 30, "frames in the file")
    found = (item.width, item.height, item.frame_count, item.fps, item.duration, item.mime_type)
    equal(found, (320, 240, 30, 10.0, 3.0, "video/mp4"), "facts")


@check("uploads: a recording in stereo, with rate, depth and length")
def audio(box) -> None:
    path = box.folder / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(bytes(4 * 22050 * 2))
    item = _arrived(box, _folder(box).upload_audio(path), StorageItemType.AUDIO, path)
    equal((item.audio_sample_rate, item.audio_num_channels, item.audio_bit_depth), (22050, 2, 16), "facts")
    equal(item.duration, 2.0, "length")


@check("uploads: a text")
def text(box) -> None:
    path = box.folder / "note.txt"
    path.write_text("Zwölf Boxkämpfer\n", encoding="utf-8")
    item = _arrived(box, _folder(box).upload_text(path, title="note"), StorageItemType.PLAIN_TEXT, path)
    equal((item.name, item.mime_type), ("note", "text/plain"), "facts")


@check("uploads: a PDF")
def pdf(box) -> None:
    path = _sample("letter.pdf")
    item = _arrived(box, _folder(box).upload_pdf(path), StorageItemType.PDF, path)
    equal(item.mime_type, "application/pdf", "type")


@check("uploads: a NIfTI volume, with the size in its header")
def nifti(box) -> None:
    path = _sample("brain.nii.gz")
    item = _arrived(box, _folder(box).upload_nifti(path), StorageItemType.NIFTI, path)
    columns, rows, slices = struct.unpack_from("<3h", gzip.decompress(path.read_bytes()), 42)
    equal((item.width, item.height, item.frame_count), (columns, rows, slices), "facts")


@check("uploads: a DICOM series of five files")
def dicom(box) -> None:
    paths = [_sample(f"ct-{number}.dcm") for number in range(1, 6)]
    uuid = _folder(box).create_dicom_series(paths, title="ct")
    item = box.client().get_storage_item(uuid)
    equal((item.item_type, item.name, item.frame_count), (StorageItemType.DICOM_SERIES, "ct", 5), "facts")
    files = list(item.get_child_items(get_signed_urls=True))
    equal({child.item_type for child in files}, {StorageItemType.DICOM_FILE}, "types of the files")
    found = sorted(_download(child.get_signed_url()) for child in files)
    equal(found, sorted(path.read_bytes() for path in paths), "bytes")
    equal(len({child.dicom_series_uid for child in files}), 1, "series of the files")
    equal(len({child.dicom_instance_uid for child in files}), 5, "instances")


@check("uploads: an image group keeps its pictures in order")
def image_group(box) -> None:
    paths = [_sample("view-1.jpg"), _sample("view-0.jpg"), _sample("view-2.png")]
    uuid = _folder(box).create_image_group(paths, title="Turned")
    item = box.client().get_storage_item(uuid)
    equal((item.item_type, item.name, item.frame_count), (StorageItemType.IMAGE_GROUP, "Turned", 3), "facts")
    found = [_download(child.get_signed_url()) for child in item.get_child_items(get_signed_urls=True)]
    equal(found, [path.read_bytes() for path in paths], "bytes in order")


@check("uploads: an image sequence becomes a video of the same pictures")
def image_sequence(box) -> None:
    paths = [_sample("view-0.jpg"), _sample("view-1.jpg")]
    uuid = _folder(box).create_image_sequence(paths, title="Pair")
    item = box.client().get_storage_item(uuid, sign_url=True)
    equal((item.item_type, item.frame_count), (StorageItemType.IMAGE_SEQUENCE, 2), "facts")
    file = box.folder / "sequence.avi"
    file.write_bytes(_download(item.get_signed_url()))
    capture = cv2.VideoCapture(str(file))
    for path in paths:
        read, frame = capture.read()
        assert read, f"no frame for {path.name}"
        difference = np.abs(frame.astype(int) - cv2.imread(str(path)).astype(int)).mean()
        assert difference < 2, f"{path.name} differs by {difference} on average"
    equal(capture.read()[0], False, "a third frame")


@check("uploads: a data group of a recording and a text")
def data_group(box) -> None:
    folder = _folder(box)
    members = [folder.upload_audio(_sample("answer.wav")), folder.upload_text(_sample("answer.txt"))]
    uuid = folder.create_data_group(members)
    item = box.client().get_storage_item(uuid)
    equal(item.item_type, StorageItemType.GROUP, "type")
    equal({child.uuid for child in item.get_child_items()}, set(members), "members")


@check("uploads: a file that is not what it is said to be is refused and leaves nothing")
def wrong_file(box) -> None:
    folder = _folder(box)
    path = box.folder / "text.jpg"
    path.write_text("not a picture")
    raises(EncordException, lambda: folder.upload_image(path), "a text as an image")
    equal(list(folder.list_items()), [], "items")


@check("uploads: the older calls of datasets upload too")
def into_dataset(box) -> None:
    created = box.client().create_dataset("Direct", StorageLocation.CORD_STORAGE)
    dataset = box.client().get_dataset(created.dataset_hash)
    dataset.upload_image(str(_sample("plan.png")), title="plan")
    dataset.upload_video(str(_sample("ride.mp4")), title="ride")
    pictures = [str(_sample("view-0.jpg")), str(_sample("view-1.jpg"))]
    dataset.create_image_group(pictures, title="sequence")
    dataset.create_image_group(pictures, title="group", create_video=False)
    rows = {row.title: row.data_type.name for row in box.client().get_dataset(created.dataset_hash).list_data_rows()}
    expected = {"plan": "IMAGE", "ride": "VIDEO", "sequence": "VIDEO", "group": "IMG_GROUP"}
    equal(rows, expected, "data rows")


def clouds() -> dict:
    """The samples and the name of a cloud, whose files need no upload before a job."""
    return {**sandbox.sample_seed(), "cloud_integrations": [{"integration_hash": CLOUD, "title": "Bucket"}]}


def _start(folder: StorageFolder):
    files = {"images": [{"objectUrl": "https://bucket.example/one.jpg", "title": "one"}]}
    return folder.add_private_data_to_folder_start(CLOUD, files)


@check("uploads: a job is pending until it is done", seed=clouds, options=("--job-seconds", "1"))
def pending_job(box) -> None:
    folder = _folder(box)
    job = _start(folder)
    state = folder.add_private_data_to_folder_get_result(job, timeout_seconds=0)
    found = (state.status, state.units_pending_count, state.units_done_count, state.items_with_names)
    equal(found, (LongPollingStatus.PENDING, 1, 0, []), "state at first")
    equal(list(folder.list_items()), [], "items at first")
    state = folder.add_private_data_to_folder_get_result(job)
    found = (state.status, state.units_pending_count, state.units_done_count)
    equal(found, (LongPollingStatus.DONE, 0, 1), "state at last")
    equal([item.name for item in folder.list_items()], ["one"], "items at last")
    path = _sample("plan.png")
    _arrived(box, folder.upload_image(path), StorageItemType.IMAGE, path)
    created = box.client().create_dataset("Direct", StorageLocation.CORD_STORAGE)
    dataset = box.client().get_dataset(created.dataset_hash)
    dataset.upload_image(str(path), title="plan")
    equal([row.title for row in dataset.list_data_rows()], ["plan"], "rows after the older call")


@check("uploads: a job is cancelled and makes nothing", seed=clouds, options=("--job-seconds", "2"))
def cancelled_job(box) -> None:
    folder = _folder(box)
    job = _start(folder)
    equal(folder.add_data_to_folder_job_cancel(job).units_cancelled_count, 1, "units cancelled")
    state = folder.add_private_data_to_folder_get_result(job)
    equal((state.status, state.units_cancelled_count), (LongPollingStatus.CANCELLED, 1), "state")
    equal(folder.add_data_to_folder_job_cancel(job).units_cancelled_count, 0, "units cancelled again")
    time.sleep(2.5)
    equal(list(folder.list_items()), [], "items")
    other = box.client().create_storage_folder("Other")
    raises(EncordException, lambda: other.add_private_data_to_folder_get_result(job), "a job of another folder")
