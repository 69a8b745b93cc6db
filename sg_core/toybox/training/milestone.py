# SPDX-License-Identifier: MIT
"""Milestones: a model's folder also says how far its training was, so that it can go on where no checkpoint is left."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sg_core.toybox.components import Parts, build_parts, load_parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.training.optimise import Learner

RECORD = "training.json"
WEIGHTS = Path(__file__).parents[1] / "weights"


def write_record(recipe: Recipe, learners: Mapping[str, Learner], folder: Path) -> None:
    """Which recipe, and of each part its steps, pictures, core-hours and curve [core-hours, steps, loss]."""
    parts = {
        name: {
            "steps": one.steps,
            "pictures": one.pictures,
            "spent": round(one.spent, 4),
            "losses": thinned(one.losses),
        }
        for name, one in learners.items()
    }
    (folder / RECORD).write_text(json.dumps({"recipe": recipe.name, "parts": parts}) + "\n")


def thinned(curve: list[list[float]], most: int = 60) -> list[list[float]]:
    """At most so many points of a curve, the last among them."""
    stride = -(-len(curve) // most) or 1
    return curve[::-1][::stride][::-1]


def read_record(folder: Path, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """What `write_record` wrote of each part; nothing where there is no record or it is another recipe's."""
    file = folder / RECORD
    record = json.loads(file.read_text()) if file.exists() else {}
    parts: dict[str, dict[str, Any]] = record["parts"] if record.get("recipe") == recipe.name else {}
    return parts


def first_parts(recipe: Recipe, folder: Path, milestone: Path = WEIGHTS) -> tuple[Parts, dict[str, dict[str, Any]]]:
    """The parts a training begins with, and how far they are: new ones, or a milestone's of this recipe.

    Checkpoints of the folder are read later and come before both. A milestone is copied to `folder / "model"`, and its
    tokenizer and its map of latents to where a training keeps its own: neither may ever change under its weights.
    """
    model = folder / "model"
    if not (folder / "tokenizer").exists() and read_record(milestone, recipe):
        for copied, target in ((milestone, model), (milestone / "tokenizer", folder / "tokenizer")):
            shutil.copytree(copied, target, dirs_exist_ok=True)
        shutil.copy(milestone / "latents.safetensors", folder / "latents.safetensors")
    record = {} if any(folder.glob("*.latest")) else read_record(model, recipe)
    return (load_parts(model) if record else build_parts(recipe, folder)), record


def adopt(learner: Learner, record: Mapping[str, Any] | None) -> None:
    """Let a learner whose modules hold a milestone's weights count from where that was."""
    if record:
        learner.steps, learner.pictures, learner.spent = record["steps"], record["pictures"], record["spent"]
        learner.losses = list(record["losses"])
