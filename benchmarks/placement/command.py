# SPDX-License-Identifier: MIT
"""Are objects where they should be? Drawn layouts painted by every method, measured by Judges that see the pictures."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.placement import contact, pareto, sweep
from benchmarks.placement.cases import COUNTS, KINDS, Case, draw_cases
from benchmarks.placement.ceiling import ceiling
from benchmarks.placement.figures import pictures, rounded, summary
from benchmarks.placement.measures import features
from benchmarks.placement.plan import PLANS, STEPS, jobs, scaled
from benchmarks.placement.rows import ResultRow, Rows
from benchmarks.placement.tables import tables
from benchmarks.placement.work import Bench, BenchJob, equipment, painted, unfinished
from benchmarks.sheet import Coverage
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import Vocabulary, draw_scene
from sg_core.toybox.training.stream import TEST_SEEDS

TRUE_SCENES = 384


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench placement`."""
    args = parser().parse_args(words)
    bench = Bench(args.model, args.judges)
    atlas = load_atlas(equipment(bench)[1]["judge"].nouns)
    if args.sweep:
        return swept(args, bench, atlas)
    plan = scaled(PLANS[args.set](), args.cases, args.seeds)
    cases = list(draw_cases("test", plan.each, atlas, args.kinds))
    todo = jobs(plan, cases, bench, args.out / "pictures")
    rows = completed(todo, Rows(args.out), args.workers)
    if args.sheet:
        args.sheet.parent.mkdir(parents=True, exist_ok=True)
        contact.sheet(todo).save(args.sheet)
    report(todo, rows, cases, bench, atlas, args)
    return 0


def completed(todo: Sequence[BenchJob], store: Rows, workers: int) -> Mapping[str, ResultRow]:
    """The rows of all jobs; what is in the store is not painted again."""
    rows = store.read()
    missing = {job.key: job for job in unfinished(todo, rows)}  # of two names for one thing, one is enough
    new = store.add(painted(list(missing.values()), workers))
    rows |= {row["key"]: row for row in tqdm(new, desc="placement", unit="picture", total=len(missing))}
    return {job.key: rows[job.key] for job in todo}


def report(
    todo: Sequence[BenchJob],
    rows: Mapping[str, ResultRow],
    cases: Sequence[Case],
    bench: Bench,
    atlas: Atlas,
    args: argparse.Namespace,
) -> None:
    """One JSON line, or the tables, and the chart that was asked for; the figures are the first Judge's, and the
    second's stand under its name."""
    ceilings = {case.name: [ceiling(target, atlas) for target in case.targets] for case in cases}
    truth = true_features(bench, atlas)
    first, *others = equipment(bench)[1]
    outcomes = pictures(todo, rows, ceilings, first)
    if args.pareto:
        args.pareto.parent.mkdir(parents=True, exist_ok=True)
        pareto.chart(pareto.cost_points(outcomes)).save(args.pareto)
    figures = summary(outcomes, truth)
    figures |= {name: summary(pictures(todo, rows, ceilings, name), truth) for name in others}
    if args.json:
        print(json.dumps(rounded(figures)))
        return
    for row in tables(outcomes, rounded(figures)):
        print(row)


def true_features(bench: Bench, atlas: Atlas) -> Coverage:
    """What the first Judge reads of true scenes that no training saw, one to three things in turn: (scene, channel)."""
    vocabulary, judge = Vocabulary(tuple(atlas.by_noun), FALLBACK.places), equipment(bench)[1]["judge"]
    seeds = range(TEST_SEEDS + 5_000_000, TEST_SEEDS + 5_000_000 + TRUE_SCENES)
    scenes = [draw_scene(seed, atlas, vocabulary, count=COUNTS[seed % len(COUNTS)]) for seed in seeds]
    batches = [scenes[start : start + 32] for start in range(0, TRUE_SCENES, 32)]
    rows = [features(compose(batch, atlas, 128, 128).rgb, judge).numpy() for batch in batches]
    return np.concatenate(rows)


def swept(args: argparse.Namespace, bench: Bench, atlas: Atlas) -> int:
    """Sweep the peers' settings on the development cases and keep what was found."""
    cases = list(draw_cases("development", args.cases or 2, atlas, sweep.KINDS))
    store = Rows(args.out)
    record = sweep.sweep(cases, args.seeds or 1, STEPS, bench, lambda todo: completed(todo, store, args.workers))
    sweep.keep(record)
    print(json.dumps({name: [entry["iou"], entry["best"]] for name, entry in record["peers"].items()}))
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench placement`."""
    flags = argparse.ArgumentParser(prog="maquette bench placement", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of tables")
    flags.add_argument("--set", choices=sorted(PLANS), default="plain", help="quick: half an hour; full: everything")
    flags.add_argument("--sweep", action="store_true", help="find the peers' best settings on the development cases")
    flags.add_argument("--cases", type=int, help="of every kind with every number of things")
    flags.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of masks; all by default")
    flags.add_argument("--seeds", type=int, help="pictures a case: seeds 0 to N-1")
    flags.add_argument("--model", default="toybox", help="a model's name or folder")
    flags.add_argument("--judges", default="toybox", help="the model whose Judges look")
    flags.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, of one thread each")
    flags.add_argument("--out", type=Path, default=Path("out/placement"), help="where rows and pictures are kept")
    flags.add_argument("--sheet", type=Path, help="write a contact sheet of the first cases")
    flags.add_argument("--pareto", type=Path, help="draw every method's IoU over its cost")
    return flags
