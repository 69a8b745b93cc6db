# SPDX-License-Identifier: MIT
"""Places: skies, grounds, horizons and light, painted by formula so that no two backdrops are alike."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Colour = tuple[float, float, float]


def tint(code: int) -> Colour:
    """0xRRGGBB as three floats in 0..1."""
    return ((code >> 16) / 255, (code >> 8 & 255) / 255, (code & 255) / 255)


@dataclass(frozen=True)
class Place:
    """How a place looks: four colours, the horizon's range (0 top, 1 bottom), and what moves on it."""

    phrases: tuple[str, ...]
    sky: tuple[Colour, Colour]
    ground: tuple[Colour, Colour]
    horizon: tuple[float, float] = (0.45, 0.7)
    hills: float = 0.02
    ripples: float = 0.0
    clouds: float = 0.0
    stars: float = 0.0
    glow: Colour = (0.0, 0.0, 0.0)
    light: Colour = (1.0, 1.0, 1.0)
    shadow: float = 0.35


PLACES: dict[str, Place] = {
    "meadow": Place(
        ("on a meadow", "in a meadow", "on the grass", "on a green field"),
        (tint(0x4AA3E8), tint(0xBFE4FA)),
        (tint(0x8FCB5B), tint(0x4E9A3A)),
        hills=0.05,
        clouds=0.7,
    ),
    "desert": Place(
        ("in the desert", "on the sand", "in a desert"),
        (tint(0x6DB7EA), tint(0xF6E3BE)),
        (tint(0xEFC988), tint(0xD69A55)),
        hills=0.06,
        ripples=0.04,
    ),
    "sea": Place(
        ("on the sea", "at sea", "on the water", "in the ocean"),
        (tint(0x7CC4F2), tint(0xDDF1FB)),
        (tint(0x2F8FC4), tint(0x0F4F8C)),
        hills=0.0,
        ripples=0.1,
        clouds=0.6,
        shadow=0.2,
    ),
    "snow": Place(
        ("in the snow", "on the snow", "in winter"),
        (tint(0x9FB9D0), tint(0xDCE7F0)),
        (tint(0xFFFFFF), tint(0xD5E2EE)),
        hills=0.07,
        light=(0.96, 0.98, 1.02),
    ),
    "night": Place(
        ("at night", "in the night", "under the stars"),
        (tint(0x0A1030), tint(0x2B3A70)),
        (tint(0x24305A), tint(0x10152E)),
        hills=0.05,
        stars=1.0,
        light=(0.74, 0.78, 0.95),
        shadow=0.5,
    ),
    "sunset": Place(
        ("at sunset", "in the evening", "at dusk"),
        (tint(0x5A3D8C), tint(0xFFA45C)),
        (tint(0x8A4B5E), tint(0x3F2742)),
        hills=0.05,
        glow=(0.55, 0.35, 0.05),
        light=(1.0, 0.88, 0.8),
    ),
}


def waves(x: Tensor, phase: Tensor, frequencies: tuple[float, ...]) -> Tensor:
    """A sum of sines in -1..1: x (batch, ...), phase (batch, len(frequencies))."""
    shape = (-1,) + (1,) * (x.dim() - 1)
    total = sum(torch.sin(2 * math.pi * (f * x + phase[:, k].view(shape))) / (k + 1) for k, f in enumerate(frequencies))
    return torch.as_tensor(total) / sum(1 / (k + 1) for k in range(len(frequencies)))


def paint(
    names: list[str], horizon: Tensor, phase: Tensor, width: int, height: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Backdrops (batch, 3, height, width) in 0..1; horizon (batch,), phase (batch, 8) in 0..1 vary each one."""
    styles = [PLACES[name] for name in names]

    def column(values: list[float] | list[Colour]) -> Tensor:
        return torch.tensor(values, device=device).view(len(names), -1, 1, 1)

    horizon, phase = horizon.to(device), phase.to(device)
    x = ((torch.arange(width, device=device) + 0.5) / width).view(1, 1, 1, width)
    y = ((torch.arange(height, device=device) + 0.5) / height).view(1, 1, height, 1)
    along = x.expand(len(names), 1, 1, width) * (width / height)
    edge = horizon.view(-1, 1, 1, 1) + column([s.hills for s in styles]) * waves(along, phase[:, :3], (0.7, 1.6, 3.1))

    climb = (y / edge).clamp(0, 1)
    sky = column([s.sky[0] for s in styles]) * (1 - climb) + column([s.sky[1] for s in styles]) * climb
    drift = along + 0.25 * torch.sin(9 * y + 6 * phase[:, 3].view(-1, 1, 1, 1))
    puff = waves(drift, phase[:, 4:7], (0.9, 2.3, 4.1))
    bank = torch.exp(-(((y / edge - 0.25 - 0.4 * phase[:, 7].view(-1, 1, 1, 1)) / 0.13) ** 2))
    sky = sky + column([s.clouds for s in styles]) * (1 - sky) * (puff * 2).clamp(0, 1) * bank
    sun = torch.exp(-(((x - phase[:, 5].view(-1, 1, 1, 1)) * width / height) ** 2 + (y - edge + 0.05) ** 2) / 0.06)
    sky = sky + column([s.glow for s in styles]) * sun
    sky = sky + column([s.stars for s in styles]) * starlight(x, y, phase, width / height)

    fall = ((y - edge) / (1 - edge)).clamp(0, 1)
    ground = column([s.ground[0] for s in styles]) * (1 - fall) + column([s.ground[1] for s in styles]) * fall
    ripple = torch.sin(40 * fall.sqrt() + 3 * waves(along, phase[:, 2:5], (1.1, 2.7, 5.3)))
    ground = ground * (1 + column([s.ripples for s in styles]) * ripple)
    cover = ((y - edge) * height).clamp(0, 1)
    return (sky * (1 - cover) + ground * cover).clamp(0, 1)


def starlight(x: Tensor, y: Tensor, phase: Tensor, aspect: float, count: int = 18) -> Tensor:
    """Soft dots scattered by a golden-ratio sequence that each scene's phase shifts: (batch, 1, height, width)."""
    k = torch.arange(count, device=x.device)
    star_x = (k * 0.618034 + phase[:, :1]) % 1
    star_y = (k * 0.754878 + phase[:, 1:2]) % 1 * 0.8
    dx = torch.exp(-(((x - star_x[..., None, None]) * aspect / 0.009) ** 2))
    dy = torch.exp(-(((y - star_y[..., None, None]) / 0.009) ** 2))
    return torch.einsum("bkyx,bkzw->byw", dy, dx).unsqueeze(1).clamp(0, 1)
