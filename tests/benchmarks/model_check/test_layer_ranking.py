# SPDX-License-Identifier: MIT
"""Layers that look where the judge sees a phrase come first, by hand-drawn tapes."""

from dataclasses import replace

import pytest
import torch

from benchmarks.model_check import layer_ranking, map_sheet
from benchmarks.model_check.layer_maps import ProbePicture
from sg_core import Phrase, Tape
from sg_core.tokens import Words

NEAR, FAR, FLAT = "up_blocks.1.attentions.0.attn2", "down_blocks.0.attentions.0.attn2", "mid_block.attentions.0.attn2"
PHRASES = ("castle", "rocket")
WORDS = Words({Phrase("castle"): ((0,),), Phrase("rocket"): ((1,),)}, ((0, 1),))


def corner(row: int, column: int) -> torch.Tensor:
    """A quarter of a picture of 8 x 8 cells."""
    area = torch.zeros(8, 8)
    area[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1.0
    return area


def probe(castle: torch.Tensor, rocket: torch.Tensor) -> ProbePicture:
    """One layer looks at both where they are, one takes each for the other, one looks nowhere."""
    near, swapped = torch.stack([castle, rocket], -1), torch.stack([rocket, castle], -1)
    attention = {FAR: swapped[None] + 0.01, FLAT: torch.full((1, 8, 8, 2), 0.5), NEAR: near[None] + 0.01}
    areas = {"castle": castle, "rocket": rocket}
    return ProbePicture(PHRASES, torch.rand(3, 64, 64), (Tape(attention, WORDS),), areas)


PICTURES = [probe(corner(0, 0), corner(1, 1)), probe(corner(0, 1), corner(1, 0))]


def test_the_layer_that_looks_there_is_first() -> None:
    result = layer_ranking.ranking(PICTURES, [FAR])
    by_layer = {score.layer: score for score in result.layers}
    assert [score.layer for score in result.layers] == [FAR, FLAT, NEAR]  # as they speak
    assert by_layer[NEAR].rank == 1 and by_layer[NEAR].overlap > 0.9
    assert by_layer[FAR].overlap < 0.1 and by_layer[FAR].in_card
    assert result.blocks == ("up_blocks.1",)  # the others would take away
    assert (result.best, result.card) == (by_layer[NEAR].overlap, by_layer[FAR].overlap)
    assert result.chance < 0.1 and result.knows and result.leads and result.sightings == 4
    assert any("others than the Card's: up_blocks.1" in line for line in layer_ranking.conclusion(result, ["x"]))


def test_a_card_that_hears_the_best_is_as_good() -> None:
    result = layer_ranking.ranking(PICTURES, [NEAR])
    assert not result.leads
    assert layer_ranking.conclusion(result, ["up_blocks.1"])[-1] == "The Card's layers are as good as the best."


def test_layers_that_know_nothing_are_not_believed() -> None:
    blind = [
        replace(p, tapes=tuple(replace(t, attention={FLAT: t.attention[FLAT]}) for t in p.tapes)) for p in PICTURES
    ]
    result = layer_ranking.ranking(blind, [FLAT])
    assert not result.knows
    assert "better than chance" in layer_ranking.table(result, ["mid_block"])


def test_a_judge_that_sees_nothing_says_nothing_of_layers() -> None:
    with pytest.raises(layer_ranking.NothingSeen, match="none of the nouns in 2 pictures"):
        layer_ranking.ranking([replace(picture, areas={}) for picture in PICTURES], [NEAR])


@pytest.mark.parametrize(
    ("layer", "block"),
    [
        (NEAR, "up_blocks.1"),
        (FLAT, "mid_block"),
        ("transformer_blocks.7.attn", "transformer_blocks.7"),
        ("layers.3.attention", "layers.3"),
    ],
)
def test_blocks_are_called_as_cards_call_them(layer: str, block: str) -> None:
    assert layer_ranking.block_of(layer) == block


def test_the_sheet_shows_where_a_layer_looks() -> None:
    result = layer_ranking.ranking(PICTURES, [NEAR])
    sheet = map_sheet.map_sheet(PICTURES, result.layers)
    flat = map_sheet.map_sheet([replace(p, tapes=(flattened(p.tapes[0]),)) for p in PICTURES], result.layers)
    assert sheet.size == flat.size and sheet.width > map_sheet.LABEL + 4 * map_sheet.SIDE
    assert sheet.tobytes() != flat.tobytes()


def flattened(tape: Tape) -> Tape:
    return replace(tape, attention={name: torch.ones_like(mass) for name, mass in tape.attention.items()})
