"""Writes a seed with the fixed ids that the integration tests of `encord-agents` use.

    cargo run -p encord-examples --bin sample_seed target/samples
    python encord-sandbox/seeds/reference.py target/samples
    encord-sandbox serve --seed target/samples/reference.json --key-out target/samples/key

The media are those of the sample seed, so this script needs nothing but Python.
"""

import json
import pathlib
import sys

WANTED = ["image", "image_group", "image_sequence", "pdf", "audio", "plain_text", "group", "video"]
ITEM_TYPES = {"image_group": "imageGroup", "image_sequence": "imageSequence", "plain_text": "plainText"}


def one_of_each(items: list[dict]) -> list[dict]:
    """The first sample of each type, with the metadata that the tests look for."""
    chosen = []
    for kind in WANTED:
        item = next((item for item in items if item.get("type") == kind), None)
        if item is None:
            print(f"the samples have no {kind}: left out", file=sys.stderr)
            continue
        chosen.append({**item, "client_metadata": {"a": "b", "item_type": ITEM_TYPES.get(kind, kind)}})
    return chosen


def seed(items: list[dict]) -> dict:
    agent, done = "6011c844-fb26-438b-b465-0b0825951015", "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"
    return {
        "ontologies": [{
            "ontology_hash": "6d8bb167-0c9d-43b1-a577-3da0693d664e",
            "title": "Reference",
            "structure": {"classifications": [], "objects": [{
                "id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box",
                "featureNodeHash": "PXFZO2ra", "required": False, "archived": False,
            }]},
        }],
        "workflow_templates": [{
            "template_hash": "a59b3190-09e2-432c-a8bb-f2925872e298",
            "title": "Agent 1",
            "stages": [
                {"uuid": agent, "type": "AGENT", "title": "Agent 1", "pathways": [
                    {"uuid": "49a786f3-5edf-4b94-aff0-3da9042d3bf0", "name": "complete", "destination": done},
                ]},
                {"uuid": done, "type": "DONE", "title": "Complete"},
            ],
        }],
        "datasets": [
            {"dataset_hash": "5d06b07b-135a-4c6d-ba5d-fa7048d996da", "title": "One of each",
             "items": one_of_each(items)},
            {"dataset_hash": "d0370f27-da4c-48fa-8502-049b55e26a5f", "title": "Many images",
             "items": [{"generate": "image", "count": 300, "width": 16, "height": 16}]},
        ],
    }


folder = pathlib.Path(sys.argv[1])
items = json.loads((folder / "seed.json").read_text())["datasets"][0]["items"]
(folder / "reference.json").write_text(json.dumps(seed(items), indent=1))
