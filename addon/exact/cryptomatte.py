# SPDX-License-Identifier: GPL-3.0-or-later
"""Cryptomatte: which object covers how much of each pixel, from the channels of a render. No bpy.

A pixel keeps its few largest (id, coverage) pairs, an id being the bits of a float: layer after layer of r, g, b, a is
id, coverage, id, coverage. The names of the ids stand in the file's manifest.

Source: Friedman and Jones, "Fully automatic ID mattes with support for motion blur and transparency", SIGGRAPH 2015
talks, and the Cryptomatte specification 1.2.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .exr import DamagedExr, ExrPart

LAYER = "CryptoObject"
RANK = re.compile(rf"(?:.*\.)?({LAYER}\d\d)\.([rgba])", re.IGNORECASE | re.DOTALL)  # layers are named by people
# Names are written without escapes, so that the manifest is not always the JSON it looks like.
NAMED = re.compile(r'"(.*?)":"([0-9a-f]{8})"(?=[,}])', re.DOTALL)


def coverage(parts: Sequence[ExrPart], owners: Mapping[str, int], count: int) -> NDArray[np.float32]:
    """What each owner covers, (count, height, width) in 0..1, rows from the top.

    ``owners`` gives, by an object's name, its owner, 0 .. ``count`` - 1; other objects count for none. Raises
    DamagedExr for a file without object Cryptomatte.
    """
    ranks, manifest = _ranks(parts), _manifest(parts)
    codes = np.array([manifest[name] for name in owners if name in manifest], dtype=np.uint32)
    indices = np.array([owners[name] for name in owners if name in manifest], dtype=np.int64)
    order = np.argsort(codes)
    codes, indices = codes[order], indices[order]
    height, width = ranks[0][0].shape
    covers = np.zeros((count, height * width), dtype=np.float32)
    for ids, shares in ranks:
        bits = np.ascontiguousarray(ids, dtype=np.float32).view(np.uint32).ravel()
        candidate = np.minimum(np.searchsorted(codes, bits), max(len(codes) - 1, 0))
        pixels = np.flatnonzero(codes[candidate] == bits) if len(codes) else np.empty(0, dtype=np.int64)
        # within a rank a pixel has one id, so that no element is added to twice
        covers[indices[candidate[pixels]], pixels] += shares.ravel()[pixels]
    return np.clip(covers, 0.0, 1.0).reshape(count, height, width)


def _ranks(parts: Sequence[ExrPart]) -> list[tuple[NDArray[np.generic], NDArray[np.generic]]]:
    """The pairs of ids and coverages, largest first."""
    layers: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, values in ((name, values) for part in parts for name, values in part.channels.items()):
        if match := RANK.fullmatch(name):
            layers.setdefault(match[1], {})[match[2].lower()] = values
    if not layers or any(set(layer) != set("rgba") for layer in layers.values()):
        raise DamagedExr("The render has no object Cryptomatte")
    ordered = [layer for _, layer in sorted(layers.items())]
    return [(layer[pair[0]], layer[pair[1]]) for layer in ordered for pair in ("rg", "ba")]


def _manifest(parts: Sequence[ExrPart]) -> dict[str, int]:
    """The id of every name."""
    attributes = {key: value for part in parts for key, value in part.attributes.items()}
    for key, value in attributes.items():
        if key.startswith("cryptomatte/") and key.endswith("/name") and value.endswith(LAYER.encode()):
            text = attributes[f"{key.removesuffix('/name')}/manifest"].decode("utf-8", errors="replace")
            return {name: _usable(int(code, 16)) for name, code in NAMED.findall(text)}
    raise DamagedExr("The render has no Cryptomatte manifest")


def _usable(code: int) -> int:
    """A name's hash as an id: never a zero, infinity, NaN or denormal, which no float would carry unharmed."""
    exponent = min(max(code >> 23 & 255, 1), 254)
    return code & 0x807FFFFF | exponent << 23
