# SPDX-License-Identifier: MIT
"""Painting and measuring: jobs of one picture each, shared out among processes of one thread each."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from multiprocessing import get_context
from pathlib import Path

import torch

from benchmarks.flops import counting
from benchmarks.placement.cases import Case
from benchmarks.placement.measures import look
from benchmarks.placement.methods import Method
from benchmarks.placement.rows import ResultRow, case_digest, digest, files_digest
from benchmarks.sheet import to_image
from sg_core.models.loading import find, load, named
from sg_core.models.model import Model
from sg_core.toybox.segmenter import Segmenter, load_judge

JUDGES = ("judge", "second-judge")


@dataclass(frozen=True)
class Bench:
    """What paints and what looks: a model's folder or name, and the folder whose Judges look."""

    model: str = "toybox"
    judges: str = "toybox"

    @property
    def folder(self) -> Path:
        """The Judges' parent."""
        return folder_of(self.judges)

    @property
    def digest(self) -> str:
        """Of the files of both."""
        return digest(files_digest(folder_of(self.model)), files_digest(self.folder))


@dataclass(frozen=True)
class BenchJob:
    """One picture. ``counted`` also counts its floating-point operations, which takes longer; ``file`` keeps it."""

    bench: Bench
    method: Method
    case: Case
    seed: int
    steps: int
    counted: bool = False
    file: Path | None = None

    @cached_property
    def key(self) -> str:
        """A digest of all that the row depends on."""
        facts = [self.bench.digest, self.method.digest, case_digest(self.case)]
        return digest(*facts, self.seed, self.steps, self.counted)


def painted(jobs: Sequence[BenchJob], workers: int) -> Iterator[ResultRow]:
    """The row of each job, as each is done, in the jobs' order."""
    if workers <= 1:
        with threads(1):
            yield from map(measured, jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(measured, jobs)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads inside: with one, CPU seconds say what a method costs, whatever else the machine does."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measured(job: BenchJob) -> ResultRow:
    """Paint one picture and look at it."""
    model, judges = equipment(job.bench)
    start = time.process_time()
    with counting() if job.counted else nothing() as counter:
        picture = job.method(model, job.case, job.seed, job.steps)
    seconds = time.process_time() - start
    if job.file is not None:
        job.file.parent.mkdir(parents=True, exist_ok=True)
        to_image(picture).save(job.file)
    return {
        "key": job.key,
        "painted": [job.method.name, job.case.name, job.seed, job.steps],
        "seconds": seconds,
        "flops": counter.total if counter is not None else None,
        **look(picture, job.case, judges),
    }


@contextmanager
def nothing() -> Iterator[None]:
    """Counts nothing."""
    yield None


@cache
def equipment(bench: Bench) -> tuple[Model, Mapping[str, Segmenter]]:
    """The model and its Judges by name. A process loads each once; a folder without a second Judge has one."""
    folders = [bench.folder / name for name in JUDGES]
    judges = {folder.name: load_judge(folder) for folder in folders if (folder / "config.json").is_file()}
    return load(bench.model), judges


def folder_of(model: str) -> Path:
    """Where a model's files are."""
    card = named(model)
    return find(card.address if card else model)


def unfinished(jobs: Iterable[BenchJob], rows: Mapping[str, ResultRow]) -> list[BenchJob]:
    """Those whose row is not there yet, or whose picture is wanted and not kept."""
    return [job for job in jobs if job.key not in rows or (job.file is not None and not job.file.exists())]
