"""Labels written by Rust and read by Python, and the other way round, in the same words.

Both sides apply and describe a plan: a list of data units with their objects and classifications.
"""

import json
import subprocess

from encord.objects import Classification, Object, Option
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    TextCoordinates,
)
from encord.objects.frames import Range, frames_to_ranges
from encord.objects.ontology_labels_impl import LabelRowV2

import sandbox
from checks import check, equal

PLAN = [
    {
        "title": "street.jpg",
        "objects": [
            {"class": "Disc", "frames": [0], "box": [0.125, 0.25, 0.3, 0.1], "answers": {"Size": "Large"}},
            {"class": "Disc", "frames": [0], "box": [0.5, 0.5, 0.0625, 1 / 3], "answers": {}},
            {"class": "Outline", "frames": [0], "polygon": [[0.1, 0.1], [0.9, 0.2], [0.5, 0.7]], "answers": {}},
        ],
        "classifications": [{"class": "Brightness", "frames": [0], "answer": "Dark"}],
    },
    {
        "title": "views",
        "objects": [{"class": "Disc", "frames": [0, 2], "box": [0.25, 0.25, 0.25, 0.5], "answers": {"Size": "Small"}}],
        "classifications": [{"class": "Brightness", "frames": [1], "answer": "Bright"}],
    },
    {
        "title": "ride.mp4",
        "objects": [
            {"class": "Disc", "frames": [0, 1, 2, 7, 29], "box": [0.1, 0.2, 0.3, 0.4], "answers": {"Size": "Small"}},
            {"class": "Outline", "frames": [5], "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]], "answers": {}},
        ],
        "classifications": [
            {"class": "Brightness", "frames": [0, 1, 2, 3, 9], "answer": "Bright"},
            {"class": "Contents", "frames": [4], "answer": "wörds & \"quotes\""},
        ],
    },
    {
        "title": "call.wav",
        "objects": [{"class": "Loud part", "ranges": [[100, 500], [700, 800]], "answers": {}}],
        "classifications": [],
    },
    {
        "title": "report.txt",
        "objects": [{"class": "Word", "ranges": [[3, 8]], "answers": {}}],
        "classifications": [],
    },
]


def normal(plan: list[dict]) -> list[dict]:
    """The plan in a fixed order, without data units that have no labels, and with all numbers as floats."""
    units = [unit for unit in plan if unit["objects"] or unit["classifications"]]
    for unit in units:
        for kind in ("objects", "classifications"):
            unit[kind] = sorted(unit[kind], key=lambda entry: json.dumps(entry, sort_keys=True))
    ordered = sorted(units, key=lambda unit: unit["title"])
    return json.loads(json.dumps(ordered), parse_int=float)


def apply(row: LabelRowV2, unit: dict) -> None:
    """Adds what a plan says about one data unit."""
    structure = row.ontology_structure
    for planned in unit["objects"]:
        feature = structure.get_child_by_title(planned["class"], Object)
        instance = feature.create_instance()
        if "box" in planned:
            x, y, w, h = planned["box"]
            corners = BoundingBoxCoordinates(height=h, width=w, top_left_x=x, top_left_y=y)
            instance.set_for_frames(corners, frames=planned["frames"])
        elif "polygon" in planned:
            points = [PointCoordinate(x=x, y=y) for x, y in planned["polygon"]]
            instance.set_for_frames(PolygonCoordinates(values=points), frames=planned["frames"])
        else:
            ranges = [Range(start, end) for start, end in planned["ranges"]]
            kind = AudioCoordinates if planned["class"] == "Loud part" else TextCoordinates
            instance.set_for_frames(kind(range=ranges))
        for title, label in planned["answers"].items():
            attribute = next(attribute for attribute in feature.attributes if attribute.title == title)
            instance.set_answer(attribute.get_child_by_title(label, Option), attribute=attribute)
        row.add_object_instance(instance)
    for planned in unit["classifications"]:
        feature = structure.get_child_by_title(planned["class"], Classification)
        instance = feature.create_instance()
        options = {option.title: option for option in getattr(feature.attributes[0], "options", [])}
        instance.set_answer(options.get(planned["answer"], planned["answer"]))
        instance.set_for_frames([Range(start, end) for start, end in spans(planned["frames"])])
        row.add_classification_instance(instance)


def describe(row: LabelRowV2) -> dict:
    """The plan of what one label row holds."""
    return {
        "title": row.data_title,
        "objects": [describe_object(instance) for instance in row.get_object_instances()],
        "classifications": [
            {
                "class": instance.ontology_item.title,
                "frames": [frame for span in instance.range_list for frame in range(span.start, span.end + 1)],
                "answer": text_of(instance.get_answer()),
            }
            for instance in row.get_classification_instances()
        ],
    }


def describe_object(instance) -> dict:
    """One object of a plan."""
    answers = {
        attribute.title: text_of(instance.get_answer(attribute))
        for attribute in instance.ontology_item.attributes
        if instance.get_answer(attribute) is not None
    }
    described = {"class": instance.ontology_item.title, "answers": answers}
    annotations = instance.get_annotations()
    coordinates = annotations[0].coordinates
    if isinstance(coordinates, (AudioCoordinates, TextCoordinates)):
        return described | {"ranges": [[span.start, span.end] for span in instance.range_list]}
    described["frames"] = [annotation.frame for annotation in annotations]
    assert all(annotation.coordinates == coordinates for annotation in annotations), "a plan has one shape per object"
    if isinstance(coordinates, BoundingBoxCoordinates):
        corners = coordinates
        return described | {"box": [corners.top_left_x, corners.top_left_y, corners.width, corners.height]}
    return described | {"polygon": [[point.x, point.y] for point in coordinates.values]}


def text_of(answer) -> str:
    """An answer in words."""
    return answer if isinstance(answer, str) else answer.title


def spans(frames: list[int]) -> list[tuple[int, int]]:
    """Frames as inclusive spans."""
    return [(span.start, span.end) for span in frames_to_ranges(frames)]


def label_with_python(box) -> None:
    """Applies the plan through the real package."""
    rows = {row.data_title: row for row in box.project().list_label_rows_v2()}
    for unit in PLAN:
        row = rows[unit["title"]]
        row.initialise_labels()
        apply(row, unit)
        row.save()


def documents(box) -> dict[str, dict]:
    """Every label row as the real package reads and writes it."""
    found = {}
    for row in box.project().list_label_rows_v2():
        row.initialise_labels()
        found[row.data_title] = row.to_encord_dict()
        found[row.data_title].pop("last_edited_at")
    return found


@check("exchange: what Rust writes, Python reads")
def rust_to_python(box) -> None:
    command = [sandbox.program("exchange_labels"), "write", sandbox.PROJECT]
    subprocess.run(command, input=json.dumps(PLAN), text=True, check=True, timeout=120)
    rows = box.project().list_label_rows_v2()
    for row in rows:
        row.initialise_labels()
    equal(normal([describe(row) for row in rows]), normal(PLAN), "labels written by Rust")


@check("exchange: what Python writes, Rust reads")
def python_to_rust(box) -> None:
    label_with_python(box)
    equal(normal(json.loads(box.run("exchange_labels", "read", sandbox.PROJECT))), normal(PLAN), "labels read by Rust")


@check("exchange: rows that Rust saves as they came are unchanged")
def resave(box) -> None:
    label_with_python(box)
    before = documents(box)
    box.run("exchange_labels", "resave", sandbox.PROJECT)
    equal(documents(box), before, "documents")
