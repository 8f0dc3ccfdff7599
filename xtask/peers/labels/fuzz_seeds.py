"""Writes the ontology and the first inputs of the fuzz target `row`: `fuzz_seeds.py [encord-labels/fuzz]`."""

from __future__ import annotations

import json
import pathlib
import random
import sys

from corpus import TYPES
from ontologies import random_ontology
from rows import RowBuilder


def main() -> None:
    default = pathlib.Path(__file__).resolve().parents[3] / "encord-labels" / "fuzz"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    ontology = random_ontology(random.Random("fuzz"))
    (folder / "ontology.json").write_text(json.dumps(ontology, ensure_ascii=False, indent=1) + "\n")
    for target in ("row", "ontology"):
        (folder / "corpus" / target).mkdir(parents=True, exist_ok=True)
    (folder / "corpus" / "ontology" / "whole.json").write_text(json.dumps(ontology))
    for index in range(24 * len(TYPES)):
        rng = random.Random(f"fuzz/{index}")
        data_type = TYPES[index % len(TYPES)]
        line = RowBuilder(rng, ontology, data_type, odd=index % 3 == 1, future=index % 3 == 2).build()
        text = json.dumps(line["metadata"]) + "\n" + json.dumps(line["label_row"])
        if len(text) < 40_000:
            (folder / "corpus" / "row" / f"{data_type}-{index}").write_text(text)


if __name__ == "__main__":
    main()
