# SPDX-License-Identifier: MIT
"""Composed scenes kept on disk while training goes on: latents, tokens and some pictures, the oldest replaced.

Composing a scene costs less than a step on it, but not nothing: each is learned from several times and never for long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sg_core.toybox.components import Parts
from sg_core.toybox.latents import CELL, LatentMap, meaning
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures, compose
from sg_core.toybox.scenes.scene import Scene, draw_scene
from sg_core.toybox.training.checkpoint import point

CHUNK = 16
PICTURES = 4096
BUCKET_SEEDS = 20_000_000


class Source(Protocol):
    """What scenes are made from, and what a denoiser is given of them."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def atlas(self) -> Atlas: ...

    @property
    def parts(self) -> Parts: ...

    @property
    def channels(self) -> int: ...

    def encode(self, scenes: Sequence[Scene], pictures: Pictures) -> Tensor: ...

    def weigh(self, pictures: Pictures) -> Tensor: ...


@dataclass(frozen=True)
class MeaningSource:
    """Latents that say what each cell means (`latents.py`)."""

    recipe: Recipe
    atlas: Atlas
    parts: Parts
    latents: LatentMap

    @property
    def channels(self) -> int:
        """Numbers of a latent cell."""
        return self.latents.channels

    def encode(self, scenes: Sequence[Scene], pictures: Pictures) -> Tensor:
        """Latents (batch, channel, rows, columns) of composed scenes."""
        meanings = meaning(scenes, pictures, self.atlas, self.recipe.nouns, self.latents.codes)
        return self.latents.encode(meanings, pictures.rgb)

    def weigh(self, pictures: Pictures) -> Tensor:
        """How much the error in each cell counts, (batch, rows, columns): all alike."""
        batch, _, height, width = pictures.rgb.shape
        return torch.ones(batch, height // CELL, width // CELL)


@dataclass
class Pool:
    """Scenes of one size; `drawn` of them so far, the last `size` kept, and pictures of the first `pictured` rows.

    `latents` (n, channel, rows, columns) and `weights` of their errors (n, rows, columns), both float16, `tokens`
    (n, length) int16, `pictures` (m, 3, height, width) uint8, and `painted` (m, channel, rows, columns): latents of
    the same pictures that the denoiser cleaned itself.
    """

    source: Source
    bucket: int
    folder: Path
    size: int
    pictured: int = 0
    drawn: int = 0
    latents: NDArray[np.float16] = field(init=False)
    weights: NDArray[np.float16] = field(init=False)
    tokens: NDArray[np.int16] = field(init=False)
    pictures: NDArray[np.uint8] | None = field(init=False, default=None)
    painted: NDArray[np.float16] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        width, height = self.sides
        folder = self.folder / f"ring-{width}x{height}"
        folder.mkdir(parents=True, exist_ok=True)
        self.cursor = folder / "cursor.json"
        self.drawn = int(self.cursor.read_text()) if self.cursor.exists() else 0
        cells = (self.source.channels, height // CELL, width // CELL)
        self.latents = cached(folder / "z.npy", np.float16, (self.size, *cells))
        self.size = len(self.latents)  # an older recipe may have kept more or fewer
        self.weights = cached(folder / "w.npy", np.float16, (self.size, *cells[1:]), 1)
        self.tokens = cached(folder / "t.npy", np.int16, (self.size, self.source.recipe.tokens))
        if self.pictured:
            self.pictures = cached(folder / "rgb.npy", np.uint8, (min(self.pictured, self.size), 3, height, width))
            self.painted = cached(folder / "own.npy", np.float16, (min(self.pictured, self.size), *cells))

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height, _ = self.source.recipe.buckets[self.bucket]
        return width, height

    @property
    def filled(self) -> int:
        """How many scenes are there."""
        return min(self.drawn, self.size)

    def renew(self, count: int) -> None:
        """Draw so many more scenes in place of the oldest."""
        recipe, atlas, (width, height) = self.source.recipe, self.source.atlas, self.sides
        first, small = self.bucket * BUCKET_SEEDS + self.drawn, recipe.smallest(width, height)
        seeds = range(first, first + count)
        scenes = [draw_scene(s, atlas, recipe.vocabulary, width / height, smallest=small) for s in seeds]
        pictures = compose(scenes, atlas, width, height)
        rows = [number % self.size for number in range(self.drawn, self.drawn + count)]
        self.latents[rows] = self.source.encode(scenes, pictures).cpu().numpy()
        self.weights[rows] = self.source.weigh(pictures).cpu().numpy()
        self.tokens[rows] = self.source.parts.tokens([scene.caption for scene in scenes]).numpy()
        if self.pictures is not None and self.painted is not None:
            some = [k for k, row in enumerate(rows) if row < len(self.pictures)]
            self.pictures[[rows[k] for k in some]] = (pictures.rgb[some] * 255).round().byte().cpu().numpy()
            self.painted[[rows[k] for k in some]] = self.latents[[rows[k] for k in some]]
        self.drawn += count
        if self.drawn // 256 != (self.drawn - count) // 256:
            point(self.cursor, str(self.drawn))

    def grow(self, count: int) -> None:
        """Draw up to so many scenes while the pool is not full."""
        for _ in range(min(count, self.size - self.drawn) // CHUNK):
            self.renew(CHUNK)

    def rows(self, count: int, among: int | None = None) -> NDArray[np.int64]:
        """Random rows, of the first `among` if given: (count,)."""
        return np.random.randint(0, min(self.filled, among or self.size), count)


def cached(file: Path, dtype: type[np.generic], shape: tuple[int, ...], value: float = 0) -> NDArray[Any]:
    """An array on disk, as it was left or of one value."""
    if not file.exists():
        np.save(file, np.full(shape, value, dtype) if value else np.zeros(shape, dtype))
    array: NDArray[Any] = np.load(file, mmap_mode="r+", allow_pickle=False)
    return array


def tensor(array: NDArray[Any], device: torch.device | str = "cpu") -> Tensor:
    """A copy as a float tensor."""
    return torch.from_numpy(np.array(array)).to(device).float()


def pools(source: Source, folder: Path, pictured: int = PICTURES) -> list[Pool]:
    """One for each of the recipe's buckets, which holds its share of the scenes; only the square one keeps pictures."""
    total = source.recipe.scenes
    sizes = [max(CHUNK, round(total * share) // CHUNK * CHUNK) for _, _, share in source.recipe.buckets]
    return [Pool(source, bucket, folder, size, 0 if bucket else pictured) for bucket, size in enumerate(sizes)]
