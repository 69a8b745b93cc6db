# SPDX-License-Identifier: MIT
"""Figures of all rows, with 95 % intervals over the cases."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.edits.changes import EditRow, line
from benchmarks.statistics import bootstrap

EditFigures = dict[str, Any]

DRAWS = 4000
MEDIAN_DRAWS = 1000  # of cases with many values each


def ratio(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """Sum of the first over sum of the second, with its interval; cases are redrawn."""
    values = np.array(pairs)
    picks = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    sums = values[picks].sum(1)
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1e-9), [0.025, 0.975])
    totals = values.sum(0)
    return [float(totals[0] / max(totals[1], 1e-9)), float(low), float(high)]


def mean(values: Sequence[float]) -> list[float]:
    """The mean, with its interval."""
    return list(bootstrap([[value] for value in values]))


def median(values: Sequence[float]) -> list[float]:
    """The median, with its interval: where a Judge errs, it errs by far."""
    picks = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(np.median(np.array(values)[picks], 1), [0.025, 0.975])
    return [float(np.median(values)), float(low), float(high)]


def of_move(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """The figures of ``move``; what is said of looks is of edits whose words do not say them."""
    scores = [row["placement"][judge] for row in rows]
    with_look = [score["said/kept"] for score in scores]
    figures: EditFigures = {
        "iou": ratio([(score["said/kept"]["iou"], score["said/free"]["iou"]) for score in scores]),
        "ghost_free": mean([1 - score["ghost"] for score in with_look]),
        "drift": median([score["drift"] for score in with_look if "drift" in score]),
    }
    for name in ("outside", "other"):
        figures[name] = ratio([(row["changes"]["said/kept"][name], row["floor"][name]) for row in rows])
    for name in ("colour", "patches"):
        figures[name] = ratio([(row["changes"]["unsaid/kept"][name], row["floor"][name]) for row in rows])
    return figures | {"more": beside(rows, judge)}


def beside(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """The same of edits without keeping; of edits whose words say the look; and the floor itself."""
    more: EditFigures = {"floor": {name: mean([row["floor"][name] for row in rows]) for name in rows[0]["floor"]}}
    for kind in ("said/free", "unsaid/free", "said/kept", "unsaid/kept"):
        scores = [row["placement"][judge][kind] for row in rows]
        more[kind] = {
            "iou": mean([score["iou"] for score in scores]),
            "ghost_free": mean([1 - score["ghost"] for score in scores]),
            "drift": median([score["drift"] for score in scores if "drift" in score]),
        }
        for name in rows[0]["floor"]:
            more[kind][name] = ratio([(row["changes"][kind][name], row["floor"][name]) for row in rows])
    return more


def of_resize(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """Median error of log2 of the area, and how achieved follows asked."""
    pairs = [(row["asked"], row["achieved"][judge]) for row in rows if row["achieved"][judge] is not None]
    asked, achieved = map(list, zip(*pairs, strict=True))
    slope, square = line(asked, achieved)
    return {"log2": float(np.median(np.abs(np.subtract(asked, achieved)))), "slope": slope, "r2": square}


def of_camera(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """Distance of looks against that without keeping, and placement against that; more: the same of the reference's own
    pixels, and from each picture to itself with them over it, where size, place and surroundings are the same."""
    more = {name: ratio([(row[name][1], row[name][0]) for row in rows]) for name in ("pasted", "beside_pasted")}
    return {
        "look": ratio([(row["look"][1], row["look"][0]) for row in rows]),
        "more": more,
        "iou": ratio([(row["iou"][1], row["iou"][0]) for row in rows]),
    }


def of_restyle(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """IoU of outlines before and after."""
    return {"iou": list(bootstrap([row["iou"][judge] for row in rows]))}


def of_swap(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """How often the new noun is there, and how far in the old one's outline."""
    return {name: mean([row[name][judge] for row in rows]) for name in ("present", "iou")}


