# SPDX-License-Identifier: MIT
"""From rows to the figures that are asked for: means by method and number of things, with intervals by case."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.placement.cases import COUNTS, FOUR, SMALL
from benchmarks.placement.measures import area_under, frechet
from benchmarks.placement.methods import NONE, OURS, best_peer
from benchmarks.placement.plan import DEFAULT, PEER_AT_OUR_COST, STEPS
from benchmarks.placement.rows import ResultRow
from benchmarks.placement.work import BenchJob
from benchmarks.sheet import Coverage
from benchmarks.statistics import bootstrap


@dataclass(frozen=True)
class TargetOutcome:
    """One target in one picture by one Judge, with what was asked."""

    iou: float
    box: float
    offset: float
    present: float
    area: float
    ceiling: float


@dataclass(frozen=True)
class Picture:
    """One picture: what painted it, what of, and what is seen of each target. ``flops`` is None where not counted."""

    method: str
    group: str
    case: str
    kind: str
    count: int
    seed: int
    steps: int
    targets: tuple[TargetOutcome, ...]
    strays: int
    saturation: float
    clipped: float
    seconds: float
    flops: int | None
    features: tuple[float, ...]


def pictures(
    jobs: Iterable[BenchJob], rows: Mapping[str, ResultRow], ceilings: Mapping[str, Sequence[float]], judge: str
) -> list[Picture]:
    """The pictures of the jobs that are done, as one Judge sees them. ``ceilings`` are by case."""
    return [picture(job, rows[job.key], ceilings[job.case.name], judge) for job in jobs if job.key in rows]


def picture(job: BenchJob, row: ResultRow, ceilings: Sequence[float], judge: str) -> Picture:
    """One of them."""
    triples = zip(row["scores"][judge], job.case.targets, ceilings, strict=True)
    return Picture(
        method=job.method.name,
        group=job.method.group,
        case=job.case.name,
        kind=job.case.kind,
        count=job.case.count,
        seed=job.seed,
        steps=job.steps,
        targets=tuple(TargetOutcome(**score, area=target.area, ceiling=ceiling) for score, target, ceiling in triples),
        strays=row["strays"][judge],
        saturation=row["saturation"],
        clipped=row["clipped"],
        seconds=row["seconds"],
        flops=row["flops"],
        features=tuple(row["features"]),
    )


def targets_of(some: Iterable[Picture]) -> list[TargetOutcome]:
    """All targets of these pictures."""
    return [target for picture in some for target in picture.targets]


def mean(values: Iterable[float]) -> float:
    """Of none, not a number."""
    values = list(values)
    return float(np.mean(values)) if values else float("nan")


def iou(some: Iterable[Picture]) -> float:
    """Mean over targets."""
    return mean(target.iou for target in targets_of(some))


def of_ceiling(targets: Sequence[TargetOutcome]) -> float:
    """Mean IoU over mean ceiling."""
    return mean(t.iou for t in targets) / mean(t.ceiling for t in targets) if targets else float("nan")


def chosen(all_: Sequence[Picture], **facts: Any) -> list[Picture]:
    """Pictures with these values; a tuple allows any of its own."""

    def fits(picture: Picture) -> bool:
        pairs = ((getattr(picture, name), expected) for name, expected in facts.items())
        return all(value in expected if isinstance(expected, tuple) else value == expected for value, expected in pairs)

    return [picture for picture in all_ if fits(picture)]


def main_pictures(all_: Sequence[Picture], steps: int = STEPS) -> list[Picture]:
    """Those of the four kinds, by methods that painted all of them: other strengths are painted on blocks alone."""
    return [picture for picture in chosen(all_, steps=steps, kind=FOUR) if picture.group != "strength"]


def gain(ours: Sequence[Picture], theirs: Sequence[Picture]) -> tuple[float, float, float]:
    """Mean difference of IoU over the same targets of the same cases and seeds, and its 95 % interval by case."""
    other = {(p.case, p.seed): p for p in theirs}
    groups: dict[str, list[float]] = {}
    for one in ours:
        if (pair := other.get((one.case, one.seed))) is not None:
            differences = (a.iou - b.iou for a, b in zip(one.targets, pair.targets, strict=True))
            groups.setdefault(one.case, []).extend(differences)
    return bootstrap(list(groups.values()))


def costs(all_: Sequence[Picture], steps: int = STEPS) -> dict[str, float]:
    """Each method's floating-point operations in so many steps, over those of the unguided picture in STEPS, of the
    cases that were counted."""
    all_ = [picture for picture in all_ if picture.flops is not None]
    counted, unguided = chosen(all_, steps=steps), chosen(all_, steps=STEPS, method=NONE)
    plain = {picture.case: picture.flops or 0 for picture in unguided}
    names = dict.fromkeys(picture.method for picture in counted)
    return {
        name: sum(picture.flops or 0 for picture in some) / sum(plain[picture.case] for picture in some)
        for name in names
        if (some := [picture for picture in chosen(counted, method=name) if picture.case in plain])
    }


def distances(all_: Sequence[Picture], truth: Coverage) -> dict[tuple[str, int], float]:
    """Each (method, steps): the Fréchet distance of its pictures of the main kinds to true scenes' features."""
    figures = {}
    for name, steps in dict.fromkeys((picture.method, picture.steps) for picture in all_):
        some = chosen(main_pictures(all_, steps), method=name)
        if len(some) > 1:
            figures[name, steps] = frechet(np.array([picture.features for picture in some], dtype=np.float32), truth)
    return figures


