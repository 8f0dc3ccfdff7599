"""Holds COCO export and import of `encord-labels` against the reference exporter, its importer and pycocotools.

    check_coco.py [--rows 220] [--seed 7]

Two faults of the reference exporter are repaired here before comparing: it looks up dynamic answers by the number of
the picture instead of the frame, and misses the visibility of skeleton vertices.
"""

from __future__ import annotations

import argparse
import collections
import copy
import json
import math
import pathlib
import subprocess
import sys
from typing import Any, Iterator

import cv2
import numpy as np
from pycocotools import mask as cocomask

import corpus
import reference
from encord.objects import OntologyStructure
from encord.objects.common import Shape
from encord.utilities.coco.datastructure import CocoAnnotationModel
from encord.utilities.coco.exporter import CocoExporter, KeyPointVisibility
from encord.utilities.coco.importer import coco_annotation_to_encord_coordinates

ROOT = pathlib.Path(__file__).resolve().parents[3]
TYPES = ("video", "image", "img_group", "dicom", "nifti")
IMPORTED = ("bounding_box", "polygon", "bitmask")


class RepairedExporter(CocoExporter):
    sequences: dict[str, int]

    def get_flat_dynamic_classifications(self, object_hash, feature_hash, image_id, answers):  # type: ignore
        pictures = self._data_hash_to_image_id_map.items()
        frames = {number: self.sequences.get(data_hash, frame) for (data_hash, frame), number in pictures}
        return super().get_flat_dynamic_classifications(object_hash, feature_hash, frames[image_id], answers)

    def get_skeleton_point_visibility(self, point):  # type: ignore
        hidden = {"invisible": KeyPointVisibility.NOT_LABELED, "occluded": KeyPointVisibility.NOT_VISIBLE}
        hidden["selfOccluded"] = KeyPointVisibility.NOT_VISIBLE
        return hidden.get(point.get("visibility"), KeyPointVisibility.VISIBLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=220)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    lines = []
    for index, line in enumerate(corpus.lines(arguments.rows, arguments.seed)):
        odd = index // len(corpus.TYPES) % 3 == 1
        if line["label_row"]["data_type"] in TYPES and not odd and not line["metadata"]["spaces"]:
            lines.append(line)
    theirs = [their_export(line) for line in lines]
    ours = through_rust(lines, "export")
    problems: list[str] = []
    counts: collections.Counter[str] = collections.Counter()
    for index, (line, expected, got) in enumerate(zip(lines, theirs, ours)):
        found = list(export_problems(expected, got, counts))
        problems += [f"row {index} ({line['label_row']['data_type']}): {problem}" for problem in found]
    print(f"COCO exports: {len(lines)} rows, {sum(counts.values())} annotations, {len(problems)} differences")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    imported = import_problems(lines, theirs)
    for problem in (problems + imported)[:20]:
        print(f"  {problem}")
    sys.exit(1 if problems or imported else 0)


