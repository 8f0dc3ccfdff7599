"""Runs every check against freshly started sandboxes and prints one line each; exits 1 when one fails.

Started by `cargo xtask peers`, which builds the programs first.
"""

import argparse
import importlib
import pathlib
import sys

import checks
import sandbox

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for samples, keys and logs")
parser.add_argument("--only", default="", help="run only checks whose name contains this")
arguments = parser.parse_args()

sandbox.prepare(arguments.programs, arguments.work)
for module in sorted(pathlib.Path(__file__).parent.glob("check_*.py")):
    importlib.import_module(module.stem)
sys.exit(checks.run(arguments.only))
