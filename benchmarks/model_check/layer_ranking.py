# SPDX-License-Identifier: MIT
"""Which layers know best where words are: their silhouettes of each phrase against what a judge saw in the picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import Tensor

from benchmarks.model_check.layer_maps import ProbePicture
from sg_core import Phrase
from sg_core.attention.coverage import on_grid
from sg_core.terms import properties

BLOCKS = 4  # at most in a choice: more are slower to hear, and say little more
GAIN = 0.005  # of overlap that another block must bring
BETTER = 0.02  # of overlap, by which blocks must lead before they count as better than the Card's
CHANCE = 0.02  # of overlap, by which they must lead what silhouettes of other pictures have


@dataclass(frozen=True)
class LayerScore:
    """One layer: grid (rows, columns), mean overlap 0..1, rank from 1, and whether the Card has it heard."""

    layer: str
    grid: tuple[int, int]
    overlap: float
    rank: int
    in_card: bool


@dataclass(frozen=True)
class Ranking:
    """Of all layers, in the order they speak; overlaps are means over pictures, phrases and moments.

    ``card`` is the overlap of the layers that the Card hears, together; ``best`` of the best choice of ``blocks``;
    ``chance`` what that choice has with the areas of other pictures. ``sightings`` phrases were seen by the judge.
    """

    layers: tuple[LayerScore, ...]
    blocks: tuple[str, ...]
    best: float
    card: float
    chance: float
    sightings: int

    @property
    def knows(self) -> bool:
        """Whether any choice of layers knows more than chance."""
        return self.best > self.chance + CHANCE

    @property
    def leads(self) -> bool:
        """Whether the best blocks lead the Card's by more than such figures waver."""
        return self.best > self.card + BETTER


class NothingSeen(Exception):
    """The judge saw no phrase in any of so many pictures: nothing can be said of the layers."""

    def __init__(self, pictures: int) -> None:
        super().__init__(
            f"the judge sees none of the nouns in {pictures} pictures: look at the sheet; with more --pictures, "
            "other --nouns or a lower --threshold it may see some"
        )


def block_of(layer: str) -> str:
    """The block of a layer, as a Card names it: ``up_blocks.1``, ``mid_block``, ``transformer_blocks.7``."""
    first, _, rest = layer.partition(".")
    number = rest.partition(".")[0]
    return f"{first}.{number}" if number.isdigit() else first


def ranking(pictures: Sequence[ProbePicture], own: Sequence[str]) -> Ranking:
    """Of what was heard of these pictures; ``own`` are the layers that the Card hears.

    Raises NothingSeen when the judge saw nothing.
    """
    sightings = sum(len(picture.areas) for picture in pictures)
    if not sightings:
        raise NothingSeen(len(pictures))
    tape = pictures[0].tapes[0]
    overlaps = {layer: overlap(pictures, [layer]) for layer in tape.attention}
    order = sorted(overlaps, key=lambda layer: -overlaps[layer])
    scores = tuple(
        LayerScore(layer, (mass.shape[1], mass.shape[2]), overlaps[layer], order.index(layer) + 1, layer in own)
        for layer, mass in tape.attention.items()
    )
    blocks, best = chosen_blocks(pictures)
    layers = [layer for layer in tape.attention if block_of(layer) in blocks]
    return Ranking(scores, blocks, best, overlap(pictures, own), chance(pictures, layers), sightings)


def chosen_blocks(pictures: Sequence[ProbePicture]) -> tuple[tuple[str, ...], float]:
    """The blocks that know best where words are, heard together, and their overlap: the best one, and each that adds to
    those before it."""
    blocks: dict[str, list[str]] = {}
    for layer in pictures[0].tapes[0].attention:
        blocks.setdefault(block_of(layer), []).append(layer)
    chosen: list[str] = []
    best = -1.0
    while len(chosen) < min(BLOCKS, len(blocks)):
        rest = [block for block in blocks if block not in chosen]
        scores = {block: overlap(pictures, [n for b in (*chosen, block) for n in blocks[b]]) for block in rest}
        following = max(rest, key=scores.__getitem__)
        if chosen and scores[following] < best + GAIN:
            break
        chosen.append(following)
        best = scores[following]
    return tuple(block for block in blocks if block in chosen), best


def overlap(pictures: Sequence[ProbePicture], layers: Sequence[str]) -> float:
    """The mean overlap, 0..1, of what these layers say together with what the judge saw."""
    return fmean(
        soft_overlap(outline, picture.areas[words])
        for picture in pictures
        for words, outline in silhouettes(picture, layers)
        if words in picture.areas
    )


def chance(pictures: Sequence[ProbePicture], layers: Sequence[str]) -> float:
    """What the same outlines have of areas that are not theirs: of the other phrases, in these pictures and others."""
    areas = [(index, words, area) for index, picture in enumerate(pictures) for words, area in picture.areas.items()]
    overlaps = [
        soft_overlap(outline, area)
        for index, picture in enumerate(pictures)
        for words, outline in silhouettes(picture, layers)
        for other, name, area in areas
        if (other, name) != (index, words)
    ]
    return fmean(overlaps) if overlaps else 0.0


def silhouettes(picture: ProbePicture, layers: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    """Each phrase and its soft outline (y, x), at each moment, as these layers say it together."""
    for tape in picture.tapes:
        some: Mapping[str, Tensor] = {layer: tape.attention[layer] for layer in layers}
        together = replace(tape, attention=dict(some))
        for words in picture.phrases:
            yield words, properties.shape(together.map(Phrase(words)).float())[0]


def soft_overlap(outline: Tensor, area: Tensor) -> float:
    """Intersection over union of a soft outline (y, x) and a coverage (height, width), on the outline's grid."""
    target = on_grid(area, (outline.shape[0], outline.shape[1]), 1, Phrase("an area"), outline)[0]
    union = float(torch.maximum(outline, target).sum())
    return float(torch.minimum(outline, target).sum()) / union if union else 0.0


def table(result: Ranking, card_blocks: Sequence[str]) -> str:
    """For people: a line a layer, and what follows from all."""
    width = max(len(score.layer) for score in result.layers) + 2
    lines = [f"{'layer':{width}}{'grid':>8}{'overlap':>9}{'rank':>6}  heard"]
    for score in result.layers:
        grid, own = f"{score.grid[0]}x{score.grid[1]}", "  yes" if score.in_card else ""
        lines.append(f"{score.layer:{width}}{grid:>8}{score.overlap:9.3f}{score.rank:6}{own}")
    return "\n".join([*lines, "", *conclusion(result, card_blocks)])


def conclusion(result: Ranking, card_blocks: Sequence[str]) -> list[str]:
    """What the table says, in sentences."""
    own, best = ", ".join(card_blocks) or "all blocks", ", ".join(result.blocks)
    lines = [
        f"The Card hears {own}: overlap {result.card:.3f} with what the judge sees. "
        f"Best are {best}: {result.best:.3f}. By chance it would be {result.chance:.3f}; "
        f"{result.sightings} objects were seen."
    ]
    if not result.knows:
        lines.append("No layer knows where words are better than chance: do not trust this model's guidance yet.")
    elif result.leads:
        lines.append(f"The best layers are others than the Card's: {best} know better where words are.")
    else:
        lines.append("The Card's layers are as good as the best.")
    return lines
