"""Edits of label rows as plain JSON, and their effect through the reference package.

The same script goes through `cargo run --example edits` of `encord-labels`; both documents must mean the same.
An edit is an object with `op` and what the operation needs; hashes name objects, classes and attributes, frames are
inclusive pairs, geometry is spelled as in documents.
"""

from __future__ import annotations

from typing import Any

from encord.objects import Classification, ClassificationInstance, LabelRowV2, Object, ObjectInstance
from encord.objects.attributes import Attribute, ChecklistAttribute
from encord.objects.coordinates import (
    AudioCoordinates,
    HtmlCoordinates,
    TextCoordinates,
    TimeRangeCoordinates,
    get_coordinates_from_frame_object_dict,
)
from encord.objects.frames import Range
from encord.objects.html_node import HtmlNode, HtmlRange

RANGES = {"audio": AudioCoordinates, "time_series": TimeRangeCoordinates, "plain_text": TextCoordinates}


def apply(row: LabelRowV2, edit: dict[str, Any]) -> None:
    """One edit through the reference package."""
    OPERATIONS[edit["op"]](row, edit)


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


def _html(edit: dict[str, Any]) -> list[HtmlRange]:
    return [HtmlRange(start=HtmlNode(**both["start"]), end=HtmlNode(**both["end"])) for both in edit["html"]]


