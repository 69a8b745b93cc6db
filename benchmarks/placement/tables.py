# SPDX-License-Identifier: MIT
"""The tables: every method by number of things, ours by kind and by steps, and the figures of the JSON line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.placement.cases import COUNTS, KINDS
from benchmarks.placement.figures import Picture, chosen, costs, iou, main_pictures, mean, of_ceiling, targets_of
from benchmarks.placement.measures import area_under
from benchmarks.placement.methods import NONE, OURS
from benchmarks.placement.plan import FEW, PEER_AT_OUR_COST, STEPS
from benchmarks.statistics import bootstrap

COLUMNS = (
    "IoU   (95 % by case)   one   two  three  of ceil.   box   auc  offset  "
    "present strays satur. clipped    cost  CPU s"
)


def tables(all_: Sequence[Picture], figures: Mapping[str, Any]) -> Iterator[str]:
    """All lines; cost is told against an unguided picture of STEPS steps."""
    for steps in (STEPS, PEER_AT_OUR_COST, *FEW):
        some = main_pictures(all_, steps)
        if some:
            yield f"\n{'four kinds of masks, ' + str(steps) + ' steps':34}{COLUMNS}"
            yield from by_method(some, costs(all_, steps))
    yield f"\n{'ours and none, ' + str(STEPS) + ' steps, by kind':34}{COLUMNS}"
    for kind in KINDS:
        for name in (NONE, OURS):
            yield line(f"{kind}: {name}", chosen(all_, kind=kind, steps=STEPS, method=name), {})
    strengths = chosen(all_, kind="blocks", steps=STEPS, group=("ours", "strength"))
    yield f"\n{'other strengths, blocks':34}{COLUMNS}"
    yield from by_method(strengths, {})
    yield ""
    yield from (f"{name:>24}  {value}" for name, value in figures.items() if not isinstance(value, dict))


def by_method(some: Sequence[Picture], cost: Mapping[str, float]) -> Iterator[str]:
    """A line a method, a group at a time."""
    for group in dict.fromkeys(picture.group for picture in some):
        for name in dict.fromkeys(picture.method for picture in chosen(some, group=group)):
            yield line(name, chosen(some, method=name), cost)


def line(name: str, some: Sequence[Picture], cost: Mapping[str, float]) -> str:
    """One method."""
    targets = targets_of(some)
    if not targets:
        return f"{name:34}-"
    cases = dict.fromkeys(picture.case for picture in some)
    middle, low, high = bootstrap([[t.iou for t in targets_of(chosen(some, case=case))] for case in cases])
    counts = " ".join(f"{iou(chosen(some, count=count)):5.3f}" for count in COUNTS)
    boxes = [t.box for t in targets]
    return (
        f"{name:34}{middle:.3f} ({low:.3f} to {high:.3f}) {counts}  {of_ceiling(targets):8.3f} "
        f"{mean(boxes):5.3f} {area_under(boxes):5.3f}  {np.median([t.offset for t in targets]):6.3f}  "
        f"{mean(t.present for t in targets):7.3f} {mean(p.strays for p in some):6.3f} "
        f"{mean(p.saturation for p in some):6.3f} {mean(p.clipped for p in some):7.3f} "
        f"{cost.get(name, float('nan')):7.2f} {mean(p.seconds for p in some):6.2f}"
    )
