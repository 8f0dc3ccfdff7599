"""Edits of label rows as plain JSON, random scripts of them, and their effect through the reference package.

The same script goes through `cargo run --example edits` of `encord-labels`; both documents must mean the same.
An edit is an object with `op` and what the operation needs; hashes name objects, classes and attributes, frames are
inclusive pairs, geometry is spelled as in documents.
"""

from __future__ import annotations

import random
from typing import Any

import answers
import shapes
from ontologies import GEOMETRIC

from encord.objects import Classification, ClassificationInstance, LabelRowV2, Object, ObjectInstance
from encord.objects.attributes import Attribute, ChecklistAttribute
from encord.objects.coordinates import (
    AudioCoordinates,
    TextCoordinates,
    TimeRangeCoordinates,
    get_coordinates_from_frame_object_dict,
)
from encord.objects.frames import Range

FRAMED = ("video", "image", "img_group", "dicom", "nifti", "pdf")
RANGES = {"audio": AudioCoordinates, "time_series": TimeRangeCoordinates, "plain_text": TextCoordinates}
RANGE_SHAPE = {"audio": "audio", "time_series": "time_range", "plain_text": "text"}
EDITABLE = FRAMED + ("audio", "time_series", "group")


def apply(row: LabelRowV2, edit: dict[str, Any]) -> None:
    """One edit through the reference package."""
    OPERATIONS[edit["op"]](row, edit)


def random_script(rng: random.Random, line: dict[str, Any], row: LabelRowV2, length: int) -> list[dict[str, Any]]:
    """Edits that the reference accepts one after the other; `row` ends up edited."""
    script: list[dict[str, Any]] = []
    for _ in range(10 * length):
        if len(script) >= length:
            break
        for edit in _Author(rng, line, row).some():
            apply(row, edit)
            script.append(edit)
    return script


# -- through the reference -----------------------------------------------------------------------------------


def frames_of(edit: dict[str, Any]) -> list[int]:
    return [frame for start, end in edit["frames"] for frame in range(start, end + 1)]


def _object(row: LabelRowV2, edit: dict[str, Any]) -> ObjectInstance:
    for instance in row.get_object_instances():
        if instance.object_hash == edit["object"]:
            return instance
    for space in row.get_spaces():
        for instance in space.get_object_instances():
            if instance.object_hash == edit["object"]:
                return instance
    raise KeyError(edit["object"])


def _classification(row: LabelRowV2, edit: dict[str, Any]) -> ClassificationInstance:
    return next(c for c in row.get_classification_instances() if c.classification_hash == edit["classification"])


def _attribute(row: LabelRowV2, edit: dict[str, Any]) -> Attribute:
    return row.ontology_structure.get_child_by_hash(edit["attribute"], type_=Attribute)


