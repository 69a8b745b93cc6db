# SPDX-License-Identifier: MIT
"""Frames follow their key frame, and nothing else changes."""

import pytest
import torch

from sg_core import Moment, generate, masks, place
from sg_core.edits.movement import stands
from sg_core.edits.reference import painted
from sg_core.edits.sequence import sequence
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.noise import initial_noise, varied

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


def test_enlarged_frames_follow_the_first_pass_of_their_key_frame(model: StableDiffusion1) -> None:
    alone, both = {"castle": box(0, 3)}, {"castle": box(0, 3), "rocket": box(5, 8)}
    moments: list[Moment] = []
    large = {**SIZE, "width": 128, "height": 128, "enlargement": 2.0, "denoising": 0.4, "watch": moments.append}
    pictures = list(sequence(model, PROMPT, [alone, alone, both, both], **large))
    assert [tuple(picture.shape) for picture in pictures] == [(3, 128, 128)] * 4
    small = [moment.latent for moment in moments if moment.step == 3]
    assert [latent.shape[-1] for latent in small] == [8] * 4
    assert (small[1] - small[0]).abs().max() < 0.1 and (small[3] - small[2]).abs().max() < 0.1, "nothing moved"
    assert (small[2] - small[1]).abs().max() > 0.5


def test_a_varied_frame_is_followed_with_the_noise_that_it_was_painted_from(model: StableDiffusion1) -> None:
    """Where nothing moved, the first step of the next one leads from that towards the key frame."""
    moments: list[Moment] = []
    told = {"variation": 0.5, "variation_seed": 8}
    list(sequence(model, PROMPT, [{"castle": box(0, 3)}] * 2, seed=5, watch=moments.append, **told, **SIZE))
    key, (first, second, _) = moments[2].latent, model.steps(3, "ddim").steps
    left = (moments[3].latent - second.alpha * key) / second.sigma
    noise = initial_noise([torch.Generator().manual_seed(5)], (4, 8, 8))
    assert torch.allclose(first.alpha * key + first.sigma * left, varied(noise, 8, 0.5), atol=1e-3)


def test_a_region_stands_where_its_masks_cover_the_same() -> None:
    assert stands(box(0, 3), box(0, 3)) and stands(box(0, 3), box(0, 3).repeat_interleave(4, 0).repeat_interleave(4, 1))
    assert not stands(box(0, 3), box(1, 4))
