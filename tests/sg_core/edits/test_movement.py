# SPDX-License-Identifier: MIT
"""Where a region went, and that noise on the way stays the noise it was."""

import pytest
import torch
import torch.nn.functional as F

from sg_core.edits.movement import box_sums, filled, grown, moved, moved_noise, movement
from sg_core.errors import RequestError


def block(left: int, top: int, width: int, height: int, side: int = 32) -> torch.Tensor:
    mask = torch.zeros(side, side)
    mask[top : top + height, left : left + width] = 1.0
    return mask


def noise() -> torch.Tensor:
    return torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_a_block_that_stayed_shows_what_it_showed() -> None:
    values = noise()
    path = movement(block(4, 4, 8, 8), block(4, 4, 8, 8))
    assert torch.allclose(moved(values, path), values, atol=1e-5)
    assert torch.equal(moved_noise(values, path, block(2, 2, 4, 4, 16) > 0), values)


@pytest.mark.parametrize(("old", "new"), [((4, 4, 8, 8), (18, 10, 8, 8)), ((4, 4, 8, 8), (16, 16, 16, 8))])
def test_a_picture_goes_where_its_mask_goes(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    before, after = block(*old), block(*new)
    arrived = moved(before[None, None], movement(before, after))[0, 0]
    assert (arrived - after).abs().mean() < 0.03


def test_a_stretch_within_a_pixel_or_so_is_none() -> None:
    assert movement(block(4, 4, 32, 32, 64), block(8, 8, 33, 31, 64)).stretch == (1.0, 1.0)
    assert movement(block(4, 4, 8, 8), block(8, 8, 16, 8)).stretch == (2.0, 1.0)


@pytest.mark.parametrize("new", [(20, 8, 8, 8), (8, 8, 20, 20), (18, 18, 4, 4), (26, 26, 6, 6)])
def test_noise_only_changes_cells_whatever_the_region_does(new: tuple[int, ...]) -> None:
    values, after = noise(), block(*new)
    target = grown(torch.nn.functional.avg_pool2d(after[None], 2)[0], 1)
    travelled = moved_noise(values, movement(block(4, 4, 8, 8), after), target)
    assert torch.equal(travelled.flatten(2).sort(2).values, values.flatten(2).sort(2).values)
    assert not torch.equal(travelled, values)


def test_noise_arrives_at_the_new_cells_in_its_order() -> None:
    values = noise()
    travelled = moved_noise(values, movement(block(4, 4, 8, 8), block(16, 12, 8, 8)), block(8, 6, 4, 4, 16) > 0)
    assert torch.equal(travelled[..., 6:10, 8:12], values[..., 2:6, 2:6])


def test_a_mask_with_nothing_in_it_goes_nowhere() -> None:
    with pytest.raises(RequestError, match="covers nothing"):
        movement(torch.zeros(8, 8), block(4, 4, 8, 8))


@pytest.mark.parametrize("reach", [0, 1, 3, 40])
def test_sums_over_squares_are_those_of_average_pooling(reach: int) -> None:
    values = noise()[..., :13]
    side = 2 * reach + 1
    assert torch.allclose(
        box_sums(values, reach), side**2 * F.avg_pool2d(F.pad(values, [reach] * 4), side, 1), atol=1e-4
    )


def test_a_hole_is_filled_with_what_is_around_it() -> None:
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, 0, :, :32], picture[:, 2, :, 32:] = 1.0, 1.0
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 4:60] = 1.0
    red = picture.clone()
    red[:, :, 20:40, 4:60] = torch.tensor((0.0, 1.0, 0.0)).view(1, 3, 1, 1)
    whole = filled(red, hole)
    assert whole[:, 1].max() == 0.0, "nothing of the object is left"
    assert torch.equal(whole[..., :14, :], picture[..., :14, :])
    assert whole[0, 0, 30, 8] > 0.9 and whole[0, 2, 30, 56] > 0.9
    assert torch.equal(filled(red, 0 * hole), red) and torch.equal(filled(red, torch.ones_like(hole)), red)


def test_what_is_thin_reaches_the_cells_that_it_covers_best() -> None:
    """A mast, which covers no cell by half."""
    mask = torch.zeros(8, 8)
    mask[:, 3], mask[:, 4] = 0.3, 0.1
    assert torch.equal(grown(mask, 0), mask > 0.2)
    assert not grown(torch.zeros(8, 8), 1).any()
    assert torch.equal(grown(block(4, 4, 8, 8), 0), block(4, 4, 8, 8) > 0)
