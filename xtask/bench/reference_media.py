"""The reference's side of the media measurements, and the floors that are no Rust.

    reference_media.py all FILE
    reference_media.py every STEP FILE
    reference_media.py indices 3,7,9 FILE
    reference_media.py pyav FILE
    reference_media.py ffmpeg FILE
    reference_media.py download PROJECT_HASH TARGET
    reference_media.py curl PROJECT_HASH TARGET
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time


def main() -> None:
    action, *arguments = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        seconds = ACTIONS[action](*arguments)
    print(json.dumps({"seconds": seconds}))


def every_frame(file: str) -> float:
    from encord_agents.core.video import iter_video

    return timed(lambda: iter_video(pathlib.Path(file)))


def every(step: str, file: str) -> float:
    import cv2
    from encord_agents.core.video import iter_video_with_indices

    count = int(cv2.VideoCapture(file).get(cv2.CAP_PROP_FRAME_COUNT))
    return timed(lambda: iter_video_with_indices(pathlib.Path(file), range(0, count, int(step))))


def indices(wanted: str, file: str) -> float:
    from encord_agents.core.video import iter_video_with_indices

    numbers = sorted(map(int, wanted.split(",")))
    return timed(lambda: iter_video_with_indices(pathlib.Path(file), numbers))


def timed(frames) -> float:
    start = time.perf_counter()
    count = sum(1 for _ in frames())
    assert count
    return time.perf_counter() - start


def pyav(file: str) -> float:
    import av

    def frames():
        with av.open(file) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")

    return timed(frames)


def ffmpeg(file: str) -> float:
    """Decoding and conversion in one pipeline that keeps nothing."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-y", os.devnull]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def storage_item(project: str):
    from encord import EncordUserClient

    # An empty variable would count as set.
    os.environ.pop("ENCORD_SSH_KEY", None)
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=os.environ["ENCORD_SSH_KEY_FILE"], domain=os.environ["ENCORD_DOMAIN"]
    )
    (row,) = client.get_project(project).list_label_rows_v2()
    return client.get_storage_item(row.backing_item_uuid, sign_url=True)


def download(project: str, target: str) -> float:
    from encord_agents.core.utils import download_asset

    item = storage_item(project)
    start = time.perf_counter()
    with download_asset(item):
        return time.perf_counter() - start


def curl(project: str, target: str) -> float:
    url = storage_item(project).get_signed_url()
    start = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--output", target, url], check=True)
    return time.perf_counter() - start


ACTIONS = {
    "all": every_frame,
    "every": every,
    "indices": indices,
    "pyav": pyav,
    "ffmpeg": ffmpeg,
    "download": download,
    "curl": curl,
}

if __name__ == "__main__":
    main()
