"""Random ontologies: every shape, every attribute type, nested and dynamic attributes, global classes.

The result is plain JSON in the form the platform sends, so that both the reference package and
`encord-labels` read it from the same bytes.
"""

from __future__ import annotations

import random
from typing import Any, Callable

GEOMETRIC = [
    "bounding_box",
    "rotatable_bounding_box",
    "polygon",
    "polyline",
    "point",
    "skeleton",
    "bitmask",
    "cuboid",
    "cuboid_2d",
    "circle",
    "ellipse",
]
RANGED = ["audio", "time_range", "text", "segmentation"]
COLOURS = ["#D33115", "#E27300", "#16406C", "#FE9200", "#68CCCA", "#AB149E"]
WORDS = ["Car", "Left  eye", "Größe", "İstanbul", "名前", "road sign", "Tab\tbed", "a/b", "Σίσυφος", "x_y", "No 7"]


class Names:
    """Hands out hashes that no other node of the same ontology has."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def hash(self) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        while True:
            candidate = "".join(self._rng.choice(alphabet) for _ in range(8))
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate

    def title(self) -> str:
        return f"{self._rng.choice(WORDS)} {self._rng.randrange(100)}"


def random_ontology(rng: random.Random) -> dict[str, Any]:
    """An ontology with every shape at least once and classifications of every kind."""
    names = Names(rng)
    objects: list[dict[str, Any]] = []
    templates: list[dict[str, Any]] = []
    shapes = GEOMETRIC + RANGED + [rng.choice(GEOMETRIC + RANGED) for _ in range(rng.randrange(4))]
    rng.shuffle(shapes)
    for number, shape in enumerate(shapes, start=1):
        node: dict[str, Any] = {
            "id": str(number),
            "name": names.title(),
            "color": rng.choice(COLOURS),
            "shape": shape,
            "featureNodeHash": names.hash(),
            "required": rng.random() < 0.3,
            "archived": rng.random() < 0.1,
        }
        attributes = random_attributes(rng, names, str(number), depth=2, dynamic=shape in GEOMETRIC)
        if attributes:
            node["attributes"] = attributes
        objects.append(node)
        if shape == "skeleton":
            templates.append(skeleton_template(rng, names, node))
    classifications = [
        random_classification(rng, names, number, kind)
        for number, kind in enumerate(["radio", "checklist", "text", "numeric", "radio", "checklist"], start=1)
    ]
    return {"objects": objects, "classifications": classifications, "skeleton_templates": templates}


def random_classification(rng: random.Random, names: Names, number: int, kind: str) -> dict[str, Any]:
    node: dict[str, Any] = {"id": str(number), "featureNodeHash": names.hash()}
    if number > 4:
        node["level"] = "global"
    node["attributes"] = [attribute(rng, names, f"{number}.1", kind, depth=2, dynamic=False)]
    return node


def random_attributes(
    rng: random.Random, names: Names, parent: str, depth: int, dynamic: bool = False
) -> list[dict[str, Any]]:
    kinds = rng.sample(["radio", "checklist", "text", "numeric"], rng.randrange(0, 5))
    return [
        attribute(rng, names, f"{parent}.{index}", kind, depth, dynamic and rng.random() < 0.4)
        for index, kind in enumerate(kinds, start=1)
    ]


def attribute(
    rng: random.Random, names: Names, identifier: str, kind: str, depth: int, dynamic: bool
) -> dict[str, Any]:
    node: dict[str, Any] = {
        "id": identifier,
        "name": names.title(),
        "type": kind,
        "featureNodeHash": names.hash(),
        "required": rng.random() < 0.5,
        "archived": False,
        "dynamic": dynamic,
    }
    if kind in ("radio", "checklist"):
        node["options"] = [
            option(rng, names, f"{identifier}.{index}", kind, 0 if dynamic else depth)
            for index in range(1, rng.randrange(3, 6))
        ]
    return node


def option(rng: random.Random, names: Names, identifier: str, kind: str, depth: int) -> dict[str, Any]:
    label = names.title()
    node: dict[str, Any] = {
        "id": identifier,
        "label": label,
        "value": label.lower().replace(" ", "_"),
        "featureNodeHash": names.hash(),
        "archived": False,
    }
    if kind == "radio" and depth > 0 and rng.random() < 0.4:
        nested = random_attributes(rng, names, identifier, depth - 1)
        if nested:
            node["options"] = nested
    return node


def skeleton_template(rng: random.Random, names: Names, node: dict[str, Any]) -> dict[str, Any]:
    vertices = {}
    for index in range(rng.randrange(2, 5)):
        vertices[str(index)] = {
            "x": float(index * 10),
            "y": float(index),
            "name": f"joint {index}",
            "color": "#000000",
            "value": f"joint_{index}",
            "featureHash": names.hash(),
        }
    return {
        "template": {
            "name": node["name"],
            "width": 235.5,
            "height": 25.0,
            "skeleton": vertices,
            "skeletonEdges": {"0": {"1": {"color": "#00000"}}},
            "feature_node_hash": node["featureNodeHash"],
            "shape": "skeleton",
        }
    }


def template_of(ontology: dict[str, Any], feature_hash: str) -> dict[str, Any]:
    for entry in ontology["skeleton_templates"]:
        if entry["template"]["feature_node_hash"] == feature_hash:
            return entry["template"]
    raise KeyError(feature_hash)


def objects_where(ontology: dict[str, Any], keep: Callable[[str], bool]) -> list[dict[str, Any]]:
    return [node for node in ontology["objects"] if keep(node["shape"])]


def snake(name: str) -> str:
    """The `value` the platform derives from a name."""
    return name.lower().replace(" ", "_")
