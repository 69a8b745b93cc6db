# SPDX-License-Identifier: MIT
"""Pictures of all kinds, from even to rough, for the mark: what Toybox painted, gradients, noise, and clouds.

Clouds are noise with the spectrum of photographs, whose amplitude falls with the frequency.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SHEET = Path(__file__).parents[3] / "docs" / "toybox.png"  # 8 by 8 pictures
TOYBOX = 384  # pixels, four of them


def toybox(number: int, size: tuple[int, int]) -> Image.Image:
    """Four of the sheet's pictures side by side, brought to a size."""
    left, top = number % 4 * TOYBOX, number // 4 * TOYBOX
    picture = Image.open(SHEET).convert("RGB").crop((left, top, left + TOYBOX, top + TOYBOX))
    return picture.resize(size, Image.Resampling.LANCZOS)


def gradient(size: tuple[int, int]) -> Image.Image:
    """From corner to corner, in all three colours."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    red, green = columns * 255 / size[0], rows * 255 / size[1]
    return Image.fromarray(np.stack([red, green, (red + green) / 2], -1).astype(np.uint8))


def noise(size: tuple[int, int], chance: np.random.Generator, deviation: float = 60.0) -> Image.Image:
    """Each value by itself."""
    values = 128 + deviation * chance.standard_normal((size[1], size[0], 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def cloud(
    size: tuple[int, int], chance: np.random.Generator, power: float = 1.0, deviation: float = 55.0
) -> Image.Image:
    """Amplitudes fall with frequency to that power."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size[0]), np.fft.fftfreq(size[1])))
    frequency[0, 0] = 1.0
    layers = []
    for _ in range(3):
        layer = np.fft.ifft2(np.fft.fft2(chance.standard_normal((size[1], size[0]))) / frequency**power).real
        layers.append(128 + deviation * layer / layer.std())
    return Image.fromarray(np.clip(np.stack(layers, -1), 0, 255).astype(np.uint8))


def even(size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    """One colour."""
    return Image.new("RGB", size, colour)


def kinds(size: tuple[int, int], seed: int) -> Iterator[tuple[str, Image.Image]]:
    """One of each kind, by its name."""
    chance = np.random.default_rng(seed)
    yield "Toybox", toybox(seed % 16, size)
    yield "gradient", gradient(size)
    yield "noise", noise(size, chance, 20.0 + 10.0 * (seed % 6))
    yield "cloud", cloud(size, chance, 0.8 + 0.2 * (seed % 4))
    yield "grey", even(size, (128, 128, 128))
    yield "black", even(size, (0, 0, 0))
    yield "white", even(size, (255, 255, 255))
    yield "colour", even(size, tuple(chance.integers(0, 256, 3).tolist()))
