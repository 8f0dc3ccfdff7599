"""Makes the same random edits through the reference package and through `encord-labels`.

    check_edits.py [--rows 400] [--seed 7] [--keep DIR]

Prints how many rows came out equal and the first differences; ends with status 1 if there is any.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
from typing import Any

import corpus
import edit_scripts
import reference
from compare import canonical, differences

ROOT = pathlib.Path(__file__).resolve().parents[3]
TIMES = ("createdAt", "lastEditedAt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--length", type=int, default=12, help="edits per row")
    parser.add_argument("--keep", type=pathlib.Path, help="directory that receives scripts and results")
    arguments = parser.parse_args()

    lines, expected, counts = [], [], collections.Counter()
    for index, line in enumerate(corpus.lines(arguments.rows, arguments.seed)):
        if line["label_row"]["data_type"] not in edit_scripts.EDITABLE:
            continue
        if "root" in line["metadata"]["spaces"]:
            # The reference keeps what is added to the row apart from what is on its root layer, and exports both in
            # one place, where they can contradict each other.
            continue
        row = reference.read(line)
        line["edits"] = edit_scripts.random_script(random.Random(f"edit/{index}"), line, row, arguments.length)
        counts.update(edit["op"] for edit in line["edits"])
        lines.append(line)
        # As JSON, which has no tuples.
        expected.append(json.loads(json.dumps(reference.write(row))))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = through_rust(lines, folder)
    failures = []
    for index, (line, wanted, result) in enumerate(zip(lines, expected, results)):
        if problems := problems_of(line, wanted, result):
            failures.append((index, line["label_row"]["data_type"], problems))
    print(f"edited label rows: {len(lines)}, {sum(counts.values())} edits, {len(failures)} rows with differences")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    for index, kind, problems in failures[:20]:
        print(f"  row {index} ({kind}): {len(problems)} problems")
        for problem in problems[:4]:
            print(f"    {problem}")
    sys.exit(1 if failures else 0)


def through_rust(lines: list[dict[str, Any]], folder: pathlib.Path) -> list[dict[str, Any]]:
    source, target = folder / "edits.jsonl", folder / "edited.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = ["cargo", "run", "-q", "--release", "-p", "encord-labels", "--example", "edits"]
    with source.open() as stdin, target.open("w") as stdout:
        subprocess.run(command, cwd=ROOT, stdin=stdin, stdout=stdout, check=True)
    results = [json.loads(line) for line in target.read_text().splitlines()]
    if len(results) != len(lines):
        raise SystemExit(f"sent {len(lines)} rows, got {len(results)} back")
    return results


def problems_of(line: dict[str, Any], wanted: dict[str, Any], result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return [f"refused: {result['error']}"]
    try:
        got = reference.round_trip(line, result)
    except Exception as error:
        return [f"the reference refuses the result: {error!r}"]
    # Both sides write the moment of the edit, so times are left out.
    return list(differences(canonical(without_times(wanted)), canonical(without_times(got))))


def without_times(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: without_times(value) for key, value in node.items() if key not in TIMES}
    if isinstance(node, list):
        return [without_times(value) for value in node]
    return node


if __name__ == "__main__":
    main()
