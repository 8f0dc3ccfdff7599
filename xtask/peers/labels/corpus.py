"""Writes the random corpus as JSON lines: `corpus.py --rows 600 --seed 7 > corpus.jsonl`.

One line is `{"ontology", "label_row", "metadata"}`. Every line is one the reference package accepts; a line it
refuses stops the run, so the corpus cannot quietly shrink.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Any, Iterator

import reference
from ontologies import random_ontology
from rows import MIME, RowBuilder

TYPES = sorted(MIME)


def lines(rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """`rows` lines that take turns over the data types and over plain, odd and future spellings."""
    ontology: dict[str, Any] = {}
    for index in range(rows):
        rng = random.Random(f"{seed}/{index}")
        if index % 25 == 0:
            ontology = random_ontology(rng)
        data_type = TYPES[index % len(TYPES)]
        turn = index // len(TYPES)
        line = RowBuilder(rng, ontology, data_type, odd=turn % 3 == 1, future=turn % 3 == 2).build()
        try:
            written = reference.round_trip(line)
        except Exception as error:
            raise SystemExit(f"row {index} ({data_type}) is not one the reference accepts: {error!r}") from error
        sliced = any("metadata" in unit for unit in line["label_row"]["data_units"].values())
        if turn % 6 == 3 and not sliced:
            # The same row as the reference itself spells it. It drops the sizes of DICOM slices, and then
            # refuses the masks on them, so those rows stay as they are.
            line["label_row"] = json.loads(json.dumps(written))
        yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    for line in lines(arguments.rows, arguments.seed):
        json.dump(line, sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
