# SPDX-License-Identifier: MIT
"""Several parts in training by turns: each with its learner and its share of the core-hours."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from torch import Tensor

from sg_core.toybox.training.optimise import Learner

TURN = 20.0  # seconds that one part is trained before another's turn


class Training(Protocol):
    """One part's training: its learner, and the loss of a fresh batch with the number of its pictures."""

    learner: Learner

    def loss(self) -> tuple[Tensor, int]: ...


def furthest_behind(trainings: Mapping[str, Training]) -> str | None:
    """The part that is furthest behind its share of the hours; None when all have had theirs."""
    behind = {
        name: training.learner.spent / training.learner.lesson.share
        for name, training in trainings.items()
        if training.learner.spent < training.learner.planned
    }
    return min(behind, key=behind.__getitem__) if behind else None


def hours_of(trainings: Mapping[str, Training]) -> str:
    """Hours of every part."""
    return ", ".join(f"{name} {training.learner.spent:.2f} core-hours" for name, training in trainings.items())


def save_fresh(trainings: Mapping[str, Training], folder: Path) -> None:
    """A checkpoint of every part that was trained."""
    for name, training in trainings.items():
        if training.learner.fresh:
            training.learner.save(folder, name)


@contextmanager
def all_settled(learners: Sequence[Learner]) -> Iterator[None]:
    """Every part holds its averaged weights in float32 meanwhile."""
    with ExitStack() as stack:
        for learner in learners:
            stack.enter_context(learner.settled())
        yield


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Where to write a folder that then takes the place of this one: an interruption leaves the old one whole."""
    fresh = folder.with_name(f"{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    yield fresh
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