def through_rust(lines: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    command = ["cargo", "run", "-q", "-p", "encord-labels", "--features", "coco", "--example", "coco"]
    text = "\n".join(json.dumps(line) for line in lines)
    done = subprocess.run([*command, "--", mode], cwd=ROOT, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def their_export(line: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(line["label_row"])
    for unit in document["data_units"].values():
        # Some units have no link, which the exporter insists on.
        unit.setdefault("data_link", "")
        for entry in entries(unit["labels"]):
            # The exporter stops at objects without an entry.
            empty = {"classifications": [], "objectHash": entry["objectHash"]}
            document["object_answers"].setdefault(entry["objectHash"], empty)
    structure = OntologyStructure.from_dict(copy.deepcopy(line["ontology"]))
    exporter = RepairedExporter([document], structure)
    grouped = document["data_type"] == "img_group"
    # The frame of an image in a group is its place in the group.
    exporter.sequences = {
        unit["data_hash"]: int(unit["data_sequence"]) for unit in document["data_units"].values() if grouped
    }
    return json.loads(json.dumps(exporter.export()))


def entries(labels: dict[str, Any]) -> Iterator[dict[str, Any]]:
    blobs = [labels] if isinstance(labels.get("objects"), list) else labels.values()
    for blob in blobs:
        yield from blob.get("objects", [])


def by_picture(dataset: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    names = {image["id"]: image["file_name"] for image in dataset["images"]}
    return {
        (names[annotation["image_id"]], annotation["attributes"]["encord_track_uuid"]): annotation
        for annotation in dataset["annotations"]
    }


def export_problems(expected: dict[str, Any], got: dict[str, Any], counts: Any) -> Iterator[str]:
    if "error" in got:
        yield got["error"]
        return
    if expected["categories"] != got["categories"] or expected["info"] != got["info"]:
        yield "categories or info differ"
    wanted, given = by_picture(expected), by_picture(got)
    used = {name for name, _ in wanted}
    pictures = {image["file_name"]: {**image, "id": 0} for image in got["images"]}
    for image in expected["images"]:
        if image["file_name"] in used and pictures.get(image["file_name"]) != {**image, "id": 0}:
            yield f"picture {image} != {pictures.get(image['file_name'])}"
    kinds = {category["id"]: category["supercategory"] for category in expected["categories"]}
    for key in sorted({*wanted, *given}):
        kind = kinds[(wanted.get(key) or given[key])["category_id"]]
        counts[kind] += 1
        if key not in given and kind in ("point", "polyline"):
            continue  # Points in space, whose coordinates are no fractions.
        if key not in given or key not in wanted:
            yield f"{key} ({kind}) is only in one of the exports"
            continue
        ignored = ("id", "image_id")
        for name in sorted({*wanted[key], *given[key]} - set(ignored)):
            one, other = wanted[key].get(name), given[key].get(name)
            if name == "attributes":
                one, other = {**one, "track_id": 0}, {**other, "track_id": 0}
            if not alike(one, other):
                yield f"{key} ({kind}) {name}: {json.dumps(one)[:150]} != {json.dumps(other)[:150]}"
        segmentation = given[key]["segmentation"]
        if isinstance(segmentation, dict) and int(cocomask.area(segmentation)) != given[key]["area"]:
            yield f"{key} ({kind}): pycocotools counts {cocomask.area(segmentation)} pixels"


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    return one == other


def import_problems(lines: list[dict[str, Any]], exports: list[dict[str, Any]]) -> list[str]:
    """Imports what the reference exported, through both importers, into rows without labels."""
    cases, wanted = [], []
    for line, dataset in zip(lines, exports):
        kinds = {category["id"]: category["supercategory"] for category in dataset["categories"]}
        nodes = [node for node in line["ontology"]["objects"] if node["shape"] not in ("audio", "text")]
        # Boxes with a negative side are an error for `encord-labels` and accepted by the reference.
        kept = [a for a in dataset["annotations"] if kinds[a["category_id"]] in IMPORTED and min(a["bbox"][2:]) >= 0]
        dataset = {**dataset, "annotations": kept}
        images = {image["id"]: image for image in dataset["images"]}
        data_hash, frames = line["metadata"]["data_hash"], line["metadata"]["number_of_frames"]
        case = {"ontology": line["ontology"], "metadata": line["metadata"], "label_row": emptied(line["label_row"])}
        case["coco"] = dataset
        case["classes"] = {str(number): node["featureNodeHash"] for number, node in enumerate(nodes, start=1)}
        case["pictures"] = {str(image): [data_hash, image % frames] for image in images}
        cases.append(case)
        expected = []
        for annotation in dataset["annotations"]:
            image = images[annotation["image_id"]]
            model = CocoAnnotationModel.from_dict(copy.deepcopy(annotation))
            shape = Shape(kinds[annotation["category_id"]])
            coordinates = coco_annotation_to_encord_coordinates(model, shape, image["width"], image["height"])
            expected.append((shape.value, coordinates, image))
        wanted.append(expected)
    problems, compared = [], 0
    for index, (case, expected, document) in enumerate(zip(cases, wanted, through_rust(cases, "import"))):
        if "error" in document:
            problems.append(f"import {index}: {document['error']}")
            continue
        objects = [entry for unit in document["data_units"].values() for entry in entries(unit["labels"])]
        order = {hash_: position for position, hash_ in enumerate(document["object_answers"])}
        objects.sort(key=lambda entry: order.get(entry["objectHash"], 0))
        if len(objects) != len(expected):
            problems.append(f"import {index}: {len(expected)} annotations became {len(objects)} objects")
            continue
        for (shape, coordinates, image), entry in zip(expected, objects):
            compared += 1
            if not same_shape(shape, coordinates, entry, image):
                problems.append(f"import {index} ({shape}): {json.dumps(entry)[:300]}")
    print(f"COCO imports: {len(cases)} files, {compared} annotations, {len(problems)} differences")
    return problems


def emptied(document: dict[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(document)
    for key in ("object_answers", "object_actions", "classification_answers"):
        out[key] = {}
    for unit in out["data_units"].values():
        flat = out["data_type"] in ("image", "img_group")
        unit["labels"] = {"objects": [], "classifications": []} if flat else {}
    return out


def same_shape(shape: str, coordinates: Any, entry: dict[str, Any], image: dict[str, Any]) -> bool:
    if shape == "bounding_box":
        return alike(coordinates.to_dict(), entry["boundingBox"])
    if shape == "bitmask":
        return coordinates.to_dict()["rleString"] == entry["bitmask"]["rleString"]
    size = (image["width"], image["height"])
    one, other = drawn(coordinates.to_dict("multiple_polygons"), size), drawn(entry["polygons"], size)
    return bool(np.array_equal(one, other))


def drawn(areas: Any, size: tuple[int, int]) -> Any:
    """Traced outlines may start anywhere and go either way round, so the pictures are compared."""
    canvas = np.zeros((size[1], size[0]), dtype=np.uint8)
    for rings in areas:
        points = [(np.array(ring).reshape(-1, 2) * size).round().astype(np.int32) for ring in rings]
        cv2.fillPoly(canvas, points, (1,))
    return canvas


if __name__ == "__main__":
    main()
