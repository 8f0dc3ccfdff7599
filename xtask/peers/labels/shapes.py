"""Random coordinates for every shape, in the keys a label document uses."""

from __future__ import annotations

import random
from typing import Any

from encord.common.bitmask_operations import serialise_bitmask

from ontologies import template_of


def coordinate(rng: random.Random) -> float | int:
    """A fraction of the frame, now and then an integer, tiny or outside."""
    draw = rng.random()
    if draw < 0.05:
        return rng.choice([0, 1])
    if draw < 0.08:
        return rng.choice([1e-7, -0.125, 1.5])
    return round(rng.random(), rng.choice([2, 4, 17]))


def point(rng: random.Random) -> dict[str, Any]:
    return {"x": coordinate(rng), "y": coordinate(rng)}


def ring(rng: random.Random) -> list[float | int]:
    return [coordinate(rng) for _ in range(2 * rng.randrange(3, 7))]


def geometry(
    rng: random.Random, node: dict[str, Any], ontology: dict[str, Any], size: tuple[int, int] | None, odd: bool
) -> dict[str, Any]:
    """The geometry keys of one object on one frame of `(width, height)` pixels.

    With `odd`, spellings the platform accepts but would not write itself.
    """
    shape = node["shape"]
    if shape == "bounding_box":
        return {"boundingBox": {key: coordinate(rng) for key in ("h", "w", "x", "y")}}
    if shape == "rotatable_bounding_box":
        box: dict[str, Any] = {key: coordinate(rng) for key in ("h", "w", "x", "y")}
        return {"rotatableBoundingBox": {**box, "theta": rng.choice([0, 30, 359.5, -12.25])}}
    if shape == "polygon":
        return polygon(rng, odd)
    if shape == "polyline":
        return {"polyline": polyline(rng, odd)}
    if shape == "point":
        only = point(rng)
        if rng.random() < 0.3:
            only["z"] = coordinate(rng)
        return {"point": {"0": only}}
    if shape == "skeleton":
        return {"skeleton": skeleton(rng, template_of(ontology, node["featureNodeHash"]), odd)}
    if shape == "bitmask":
        assert size is not None
        return {"bitmask": bitmask(rng, *size)}
    if shape == "cuboid":
        return {
            "cuboid": {
                "position": [rng.uniform(-50, 50) for _ in range(3)],
                "orientation": [rng.uniform(-3, 3) for _ in range(3)],
                "size": [rng.choice([4, 2, 1.5]) for _ in range(3)],
            }
        }
    if shape == "cuboid_2d":
        front = [coordinate(rng) for _ in range(8)]
        if rng.random() < 0.5:
            return {"cuboid_2d": {"front": front, "vanishingPoint": point(rng), "scaleRatio": 0.75}}
        return {"cuboid_2d": {"front": front, "offset": point(rng)}}
    if shape == "circle":
        circle: dict[str, Any] = {"x": coordinate(rng), "y": coordinate(rng), "r": 0.1}
        return {"circle": circle if odd else {**circle, "stretch": 1.0, "theta": rng.choice([0.0, 12.5])}}
    if shape == "ellipse":
        ellipse: dict[str, Any] = {"x": coordinate(rng), "y": coordinate(rng), "rx": 0.1, "ry": 0.25}
        return {"ellipse": ellipse if odd else {**ellipse, "theta": 45.0}}
    raise ValueError(shape)


def polygon(rng: random.Random, odd: bool) -> dict[str, Any]:
    rings = [[ring(rng) for _ in range(rng.choice([1, 1, 2]))] for _ in range(rng.choice([1, 1, 2]))]
    outline = rings[0][0]
    points = [{"x": x, "y": y} for x, y in zip(outline[::2], outline[1::2])]
    as_map = {str(index): vertex for index, vertex in enumerate(points)}
    if not odd:
        return {"polygon": as_map, "polygons": rings}
    spelling = rng.randrange(4)
    if spelling == 0:
        return {"polygon": points}
    if spelling == 1:
        return {"polygon": dict(sorted(as_map.items(), key=lambda entry: -int(entry[0])))}
    if spelling == 2:
        return {"polygons": rings}
    return {"polygon": {str(3 * index): vertex for index, vertex in enumerate(points)}, "polygons": rings}


def polyline(rng: random.Random, odd: bool) -> Any:
    points = [point(rng) for _ in range(rng.randrange(0 if odd else 2, 7))]
    if rng.random() < 0.3:
        for vertex in points:
            vertex["z"] = coordinate(rng)
    if odd and rng.random() < 0.5:
        return points
    return {str(index): vertex for index, vertex in enumerate(points)}


def skeleton(rng: random.Random, template: dict[str, Any], odd: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for index, vertex in enumerate(template["skeleton"].values()):
        joint: dict[str, Any] = {
            "x": rng.random(),
            "y": rng.random(),
            "name": vertex["name"],
            "color": vertex["color"],
            "featureHash": vertex["featureHash"],
            "value": vertex["value"],
        }
        if rng.random() < 0.6:
            state = rng.choice(["visible", "invisible", "occluded", "selfOccluded"])
            if odd and rng.random() < 0.5:
                joint[state] = True
            else:
                joint["visibility"] = state
        out[str(index + (5 if odd else 0))] = joint
    return out


def bitmask(rng: random.Random, width: int, height: int) -> dict[str, Any]:
    pixels = bytearray(width * height)
    for _ in range(rng.randrange(4)):
        left, top = rng.randrange(width), rng.randrange(height)
        right, bottom = rng.randrange(left, width) + 1, rng.randrange(top, height) + 1
        for row in range(top, bottom):
            pixels[row * width + left : row * width + right] = b"\x01" * (right - left)
    return {"top": 0, "left": 0, "height": height, "width": width, "rleString": serialise_bitmask(bytes(pixels))}


def html_range(rng: random.Random) -> dict[str, Any]:
    def node() -> dict[str, Any]:
        return {"xpath": f"/html[1]/body[1]/p[{rng.randrange(1, 9)}]/text()[1]", "offset": rng.randrange(200)}

    return {"start": node(), "end": node()}
