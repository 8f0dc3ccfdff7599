"""The reference's side of the label measurements: bytes to a row, and a row to bytes.

    reference_labels.py parse|write DOCUMENT ONTOLOGY
"""

import json
import pathlib
import sys
import time
from types import SimpleNamespace

import orjson
from encord.objects import LabelRowV2, OntologyStructure
from encord.orm.label_row import LabelRowMetadata
from report import report

action, document, ontology = sys.argv[1], *map(pathlib.Path, sys.argv[2:4])
content = document.read_bytes()
structure = OntologyStructure.from_dict(json.loads(ontology.read_text()))
head = orjson.loads(content)
unit = head["data_units"]["dh"]
metadata = LabelRowMetadata.from_dict(
    {
        "label_hash": head["label_hash"],
        "branch_name": head["branch_name"],
        "created_at": None,
        "last_edited_at": None,
        "data_hash": head["data_hash"],
        "dataset_hash": head["dataset_hash"],
        "dataset_title": head["dataset_title"],
        "data_title": head["data_title"],
        "data_type": "VIDEO",
        "data_link": "",
        "label_status": "LABEL_IN_PROGRESS",
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "number_of_frames": len(unit["labels"]),
        "duration": unit["data_duration"],
        "frames_per_second": unit["data_fps"],
        "height": unit["height"],
        "width": unit["width"],
        "spaces": {},
    }
)
del head, unit
row = LabelRowV2(metadata, SimpleNamespace(), SimpleNamespace(structure=structure))
start = time.process_time()
row.from_labels_dict(orjson.loads(content))
if action == "write":
    start = time.process_time()
    # What the package sends: its requests are encoded by the standard library.
    json.dumps(row.to_encord_dict())
report(time.process_time() - start)
