"""Writes `docs/benchmarks.md` and its pictures from the figures of this run and of the runs before it.

Each figure is kept with the day and the machine it comes from in `docs/benchmarks.json`, by group of measurements
(labels, media, …) and name; a run replaces those it measured and leaves the others.
"""

import datetime
import json
import pathlib

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.fonttype"] = "none"
# The same figures give the same file.
matplotlib.rcParams["svg.hashsalt"] = "benchmarks"

from matplotlib import pyplot  # noqa: E402

INTRODUCTION = """# Benchmarks

Measured by `cargo xtask bench`, which runs our programs and the reference (`encord` 0.1.211 and `encord-agents` 0.2.10
with what they use: OpenCV, requests, pydantic) in turns on one machine, each run in a process of its own, and takes the
median. `--only NAME` measures a part, `--quick` smaller inputs; `--document` writes this page.

*Ratio* is the reference's time divided by ours. *Floor* is the least that must be done by any program (the time of
plain `serde_json` values, the `ffmpeg` command, `curl`, a bare HTTP client that sends the same requests, the work
without its waiting); *to floor* is the floor's time divided by ours, so 1 means as fast as that and more means faster.
A *goal* is what was asked of a figure before it was measured. Lines with *processor* count processor time, of our
process or theirs alone; so do all lines of labels. Times are in seconds, memory is the most that the process had.
"""


def write(lines: list[dict], environment: str, folder: pathlib.Path) -> None:
    """Adds the figures of this run and writes the page and the pictures."""
    kept = folder / "benchmarks.json"
    groups = json.loads(kept.read_text()) if kept.exists() else {}
    for line in lines:
        group = groups.setdefault(line["name"].split()[0], {})
        group[line["name"]] = line | {"measured": f"{datetime.date.today()}, {environment}"}
    kept.write_text(json.dumps(groups, indent=1) + "\n")
    parts = [INTRODUCTION, "![How many times faster than the reference](benchmarks-ratios.svg)\n"]
    for name, group in groups.items():
        parts.append(section(name, list(group.values())))
    (folder / "benchmarks.md").write_text("\n".join(parts))
    draw_ratios([line for group in groups.values() for line in group.values() if line["ratio"]], folder)
    draw_growth(groups, folder)


def section(name: str, lines: list[dict]) -> str:
    """One group of measurements as a table."""
    rows = ["| measurement | ours | reference | floor | ratio | to floor | memory, ours | reference | goal |"]
    rows.append("|" + "---|" * 9)
    remarks = []
    for line in lines:
        cells = [line["name"]] + [shown(line[key]) for key in ("ours", "theirs", "floor")]
        cells += [shown(line["ratio"], "×"), shown(line["ratio_to_floor"])]
        cells += [megabytes(line[key]) for key in ("peak_rss_ours", "peak_rss_theirs")]
        cells.append(goal(line))
        rows.append("| " + " | ".join(cells) + " |")
        if line.get("remark"):
            remarks.append(f"- {line['name']}: {line['remark']}")
    growth = f"![Growth](benchmarks-{name}.svg)\n\n" if name in GROWING else ""
    return (
        f"## {name.capitalize()}\n\n{'; '.join(dict.fromkeys(line['measured'] for line in lines))}.\n\n"
        + growth
        + "\n".join(rows)
        + "\n"
        + ("\n" + "\n".join(remarks) + "\n" if remarks else "")
    )


def shown(value: float | None, suffix: str = "") -> str:
    return "" if value is None else f"{value:.3g}{suffix}"


def megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 2**20:.0f} MB"


def goal(line: dict) -> str:
    """What was asked of this line, and whether it was met."""
    parts = []
    for key, value, text in (("goal_ratio", "ratio", "{}×"), ("goal_floor", "ratio_to_floor", "{} of the floor")):
        if line.get(key) is not None and line[value] is not None:
            parts.append(f"{text.format(line[key])}: {'met' if line[value] >= line[key] else 'missed'}")
    return ", ".join(parts)


def draw_ratios(lines: list[dict], folder: pathlib.Path) -> None:
    """A bar per measurement that has a reference."""
    lines = [line for line in lines if "processor" not in line["name"]][::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.25 * len(lines) + 1))
    bars = axes.barh([line["name"] for line in lines], [line["ratio"] for line in lines], color="#3b6ea5")
    axes.bar_label(bars, labels=[f" {line['ratio']:.3g}" for line in lines], fontsize=8)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("times as fast as the reference")
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, folder / "benchmarks-ratios.svg")


# What the size is of, in groups that measure the same work at several sizes.
GROWING = {"twin": "rows of the twin project", "sandbox": "label rows in the sandbox"}


def draw_growth(groups: dict, folder: pathlib.Path) -> None:
    """Time against size, one curve per kind of work and side."""
    for name, size_of in GROWING.items():
        curves: dict[str, list[tuple[int, float]]] = {}
        for line in groups.get(name, {}).values():
            words = line["name"].split()
            size = next((int(word) for word in words if word.isdigit()), None)
            if size is None or "processor" in words:
                continue
            work = " ".join(word for word in words[1:] if not word.isdigit() and word not in ("of", "rows,")) or name
            for side, label in (("ours", "ours"), ("theirs", "reference")):
                if line[side] is not None:
                    curves.setdefault(f"{work}, {label}", []).append((size, line[side]))
        if not curves:
            continue
        figure, axes = pyplot.subplots(figsize=(6, 3.5))
        for label, points in curves.items():
            axes.plot(*zip(*sorted(points)), marker="o", label=label)
        axes.set(xscale="log", yscale="log", xlabel=size_of, ylabel="seconds")
        axes.legend(fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        save(figure, folder / f"benchmarks-{name}.svg")


def save(figure, path: pathlib.Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
