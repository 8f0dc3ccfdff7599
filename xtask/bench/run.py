"""Runs every measurement side by side with the reference, prints a table and writes the figures as JSON.

Each run is a process of its own; the sides take turns, so that a busy moment of the machine hits both.
Every side prints `{"seconds": ..., "peak_bytes": ...}`: the time of the work itself, without the start of its process,
and the most memory the process had. Work on labels is measured in processor time, which other programs do not add to.
Started by `cargo xtask bench`, which builds the programs first.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import cases
import measure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for documents and samples")
parser.add_argument("--json", type=pathlib.Path, help="where the figures go")
parser.add_argument("--quick", action="store_true", help="smaller inputs and fewer rounds")
parser.add_argument("--document", type=pathlib.Path, help="folder of the page that the figures are written to")
parser.add_argument("--only", default="", help="run only measurements whose name contains this")
arguments = parser.parse_args()


def figures(case: measure.Case, name: str, sides: dict[str, measure.Side], kind: str) -> dict:
    """One line of the result: medians of the times of one kind, and peaks of memory."""
    times = {side: getattr(measured, kind) for side, measured in sides.items()}
    median = {side: statistics.median(values) for side, values in times.items() if values}
    ours, theirs, floor = (median.get(side) for side in ("ours", "theirs", "floor"))
    peak = {side: max(measured.peak_bytes) for side, measured in sides.items()}
    return {
        "name": name,
        "ours": ours,
        "theirs": theirs,
        "unit": "s",
        "ratio": theirs / ours if theirs else None,
        "floor": floor,
        "ratio_to_floor": floor / ours if floor else None,
        "peak_rss_ours": peak["ours"],
        "peak_rss_theirs": peak.get("theirs"),
        "peak_rss_to_input": peak["ours"] / case.input_bytes if case.input_bytes else None,
        "spread_ours": [min(times["ours"]), max(times["ours"])],
        "spread_theirs": [min(times["theirs"]), max(times["theirs"])] if theirs else None,
        "goal_ratio": case.goal_ratio if kind == "seconds" else case.goal_cpu,
        "goal_floor": case.goal_floor if kind == "seconds" else None,
    }


rounds = 3 if arguments.quick else 5
environment = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {rounds} rounds"
print(environment)
print(f"{'measurement':34} {'ours':>10} {'theirs':>10} {'floor':>10} {'ratio':>7} {'to floor':>8}  {'memory':>13}")
lines = []
for case in cases.all_cases(arguments.programs, arguments.work, arguments.quick, arguments.only):
    try:
        sides = measure.interleaved(case, case.rounds or rounds)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{case.name}: {error}\n{error.stderr}")
    found = [figures(case, case.name, sides, "seconds")]
    if sides["ours"].cpu:
        found.append(figures(case, f"{case.name}, processor", sides, "cpu"))
    for line in found:
        print(measure.row(line), flush=True)
    if case.remark:
        found[0]["remark"] = case.remark(sides)
        print(f"  {found[0]['remark']}", flush=True)
    lines += found
if arguments.json:
    arguments.json.write_text(json.dumps(lines, indent=1) + "\n")
if arguments.document and lines:
    # Needs a library that the measuring itself does without.
    import document

    document.write(lines, environment, arguments.document)
if not lines:
    sys.exit(f"no measurement is called {arguments.only!r}")
