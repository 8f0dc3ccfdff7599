"""When do two label documents mean the same? One canonical form, and a list of differences between two of them.

Order of keys and lists, the spelling of numbers, times and ranges, and null against absent do not matter where
the platform gives them no meaning. Fields nobody knows do matter: they stay in the canonical form.
"""

from __future__ import annotations

import json
from typing import Any, Iterator

from encord.common.time_parser import parse_datetime

DEFAULTS = {"confidence": 1, "manualAnnotation": True}
NULLABLE = ("createdBy", "lastEditedBy", "isDeleted", "objectNumber", "lastEditedAt", "createdAt")
# Derived from the ontology by whoever writes the document.
DERIVED = ("name", "color", "value")
VISIBILITIES = ("invisible", "occluded", "selfOccluded", "visible")


def canonical(document: dict[str, Any]) -> dict[str, Any]:
    """A document in the form that compares."""
    out = dict(document)
    for key in ("created_at", "last_edited_at"):
        if out.get(key) is not None:
            out[key] = instant(out[key])
    out["data_units"] = {unit["data_hash"]: _unit(unit) for unit in out["data_units"].values()}
    out["object_answers"] = {
        entry["objectHash"]: _answer_entry(entry)
        for entry in out["object_answers"].values()
        # An object without any answer may have an empty entry or none.
        if entry["classifications"] or len(entry) > 2
    }
    out["classification_answers"] = {
        entry["classificationHash"]: _answer_entry(entry) for entry in out["classification_answers"].values()
    }
    out["object_actions"] = {
        entry["objectHash"]: {**entry, "actions": _actions(entry["actions"])}
        for entry in out["object_actions"].values()
        if entry["actions"]
    }
    out["spaces"] = {key: _space(space) for key, space in (out.get("spaces") or {}).items()}
    return out


def differences(left: Any, right: Any, path: str = "$") -> Iterator[str]:
    """Every place where two canonical values differ, as `path: left != right`."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}, key=str):
            here = f"{path}.{key}"
            if key not in left:
                yield f"{here}: absent != {short(right[key])}"
            elif key not in right:
                yield f"{here}: {short(left[key])} != absent"
            else:
                yield from differences(left[key], right[key], here)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right)):
            yield from differences(one, other, f"{path}[{index}]")
    elif isinstance(left, bool) != isinstance(right, bool) or left != right:
        yield f"{path}: {short(left)} != {short(right)}"


def short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 120 else text[:117] + "..."


def instant(text: str) -> str:
    return parse_datetime(text).replace(microsecond=0).astimezone(tz=None).isoformat()


def merged(ranges: list[list[int]]) -> list[list[int]]:
    """Sorted inclusive ranges with touching and overlapping ones joined."""
    out: list[list[int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1] + 1:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def _unit(unit: dict[str, Any]) -> dict[str, Any]:
    out = {**unit, "data_sequence": int(unit["data_sequence"])}
    out["labels"] = _labels(unit.get("labels") or {})
    for key in ("width", "height", "data_fps"):
        # Documents and scenes have no size; writers say so with zeros.
        if out.get(key) == 0:
            del out[key]
    return out


def _space(space: dict[str, Any]) -> dict[str, Any]:
    return {**space, "labels": _labels(space.get("labels") or {})}


def _labels(labels: dict[str, Any]) -> dict[str, Any]:
    if isinstance(labels.get("objects"), list):
        return _blob(labels)
    blobs = {str(int(key)) if key.isdigit() else key: _blob(blob) for key, blob in labels.items()}
    return {key: blob for key, blob in blobs.items() if blob}


def _blob(blob: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in blob.items() if key not in ("objects", "classifications")}
    for entry in blob.get("objects", []):
        out.setdefault("objects", {})[entry["objectHash"]] = _object(entry)
    return out


def _facts(entry: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in entry.items() if key not in DERIVED}
    for key in ("createdAt", "lastEditedAt"):
        if out.get(key) is not None:
            out[key] = instant(out[key])
    for key in NULLABLE:
        if key in out and out[key] is None:
            del out[key]
    for key, default in DEFAULTS.items():
        if out.get(key, default) in (None, default):
            out.pop(key, None)
    return out


def _object(entry: dict[str, Any]) -> dict[str, Any]:
    out = _facts(entry)
    outline = out.pop("polygon", None)
    if outline and not out.get("polygons"):
        points = _points(outline)
        out["polygons"] = [[[number for point in points for number in (point["x"], point["y"])]]]
    for key in ("polyline", "point"):
        if key in out and out[key] is not None:
            out[key] = _points(out[key])
    if isinstance(out.get("skeleton"), dict):
        out["skeleton"] = [_joint(vertex) for vertex in out["skeleton"].values()]
    for key, defaults in (("circle", {"stretch": 1, "theta": 0}), ("ellipse", {"theta": 0})):
        if isinstance(out.get(key), dict):
            out[key] = {**defaults, **out[key]}
    return out


def _points(points: Any) -> list[Any]:
    if isinstance(points, dict):
        return [point for _, point in sorted(points.items(), key=lambda item: int(item[0]))]
    return points


def _joint(vertex: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in vertex.items() if key not in VISIBILITIES and value is not None}
    for state in VISIBILITIES:
        if vertex.get(state):
            out["visibility"] = state
            break
    return out


def _answers(entries: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for entry in entries:
        answer = _answer(entry)
        known = out.setdefault(answer["featureHash"], answer)
        if known is not answer and isinstance(answer["answers"], dict):
            known["answers"].update(answer["answers"])
    return out


def _answer(entry: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in entry.items() if key not in DERIVED}
    if out.get("manualAnnotation") in (None, True):
        out.pop("manualAnnotation", None)
    if not out.get("shouldPropagate"):
        out.pop("shouldPropagate", None)
    ticks = out["answers"]
    if isinstance(ticks, list) and ticks:
        # One entry per ticked option means the same as one entry for all, so what the entry says is said of each.
        about = {key: out.pop(key) for key in list(out) if key not in ("answers", "featureHash", "range")}
        out["answers"] = {
            option["featureHash"]: {**about, **{key: value for key, value in option.items() if key not in DERIVED}}
            for option in ticks
        }
    return out


def _actions(actions: list[dict[str, Any]]) -> dict[str, Any]:
    """Actions by attribute and frame, so that neither their order nor how ranges are cut matters."""
    out: dict[str, Any] = {}
    for action in actions:
        answer = _answer(action)
        ranges = answer.pop("range")
        for start, end in ranges:
            for frame in range(start, end + 1):
                out.setdefault(answer["featureHash"], {})[str(frame)] = answer
    return out


def _answer_entry(entry: dict[str, Any]) -> dict[str, Any]:
    out = _facts(entry)
    out["classifications"] = _answers(out["classifications"])
    if out.get("range") is not None:
        out["range"] = merged(out["range"])
    spaces = {}
    for key, placement in (out.get("spaces") or {}).items():
        plain = placement.get("type") != "html"
        spaces[key] = {**placement, "range": merged(placement["range"]) if plain else placement["range"]}
    out.pop("spaces", None)
    if spaces:
        out["spaces"] = spaces
    return out
