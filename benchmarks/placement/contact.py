# SPDX-License-Identifier: MIT
"""A contact sheet: a row a case, a column a method, all from one seed, to be looked at and not only counted."""

from collections.abc import Sequence

from PIL import Image

from benchmarks.placement.plan import STEPS
from benchmarks.placement.work import BenchJob
from benchmarks.sheet import grid, outlined, targets

GROUPS = ("control", "ours", "peer")


def sheet(jobs: Sequence[BenchJob], steps: int = STEPS, groups: Sequence[str] = GROUPS) -> Image.Image:
    """Of all the jobs whose picture was kept: targets first, then every method with their outlines."""
    selected = [
        job
        for job in jobs
        if job.file is not None and job.file.exists() and job.steps == steps and job.method.group in groups
    ]
    names = list(dict.fromkeys(job.method.name for job in selected))
    rows = []
    for case in dict.fromkeys(job.case.name for job in selected):
        by_name = {job.method.name: job for job in selected if job.case.name == case}
        masks = next(iter(by_name.values())).case.masks
        cells = [framed(by_name[name]) if name in by_name else blank() for name in names]
        rows.append([targets(masks, cells[0].size), *cells])
    return grid(rows, ("targets", *names))


def framed(job: BenchJob) -> Image.Image:
    """One kept picture, enlarged, with its targets' outlines."""
    assert job.file is not None
    with Image.open(job.file, formats=("PNG",)) as opened:
        return outlined(opened.convert("RGB"), job.case.masks)


def blank() -> Image.Image:
    """What stands where a method did not paint."""
    return Image.new("RGB", (128, 128), "white")
