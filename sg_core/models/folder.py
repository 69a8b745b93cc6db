# SPDX-License-Identifier: MIT
"""A model's folder in diffusers' format: what it says of itself."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import transformers.utils.logging

from sg_core.errors import WeightsError

PROGRESS_BARS = (diffusers.utils.logging, transformers.utils.logging)


def read_index(folder: Path) -> dict[str, Any]:
    """The model_index.json of a folder: its pipeline as ``_class_name``, and (library, class) of each part.

    Raises WeightsError when there is none.
    """
    path = folder / "model_index.json"
    if not path.is_file():
        raise WeightsError(f"{folder} has no model_index.json: it is not a model in diffusers' format")
    index = read_json(path)
    if not isinstance(index, dict):
        raise WeightsError(f"{path} is no object: this is not a model in diffusers' format")
    return index


def read_json(path: Path) -> Any:
    """A configuration file. Raises OSError when it is no plain file, but a device or a pipe that would never end."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no plain file")
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


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, no library warns of what nobody here can act on, such as image processors that no part of ours needs."""
    kinds = (diffusers.utils.logging, transformers.utils.logging)
    before = [kind.get_verbosity() for kind in kinds]
    for kind in kinds:
        kind.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of diffusers, at its own classes
            yield
    finally:
        for kind, level in zip(kinds, before, strict=True):
            kind.set_verbosity(level)
