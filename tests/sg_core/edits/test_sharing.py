# SPDX-License-Identifier: MIT
"""Shared keys: the cells of a region as one softmax over all that they are offered, all others untouched."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.edits.sharing import BELONGS, KeyOffer, SharedPart, SharedRegion, offered_keys

SIZE, HEADS, WIDTH = (4, 6), 2, 8
CELLS = SIZE[0] * SIZE[1]


def masks() -> list[Tensor]:
    """Left, right and the middle, each coverage (4, 6)."""
    covers = [torch.zeros(SIZE) for _ in range(3)]
    covers[0][:, :2], covers[1][:, 4:], covers[2][1:3, 1:5] = 1.0, 0.5, 1.0
    return covers


def spoken(seed: int) -> tuple[Tensor, Tensor]:
    return torch.randn(2, 1, HEADS, CELLS, WIDTH, generator=torch.Generator().manual_seed(seed)).unbind(0)


def by_a_mask(query: Tensor, own: tuple[Tensor, Tensor], regions: list[SharedRegion]) -> Tensor:
    """The same by the definition: every key of every reference, with -inf for those that a cell is not offered."""
    keys, values, biases = [own[0]], [own[1]], [torch.zeros(CELLS, CELLS)]
    for region in regions:
        weights = torch.zeros(CELLS, CELLS)
        for old, new, weight in region.parts:
            weights = weights.maximum(weight * torch.outer((new >= BELONGS).flatten(), (old >= BELONGS).flatten()))
        keys.append(region.spoken["attn"][0].expand(len(query), -1, -1, -1))
        values.append(region.spoken["attn"][1].expand(len(query), -1, -1, -1))
        biases.append(torch.where(weights > 0, weights.log(), -math.inf))
    return F.scaled_dot_product_attention(query, torch.cat(keys, 2), torch.cat(values, 2), torch.cat(biases, 1))


def shared(query: Tensor, own: tuple[Tensor, Tensor], regions: list[SharedRegion]) -> Tensor:
    with KeyOffer("attn", Grid(*SIZE), regions, {}):
        answer: Tensor = F.scaled_dot_product_attention(query, *own)
    return answer


def one(seed: int, *parts: SharedPart) -> SharedRegion:
    return SharedRegion({"attn": spoken(seed)}, parts)


left, right, middle = masks()
CASES = {
    "one": [one(1, (left, right, 1.0))],
    "weakly": [one(1, (left, right, 0.3))],
    "two parts that overlap": [one(1, (left, right, 1.0), (right, middle, 0.5))],
    "two references": [one(1, (left, right, 1.0)), one(2, (middle, middle, 0.7))],
    "nowhere": [one(1, (left, torch.zeros(SIZE), 1.0))],
    "of nothing": [one(1, (torch.zeros(SIZE), middle, 1.0))],
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_offered_is_as_by_a_mask(name: str) -> None:
    regions, batch = CASES[name], 3
    query, *own = torch.randn(3, batch, HEADS, CELLS, WIDTH, generator=torch.Generator().manual_seed(7)).unbind(0)
    answer, plain = shared(query, (own[0], own[1]), regions), F.scaled_dot_product_attention(query, *own)
    assert torch.allclose(answer, by_a_mask(query, (own[0], own[1]), regions), atol=1e-6)
    new = torch.stack([part[1] for region in regions for part in region.parts]).amax(0).flatten() >= BELONGS
    assert torch.equal(answer[:, :, ~new], plain[:, :, ~new])
    assert name in ("nowhere", "of nothing") or not torch.allclose(answer[:, :, new], plain[:, :, new], atol=1e-3)


def test_a_grid_is_offered_its_keys_once() -> None:
    offers = offered_keys([[(left, right, 1.0)]], SIZE, torch.zeros(1))
    assert offers.cells.tolist() == right.flatten().nonzero()[:, 0].tolist()
    assert offers.keys[0].tolist() == left.flatten().nonzero()[:, 0].tolist()
    assert offers.bias.shape == (len(offers.cells), len(offers.keys[0])) and not offers.bias.any()


def test_its_gradient_reaches_the_queries_of_all_cells() -> None:
    query, *own = torch.randn(3, 1, HEADS, CELLS, WIDTH, generator=torch.Generator().manual_seed(7)).unbind(0)
    slopes = []
    for attend in (shared, by_a_mask):
        leaf = query.clone().requires_grad_(True)
        attend(leaf, (own[0], own[1]), CASES["two references"]).square().sum().backward()
        assert leaf.grad is not None
        slopes.append(leaf.grad)
    assert torch.allclose(*slopes, atol=1e-5)
