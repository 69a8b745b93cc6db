# SPDX-License-Identifier: MIT
"""Models as data: where each comes from, under which licence, how it likes to be used, and where to listen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model.

    Attributes:
        source: ``toybox`` (ships with the project), a local folder, or a hub repository.
        revision: for a hub repository the commit, 40 hexadecimal digits; a name could change under us.
        area: native picture area in pixels.
        multiple: sides of pictures are multiples of this many pixels.
        layers: blocks of the network to listen to, such as ``up_blocks.1``; none named means all of them.
        note: what a person should know before using it.
    """

    name: str
    family: str
    source: str
    licence: str
    revision: str = ""
    area: int = 512 * 512
    multiple: int = 64
    steps: int = 30
    scale: float = 7.5
    strength: float = 0.7
    layers: tuple[str, ...] = ()
    note: str = ""


TOYBOX = Card(
    name="toybox",
    family="unet",
    source="toybox",
    licence="MIT",
    area=128 * 128,
    multiple=16,
    scale=5.0,
    strength=1.0,
    layers=("down_blocks.0", "up_blocks.1"),
)

STABLE_DIFFUSION_15 = Card(
    name="stable-diffusion-1.5",
    family="unet",
    source="stable-diffusion-v1-5/stable-diffusion-v1-5",
    revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    licence="CreativeML Open RAIL-M",
    layers=("mid_block", "up_blocks.1"),
    note="not yet run",
)

CARDS: Mapping[str, Card] = MappingProxyType({card.name: card for card in (TOYBOX, STABLE_DIFFUSION_15)})
