# SPDX-License-Identifier: MIT
"""A model's folder in diffusers' format: safetensors and plain configuration, and nothing that runs code.

Pickled weights (.bin, .pt, .ckpt) run code when they are read.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import transformers.utils.logging

from sg_core.errors import WeightsError

RUNS_CODE = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py"})
PROGRESS_BARS = (diffusers.utils.logging, transformers.utils.logging)


def check(folder: Path, components: Mapping[str, Sequence[type]], folders: Sequence[str]) -> None:
    """Raise WeightsError unless a folder holds these components, of these classes, and nothing that runs code.

    Args:
        components: part (``unet``) to the classes it may be of.
        folders: all those that are read.
    """
    index = read_index(folder)
    files = [path for part in ("", *folders) for path in sorted((folder / part).glob("*"))]
    if code := [path.name for path in files if path.suffix in RUNS_CODE]:
        raise WeightsError(f"{folder} holds {', '.join(code)}, which can run code: keep only safetensors and JSON")
    for part, kinds in components.items():
        names = [kind.__name__ for kind in kinds]
        if index.get(part, [None, None])[1] not in names:
            raise WeightsError(f"{folder}: {part} is {index.get(part)}, and this family needs a {' or '.join(names)}")
    if custom := [path for path in files if path.suffix == ".json" and _asks_for_code(path)]:
        raise WeightsError(f"{custom[0]} asks for custom code (auto_map): such models are not loaded")


def component(folder: Path, part: str, kinds: Sequence[Any]) -> Any:
    """One part of a model in float32 and evaluation mode, without gradients for its weights.

    Args:
        kinds: the classes it may be of; model_index.json says which.

    Raises WeightsError when it has no safetensors.
    """
    if not any((folder / part).glob("*.safetensors")):
        raise WeightsError(f"{folder / part} has no safetensors: convert its weights first")
    # diffusers warns when accelerate is missing unless told not to want it; transformers knows no such option.
    options = {} if part == "text_encoder" else {"low_cpu_mem_usage": False}
    name = read_index(folder)[part][1]
    kind = next(kind for kind in kinds if kind.__name__ == name)
    module = kind.from_pretrained(folder / part, use_safetensors=True, local_files_only=True, **options)
    return module.float().requires_grad_(False).eval()


def read_index(folder: Path) -> dict[str, Any]:
    """The model_index.json of a folder: its pipeline as ``_class_name``, and (library, class) of each part.

    Raises WeightsError when there is none.
    """
    path = folder / "model_index.json"
    if not path.is_file():
        raise WeightsError(f"{folder} has no model_index.json: it is not a model in diffusers' format")
    return dict(read_json(path))


def read_json(path: Path) -> Any:
    """A configuration file."""
    return json.loads(path.read_text("utf-8"))


@contextmanager
def bars_in_terminals_only() -> Iterator[None]:
    """Inside, no library draws progress bars unless standard error is a terminal: a log would hold them in pieces."""
    drawing = [kind for kind in PROGRESS_BARS if kind.is_progress_bar_enabled() and not sys.stderr.isatty()]
    for kind in drawing:
        kind.disable_progress_bar()
    try:
        yield
    finally:
        for kind in drawing:
            kind.enable_progress_bar()


def _asks_for_code(path: Path) -> bool:
    document = read_json(path)
    return isinstance(document, dict) and "auto_map" in document
