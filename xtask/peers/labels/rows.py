"""Random label rows of every data type, with the metadata row that belongs to each.

A row is built as the document the platform would send: data units or spaces with geometry per frame, answers
and actions beside them. `odd` rows use older or looser spellings that are still accepted; `future` rows carry
fields nobody knows yet, which must survive.
"""

from __future__ import annotations

import random
from typing import Any

import answers
import shapes
from ontologies import GEOMETRIC, objects_where, snake

EVENT_SHAPES = ["bounding_box", "rotatable_bounding_box", "point", "circle", "ellipse", "polyline", "cuboid"]
RANGE_SHAPE = {"audio": "audio", "time_series": "time_range", "plain_text": "text"}
MIME = {
    "video": "video/mp4",
    "image": "image/jpeg",
    "img_group": "image/png",
    "dicom": "application/dicom",
    "nifti": "application/nifti1",
    "audio": "audio/mpeg",
    "time_series": "application/octet-stream",
    "plain_text": "text/plain",
    "pdf": "application/pdf",
    "group": "application/json",
    "scene": "application/json",
}


class RowBuilder:
    """Builds one row; the random source decides everything, so a seed names a row."""

    def __init__(self, rng: random.Random, ontology: dict[str, Any], data_type: str, odd: bool, future: bool) -> None:
        self.rng = rng
        self.ontology = ontology
        self.data_type = data_type
        self.odd = odd
        self.future = future
        self.object_answers: dict[str, Any] = {}
        self.classification_answers: dict[str, Any] = {}
        self.object_actions: dict[str, Any] = {}
        self.width, self.height = rng.randrange(8, 60), rng.randrange(8, 60)
        self.frames = 1
        self.metadata: dict[str, Any] = self._metadata()
        # An image with further layers keeps all its labels on spaces, the picture itself included.
        self.layered = data_type == "image" and rng.random() < 0.25

    # -- building blocks -------------------------------------------------------------------------------------

    def uuid(self) -> str:
        return "%08x-%04x-4%03x-8%03x-%012x" % tuple(
            self.rng.getrandbits(bits) for bits in (32, 16, 12, 12, 48)
        )

    def hash(self) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        return "".join(self.rng.choice(alphabet) for _ in range(8))

    def stamp(self) -> str:
        second = self.rng.randrange(60)
        if self.odd and self.rng.random() < 0.3:
            return self.rng.choice(
                [
                    f"2023-02-09 14:12:{second:02}",
                    f"2023-02-09T14:12:{second:02}Z",
                    f"2023-02-09T14:12:{second:02}.250000+02:00",
                    f"Thu, 09 Feb 2023 14:12:{second:02} GMT",
                ]
            )
        return f"Tue, 02 Jan 2024 03:04:{second:02} UTC"

    def person(self) -> str | None:
        return self.rng.choice([None, "ana@example.org", "bo@example.org"])

    def unknown(self, holder: dict[str, Any], chance: float = 0.3) -> dict[str, Any]:
        """Adds a field this version cannot know, so that losing it shows."""
        if self.future and self.rng.random() < chance:
            holder["futureField"] = self.rng.choice([1, 2.5, None, True, "text", [1, [2]], {"deep": {"list": [None]}}])
        return holder

    def facts(self, deleted: bool = True) -> dict[str, Any]:
        """Who, when and how sure: the fields an object carries on every frame."""
        facts: dict[str, Any] = {"createdAt": self.stamp(), "createdBy": self.person()}
        facts["confidence"] = self.rng.choice([1, 1.0, 0.5, 0.125, 0])
        facts["manualAnnotation"] = self.rng.random() < 0.7
        facts["lastEditedAt"] = self.stamp()
        if self.rng.random() < 0.5:
            facts["lastEditedBy"] = "cy@example.org"
        if deleted and self.rng.random() < 0.1:
            facts["isDeleted"] = self.rng.random() < 0.5
        if self.rng.random() < 0.05:
            facts["reviews"] = [{"status": "APPROVED", "reviewer": "rev@example.org"}]
        return facts

    def frame_object(self, node: dict[str, Any], object_hash: str, size: tuple[int, int] | None) -> dict[str, Any]:
        entry = {"name": node["name"], "color": node["color"], "shape": node["shape"], "value": snake(node["name"])}
        entry.update(self.facts())
        entry.update({"objectHash": object_hash, "featureHash": node["featureNodeHash"]})
        geometry = shapes.geometry(self.rng, node, self.ontology, size, self.odd)
        for inner in geometry.values():
            if isinstance(inner, dict) and self.data_type != "scene" and "0" not in inner:
                self.unknown(inner, 0.1)
        return self.unknown({**entry, **geometry})

    def answered(self, node: dict[str, Any], object_hash: str) -> dict[str, Any]:
        """Registers the short `object_answers` entry of a geometric object."""
        static = answers.static_answers(self.rng, node)
        if self.odd:
            static = answers.split_checklists(self.rng, static)
        entry: dict[str, Any] = {"classifications": [self.unknown(answer, 0.1) for answer in static]}
        entry["objectHash"] = object_hash
        if self.rng.random() < 0.3:
            entry["objectNumber"] = len(self.object_answers)
        self.object_answers[object_hash] = self.unknown(entry)
        return entry

    def act(self, node: dict[str, Any], object_hash: str, frames: list[int]) -> None:
        actions = answers.dynamic_actions(self.rng, node, frames, False)
        if actions:
            entry = {"actions": [self.unknown(action, 0.1) for action in actions], "objectHash": object_hash}
            self.object_actions[object_hash] = self.unknown(entry)

    def classification(self, node: dict[str, Any], ranges: list[list[int]], spaces: dict[str, Any]) -> None:
        """Registers one classification answer."""
        static = answers.static_answers(self.rng, node, fill=1.0)
        classification_hash = self.hash()
        entry: dict[str, Any] = {
            "classifications": [self.unknown(answer, 0.1) for answer in static],
            "classificationHash": classification_hash,
            "featureHash": node["featureNodeHash"],
            "spaces": spaces,
            "range": ranges,
        }
        facts = self.facts(deleted=False)
        for key in ("createdBy", "createdAt", "lastEditedBy", "lastEditedAt", "confidence", "manualAnnotation"):
            entry[key] = facts.get(key)
        if self.odd and self.rng.random() < 0.2:
            del entry["confidence"], entry["manualAnnotation"]
        self.classification_answers[classification_hash] = self.unknown(entry)

    def root_classifications(self, last: int, framed: bool) -> None:
        for node in self.ontology["classifications"]:
            if self.rng.random() < 0.5:
                continue
            if node.get("level") == "global" or not framed:
                self.classification(node, [], {})
                continue
            ranges = answers.random_ranges(self.rng, last)
            if len(ranges) > 1 and self.rng.random() < 0.4:
                # Two instances of one class, on different frames.
                self.classification(node, ranges[:1], {})
                ranges = ranges[1:]
            if self.odd and ranges[-1][1] > ranges[-1][0]:
                start, end = ranges.pop()
                ranges = [[start, end - 1], [end, end], *ranges]
            self.classification(node, ranges, {})

    # -- whole rows ------------------------------------------------------------------------------------------

    def build(self) -> dict[str, Any]:
        """The line of the corpus."""
        units, spaces, extra = self._content()
        document: dict[str, Any] = {
            key: self.metadata[key]
            for key in ("label_hash", "branch_name", "created_at", "last_edited_at", "data_hash", "dataset_hash")
        }
        document.update(
            {
                "dataset_title": self.metadata["dataset_title"],
                "data_title": self.metadata["data_title"],
                "data_type": self.data_type,
                "annotation_task_status": self.metadata["annotation_task_status"],
                "is_shadow_data": self.metadata["is_shadow_data"],
                "object_answers": self.object_answers,
                "classification_answers": self.classification_answers,
                "object_actions": self.object_actions,
                "label_status": self.metadata["label_status"],
                "data_units": units,
            }
        )
        if spaces is not None:
            document["spaces"] = spaces
        document.update(extra)
        return {"ontology": self.ontology, "label_row": self.unknown(document, 0.6), "metadata": self.metadata}

    def _content(self) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
        import spaced  # The rows with spaces live in a file of their own and build on this one.

        if self.data_type in ("group", "scene") or self.layered:
            return spaced.content(self)
        if self.data_type in RANGE_SHAPE:
            return self._ranged(), {}, {}
        return self._framed(), {} if self.rng.random() < 0.8 else None, {}

    def _framed(self) -> dict[str, Any]:
        grouped = self.data_type == "img_group"
        flat = grouped or self.data_type == "image"
        units = [self.unit(index) for index in range(self.frames if grouped else 1)]
        by_frame: dict[int, list[dict[str, Any]]] = {}
        metadata: dict[int, Any] = {}
        sizes = self._sizes(units, metadata)
        nodes = objects_where(self.ontology, lambda shape: shape in GEOMETRIC)
        if self.data_type == "pdf":
            nodes = [node for node in nodes if node["shape"] != "bitmask"]
        for node in nodes:
            for _ in range(self.rng.choice([0, 1, 1, 2])):
                object_hash = self.hash()
                covered = answers.random_ranges(self.rng, self.frames - 1)
                frames = [frame for start, end in covered for frame in range(start, end + 1)]
                for frame in frames:
                    entry = self.frame_object(node, object_hash, sizes[frame])
                    by_frame.setdefault(frame, []).append(entry)
                if self.rng.random() < 0.9:
                    self.answered(node, object_hash)
                self.act(node, object_hash, frames)
        for frame, unit in enumerate(units) if flat else [(0, units[0])]:
            if flat:
                labels: dict[str, Any] = {"objects": by_frame.get(frame, []), "classifications": []}
            else:
                labels = {}
                for index in sorted({*by_frame, *metadata}):
                    blob = {"objects": by_frame.get(index, []), "classifications": []}
                    if index in metadata:
                        blob["metadata"] = metadata[index]
                    labels[str(index)] = self.unknown(blob, 0.1)
            unit["labels"] = self.unknown(labels, 0.1) if flat else labels
        self.root_classifications(self.frames - 1, framed=True)
        return {unit["data_hash"]: self.unknown(unit) for unit in units}

    def _sizes(self, units: list[dict[str, Any]], metadata: dict[int, Any]) -> list[tuple[int, int]]:
        """Width and height per frame; DICOM slices may differ from their series."""
        if self.data_type == "img_group":
            return [(unit["width"], unit["height"]) for unit in units]
        sizes = [(self.width, self.height)] * self.frames
        if self.data_type == "dicom" and self.rng.random() < 0.7:
            units[0]["metadata"] = {"patient_id": None, "study_uid": "1.2.3", "series_uid": "1.2.3.4"}
            for frame in range(self.frames):
                sizes[frame] = (self.rng.randrange(8, 40), self.rng.randrange(8, 40))
                metadata[frame] = {
                    "dicom_instance_uid": f"1.2.3.4.{frame}",
                    "multiframe_frame_number": None,
                    "file_uri": f"gs://bucket/{frame}.dcm",
                    "width": sizes[frame][0],
                    "height": sizes[frame][1],
                }
        return sizes

    def _ranged(self) -> dict[str, Any]:
        unit = self.unit(0)
        html = unit["data_type"] == "text/html"
        # Plain text counts as one frame, so the reference can hold no range that ends later.
        last = 0 if self.data_type == "plain_text" else self.frames - 1
        for node in objects_where(self.ontology, lambda shape: shape == RANGE_SHAPE[self.data_type]):
            for _ in range(self.rng.randrange(4)):
                object_hash = self.hash()
                entry = self.answered(node, object_hash)
                facts = self.facts(deleted=False)
                del facts["confidence"]
                facts.setdefault("lastEditedBy", None)
                entry.update(facts)
                entry.update({"featureHash": node["featureNodeHash"], "name": node["name"], "color": node["color"]})
                entry.update({"shape": node["shape"], "value": snake(node["name"])})
                if html:
                    entry["range_html"] = [shapes.html_range(self.rng) for _ in range(self.rng.randrange(1, 4))]
                entry["range"] = [] if html else self.object_ranges(last)
        self.root_classifications(last, framed=False)
        unit["labels"] = {}
        return {unit["data_hash"]: self.unknown(unit)}

    def object_ranges(self, last: int) -> list[list[int]]:
        ranges = answers.random_ranges(self.rng, last)
        if self.odd:
            self.rng.shuffle(ranges)
        return ranges

    def unit(self, index: int) -> dict[str, Any]:
        """A data unit without labels, with the keys its type needs."""
        data_hash = self.metadata["data_hash"] if self.data_type != "img_group" else self.uuid()
        mime = MIME[self.data_type]
        if self.data_type == "plain_text" and self.metadata["file_type"] == "text/html":
            mime = "text/html"
        unit: dict[str, Any] = {"data_hash": data_hash, "data_title": self.metadata["data_title"]}
        if self.data_type not in ("dicom", "group"):
            unit["data_link"] = f"https://storage.example.org/{data_hash}?signature=x"
        unit["data_type"] = mime
        unit["data_sequence"] = str(index) if self.data_type == "img_group" else index
        if self.data_type in ("video", "image", "img_group", "dicom", "nifti"):
            unit["width"], unit["height"] = self.width, self.height
            if self.data_type == "img_group":
                unit["width"], unit["height"] = self.rng.randrange(8, 60), self.rng.randrange(8, 60)
        if self.data_type == "audio":
            for key in ("audio_codec", "audio_sample_rate", "audio_bit_depth", "audio_num_channels"):
                unit[key] = self.metadata[key]
        for key, source in (("data_fps", "frames_per_second"), ("data_duration", "duration")):
            if self.metadata[source] is not None:
                unit[key] = self.metadata[source]
        return unit

    def _metadata(self) -> dict[str, Any]:
        rng, kind = self.rng, self.data_type
        self.frames = {"image": 1, "plain_text": 1, "group": 1, "audio": 4000, "time_series": 5000}.get(
            kind, rng.randrange(2, 13)
        )
        timed = kind in ("video", "audio")
        started = rng.random() < 0.9
        stage = {"uuid": self.uuid(), "title": "Annotate"}
        html = kind == "plain_text" and rng.random() < 0.5
        metadata: dict[str, Any] = {
            "label_hash": self.uuid(),
            "branch_name": rng.choice(["main", "main", "second"]),
            "created_at": "2024-01-02 03:04:05" if started else None,
            "last_edited_at": "2024-01-03 03:04:05" if started else None,
            "data_hash": self.uuid(),
            "group_hash": None,
            "dataset_hash": self.uuid(),
            "dataset_title": "Set Größe",
            "data_title": f"file {rng.randrange(1000)}",
            "data_type": kind.upper(),
            "data_link": None,
            "label_status": rng.choice(["NOT_LABELLED", "LABEL_IN_PROGRESS", "LABELLED", "REVIEWED"]),
            "annotation_task_status": rng.choice(["QUEUED", "ASSIGNED", "COMPLETED", None]),
            "workflow_graph_node": stage,
            "is_shadow_data": rng.random() < 0.1,
            "frames_per_second": 25.0 if kind == "video" else None,
            "number_of_frames": self.frames,
            "duration": self.frames / 25 if timed else None,
            "height": self.height if kind in ("video", "image", "dicom", "nifti") else None,
            "width": self.width if kind in ("video", "image", "dicom", "nifti") else None,
            "audio_sample_rate": 44100 if kind == "audio" else None,
            "audio_codec": "mp3" if kind == "audio" else None,
            "audio_bit_depth": 16 if kind == "audio" else None,
            "audio_num_channels": 2 if kind == "audio" else None,
            "spaces": {},
            "task_uuid": self.uuid(),
            "priority": 0.5,
            "client_metadata": {"site": "north"} if rng.random() < 0.3 else None,
            "images_data": None,
            "file_type": "text/html" if html else MIME[kind],
            "is_valid": True,
            "backing_item_uuid": self.uuid(),
            "assigned_user_email": None,
            "last_actioned_by_user_email": None,
        }
        return metadata