def _value(attribute: Attribute, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    options = [option for option in attribute.options if option.feature_node_hash in value]
    return options if isinstance(attribute, ChecklistAttribute) else options[0]


def _coordinates(instance: ObjectInstance, edit: dict[str, Any]) -> Any:
    shape = instance.ontology_item.shape.value
    return get_coordinates_from_frame_object_dict(
        {**edit["geometry"], "shape": shape, "name": instance.object_name}  # type: ignore[arg-type]
    )


def _new_object(row: LabelRowV2, edit: dict[str, Any]) -> ObjectInstance:
    node = row.ontology_structure.get_child_by_hash(edit["class"], type_=Object)
    return ObjectInstance(node, object_hash=edit["object"])


def _add_object(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _new_object(row, edit)
    instance.set_for_frames(
        _coordinates(instance, edit),
        frames_of(edit),
        confidence=edit["confidence"],
        manual_annotation=edit["manual"],
    )
    row.add_object_instance(instance)


def _add_ranges(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _new_object(row, edit)
    _put_ranges(row, instance, edit)
    row.add_object_instance(instance)


def _put_ranges(row: LabelRowV2, instance: ObjectInstance, edit: dict[str, Any]) -> None:
    kind = RANGES[row.data_type.value]
    instance.set_for_frames(kind(range=[Range(*pair) for pair in edit["frames"]]), overwrite=True)


def _put_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    space = row._space_map[edit["space"]]
    instance = _new_object(row, edit)
    frames = {} if edit["kind"] == "image" else {"frames": frames_of(edit)}
    space.put_object_instance(
        instance,
        coordinates=_coordinates(instance, edit),
        confidence=edit["confidence"],
        manual_annotation=edit["manual"],
        **frames,
    )


def _reshape(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _object(row, edit)
    instance.set_for_frames(_coordinates(instance, edit), frames_of(edit), overwrite=True)


def _answer(row: LabelRowV2, edit: dict[str, Any]) -> None:
    attribute = _attribute(row, edit)
    _object(row, edit).set_answer(_value(attribute, edit["value"]), attribute, overwrite=True)


def _answer_on(row: LabelRowV2, edit: dict[str, Any]) -> None:
    attribute = _attribute(row, edit)
    _object(row, edit).set_answer(_value(attribute, edit["value"]), attribute, frames=frames_of(edit))


def _add_classification(row: LabelRowV2, edit: dict[str, Any]) -> None:
    node = row.ontology_structure.get_child_by_hash(edit["class"], type_=Classification)
    whole = edit["frames"] is None
    instance = ClassificationInstance(node, classification_hash=edit["classification"], range_only=whole)
    if not whole:
        instance.set_for_frames(frames_of(edit), confidence=edit["confidence"], manual_annotation=edit["manual"])
    attribute = row.ontology_structure.get_child_by_hash(edit["attribute"], type_=Attribute)
    instance.set_answer(_value(attribute, edit["value"]), attribute)
    row.add_classification_instance(instance)


def _move_classification(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _classification(row, edit)
    wanted = set(frames_of(edit))
    present = {frame for pair in instance.range_list for frame in range(pair.start, pair.end + 1)}
    # Setting frames resets these, so they are handed over.
    facts = {"confidence": instance.confidence, "manual_annotation": instance.manual_annotation}
    if wanted - present:
        instance.set_for_frames(
            sorted(wanted - present), created_by=instance.created_by, last_edited_by=instance.last_edited_by, **facts
        )
    if present - wanted:
        instance.remove_from_frames(sorted(present - wanted))


def _answer_classification(row: LabelRowV2, edit: dict[str, Any]) -> None:
    attribute = _attribute(row, edit)
    _classification(row, edit).set_answer(_value(attribute, edit["value"]), attribute, overwrite=True)


OPERATIONS = {
    "add_object": _add_object,
    "add_ranges": _add_ranges,
    "put_on_space": _put_on_space,
    "set_ranges": lambda row, edit: _put_ranges(row, _object(row, edit), edit),
    "reshape": _reshape,
    "remove_frames": lambda row, edit: _object(row, edit).remove_from_frames(frames_of(edit)),
    "remove_object": lambda row, edit: row.remove_object(_object(row, edit)),
    "number": lambda row, edit: setattr(_object(row, edit), "object_number", edit["number"]),
    "answer": _answer,
    "unanswer": lambda row, edit: _object(row, edit).delete_answer(_attribute(row, edit)),
    "answer_on": _answer_on,
    "add_classification": _add_classification,
    "move_classification": _move_classification,
    "answer_classification": _answer_classification,
    "remove_classification": lambda row, edit: row.remove_classification(_classification(row, edit)),
}


# -- random edits --------------------------------------------------------------------------------------------


class _Author:
    """Writes edits that fit what the row holds at the moment."""

    def __init__(self, rng: random.Random, line: dict[str, Any], row: LabelRowV2) -> None:
        self.rng = rng
        self.line = line
        self.row = row
        self.kind = line["label_row"]["data_type"]
        self.frames = line["metadata"]["number_of_frames"]

    def some(self) -> list[dict[str, Any]]:
        """One edit, or a few that belong together; nothing if the chosen kind does not fit."""
        choices = [self.change_answers, self.change_answers, self.number, self.classify]
        if self.kind in FRAMED:
            choices += [self.add, self.add, self.reshape, self.shrink, self.remove, self.reclassify]
        elif self.kind in RANGES:
            choices += [self.add_ranges, self.add_ranges, self.set_ranges, self.remove]
        else:
            choices = [self.put, self.put, self.number]
        return self.rng.choice(choices)()

    def hash(self) -> str:
        return "new" + "".join(self.rng.choice("abcdefghij") for _ in range(8))

    def facts(self) -> dict[str, Any]:
        return {"confidence": self.rng.choice([1.0, 0.5, 0.25]), "manual": self.rng.random() < 0.5}

    def nodes(self, shapes_allowed: Any) -> list[dict[str, Any]]:
        return [node for node in self.line["ontology"]["objects"] if node["shape"] in shapes_allowed]

    def some_object(self) -> ObjectInstance | None:
        present = list(self.row.get_object_instances())
        return self.rng.choice(present) if present else None

    def node_of(self, feature_hash: str) -> dict[str, Any]:
        nodes = self.line["ontology"]["objects"] + self.line["ontology"]["classifications"]
        return next(node for node in nodes if node["featureNodeHash"] == feature_hash)

    def drawable(self) -> list[str]:
        # Masks need the size of the frame; they are tried where all frames have one size.
        sized = self.kind in ("video", "image", "nifti")
        return [shape for shape in GEOMETRIC if shape != "bitmask" or sized]

    def geometry(self, node: dict[str, Any], size: tuple[int, int] | None = None) -> dict[str, Any]:
        metadata = self.line["metadata"]
        if size is None and metadata["width"]:
            size = (metadata["width"], metadata["height"])
        return shapes.geometry(self.rng, node, self.line["ontology"], size, odd=False)

    def add(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.nodes(self.drawable()))
        frames = answers.random_ranges(self.rng, self.frames - 1)
        edit = {"op": "add_object", "class": node["featureNodeHash"], "object": self.hash(), "frames": frames}
        edit.update(geometry=self.geometry(node), **self.facts())
        return [edit, *self.answer_edits(node, edit["object"], frames)]

    def put(self) -> list[dict[str, Any]]:
        spaces = self.line["metadata"]["spaces"]
        usable = [key for key, info in spaces.items() if info["space_type"] in ("video", "image", "image_sequence")]
        if not usable:
            return []
        space = self.rng.choice(usable)
        info = spaces[space]
        node = self.rng.choice(self.nodes([shape for shape in GEOMETRIC if shape != "cuboid"]))
        frames = answers.random_ranges(self.rng, info.get("number_of_frames", 1) - 1)
        edit = {"op": "put_on_space", "space": space, "kind": info["space_type"], "class": node["featureNodeHash"]}
        edit.update(object=self.hash(), frames=frames, geometry=self.geometry(node, (info["width"], info["height"])))
        return [{**edit, **self.facts()}]

    def add_ranges(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.nodes([RANGE_SHAPE[self.kind]]))
        frames = answers.random_ranges(self.rng, self.frames - 1)
        edit = {"op": "add_ranges", "class": node["featureNodeHash"], "object": self.hash(), "frames": frames}
        return [edit, *self.answer_edits(node, edit["object"], [])]

    def answer_edits(self, node: dict[str, Any], object_hash: str, frames: list[list[int]]) -> list[dict[str, Any]]:
        """Answers from the top of the tree downwards, so that parents are chosen first."""
        out = []
        for attribute in node.get("attributes", []):
            if self.rng.random() < 0.5:
                out += self.answer_tree(attribute, object_hash, frames)
        return out

    def answer_tree(
        self, attribute: dict[str, Any], object_hash: str, frames: list[list[int]]
    ) -> list[dict[str, Any]]:
        value = answers.answer_value(self.rng, attribute)
        given = [option["featureHash"] for option in value] if isinstance(value, list) else value
        edit = {"op": "answer", "object": object_hash, "attribute": attribute["featureNodeHash"], "value": given}
        if attribute["dynamic"]:
            return [{**edit, "op": "answer_on", "frames": frames}] if frames else []
        out = [edit]
        if attribute["type"] == "radio":
            option = next(o for o in attribute["options"] if o["featureNodeHash"] == given[0])
            for nested in option.get("options", []):
                if self.rng.random() < 0.7:
                    out += self.answer_tree(nested, object_hash, frames)
        return out

    def change_answers(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        if instance is None:
            return []
        node = self.node_of(instance.feature_hash)
        static = [a for a in node.get("attributes", []) if not a["dynamic"]]
        if static and self.rng.random() < 0.3:
            attribute = self.rng.choice(static)["featureNodeHash"]
            return [{"op": "unanswer", "object": instance.object_hash, "attribute": attribute}]
        frames = answers.ranges_of(sorted(instance.get_annotation_frames())) if self.kind in FRAMED else []
        return self.answer_edits(node, instance.object_hash, frames)

    def number(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        return [{"op": "number", "object": instance.object_hash, "number": self.rng.randrange(99)}] if instance else []

    def set_ranges(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        frames = answers.random_ranges(self.rng, self.frames - 1)
        return [{"op": "set_ranges", "object": instance.object_hash, "frames": frames}] if instance else []

    def reshape(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        if instance is None or instance.ontology_item.shape.value not in self.drawable():
            return []
        frames = answers.ranges_of(sorted(instance.get_annotation_frames()))[:1]
        edit = {"op": "reshape", "object": instance.object_hash, "frames": frames}
        return [{**edit, "geometry": self.geometry(self.node_of(instance.feature_hash))}]

    def shrink(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        frames = sorted(instance.get_annotation_frames()) if instance else []
        gone = [frame for frame in frames[1:] if self.rng.random() < 0.5]
        if not gone:
            return []
        return [{"op": "remove_frames", "object": instance.object_hash, "frames": answers.ranges_of(gone)}]

    def remove(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        return [{"op": "remove_object", "object": instance.object_hash}] if instance else []

    def classify(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.line["ontology"]["classifications"])
        present = [c for c in self.row.get_classification_instances() if c.feature_hash == node["featureNodeHash"]]
        attribute = node["attributes"][0]
        value = answers.answer_value(self.rng, attribute)
        given = [option["featureHash"] for option in value] if isinstance(value, list) else value
        answered = {"attribute": attribute["featureNodeHash"], "value": given}
        if present:
            target = {"classification": self.rng.choice(present).classification_hash}
            if self.rng.random() < 0.4:
                return [{"op": "remove_classification", **target}]
            return [{"op": "answer_classification", **target, **answered}]
        whole = node.get("level") == "global" or self.kind not in FRAMED
        frames = None if whole else answers.random_ranges(self.rng, self.frames - 1)
        edit = {"op": "add_classification", "class": node["featureNodeHash"], "classification": self.hash()}
        return [{**edit, **answered, "frames": frames, **self.facts()}]

    def reclassify(self) -> list[dict[str, Any]]:
        alone: dict[str, list[ClassificationInstance]] = {}
        for instance in self.row.get_classification_instances():
            if not instance.is_range_only():
                alone.setdefault(instance.feature_hash, []).append(instance)
        movable = [instances[0] for instances in alone.values() if len(instances) == 1]
        if not movable:
            return []
        target = self.rng.choice(movable).classification_hash
        frames = answers.random_ranges(self.rng, self.frames - 1)
        return [{"op": "move_classification", "classification": target, "frames": frames}]
