# SPDX-License-Identifier: MIT
"""Frames follow their key frame, and nothing else changes."""

import pytest
import torch

from sg_core import generate, masks, place
from sg_core.edits.movement import stands
from sg_core.edits.reference import painted
from sg_core.edits.sequence import sequence
from sg_core.models.stable_diffusion_1 import StableDiffusion1

PROMPT, SIZE = "a castle on grass and a rocket", {"width": 64, "height": 64, "steps": 3}


def box(left: int, right: int, top: int = 2, bottom: int = 6) -> torch.Tensor:
    mask = torch.zeros(8, 8)
    mask[top:bottom, left:right] = 1.0
    return mask


def test_the_first_frame_is_painted_as_ever_and_what_stands_still_stays(model: StableDiffusion1) -> None:
    regions = {"castle": box(0, 3)}
    first, second, third = sequence(model, PROMPT, [regions, regions, {"castle": box(1, 4)}], seed=5, **SIZE)
    plain = generate(model, PROMPT, place(regions) + masks(regions, emphasis=model.card.emphasis), seeds=[5], **SIZE)
    assert torch.equal(first, plain[0])
    assert torch.allclose(second, first, atol=1e-5), "nothing moved"
    assert torch.allclose(third[:, :, 60:], first[:, :, 60:], atol=1e-5), "far from the castle nothing changed"
    assert not torch.allclose(third[:, 16:48, :32], first[:, 16:48, :32], atol=1e-2)


def test_what_comes_into_sight_makes_a_new_key_frame(model: StableDiffusion1) -> None:
    alone, both = {"castle": box(0, 3)}, {"castle": box(0, 3), "rocket": box(5, 8)}
    _, second, third = sequence(model, PROMPT, [alone, both, both], **SIZE)
    assert torch.allclose(third, second, atol=1e-5), "the third follows the second, which shows both"
    assert not torch.allclose(second[:, 16:48, 40:], third[:, 16:48, :24], atol=1e-2)


def test_what_left_is_painted_over(model: StableDiffusion1) -> None:
    both = {"castle": box(0, 3), "rocket": box(5, 8)}
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    key = painted(latent, PROMPT, both)
    (frame,) = sequence(model, PROMPT, [{"castle": box(0, 3)}], reference=key, **SIZE)
    before = model.decode(latent)[0]
    assert torch.allclose(frame[:, :, :24], before[:, :, :24], atol=1e-5)
    assert not torch.allclose(frame[:, 16:48, 40:], before[:, 16:48, 40:], atol=1e-2)


def test_the_previous_frame_can_be_followed(model: StableDiffusion1) -> None:
    frames = [{"castle": box(n, n + 3)} for n in range(3)]
    of_first, of_previous = (
        list(sequence(model, PROMPT, frames, after=after, **SIZE)) for after in ("first", "previous")
    )
    assert torch.equal(of_first[1], of_previous[1]) and not torch.equal(of_first[2], of_previous[2])


@pytest.mark.parametrize("other_views", [False, True])
def test_a_picture_that_is_there_is_the_first_key_frame(model: StableDiffusion1, other_views: bool) -> None:
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    key = painted(latent, PROMPT, {"castle": box(0, 3)}, seed=9)
    (frame,) = sequence(model, PROMPT, [{"castle": box(0, 3)}], reference=key, other_views=other_views, **SIZE)
    stays = torch.allclose(frame, model.decode(latent)[0], atol=1e-5)
    assert stays != other_views


def test_a_region_stands_where_its_masks_cover_the_same() -> None:
    assert stands(box(0, 3), box(0, 3)) and stands(box(0, 3), box(0, 3).repeat_interleave(4, 0).repeat_interleave(4, 1))
    assert not stands(box(0, 3), box(1, 4))
