"""Random answers to an ontology's attributes, as label documents spell them.

Static answers come as one list in reversed depth-first order, dynamic ones as actions over frame ranges.
"""

from __future__ import annotations

import random
from typing import Any, Iterator

from ontologies import snake

TEXTS = ["because", "", "two words", "naïve ☃", 'quote " and \\ slash', "line\nbreak", "emoji 🦀", "<b>html</b>"]


def static_answers(rng: random.Random, node: dict[str, Any], fill: float = 0.7) -> list[dict[str, Any]]:
    """Answers to the static attributes of an object or classification node."""
    answers = list(_answer_tree(rng, node.get("attributes", []), fill))
    answers.reverse()
    return answers


def _answer_tree(rng: random.Random, attributes: list[dict[str, Any]], fill: float) -> Iterator[dict[str, Any]]:
    for attribute in attributes:
        if attribute["dynamic"] or rng.random() > fill:
            continue
        value = answer_value(rng, attribute)
        yield {
            "name": attribute["name"],
            "value": snake(attribute["name"]),
            "answers": value,
            "featureHash": attribute["featureNodeHash"],
            "manualAnnotation": rng.random() < 0.8,
        }
        if attribute["type"] == "radio":
            for option in attribute["options"]:
                # Rarely, an answer stays behind under an option that is no longer chosen.
                chosen = option["featureNodeHash"] == value[0]["featureHash"]
                if chosen or rng.random() < 0.05:
                    yield from _answer_tree(rng, option.get("options", []), fill)


def answer_value(rng: random.Random, attribute: dict[str, Any]) -> Any:
    kind = attribute["type"]
    if kind == "text":
        return rng.choice(TEXTS)
    if kind == "numeric":
        return rng.choice([0, 7, -3, 3.5, -0.25, 1e-7, 1e22, 123456789012])
    if kind == "radio":
        return [chosen(rng.choice(attribute["options"]))]
    options = [option for option in attribute["options"] if rng.random() < 0.5]
    return [chosen(option) for option in options or attribute["options"][:1]]


def chosen(option: dict[str, Any]) -> dict[str, Any]:
    return {"name": option["label"], "value": option["value"], "featureHash": option["featureNodeHash"]}


def split_checklists(rng: random.Random, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The web editor's spelling: one entry for every ticked option."""
    out = []
    for answer in answers:
        ticks = answer["answers"]
        if isinstance(ticks, list) and len(ticks) > 1:
            out.extend({**answer, "answers": [tick]} for tick in ticks)
        else:
            out.append(answer)
    return out


def dynamic_actions(rng: random.Random, node: dict[str, Any], frames: list[int], spaces: bool) -> list[dict[str, Any]]:
    """Actions for the dynamic attributes of an object that is on `frames`, with ranges that do not overlap."""
    actions: list[dict[str, Any]] = []
    for attribute in node.get("attributes", []):
        if not attribute["dynamic"] or rng.random() < 0.2:
            continue
        values: list[Any] = []
        for _ in range(rng.randrange(1, 4)):
            value = answer_value(rng, attribute)
            if all(meaning(value) != meaning(other) for other in values):
                values.append(value)
        homes: dict[int, list[int]] = {}
        for frame in frames:
            home = rng.randrange(len(values) + 1)
            if home < len(values):
                homes.setdefault(home, []).append(frame)
        for home, covered in homes.items():
            actions.append(
                {
                    "name": attribute["name"],
                    "value": snake(attribute["name"]),
                    "featureHash": attribute["featureNodeHash"],
                    "answers": values[home],
                    "manualAnnotation": rng.random() < 0.8,
                    "dynamic": True,
                    "range": ranges_of(covered),
                    "shouldPropagate": rng.random() < 0.3,
                }
            )
            if rng.random() < 0.2:
                actions[-1]["trackHash"] = "track%d" % rng.randrange(1000)
    return actions


def meaning(value: Any) -> Any:
    """A value in a form that compares: option sets by hash, everything else as it is."""
    if isinstance(value, list):
        return frozenset(entry["featureHash"] for entry in value)
    return value


def ranges_of(frames: list[int]) -> list[list[int]]:
    """Inclusive ranges over sorted frames."""
    out: list[list[int]] = []
    for frame in sorted(frames):
        if out and out[-1][1] + 1 == frame:
            out[-1][1] = frame
        else:
            out.append([frame, frame])
    return out


def random_ranges(rng: random.Random, last: int, most: int = 3) -> list[list[int]]:
    """Sorted inclusive ranges with gaps, all within `0..=last`."""
    cuts = sorted(rng.sample(range(last + 1), min(last + 1, 2 * rng.randrange(1, most + 1))))
    if len(cuts) == 1:
        return [[cuts[0], cuts[0]]]
    pairs = [list(pair) for pair in zip(cuts[::2], cuts[1::2])]
    return [pair for index, pair in enumerate(pairs) if index == 0 or pair[0] > pairs[index - 1][1] + 1]
