"""Sends the corpus through `encord-labels` and holds the result against the reference package.

    check.py [--rows 600] [--seed 7] [--via-model] [--keep DIR]

For every row two things must be true of what comes back:
* the reference reads it and exports the same as it exports for the original;
* nothing of the original is missing or changed, unknown fields included (not with `--via-model`, where objects
  are rebuilt through the public API and cannot carry fields that API does not know).

Prints the counts and the first differences, and ends with status 1 if there is any.
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
import reference
from compare import canonical, differences

ROOT = pathlib.Path(__file__).resolve().parents[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--via-model", action="store_true")
    parser.add_argument("--self-test", action="store_true", help="check that the comparison notices changes")
    parser.add_argument("--keep", type=pathlib.Path, help="directory that receives corpus, results and failures")
    arguments = parser.parse_args()

    lines = list(corpus.lines(arguments.rows, arguments.seed))
    if arguments.self_test:
        sys.exit(self_test(lines))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = through_rust(lines, folder, ["--via-model"] if arguments.via_model else [])
        failures = [
            {"index": index, "type": line["label_row"]["data_type"], "problems": problems}
            for index, (line, result) in enumerate(zip(lines, results))
            if (problems := problems_of(line, result, strict=not arguments.via_model))
        ]
        (folder / "failures.json").write_text(json.dumps(failures, indent=1))
    types = collections.Counter(line["label_row"]["data_type"] for line in lines)
    mode = "via the model" if arguments.via_model else "read and written back"
    print(f"label rows {mode}: {len(lines)} over {len(types)} data types, {len(failures)} with differences")
    for failure in failures[:20]:
        print(f"  row {failure['index']} ({failure['type']}): {len(failure['problems'])} problems")
        for problem in failure["problems"][:4]:
            print(f"    {problem}")
    sys.exit(1 if failures else 0)


def through_rust(lines: list[dict[str, Any]], folder: pathlib.Path, flags: list[str]) -> list[dict[str, Any]]:
    source, target = folder / "corpus.jsonl", folder / "result.jsonl"
    with source.open("w") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")
    command = ["cargo", "run", "-q", "--release", "-p", "encord-labels", "--example", "roundtrip", "--", *flags]
    with source.open() as stdin, target.open("w") as stdout:
        subprocess.run(command, cwd=ROOT, stdin=stdin, stdout=stdout, check=True)
    results = [json.loads(line) for line in target.read_text().splitlines()]
    if len(results) != len(lines):
        raise SystemExit(f"sent {len(lines)} rows, got {len(results)} back")
    return results


def problems_of(line: dict[str, Any], result: dict[str, Any], strict: bool) -> list[str]:
    """What is wrong with one returned row; empty if nothing is."""
    if "error" in result:
        return [f"refused: {result['error']}"]
    document = result.get("label_row", result)
    problems = []
    try:
        expected, got = reference.round_trip(line), reference.round_trip(line, document)
        problems += [f"reference {text}" for text in differences(canonical(expected), canonical(got))]
    except Exception as error:
        problems.append(f"the reference refuses the result: {error!r}")
    if "ontology" in result:
        expected, got = (reference.ontology_round_trip(node) for node in (line["ontology"], result["ontology"]))
        problems += [f"ontology {text}" for text in differences(expected, got)]
    if strict:
        problems += [f"lossless {text}" for text in differences(canonical(line["label_row"]), canonical(document))]
    return problems


def self_test(lines: list[dict[str, Any]]) -> int:
    """Changes one value in every row and counts how many changes go unnoticed."""
    rng, missed = random.Random(1), 0
    for index, line in enumerate(lines):
        if problems_of(line, line["label_row"], strict=True):
            print(f"row {index} differs from itself")
            missed += 1
        document = json.loads(json.dumps(line["label_row"]))
        path = change_one(rng, document)
        if not list(differences(canonical(line["label_row"]), canonical(document))):
            print(f"row {index}: changing {path} was not noticed")
            missed += 1
    print(f"comparison self test: {len(lines)} rows, {missed} unnoticed")
    return 1 if missed else 0


def change_one(rng: random.Random, document: dict[str, Any]) -> str:
    """Changes one number, text or flag that has a meaning; returns where."""
    places: list[tuple[Any, Any, str]] = []

    def walk(node: Any, path: str) -> None:
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            here = f"{path}.{key}"
            derived = key in ("name", "color", "value", "polygon", "classifications", "range", "range_html")
            if isinstance(value, (dict, list)):
                if not (derived and isinstance(node, dict)) or key == "classifications" and "_answers" in path:
                    walk(value, here)
            elif not derived and (isinstance(value, (int, float)) or str(key).endswith("Hash")):
                places.append((node, key, here))

    walk(document, "$")
    node, key, path = rng.choice(places)
    value = node[key]
    node[key] = not value if isinstance(value, bool) else 2 * value + 1 if isinstance(value, (int, float)) else value + "x"
    return path


if __name__ == "__main__":
    main()
