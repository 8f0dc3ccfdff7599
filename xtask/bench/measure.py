"""Taking turns, and reading time and memory of one process."""

import dataclasses
import json
import os
import subprocess
from typing import Callable, ContextManager


@dataclasses.dataclass
class Side:
    """What was measured of one side, one entry per round. `cpu` is empty where programs do not tell."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    cpu: list[float] = dataclasses.field(default_factory=list)
    peak_bytes: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Case:
    """One measurement: a command per side (`ours`, perhaps `theirs`, `floor` and others for `remark`).

    `surroundings` makes what a run needs (a fresh sandbox, say) and gives its environment variables;
    `surroundings_of` does so for single sides.
    `remark` says what else the figures show. `rounds` replaces the usual number of them. `goal_ratio` and `goal_floor`
    are the least that is asked of the ratios to the reference and to the floor, `goal_cpu` of the ratio of processor
    times.
    """

    name: str
    sides: dict[str, list]
    surroundings: Callable[[], ContextManager[dict[str, str]]] | None = None
    input_bytes: int | None = None
    remark: Callable[[dict[str, Side]], str] | None = None
    rounds: int | None = None
    goal_ratio: float | None = None
    goal_floor: float | None = None
    goal_cpu: float | None = None
    surroundings_of: dict[str, Callable[[], ContextManager[dict[str, str]]]] = dataclasses.field(default_factory=dict)


def interleaved(case: Case, rounds: int) -> dict[str, Side]:
    """Runs each side once per round."""
    sides = {name: Side() for name in case.sides}
    for _ in range(rounds):
        for name, command in case.sides.items():
            surroundings = case.surroundings_of.get(name, case.surroundings)
            if surroundings:
                with surroundings() as variables:
                    one(sides[name], command, variables)
            else:
                one(sides[name], command, {})
    return sides


def one(side: Side, command: list, variables: dict[str, str]) -> None:
    """Runs a command and adds what it printed and used. A word such as `$QUEUE` stands for a variable's value."""
    command = [variables[word[1:]] if isinstance(word, str) and word.startswith("$") else word for word in command]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **variables}, text=True
    )
    # Both pipes are small: a line of JSON, and nothing unless something went wrong.
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, output, errors)
    report = json.loads(output.splitlines()[-1])
    side.seconds.append(report["seconds"])
    if "cpu" in report:
        side.cpu.append(report["cpu"])
    # What the system says about a child includes what this process had when it started it.
    side.peak_bytes.append(report.get("peak_bytes", usage.ru_maxrss * 1024))


def row(line: dict) -> str:
    """One line of the table."""

    def number(value: float | None, width: int, suffix: str = "") -> str:
        return f"{'–' if value is None else f'{value:.3g}{suffix}':>{width}}"

    memory = f"{line['peak_rss_ours'] >> 20} MB"
    if line["peak_rss_theirs"]:
        memory += f" / {line['peak_rss_theirs'] >> 20} MB"
    if line["peak_rss_to_input"]:
        memory += f" ({line['peak_rss_to_input']:.2f} × input)"
    return (
        f"{line['name']:34} {number(line['ours'], 10)} {number(line['theirs'], 10)} {number(line['floor'], 10)} "
        f"{number(line['ratio'], 7, '×')} {number(line['ratio_to_floor'], 8)}  {memory:>13}"
    )
