# SPDX-License-Identifier: MIT
"""Checkpoints that a stop at any moment leaves whole: written beside the last one, then named in one step."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

CheckpointState = dict[str, Any]


def training_folder(recipe: str) -> Path:
    """Where a recipe's training keeps its scenes and checkpoints: in the user's cache folder (XDG_CACHE_HOME)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "maquette" / "toybox" / recipe


def write(folder: Path, name: str, tensors: Mapping[str, Mapping[str, Tensor]], state: CheckpointState) -> None:
    """Write one file a kind of tensors, and the state; then let `NAME.latest` name them and drop the one before."""
    new = folder / f"{name}-{state['steps']}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for kind, named in tensors.items():
        save_file(
            {key: tensor.detach().cpu().contiguous() for key, tensor in named.items()}, new / f"{kind}.safetensors"
        )
    (new / "state.json").write_text(json.dumps(state))
    point(folder / f"{name}.latest", new.name)
    for old in folder.glob(f"{name}-[0-9]*"):
        if old != new:
            shutil.rmtree(old, ignore_errors=True)


def read(folder: Path, name: str, kinds: tuple[str, ...]) -> tuple[list[dict[str, Tensor]], CheckpointState] | None:
    """The tensors of each kind and the state that were named last; None where there are none."""
    pointer = folder / f"{name}.latest"
    if not pointer.exists():
        return None
    saved = folder / pointer.read_text()
    return [load_file(saved / f"{kind}.safetensors") for kind in kinds], json.loads((saved / "state.json").read_text())


def point(pointer: Path, name: str) -> None:
    """Replace a small file in one step."""
    fresh = pointer.with_suffix(".fresh")
    fresh.write_text(name)
    os.replace(fresh, pointer)