def of_replaced(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """The same by Prompt-to-Prompt, and how much the other one's pixels change beside the floor."""
    return of_swap(rows, judge) | {"other": ratio([(row["other"][0], row["other"][1]) for row in rows])}


def of_real(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """Of true scenes: how near they come when painted again, and one object moved."""
    return {
        "rebuild_db": mean([row["rebuild_db"] for row in rows]),
        "iou": mean([row["iou"][judge] for row in rows]),
        "ghost_free": mean([1 - row["ghost"][judge] for row in rows]),
    }


def of_orbit(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """Median jump of all frames, with its interval over cases; and how far looks go, first to last."""
    return {
        "jitter": median_of_all([row["jumps"][judge] for row in rows]),
        "drift": ratio([row["drift"] for row in rows]),
    }


def median_of_all(cases: Sequence[Sequence[float]]) -> list[float]:
    """The median of all values of all cases, with its interval; cases are redrawn."""
    picks = np.random.default_rng(0).integers(len(cases), size=(MEDIAN_DRAWS, len(cases)))
    medians = [float(np.median(np.concatenate([cases[number] for number in pick]))) for pick in picks]
    low, high = np.quantile(medians, [0.025, 0.975])
    return [float(np.median(np.concatenate(cases))), float(low), float(high)]


def of_cost(rows: Sequence[EditRow], judge: str) -> float:
    """Seconds with a look with_look over those unguided."""
    return ratio([(row["seconds"][1], row["seconds"][0]) for row in rows])[0]


def of_shared_cost(rows: Sequence[EditRow], judge: str) -> float:
    """The same where keys are shared, in one more pass a step."""
    return ratio([(row["seconds"][2], row["seconds"][0]) for row in rows])[0]


def of_layout(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """IoU of outlines with the reference's, of two other nouns; ``free`` of those without a layout."""
    return {"iou": mean([row["iou"][judge] for row in rows]), "free": mean([row["free"][judge] for row in rows])}


def of_appearance(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """How far the colour of another noun is from the reference's subject, over that without the term."""
    return {"colour": ratio([(row["colour"][0], row["colour"][1]) for row in rows])}


def of_collage(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """IoU of both objects with their masks over that of the blocks alone; how far their colours went, likewise."""
    return {
        name: ratio([(one[0], one[1]) for one in ratios])
        for name, ratios in (("iou", [row["iou"][judge] for row in rows]), ("colour", [row["colour"] for row in rows]))
    }


def of_unnamed(rows: Sequence[EditRow], judge: str) -> EditFigures:
    """How often it is there, how often without its region (``free``), and its IoU with its mask."""
    present, free = (mean([row["present"][judge][number] for row in rows]) for number in (0, 1))
    return {"present": present, "free": free, "iou": mean([row["iou"][judge] for row in rows])}


FIGURES = {
    "move": of_move,
    "resize": of_resize,
    "camera": of_camera,
    "restyle": of_restyle,
    "swap": of_swap,
    "prompt_to_prompt": of_replaced,
    "real": of_real,
    "orbit": of_orbit,
    "layout": of_layout,
    "appearance": of_appearance,
    "collage": of_collage,
    "unnamed": of_unnamed,
    "cost": of_cost,
}


def summary(rows: Mapping[str, Sequence[EditRow]], judge: str) -> EditFigures:
    """Every edit's figures, as one Judge sees them."""
    figures: EditFigures = {name: FIGURES[name](of_edit, judge) for name, of_edit in rows.items()}
    return figures | ({"cost_shared": of_shared_cost(rows["cost"], judge)} if "cost" in rows else {})


def leading(figures: Any) -> Any:
    """The figures without their intervals and what stands beside them, rounded: what is compared from day to day."""
    if isinstance(figures, dict):
        return {name: leading(value) for name, value in figures.items() if name != "more"}
    return round(figures[0] if isinstance(figures, list) else figures, 4)


def intervals(figures: Any) -> Any:
    """Of those that have one the 95 % interval, rounded: [low, high]."""
    if isinstance(figures, dict):
        spread = {name: value for name, value in figures.items() if name != "more" and isinstance(value, dict | list)}
        return {name: intervals(value) for name, value in spread.items()}
    return [round(bound, 4) for bound in figures[1:]]
