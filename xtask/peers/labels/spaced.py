"""Rows whose labels sit on spaces: data groups, layered images, scenes with point clouds and camera images,
continuous scenes made of events, and continuous scenes that describe their own point clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import answers
import shapes
from ontologies import GEOMETRIC, objects_where, snake

if TYPE_CHECKING:
    from rows import RowBuilder

Content = tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]
KINDS = [
    "video",
    "image",
    "image_sequence",
    "medical_file",
    "medical_stack",
    "pdf",
    "audio",
    "text",
    "html",
    "time_series",
]
RANGE_SPACE = {"audio": "audio", "text": "text", "html": "text", "time_series": "time_range"}
EVENT_SHAPES = ["bounding_box", "rotatable_bounding_box", "point", "circle", "ellipse", "polyline", "cuboid"]


def content(row: "RowBuilder") -> Content:
    if row.data_type == "scene":
        draw = row.rng.random()
        if draw < 0.35:
            return _event_scene(row, trusting=False)
        if draw < 0.55:
            return _event_scene(row, trusting=True)
        return _scene(row)
    if row.layered:
        root = {"space_type": "image", "width": row.width, "height": row.height, "root_info": {"file_name": "a.jpg"}}
        infos = {"root": root}
        for layer in range(row.rng.randrange(1, 3)):
            infos[row.uuid()] = _info(row, "image", f"layer {layer}")
        unit = row.unit(0)
    else:
        kinds = row.rng.sample(KINDS, row.rng.randrange(2, len(KINDS) + 1))
        infos = {row.uuid(): _info(row, kind, f"{kind} slot") for kind in kinds}
        unit = row.unit(0)
    unit["labels"] = {"objects": [], "classifications": []}
    spaces = _labelled(row, infos)
    return {unit["data_hash"]: row.unknown(unit)}, spaces, {}


def _info(row: "RowBuilder", kind: str, layout_key: str) -> dict[str, Any]:
    """What the metadata says about one space."""
    rng = row.rng
    info: dict[str, Any] = {"space_type": kind}
    if kind in ("video", "image_sequence"):
        info.update(number_of_frames=rng.randrange(2, 9), width=rng.randrange(8, 40), height=rng.randrange(8, 40))
        if kind == "video":
            info.update(data_duration=0.4, data_fps=25.0)
        else:
            info["frames"] = [{"width": info["width"], "height": info["height"]}] * info["number_of_frames"]
    elif kind == "image":
        info.update(width=rng.randrange(8, 40), height=rng.randrange(8, 40))
    elif kind == "medical_file":
        info.update(number_of_frames=rng.randrange(2, 9), width=rng.randrange(8, 40), height=rng.randrange(8, 40))
    elif kind == "medical_stack":
        info["frames"] = [
            {
                "width": rng.randrange(8, 40),
                "height": rng.randrange(8, 40),
                "instance_uid": f"1.2.{index}",
                "file_name": f"{index}.dcm",
            }
            for index in range(rng.randrange(2, 6))
        ]
    elif kind == "pdf":
        info["number_of_pages"] = rng.randrange(1, 6)
    elif kind == "audio":
        info["duration_ms"] = 5000
    info["child_info"] = {"layout_key": layout_key, "file_name": f"{layout_key}.bin", "data_link": "https://x.example.org/f"}
    return info


def _frame_sizes(info: dict[str, Any]) -> list[tuple[int, int] | None]:
    kind = info["space_type"]
    if kind == "medical_stack":
        return [(frame["width"], frame["height"]) for frame in info["frames"]]
    if kind == "pdf":
        return [None] * info["number_of_pages"]
    return [(info["width"], info["height"])] * info.get("number_of_frames", 1)


def _labelled(row: "RowBuilder", infos: dict[str, Any]) -> dict[str, Any]:
    """The spaces of the document, with labels, and everything they need in the answer maps."""
    row.metadata["spaces"] = infos
    spaces = {}
    for space_id, info in infos.items():
        space = {key: value for key, value in info.items()}
        if row.rng.random() < 0.5:
            space.pop("child_info", None)
        if info["space_type"] in RANGE_SPACE:
            _range_objects(row, space_id, info)
            space["labels"] = {}
        else:
            space["labels"] = _frame_labels(row, info)
        spaces[space_id] = row.unknown(space)
    _share_objects(row, spaces, infos)
    _space_classifications(row, infos)
    return spaces


def _frame_labels(row: "RowBuilder", info: dict[str, Any]) -> dict[str, Any]:
    sizes = _frame_sizes(info)
    labels: dict[str, Any] = {}
    for node in objects_where(row.ontology, lambda shape: shape in GEOMETRIC and shape != "cuboid"):
        if row.rng.random() < 0.5 or (node["shape"] == "bitmask" and sizes[0] is None):
            continue
        object_hash = row.hash()
        frames = [index for index in range(len(sizes)) if row.rng.random() < 0.6] or [0]
        for frame in frames:
            blob = labels.setdefault(str(frame), {"objects": [], "classifications": []})
            blob["objects"].append(space_object(row, node, object_hash, sizes[frame]))
        row.answered(node, object_hash)
        row.act(node, object_hash, frames)
    for blob in labels.values():
        row.unknown(blob, 0.1)
    return labels


def space_object(row: "RowBuilder", node: dict[str, Any], object_hash: str, size: Any) -> dict[str, Any]:
    """A frame object in the key order and with the omissions that spaces use."""
    entry = row.frame_object(node, object_hash, size)
    shape = entry.pop("shape")
    entry.pop("isDeleted", None)
    if entry["createdBy"] is None:
        del entry["createdBy"]
    return {**entry, "shape": shape}


def _share_objects(row: "RowBuilder", spaces: dict[str, Any], infos: dict[str, Any]) -> None:
    """Puts one object of an image or video onto a second one too: the same thing seen twice."""
    framed = [key for key, info in infos.items() if info["space_type"] in ("video", "image", "image_sequence")]
    if len(framed) < 2 or row.rng.random() < 0.5:
        return
    source, target = row.rng.sample(framed, 2)
    boxes = [
        entry
        for blob in spaces[source]["labels"].values()
        for entry in blob["objects"]
        if entry["shape"] in ("bounding_box", "polygon", "circle")
    ]
    if boxes and boxes[0]["objectHash"] not in row.object_actions:
        blob = spaces[target]["labels"].setdefault("0", {"objects": [], "classifications": []})
        blob["objects"].append(dict(boxes[0]))


def _range_objects(row: "RowBuilder", space_id: str, info: dict[str, Any]) -> None:
    kind = info["space_type"]
    for node in objects_where(row.ontology, lambda shape: shape == RANGE_SPACE[kind]):
        for _ in range(row.rng.randrange(3)):
            if kind == "html":
                ranges: list[Any] = []
                for _ in range(row.rng.randrange(1, 3)):
                    both = shapes.html_range(row.rng)
                    ranges.append([both["start"], both["end"]])
                placement = {"range": ranges, "type": "html"}
            else:
                placement = {"range": answers.random_ranges(row.rng, 4000), "type": "frame"}
            range_object(row, node, {space_id: row.unknown(placement, 0.1)})


def range_object(row: "RowBuilder", node: dict[str, Any], spaces: dict[str, Any]) -> dict[str, Any]:
    """Registers the full answer entry of an object that is ranges on spaces."""
    entry = row.answered(node, row.hash())
    number = entry.pop("objectNumber", None)
    facts = row.facts(deleted=False)
    del facts["confidence"]
    facts.setdefault("lastEditedBy", None)
    entry.update(facts)
    entry.update(featureHash=node["featureNodeHash"], name=node["name"], color=node["color"])
    entry.update(shape=node["shape"], value=snake(node["name"]), range=[], spaces=spaces)
    if number is not None:
        entry["objectNumber"] = number
    return entry


def _space_classifications(row: "RowBuilder", infos: dict[str, Any]) -> None:
    taken: set[tuple[str, str]] = set()
    for node in row.ontology["classifications"]:
        for _ in range(row.rng.randrange(3)):
            whole = row.rng.random() < 0.5 or node.get("level") == "global"
            spaces: dict[str, Any] = {}
            root: list[list[int]] = []
            for space_id, info in infos.items():
                if (node["featureNodeHash"], space_id) in taken or row.rng.random() < 0.6:
                    continue
                ranges = _classified_ranges(row, info, node.get("level") == "global")
                if (not ranges) != whole:
                    continue
                taken.add((node["featureNodeHash"], space_id))
                if space_id == "root":
                    root = ranges
                else:
                    kind = "html" if info["space_type"] == "html" else "frame"
                    spaces[space_id] = {"range": ranges, "type": kind}
                if whole:
                    break
            if spaces or root:
                row.classification(node, root, spaces)


def _classified_ranges(row: "RowBuilder", info: dict[str, Any], whole: bool) -> list[list[int]]:
    if whole or info["space_type"] in RANGE_SPACE:
        return []
    if info["space_type"] == "image":
        return [[0, 0]]
    return answers.random_ranges(row.rng, len(_frame_sizes(info)) - 1)


# -- scenes --------------------------------------------------------------------------------------------------


def _scene(row: "RowBuilder") -> Content:
    unit = row.unit(0)
    labels: dict[str, Any] = {}
    for node in objects_where(row.ontology, lambda shape: shape in GEOMETRIC and shape != "bitmask"):
        object_hash = row.hash()
        frames = sorted(row.rng.sample(range(row.frames), row.rng.randrange(0, 3)))
        for frame in frames:
            blob = labels.setdefault(str(frame), {"objects": [], "classifications": []})
            blob["objects"].append(row.frame_object(node, object_hash, None))
        if frames:
            row.answered(node, object_hash)
            row.act(node, object_hash, frames)
    infos: dict[str, Any] = {}
    spaces: dict[str, Any] = {}
    for event in range(row.rng.randrange(1, 4)):
        space_id, info = row.uuid(), _scene_info("cam", event, row.rng.choice([None, 10 + event]), "jpg")
        infos[space_id] = {"space_type": "scene_image", **info}
        spaces[space_id] = {"space_type": "scene_image", **info}
        start = info["scene_info"].get("start_frame")
        key = f"cam#{event if start is None else start}"
        blob = {"objects": [], "classifications": []}
        for node in objects_where(row.ontology, lambda shape: shape in ("bounding_box", "polygon", "polyline")):
            object_hash = row.hash()
            blob["objects"].append(space_object(row, node, object_hash, None))
            row.answered(node, object_hash)
        labels[key] = blob
    for event in range(row.rng.randrange(3)):
        space_id, info = row.uuid(), _scene_info("lidar", event, None, "pcd")
        infos[space_id] = {"space_type": "point_cloud", **info}
        spaces[space_id] = {"space_type": "point_cloud", **info, "labels": cloud_labels(row, space_id)}
    row.metadata["spaces"] = infos
    unit["labels"] = labels
    row.root_classifications(row.frames - 1, framed=True)
    return {unit["data_hash"]: row.unknown(unit)}, spaces, {}


def _scene_info(stream: str, event: int, start: int | None, suffix: str) -> dict[str, Any]:
    info: dict[str, Any] = {"stream_id": stream, "event_index": event}
    if start is not None:
        info["start_frame"] = start
    info["uri"] = f"gs://bucket/{stream}/{event}.{suffix}"
    return {"scene_info": info}


def cloud_labels(row: "RowBuilder", space_id: str) -> dict[str, Any]:
    """Segmented points of one point cloud, with their answer entries."""
    objects = []
    for node in objects_where(row.ontology, lambda shape: shape == "segmentation"):
        entry = range_object(row, node, {space_id: {"range": [], "type": "frame"}})
        blob = {"shape": "segmentation", "objectHash": entry["objectHash"], "featureHash": node["featureNodeHash"]}
        blob.update(name=node["name"], color=node["color"], value=snake(node["name"]))
        blob["segmentation"] = row.rng.choice(["3231", "04", "53", "`0Xo0"])
        blob.update({key: entry[key] for key in ("createdAt", "lastEditedAt", "manualAnnotation")})
        blob["confidence"] = row.rng.choice([1.0, 0.5])
        for key in ("createdBy", "lastEditedBy"):
            if entry[key] is None:
                del entry[key]
            else:
                blob[key] = entry[key]
        objects.append(row.unknown(blob))
    return {"objects": objects, "classifications": []}


def _event_scene(row: "RowBuilder", trusting: bool) -> Content:
    unit = row.unit(0)
    labels: dict[str, Any] = {}
    for node in objects_where(row.ontology, lambda shape: shape in EVENT_SHAPES):
        object_hash = row.hash()
        times = sorted(row.rng.sample(range(0, 10**12), 2 * row.rng.randrange(1, 3)))
        dimensions = row.rng.choice([2, 3])
        for index, time in enumerate(times):
            entry = row.frame_object(node, object_hash, None)
            entry.pop("isDeleted", None)
            _same_dimensions(entry, dimensions)
            entry["event"] = "delete" if index == len(times) - 1 or row.rng.random() < 0.2 else "upsert"
            if entry["event"] == "upsert" and row.rng.random() < 0.4:
                linear = node["shape"] in ("point", "cuboid") and row.rng.random() < 0.5
                entry["interpolate"] = "linear" if linear else "hold"
            blob = labels.setdefault(str(time), {"objects": [], "classifications": []})
            blob["objects"].append(entry)
        row.answered(node, object_hash)
    for node in row.ontology["classifications"]:
        if row.rng.random() < 0.5:
            row.classification(node, [] if node.get("level") else [[5, 10**12]], {})
    spaces: dict[str, Any] | None = None
    if trusting:
        spaces = {}
        for _ in range(row.rng.randrange(1, 3)):
            key = f"top@{row.rng.randrange(10**9)}"
            labels[key] = cloud_labels(row, key)
        for node in objects_where(row.ontology, lambda shape: shape == "time_range"):
            range_object(row, node, {"speed": {"range": answers.random_ranges(row.rng, 4000), "type": "frame"}})
    unit["labels"] = labels
    return {unit["data_hash"]: row.unknown(unit)}, spaces, {"scene": {"isContinuous": True, "streams": ["top"]}}


def _same_dimensions(entry: dict[str, Any], dimensions: int) -> None:
    """An object's points are all flat or all spatial, as an editor would write them."""
    for key in ("point", "polyline"):
        vertices = entry.get(key)
        for vertex in vertices.values() if isinstance(vertices, dict) else vertices or []:
            vertex.pop("z", None)
            if dimensions == 3:
                vertex["z"] = 0.5