def summary(all_: Sequence[Picture], truth: Coverage) -> dict[str, Any]:
    """The figures of the JSON line, as one Judge sees them; what the issue asks for first, more after it."""
    main = main_pictures(all_)
    ours, none = chosen(main, method=OURS), chosen(main, method=NONE)
    targets = targets_of(ours)
    names = list(dict.fromkeys(picture.method for picture in main))
    by_count = {str(count): {n: iou(chosen(main, method=n, count=count)) for n in names} for count in COUNTS}
    small = [t for t in targets_of(chosen(all_, method=OURS, steps=STEPS)) if t.area < SMALL]
    peer = max(dict.fromkeys(p.method for p in chosen(main, group=("peer", "published"))), key=_iou_of(main))
    more, low, high = gain(ours, chosen(main, method=peer))
    far, cost = distances(all_, truth), costs(all_)
    return {
        "iou": by_count,
        "ceiling": mean(t.ceiling for t in targets),
        "box": mean(t.box for t in targets),
        "auc": area_under([t.box for t in targets]),
        "centroid_err": float(np.median([t.offset for t in targets])),
        "present": mean(t.present for t in targets),
        "of_ceiling": {str(count): of_ceiling(targets_of(chosen(ours, count=count))) for count in COUNTS},
        "small": of_ceiling(small),
        "strays": mean(picture.strays for picture in ours),
        "steps8": iou(chosen(all_, method=OURS, steps=8, kind="blocks")),
        "steps4": iou(chosen(all_, method=OURS, steps=4, kind="blocks")),
        "best_peer": peer,
        "gain_over_peer": more,
        "gain_low95": low,
        "frechet_ratio": far[OURS, STEPS] / far[NONE, STEPS],
        "cost": cost,
        "gain_high95": high,
        "best_peer_at_our_cost": affordable(main, cost),
        "present_unguided": mean(t.present for t in targets_of(none)),
        "strays_unguided": mean(picture.strays for picture in none),
        "small_outright": mean(t.iou for t in small),
        **blocks(all_),
        **as_shipped(all_),
        "frechet": {f"{name}, {steps}": distance / far[NONE, STEPS] for (name, steps), distance in far.items()},
        "saturation": {name: mean(p.saturation for p in chosen(main, method=name)) for name in names},
        "clipped": {name: mean(p.clipped for p in chosen(main, method=name)) for name in names},
    }


def blocks(all_: Sequence[Picture]) -> dict[str, Any]:
    """Ours on blocks and balls: outright by number of things, by steps, and what the best strength would gain."""
    ours = chosen(all_, method=OURS, kind="blocks")
    return {
        "blocks": {str(count): iou(chosen(ours, steps=STEPS, count=count)) for count in COUNTS},
        "steps30": iou(chosen(ours, steps=STEPS)),
        "steps8_by_count": {str(count): iou(chosen(ours, steps=8, count=count)) for count in COUNTS},
        "present4": mean(t.present for t in targets_of(chosen(ours, steps=4))),
        "best_strength_gain": best_strength(all_),
    }


def as_shipped(all_: Sequence[Picture]) -> dict[str, Any]:
    """Ours in the default's steps on all four kinds, and the paired gain over the best peer at equal or lower cost."""
    ours = main_pictures(chosen(all_, method=OURS), DEFAULT)
    theirs = main_pictures(chosen(all_, method=best_peer()), PEER_AT_OUR_COST)
    if not ours or not theirs:
        return {}
    more, low, high = gain(ours, theirs)
    return {"default": iou(ours), "default_gain": more, "default_gain_low95": low, "default_gain_high95": high}


def best_strength(all_: Sequence[Picture]) -> float:
    """How much IoU each prompt's own best strength would add to the default's, mean over blocks. The best of several
    is also the luckiest: this is more than a person could gain. Not a number where one strength was painted."""
    some = chosen(all_, steps=STEPS, kind="blocks", group=("ours", "strength"))
    cases = dict.fromkeys(picture.case for picture in some)
    names = dict.fromkeys(picture.method for picture in some)
    if len(names) < 2:
        return float("nan")
    tables = [{name: iou(chosen(some, case=case, method=name)) for name in names} for case in cases]
    return mean(max(table.values()) - table[OURS] for table in tables)


def affordable(main: Sequence[Picture], cost: Mapping[str, float]) -> str:
    """The best of the peers that cost no more than ours."""
    peers = dict.fromkeys(p.method for p in chosen(main, group=("peer", "published")))
    within = [name for name in peers if cost.get(name, 0.0) <= cost[OURS]]
    return max(within, key=_iou_of(main), default="")


def _iou_of(main: Sequence[Picture]) -> Callable[[str], float]:
    return lambda name: iou(chosen(main, method=name))


def rounded(value: Any) -> Any:
    """Figures to four digits; what is not a number becomes null, which JSON has."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value
