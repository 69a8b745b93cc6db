# SPDX-License-Identifier: MIT
"""Places: skies, grounds, horizons and light, as numbers that `backdrops.py` paints with. Recipes slice their order."""

from dataclasses import dataclass

Colour = tuple[float, float, float]


def tint(code: int) -> Colour:
    """0xRRGGBB as three floats in 0..1."""
    return ((code >> 16) / 255, (code >> 8 & 255) / 255, (code & 255) / 255)


@dataclass(frozen=True)
class Place:
    """How a place looks: four colours, the horizon's range (0 top, 1 bottom; beyond 1 there is no ground), what varies.

    `bars` darken the sky in upright strips, such as trunks or curtains (negative: lighten it). `far` is the colour of
    a silhouette that stands on the horizon, up to `rise` of the picture's height, with one of `backdrops.OUTLINES`;
    `windows` light it up (negative: darken it) in a grid.
    """

    phrases: tuple[str, ...]
    sky: tuple[Colour, Colour]
    ground: tuple[Colour, Colour]
    horizon: tuple[float, float] = (0.45, 0.7)
    hills: float = 0.02
    ripples: float = 0.0
    clouds: float = 0.0
    stars: float = 0.0
    bars: float = 0.0
    far: Colour = (0.0, 0.0, 0.0)
    rise: float = 0.0
    outline: str = "treetops"
    windows: float = 0.0
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
    "space": Place(
        ("in space", "in outer space", "in the galaxy"),
        (tint(0x07051A), tint(0x2A1650)),
        (tint(0x07051A), tint(0x07051A)),
        horizon=(1.2, 1.5),
        clouds=0.22,
        stars=1.0,
        light=(0.92, 0.9, 1.05),
    ),
    "forest": Place(
        ("in the forest", "in a forest", "in the woods"),
        (tint(0x2F5D3A), tint(0xA9CF8E)),
        (tint(0x6E5A36), tint(0x3C3A1E)),
        hills=0.03,
        bars=0.75,
        light=(0.94, 1.0, 0.9),
    ),
    "street": Place(
        ("on the street", "in the street", "on the road", "in a town"),
        (tint(0x8CC3EA), tint(0xE8EEF2)),
        (tint(0x8B8E94), tint(0x55585F)),
        horizon=(0.5, 0.7),
        hills=0.0,
        far=tint(0xC79A86),
        rise=0.35,
        outline="blocks",
        windows=-0.3,
    ),
    "room": Place(
        ("in a room", "in the living room", "indoors", "on the floor"),
        (tint(0xF2DDBE), tint(0xE3C49C)),
        (tint(0xA56A43), tint(0x7A4628)),
        horizon=(0.6, 0.75),
        hills=0.0,
        bars=0.1,
        light=(1.02, 0.98, 0.92),
    ),
    "table": Place(
        ("on the table", "on a table", "on a desk", "on a wooden shelf"),
        (tint(0x2C5B5E), tint(0x4A8584)),
        (tint(0xE0B27A), tint(0xB87F48)),
        horizon=(0.35, 0.5),
        hills=0.0,
        ripples=0.07,
        shadow=0.45,
    ),
    "beach": Place(
        ("at the beach", "on the beach", "by the shore"),
        (tint(0x4DB7F0), tint(0xC9EEFB)),
        (tint(0xF7E3B0), tint(0xE4BE7F)),
        horizon=(0.55, 0.75),
        hills=0.008,
        clouds=0.4,
        far=tint(0x1FA6B8),
        rise=0.14,
        outline="level",
    ),
    "mountains": Place(
        ("in the mountains", "in the alps", "in a valley"),
        (tint(0x5FA8E0), tint(0xD8EAF5)),
        (tint(0x7FA36B), tint(0x4C6B4A)),
        hills=0.04,
        clouds=0.3,
        far=tint(0x7286A8),
        rise=0.4,
        outline="peaks",
    ),
    "city": Place(
        ("in the city", "downtown", "in a big city"),
        (tint(0x241A4F), tint(0x8A3F86)),
        (tint(0x3A3450), tint(0x1D1A2E)),
        horizon=(0.55, 0.75),
        hills=0.0,
        far=tint(0x15122B),
        rise=0.42,
        outline="blocks",
        windows=0.7,
        glow=(0.35, 0.25, 0.1),
        light=(0.9, 0.84, 0.98),
    ),
    "jungle": Place(
        ("in the jungle", "in a jungle", "in the rainforest"),
        (tint(0xBFE87A), tint(0x8FD45A)),
        (tint(0x3F8F2F), tint(0x1D5A24)),
        hills=0.05,
        bars=0.3,
        far=tint(0x1F6B33),
        rise=0.3,
        light=(0.94, 1.03, 0.9),
    ),
    "underwater": Place(
        ("underwater", "under the waves", "on the seabed"),
        (tint(0x3FC7D9), tint(0x0E5FA0)),
        (tint(0x7FA9A0), tint(0x2F6C86)),
        horizon=(0.65, 0.85),
        hills=0.06,
        ripples=0.08,
        bars=-0.12,
        light=(0.78, 0.96, 1.08),
    ),
    "swamp": Place(
        ("in the swamp", "in a swamp", "in a bog"),
        (tint(0x8C9A6B), tint(0xC9C79A)),
        (tint(0x56663A), tint(0x2C3A26)),
        hills=0.0,
        ripples=0.14,
        bars=0.35,
        far=tint(0x5E6B45),
        rise=0.12,
        light=(0.95, 0.97, 0.85),
    ),
    "farm": Place(
        ("on a farm", "on the farm", "in the countryside"),
        (tint(0x6CBBEF), tint(0xF3EFD0)),
        (tint(0xE2C24A), tint(0xB98A2B)),
        horizon=(0.4, 0.6),
        hills=0.03,
        ripples=0.12,
        clouds=0.5,
        far=tint(0x4F8A4B),
        rise=0.07,
    ),
    "autumn": Place(
        ("in autumn", "in the fall", "in an autumn park"),
        (tint(0x9FC4DE), tint(0xF4E4C8)),
        (tint(0xC9772E), tint(0x8A4A22)),
        hills=0.05,
        far=tint(0xD8561F),
        rise=0.25,
        light=(1.03, 0.97, 0.9),
    ),
    "storm": Place(
        ("in a storm", "in the rain", "in bad weather"),
        (tint(0x2E3640), tint(0x75808A)),
        (tint(0x5B6660), tint(0x343C3A)),
        hills=0.04,
        clouds=0.2,
        light=(0.82, 0.85, 0.9),
        shadow=0.2,
    ),
    "sunrise": Place(
        ("at sunrise", "at dawn", "in the early morning"),
        (tint(0x8FC3F0), tint(0xFFC7CF)),
        (tint(0xA6B58F), tint(0x66806E)),
        hills=0.06,
        clouds=0.3,
        glow=(0.25, 0.25, -0.1),
        light=(1.03, 0.96, 0.93),
    ),
    "lunar": Place(
        ("on the lunar surface", "in a lunar crater"),
        (tint(0x020208), tint(0x0B0B18)),
        (tint(0xC4C4C8), tint(0x77777E)),
        horizon=(0.5, 0.75),
        hills=0.08,
        stars=1.0,
        shadow=0.6,
    ),
    "canyon": Place(
        ("in a canyon", "in the canyon", "in the badlands"),
        (tint(0x58B4E8), tint(0xCFE9F2)),
        (tint(0xC2613A), tint(0x8C3A22)),
        hills=0.05,
        far=tint(0xA8472B),
        rise=0.38,
        outline="blocks",
    ),
    "stage": Place(
        ("on a stage", "on stage", "in the theater"),
        (tint(0x7A0F1E), tint(0xB01F2E)),
        (tint(0xC08A52), tint(0x7A4A26)),
        horizon=(0.6, 0.78),
        hills=0.0,
        bars=0.55,
        glow=(0.25, 0.2, 0.1),
        shadow=0.5,
    ),
}
