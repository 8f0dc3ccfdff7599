"""The real `encord` package behind two functions: read a row, write a row. Nothing here goes to the network."""

from __future__ import annotations

import copy
import os
import time
import warnings
from types import SimpleNamespace
from typing import Any

# The reference reads times without a zone as UTC and writes them as local time.
os.environ["TZ"] = "UTC"
time.tzset()

from encord.objects import LabelRowV2, OntologyStructure  # noqa: E402
from encord.orm.label_row import LabelRowMetadata  # noqa: E402

warnings.filterwarnings("ignore")


def read(line: dict[str, Any], document: dict[str, Any] | None = None) -> LabelRowV2:
    """The row of a corpus line, with `document` in place of its own where given."""
    ontology = SimpleNamespace(structure=OntologyStructure.from_dict(copy.deepcopy(line["ontology"])))
    metadata = LabelRowMetadata.from_dict(copy.deepcopy(line["metadata"]))
    row = LabelRowV2(metadata, SimpleNamespace(), ontology)  # type: ignore[arg-type]
    row.from_labels_dict(copy.deepcopy(line["label_row"] if document is None else document))
    return row


def write(row: LabelRowV2) -> dict[str, Any]:
    return copy.deepcopy(row.to_encord_dict())


def round_trip(line: dict[str, Any], document: dict[str, Any] | None = None) -> dict[str, Any]:
    return write(read(line, document))


def ontology_round_trip(ontology: dict[str, Any]) -> dict[str, Any]:
    return OntologyStructure.from_dict(copy.deepcopy(ontology)).to_dict()
