"""Random edits of what lies on spaces: members of groups, images and point clouds of scenes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import answers
from ontologies import GEOMETRIC

if TYPE_CHECKING:
    from encord.objects import LabelRowV2, ObjectInstance

RANGE_SPACE = {"audio": "audio", "text": "text", "html": "text", "time_series": "time_range"}
VIDEOS = ("video", "image_sequence")
DRAWN = (*VIDEOS, "image", "medical_file", "medical_stack", "pdf", "scene_image", "point_cloud")
# Nobody knows the size of these, so that the reference exports no masks there.
SIZELESS = ("pdf", "scene_image")


class SpaceAuthor:
    """Writes edits that fit what the spaces of the row hold at the moment."""

    rng: random.Random
    line: dict[str, Any]
    row: LabelRowV2

    def spaces(self, kinds: Any) -> list[tuple[str, dict[str, Any]]]:
        infos = self.line["metadata"]["spaces"]
        return [(key, info) for key, info in infos.items() if info["space_type"] in kinds]

    def last_frame(self, info: dict[str, Any]) -> int:
        if info["space_type"] == "medical_stack":
            return len(info["frames"]) - 1
        return info.get("number_of_frames", info.get("number_of_pages", 1)) - 1

    def put(self) -> list[dict[str, Any]]:
        usable = self.spaces(DRAWN)
        if not usable:
            return []
        space, info = self.rng.choice(usable)
        kind = info["space_type"]
        if kind == "point_cloud":
            shapes = ["segmentation"]
        else:
            # All frames that a mask is put on must have one size.
            masks = kind not in (*SIZELESS, "medical_stack")
            shapes = [shape for shape in GEOMETRIC if shape != "cuboid" and (shape != "bitmask" or masks)]
        node = self.rng.choice(self.nodes(shapes))
        edit = {"op": "put_on_space", "space": space, "kind": kind, "class": node["featureNodeHash"]}
        if kind == "point_cloud":
            geometry = {"segmentation": self.rng.choice(["3231", "04", "53"])}
        else:
            geometry = self.geometry(node, (info.get("width", 8), info.get("height", 8)))
        edit.update(object=self.hash(), frames=answers.random_ranges(self.rng, self.last_frame(info)))
        static = [a for a in node.get("attributes", []) if not a["dynamic"]]
        answered = self.answer_edits({"attributes": static}, edit["object"], [])
        return [{**edit, "geometry": geometry, **self.facts()}, *answered]

    def put_ranges(self) -> list[dict[str, Any]]:
        usable = self.spaces(RANGE_SPACE)
        if not usable:
            return []
        space, info = self.rng.choice(usable)
        kind = info["space_type"]
        node = self.rng.choice(self.nodes([RANGE_SPACE[kind]]))
        edit = {"op": "put_ranges_on_space", "space": space, "class": node["featureNodeHash"], "object": self.hash()}
        if kind == "html":
            return [{**edit, "html": self.html_ranges()}]
        return [{**edit, "frames": answers.random_ranges(self.rng, info.get("duration_ms", 4000))}]

    def drawn(self, kinds: Any, mine: bool = False) -> tuple[dict[str, Any], ObjectInstance, list[int]] | None:
        """An object on a space, what an edit of it begins with, and its frames there."""
        found = []
        for space_id, info in self.spaces(kinds):
            frames: dict[str, list[int]] = {}
            space = self.row._space_map[space_id]
            for annotation in space.get_annotations(type_="object"):
                frames.setdefault(annotation.object_hash, []).append(annotation.frame)
            for instance in space.get_object_instances():
                if instance.object_hash in frames and (not mine or instance.object_hash.startswith("new")):
                    target = {"space": space_id, "kind": info["space_type"], "object": instance.object_hash}
                    found.append((target, instance, sorted(frames[instance.object_hash])))
        return self.rng.choice(found) if found else None

    def reshape_on(self) -> list[dict[str, Any]]:
        # On PDFs the reference ends with a TypeError.
        found = self.drawn([*VIDEOS, "image", "medical_file"])
        if not found:
            return []
        target, instance, frames = found
        if instance._get_all_dynamic_answers():
            # The reference puts nothing anywhere once there are dynamic answers.
            return []
        info = self.line["metadata"]["spaces"][target["space"]]
        geometry = self.geometry(self.node_of(instance.feature_hash), (info.get("width", 8), info.get("height", 8)))
        return [{"op": "reshape_on", **target, "frames": answers.ranges_of(frames)[:1], "geometry": geometry}]

    def shrink_on(self) -> list[dict[str, Any]]:
        found = self.drawn([*VIDEOS, "medical_file", "medical_stack", "pdf"])
        if not found:
            return []
        target, _, frames = found
        # The reference keeps an object on a space although its last frame is gone.
        gone = self.some_of(frames[1:])
        return [{"op": "remove_frames_on", **target, "frames": gone}] if gone else []

    def details_on_space(self) -> list[dict[str, Any]]:
        found = self.drawn([*VIDEOS, "image", "medical_file", "medical_stack", "pdf", "scene_image"])
        if not found:
            return []
        target, _, frames = found
        return [{"op": "details_on_space", **target, "frame": self.rng.choice(frames), **self.new_details()}]

    def dynamic_on_space(self) -> tuple[dict[str, Any], dict[str, Any], list[list[int]]] | None:
        # The reference exports no dynamic answers from medical files and PDFs.
        found = self.drawn(VIDEOS)
        if not found:
            return None
        target, instance, frames = found
        dynamic = [a for a in self.node_of(instance.feature_hash).get("attributes", []) if a["dynamic"]]
        some = self.some_of(frames)
        if not dynamic or not some:
            return None
        attribute = self.rng.choice(dynamic)
        return {**target, "attribute": attribute["featureNodeHash"]}, attribute, some

    def answer_on_space(self) -> list[dict[str, Any]]:
        found = self.dynamic_on_space()
        if not found:
            return []
        target, attribute, frames = found
        value = answers.answer_value(self.rng, attribute)
        given = [option["featureHash"] for option in value] if isinstance(value, list) else value
        return [{"op": "answer_on_space", **target, "frames": frames, "value": given}]

    def unanswer_on_space(self) -> list[dict[str, Any]]:
        found = self.dynamic_on_space()
        return [{"op": "unanswer_on_space", **found[0], "frames": found[2]}] if found else []

    def change_answers_on_spaces(self) -> list[dict[str, Any]]:
        found = self.drawn(DRAWN)
        if not found:
            return []
        _, instance, _ = found
        node = self.node_of(instance.feature_hash)
        static = [a for a in node.get("attributes", []) if not a["dynamic"]]
        if static and self.rng.random() < 0.3:
            attribute = self.rng.choice(static)["featureNodeHash"]
            return [{"op": "unanswer", "object": instance.object_hash, "attribute": attribute}]
        return self.answer_edits({"attributes": static}, instance.object_hash, [])

    def classify_space(self) -> list[dict[str, Any]]:
        # The reference does not read classifications of point clouds back.
        usable = self.spaces([kind for kind in (*DRAWN, *RANGE_SPACE) if kind != "point_cloud"])
        if not usable:
            return []
        space, info = self.rng.choice(usable)
        node = self.rng.choice(self.line["ontology"]["classifications"])
        present = self.row._space_map[space].get_classification_instances()
        if any(instance.feature_hash == node["featureNodeHash"] for instance in present):
            return []
        attribute = node["attributes"][0]
        value = answers.answer_value(self.rng, attribute)
        given = [option["featureHash"] for option in value] if isinstance(value, list) else value
        kind = info["space_type"]
        whole = node.get("level") == "global" or kind in RANGE_SPACE
        edit = {"op": "classify_space", "space": space, "kind": kind, "class": node["featureNodeHash"]}
        edit.update(classification=self.hash(), attribute=attribute["featureNodeHash"], value=given, **self.facts())
        return [{**edit, "frames": None if whole else answers.random_ranges(self.rng, self.last_frame(info))}]