def _add_html(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _new_object(row, edit)
    instance.set_for_frames(HtmlCoordinates(range=_html(edit)))
    row.add_object_instance(instance)


def _put_ranges_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    ranges = _html(edit) if "html" in edit else [Range(*pair) for pair in edit["frames"]]
    row._space_map[edit["space"]].put_object_instance(_new_object(row, edit), ranges=ranges)


def _add_events(row: LabelRowV2, edit: dict[str, Any]) -> None:
    # Only objects of a row have events, so the first comes after adding.
    row.add_object_instance(_new_object(row, edit))
    for event in edit["events"]:
        _upsert(row, {**edit, **event})
    _object(row, edit).delete_event(edit["end"])


def _upsert(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _object(row, edit)
    instance.upsert_event(
        _coordinates(instance, edit),
        edit["time"],
        confidence=edit["confidence"],
        manual_annotation=edit["manual"],
        interpolation=edit["interpolation"],
    )


def _put_ranges(row: LabelRowV2, instance: ObjectInstance, edit: dict[str, Any]) -> None:
    kind = RANGES[row.data_type.value]
    instance.set_for_frames(kind(range=[Range(*pair) for pair in edit["frames"]]), overwrite=True)


def _place(edit: dict[str, Any]) -> dict[str, Any]:
    """Frames as the spaces of a kind call them: images and point clouds have only one."""
    if edit["frames"] is None or edit["kind"] in ("image", "scene_image", "point_cloud"):
        return {}
    return {"pages" if edit["kind"] == "pdf" else "frames": frames_of(edit)}


def _facts(edit: dict[str, Any]) -> dict[str, Any]:
    return {"confidence": edit["confidence"], "manual_annotation": edit["manual"]}


def _put_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    space = row._space_map[edit["space"]]
    instance = _new_object(row, edit)
    if edit["kind"] == "point_cloud":
        shape = {"ranges": edit["geometry"]["segmentation"]}
    else:
        shape = {"coordinates": _coordinates(instance, edit)}
    space.put_object_instance(instance, **shape, **_place(edit), **_facts(edit))


def _reshape_on(row: LabelRowV2, edit: dict[str, Any]) -> None:
    instance = _object(row, edit)
    for annotation in row._space_map[edit["space"]].get_annotations(type_="object"):
        if annotation.object_hash == edit["object"] and annotation.frame in frames_of(edit):
            annotation.coordinates = _coordinates(instance, edit)


def _remove_frames_on(row: LabelRowV2, edit: dict[str, Any]) -> None:
    row._space_map[edit["space"]].remove_object_instance(edit["object"], **_place(edit))


def _answer_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    attribute = _attribute(row, edit)
    value = _value(attribute, edit["value"])
    space = row._space_map[edit["space"]]
    space.set_dynamic_answer(_object(row, edit), frames_of(edit), value, attribute)


def _unanswer_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    space = row._space_map[edit["space"]]
    for frame in frames_of(edit):
        space.remove_dynamic_answer(_object(row, edit), _attribute(row, edit), frame)


def _classify_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    node = row.ontology_structure.get_child_by_hash(edit["class"], type_=Classification)
    instance = ClassificationInstance(node, classification_hash=edit["classification"])
    attribute = row.ontology_structure.get_child_by_hash(edit["attribute"], type_=Attribute)
    instance.set_answer(_value(attribute, edit["value"]), attribute)
    row._space_map[edit["space"]].put_classification_instance(instance, **_place(edit), **_facts(edit))


def _copy_object(row: LabelRowV2, edit: dict[str, Any]) -> None:
    copy = _object(row, edit).copy()
    copy._object_hash = edit["copy"]
    row.add_object_instance(copy)


def _copy_classification(row: LabelRowV2, edit: dict[str, Any]) -> None:
    original = _classification(row, edit)
    copy = original.copy()
    copy._classification_hash = edit["copy"]
    row.remove_classification(original)
    row.add_classification_instance(copy)


def _details(target: Any, edit: dict[str, Any]) -> None:
    target.confidence = edit["confidence"]
    target.manual_annotation = edit["manual"]
    target.created_by = edit["created_by"]
    target.last_edited_by = edit["last_edited_by"]


def _details_on(row: LabelRowV2, edit: dict[str, Any]) -> None:
    _details(_object(row, edit).get_annotation(edit["frame"]), edit)


def _details_on_space(row: LabelRowV2, edit: dict[str, Any]) -> None:
    for annotation in row._space_map[edit["space"]].get_annotations(type_="object"):
        if annotation.object_hash == edit["object"] and annotation.frame == edit["frame"]:
            _details(annotation, edit)


def _unanswer_on(row: LabelRowV2, edit: dict[str, Any]) -> None:
    for frame in frames_of(edit):
        _object(row, edit).delete_answer(_attribute(row, edit), filter_frame=frame)


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
    "add_html": _add_html,
    "put_ranges_on_space": _put_ranges_on_space,
    "add_events": _add_events,
    "upsert": _upsert,
    "delete_event": lambda row, edit: _object(row, edit).delete_event(edit["time"]),
    "remove_event": lambda row, edit: _object(row, edit).remove_event(edit["time"]),
    "set_ranges": lambda row, edit: _put_ranges(row, _object(row, edit), edit),
    "reshape": _reshape,
    "remove_frames": lambda row, edit: _object(row, edit).remove_from_frames(frames_of(edit)),
    "remove_object": lambda row, edit: row.remove_object(_object(row, edit)),
    "number": lambda row, edit: setattr(_object(row, edit), "object_number", edit["number"]),
    "answer": _answer,
    "unanswer": lambda row, edit: _object(row, edit).delete_answer(_attribute(row, edit)),
    "answer_on": _answer_on,
    "unanswer_on": _unanswer_on,
    "reshape_on": _reshape_on,
    "remove_frames_on": _remove_frames_on,
    "answer_on_space": _answer_on_space,
    "unanswer_on_space": _unanswer_on_space,
    "classify_space": _classify_space,
    "copy_object": _copy_object,
    "copy_classification": _copy_classification,
    "details_on": _details_on,
    "details_on_space": _details_on_space,
    "details_of_ranges": lambda row, edit: _details(_object(row, edit).get_annotation(0), edit),
    "details_of_classification": lambda row, edit: _details(_classification(row, edit), edit),
    "add_classification": _add_classification,
    "move_classification": _move_classification,
    "answer_classification": _answer_classification,
    "remove_classification": lambda row, edit: row.remove_classification(_classification(row, edit)),
}
