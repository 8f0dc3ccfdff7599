"""Holds `encord-media` against OpenCV, pydicom, soundfile and FFmpeg, on files that are made here.

    check.py [--only images|audio|dicom|frames] [--keep DIR]

Prints a line per group and the first differences, and ends with status 1 if there is any.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
from typing import Callable, Iterator

import audio
import dicom
import frames
import images

GROUPS: dict[str, Callable[[pathlib.Path], Iterator[tuple[str, str | None]]]] = {
    "images": images.compare,
    "audio": audio.compare,
    "dicom": dicom.compare,
    "frames": frames.compare,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=GROUPS)
    parser.add_argument("--keep", type=pathlib.Path, help="directory that receives the files and arrays")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        for name, compare in GROUPS.items():
            if arguments.only not in (None, name):
                continue
            folder = (arguments.keep or pathlib.Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            results = list(compare(folder))
            problems = [f"{case}: {problem}" for case, problem in results if problem]
            print(f"media {name}: {len(results)} cases, {len(problems)} with differences", flush=True)
            for problem in problems[:20]:
                print(f"  {problem}")
            failed |= bool(problems) or not results
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
