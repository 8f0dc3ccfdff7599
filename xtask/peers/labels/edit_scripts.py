"""Random scripts of edits, each of which the reference package accepts."""

from __future__ import annotations

import random
from typing import Any

import answers
import shapes
from edits import RANGES, apply
from ontologies import GEOMETRIC
from space_scripts import SpaceAuthor

from encord.objects import ClassificationInstance, LabelRowV2, ObjectInstance

FRAMED = ("video", "image", "img_group", "dicom", "nifti", "pdf", "scene")
RANGE_SHAPE = {"audio": "audio", "time_series": "time_range", "plain_text": "text"}
EDITABLE = FRAMED + ("audio", "time_series", "plain_text", "group")
EVENT_SHAPES = ("bounding_box", "rotatable_bounding_box", "point", "circle", "ellipse", "cuboid")


def random_script(rng: random.Random, line: dict[str, Any], row: LabelRowV2, length: int) -> list[dict[str, Any]]:
    """Edits that the reference accepts one after the other; `row` ends up edited."""
    script: list[dict[str, Any]] = []
    for _ in range(10 * length):
        if len(script) >= length:
            break
        for edit in Author(rng, line, row).some():
            apply(row, edit)
            script.append(edit)
    return script


class Author(SpaceAuthor):
    """Writes edits that fit what the row holds at the moment."""

    def __init__(self, rng: random.Random, line: dict[str, Any], row: LabelRowV2) -> None:
        self.rng = rng
        self.line = line
        self.row = row
        self.kind = line["label_row"]["data_type"]
        self.frames = line["metadata"]["number_of_frames"]
        self.html = line["metadata"]["file_type"] == "text/html"
        if row.is_event_based:
            self.kind = "events"

    def some(self) -> list[dict[str, Any]]:
        """One edit, or a few that belong together; nothing if the chosen kind does not fit."""
        choices = [self.change_answers, self.change_answers, self.number, self.classify]
        choices += [self.copy_classification, self.details_of_classification]
        if self.kind in FRAMED:
            choices += [self.add, self.add, self.reshape, self.shrink, self.remove, self.reclassify]
            choices += [self.copy, self.details_on, self.unanswer_on]
            # Scenes have images and point clouds beside their own frames.
            choices += [self.put, self.classify_space, self.details_on_space] if self.line["metadata"]["spaces"] else []
        elif self.html:
            choices += [self.add_html, self.add_html, self.remove, self.details_of_ranges]
        elif self.kind in RANGES:
            choices += [self.add_ranges, self.add_ranges, self.remove, self.details_of_ranges]
            # The reference believes that texts have one character once they are part of a row.
            choices += [self.set_ranges] if self.kind != "plain_text" else []
        elif self.kind == "events":
            choices += [self.add_events, self.add_events, self.upsert, self.delete_event, self.remove_event]
        else:
            choices = [self.put, self.put, self.put_ranges, self.put_ranges, self.number, self.classify_space]
            choices += [self.change_answers_on_spaces, self.reshape_on, self.shrink_on, self.details_on_space]
            choices += [self.answer_on_space, self.unanswer_on_space]
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

    def add_ranges(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.nodes([RANGE_SHAPE[self.kind]]))
        frames = answers.random_ranges(self.rng, self.frames - 1)
        edit = {"op": "add_ranges", "class": node["featureNodeHash"], "object": self.hash(), "frames": frames}
        return [edit, *self.answer_edits(node, edit["object"], [])]

    def add_html(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.nodes(["text"]))
        edit = {"op": "add_html", "class": node["featureNodeHash"], "object": self.hash(), "html": self.html_ranges()}
        return [edit, *self.answer_edits(node, edit["object"], [])]

    def html_ranges(self) -> list[dict[str, Any]]:
        return [shapes.html_range(self.rng) for _ in range(self.rng.randrange(1, 4))]

    def event(self, node: dict[str, Any], time: int) -> dict[str, Any]:
        linear = ["linear"] if node["shape"] in ("point", "cuboid") else []
        facts = {"interpolation": self.rng.choice([None, "hold", *linear]), **self.facts()}
        return {"time": time, "geometry": self.event_geometry(node), **facts}

    def event_geometry(self, node: dict[str, Any]) -> dict[str, Any]:
        geometry = self.geometry(node)
        # All points of an object are flat or all are spatial.
        for point in geometry.get("point", {}).values():
            point["z"] = 0.5
        return geometry

    def add_events(self) -> list[dict[str, Any]]:
        node = self.rng.choice(self.nodes(EVENT_SHAPES))
        *times, end = sorted(self.rng.sample(range(10**12), self.rng.randrange(2, 5)))
        edit = {"op": "add_events", "class": node["featureNodeHash"], "object": self.hash(), "end": end}
        edit["events"] = [self.event(node, time) for time in times]
        return [edit, *self.answer_edits(node, edit["object"], [])]

    def with_events(self) -> tuple[ObjectInstance, list[Any]] | None:
        # Only what was made here: points of the corpus may be flat or spatial.
        mine = [instance for instance in self.row.get_object_instances() if instance.object_hash.startswith("new")]
        drawn = [instance for instance in mine if not instance.is_range_only()]
        if not drawn:
            return None
        instance = self.rng.choice(drawn)
        return instance, instance.get_events()

    def upsert(self) -> list[dict[str, Any]]:
        found = self.with_events()
        if not found:
            return []
        instance, events = found
        time = self.rng.randrange(events[-1].frame)
        if any(event.frame == time for event in events):
            return []
        event = self.event(self.node_of(instance.feature_hash), time)
        return [{"op": "upsert", "object": instance.object_hash, **event}]

    def delete_event(self) -> list[dict[str, Any]]:
        found = self.with_events()
        if not found:
            return []
        instance, events = found
        # Not at the moment it appears, which would be a removal.
        time = self.rng.randrange(events[0].frame + 1, events[-1].frame)
        if any(event.frame == time for event in events):
            return []
        return [{"op": "delete_event", "object": instance.object_hash, "time": time}]

    def remove_event(self) -> list[dict[str, Any]]:
        found = self.with_events()
        if not found or len(found[1]) < 3:
            return []
        instance, events = found
        event = self.rng.choice(events[:-1])
        return [{"op": "remove_event", "object": instance.object_hash, "time": event.frame}]

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

    def copy(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        return [{"op": "copy_object", "object": instance.object_hash, "copy": self.hash()}] if instance else []

    def copy_classification(self) -> list[dict[str, Any]]:
        present = self.row.get_classification_instances()
        if not present:
            return []
        target = self.rng.choice(present).classification_hash
        return [{"op": "copy_classification", "classification": target, "copy": self.hash()}]

    def new_details(self) -> dict[str, Any]:
        people = [None, "a@b.co", "quality.team@example.org"]
        authors = {"created_by": self.rng.choice(people), "last_edited_by": self.rng.choice(people)}
        return {**self.facts(), **authors}

    def details_on(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        frames = sorted(instance.get_annotation_frames()) if instance else []
        if not frames:
            return []
        target = {"object": instance.object_hash, "frame": self.rng.choice(frames)}
        return [{"op": "details_on", **target, **self.new_details()}]

    def details_of_ranges(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        return [{"op": "details_of_ranges", "object": instance.object_hash, **self.new_details()}] if instance else []

    def details_of_classification(self) -> list[dict[str, Any]]:
        present = self.row.get_classification_instances()
        if not present:
            return []
        target = self.rng.choice(present).classification_hash
        return [{"op": "details_of_classification", "classification": target, **self.new_details()}]

    def unanswer_on(self) -> list[dict[str, Any]]:
        instance = self.some_object()
        if instance is None:
            return []
        frames = self.some_of(sorted(instance.get_annotation_frames()))
        dynamic = [a for a in self.node_of(instance.feature_hash).get("attributes", []) if a["dynamic"]]
        if not frames or not dynamic:
            return []
        attribute = self.rng.choice(dynamic)["featureNodeHash"]
        return [{"op": "unanswer_on", "object": instance.object_hash, "attribute": attribute, "frames": frames}]

    def some_of(self, frames: list[int]) -> list[list[int]]:
        return answers.ranges_of([frame for frame in frames if self.rng.random() < 0.5])

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
