"""Writes the label documents that the benchmarks measure: always the same bytes, whatever machine makes them.

    documents.py FOLDER [--quick]
"""

import argparse
import hashlib
import json
import math
import pathlib

ONTOLOGY = {
    "objects": [
        {"id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "bbox0001"},
        {"id": "2", "name": "Mask", "color": "#D33115", "shape": "bitmask", "featureNodeHash": "mask0001"},
    ],
    "classifications": [],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="without the largest document")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "ontology.json").write_text(json.dumps(ONTOLOGY))
    write(arguments.folder / "boxes.json", 1_000, 10, box, "be96e99155ea3d3b")
    write(arguments.folder / "masks.json", 300, 20, mask, "ab855e7b1355e7d0")
    if not arguments.quick:
        write(arguments.folder / "many_boxes.json", 10_000, 20, box, "5ec54a06c2928a10")


def write(path: pathlib.Path, frames: int, objects: int, geometry, digest: str) -> None:
    """Writes one document unless it is there; the digest says whether it is the one others measured."""
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest):
        return
    content = json.dumps(document(frames, objects, geometry), separators=(",", ":")).encode()
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(digest):
        print(f"{path.name}: digest {found[:16]} instead of {digest}; figures cannot be compared with older ones")
    path.write_bytes(content)


def document(frames: int, objects: int, geometry) -> dict:
    """A video row with every object on every frame."""
    names = [f"obj{k:05d}" for k in range(objects)]
    labels = {
        str(f): {"objects": [entry(f, k, geometry) for k in range(objects)], "classifications": []}
        for f in range(frames)
    }
    unit = {
        "data_hash": "dh", "data_title": "clip.mp4", "data_link": "", "data_type": "video/mp4", "data_sequence": 0,
        "width": 1920, "height": 1080, "data_fps": 25.0, "data_duration": frames / 25, "labels": labels,
    }  # fmt: skip
    return {
        "label_hash": "lh", "branch_name": "main", "created_at": "2024-01-02 03:04:05",
        "last_edited_at": "2024-01-02 03:04:05", "data_hash": "dh", "dataset_hash": "ds", "dataset_title": "dst",
        "data_title": "clip.mp4", "data_type": "video", "annotation_task_status": "QUEUED", "is_shadow_data": False,
        "label_status": "LABEL_IN_PROGRESS",
        "object_answers": {name: {"objectHash": name, "classifications": []} for name in names},
        "classification_answers": {}, "object_actions": {}, "spaces": {}, "data_units": {"dh": unit},
    }  # fmt: skip


def entry(frame: int, k: int, geometry) -> dict:
    """One object on one frame."""
    name, shape, feature, coordinates = geometry(frame, k)
    return {
        "name": name, "color": "#D33115", "shape": shape, "value": name.lower(),
        "createdAt": f"Tue, 02 Jan 2024 03:04:{k % 60:02d} UTC", "createdBy": "annotator@example.com", "confidence": 1,
        "objectHash": f"obj{k:05d}", "featureHash": feature, "manualAnnotation": True,
        "lastEditedAt": f"Tue, 02 Jan 2024 04:{frame % 60:02d}:00 UTC", "lastEditedBy": "annotator@example.com",
        **coordinates,
    }  # fmt: skip


def box(frame: int, k: int) -> tuple[str, str, str, dict]:
    """A box that jumps about."""
    corners = {
        "h": (500 + ((379 * k) % 1500)) / 10000,
        "w": (500 + ((211 * k) % 1500)) / 10000,
        "x": ((7919 * frame + 104729 * k) % 8000) / 10000,
        "y": ((6007 * frame + 99991 * k) % 8000) / 10000,
    }
    return "Box", "bounding_box", "bbox0001", {"boundingBox": corners}


def mask(frame: int, k: int) -> tuple[str, str, str, dict]:
    """A disc, as a run-length coded mask of the whole picture."""
    radius = 40 + 5 * (k % 10)
    centre = 100 + ((3 * frame + 97 * k) % 1720), 100 + ((2 * frame + 53 * k) % 880)
    runs = disc_runs(1920, 1080, *centre, radius)
    bitmask = {"top": 0, "left": 0, "height": 1080, "width": 1920, "rleString": coded(runs)}
    return "Mask", "bitmask", "mask0001", {"bitmask": bitmask}


def disc_runs(width: int, height: int, x: int, y: int, radius: int) -> list[int]:
    """Lengths of the runs of zeros and ones, row by row, starting with zeros."""
    counts, position = [], 0
    for row in range(y - radius, y + radius + 1):
        half = math.isqrt(radius * radius - (row - y) * (row - y))
        start = row * width + x - half
        counts += [start - position, 2 * half + 1]
        position = start + 2 * half + 1
    return counts + [width * height - position]


def coded(counts: list[int]) -> str:
    """The platform's run-length string: differences to the run before last, in groups of five bits."""
    text = []
    for index, count in enumerate(counts):
        rest = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group, rest = rest & 31, rest >> 5
            more = rest != (-1 if group & 16 else 0)
            text.append(chr(48 + group + (32 if more else 0)))
    return "".join(text)


if __name__ == "__main__":
    main()
