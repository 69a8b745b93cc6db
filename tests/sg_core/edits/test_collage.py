# SPDX-License-Identifier: MIT
"""Objects out of several pictures arrive in one; a blocking's colours are what the picture begins as."""

from collections import deque

import pytest
import torch

from sg_core import generate
from sg_core.edits.collage import Cutting, blocking, collage, flat_picture
from sg_core.edits.keeping import Carry
from sg_core.edits.look import put_over
from sg_core.edits.reference import Reference, painted
from sg_core.errors import RequestError
from sg_core.layout import Layout
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Moment

PROMPT, SIZE = "a castle and a rocket on grass", {"width": 64, "height": 64, "steps": 4}
RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9)


def box(left: int, right: int, top: int = 2, bottom: int = 5) -> torch.Tensor:
    mask = torch.zeros(8, 8)
    mask[top:bottom, left:right] = 1.0
    return mask


def clean(model: StableDiffusion1, layout: Layout, seed: int = 3) -> torch.Tensor:
    moments: deque[Moment] = deque(maxlen=1)
    generate(model, PROMPT, layout, seeds=[seed], watch=moments.append, **SIZE)
    return moments[0].latent


def reference(words: str, mask: torch.Tensor, seed: int) -> Reference:
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))
    return painted(latent, f"a {words} on grass", {words: mask}, seed=seed)


def test_each_object_comes_out_of_its_own_picture(model: StableDiffusion1) -> None:
    castle, rocket = reference("castle", box(0, 3), 1), reference("rock", box(4, 7), 2)
    cuttings = [Cutting(castle, "castle", box(4, 7)), Cutting(rocket, "rocket", box(0, 3), source="rock")]
    latent = clean(model, collage(model, cuttings, until=1.0))
    for one, old, new in ((castle, slice(0, 3), slice(4, 7)), (rocket, slice(4, 7), slice(0, 3))):
        goal, other = (image.latent[..., 2:5, old] for image in (one, castle if one is rocket else rocket))
        apart = (latent[..., 2:5, new] - goal).abs().mean()
        assert apart < 0.1 * goal.abs().mean() and apart < 0.1 * (latent[..., 2:5, new] - other).abs().mean()


def test_the_nearer_lies_on_top(model: StableDiffusion1) -> None:
    far, near = reference("castle", box(0, 3), 1), reference("rocket", box(0, 3), 2)
    cuttings = [Cutting(far, "castle", box(3, 6)), Cutting(near, "rocket", box(3, 6))]
    latent = clean(model, collage(model, cuttings, until=1.0))
    assert (latent[..., 2:5, 3:6] - near.latent[..., 2:5, :3]).abs().mean() < 0.1


def test_the_ground_is_another_picture_to_the_pixel(model: StableDiffusion1) -> None:
    ground, castle = reference("grass", box(0, 8, 6, 8), 5), reference("castle", box(0, 3), 1)
    layout = collage(model, [Cutting(castle, "castle", box(4, 7))], ground=ground)
    picture = generate(model, PROMPT, layout, **SIZE)[0]
    assert torch.equal(picture[:, :, :16], model.decode(ground.latent)[0][:, :, :16])


def test_an_object_is_cut_into_what_is_behind_it(model: StableDiffusion1) -> None:
    """Around it is the other picture, not what was around it in its own; the nearer one's rim shows the farther one."""
    one, ground = reference("castle", box(0, 3), 1), reference("grass", box(0, 8, 6, 8), 5)
    own, behind = one.decoded(model), ground.decoded(model)
    picture, cover = put_over(own, one, {"castle": box(4, 7)}, behind)
    assert torch.equal(picture[:, :, cover[0, 0] == 0], behind[:, :, cover[0, 0] == 0])
    assert torch.allclose(picture[..., 20:36, 36:52], own[..., 20:36, 4:20], atol=1e-4)
    nearer = reference("rocket", box(0, 3), 2)
    cuttings = [Cutting(one, "castle", box(4, 7)), Cutting(nearer, "rocket", box(4, 7, 3, 6))]
    goals = [term.goal for term in collage(model, cuttings, behind=ground).keeping.of(Carry, 0.0)]
    both = put_over(nearer.decoded(model), nearer, {"rocket": box(4, 7, 3, 6)}, picture)[0]
    for goal, expected in zip(goals, (picture, both), strict=True):
        assert (goal - model.latent(expected)).abs()[..., 0:2, 3:8].max() < 1e-4
    assert (goals[0] - collage(model, cuttings).keeping.of(Carry, 0.0)[0].goal).abs().max() > 0.1


def test_what_a_picture_does_not_have_is_named(model: StableDiffusion1) -> None:
    with pytest.raises(RequestError, match="no region rocket: it has castle"):
        collage(model, [Cutting(reference("castle", box(0, 3), 1), "rocket", box(4, 7))])


def test_blocks_lie_over_each_other_in_their_colours() -> None:
    blocks = {"castle": (box(0, 4), RED), "rocket": (box(2, 6), BLUE)}
    picture = flat_picture(blocks, (64, 64), None)
    assert picture.shape == (3, 64, 64)
    for point, colour in ((8, RED), (24, BLUE), (60, (0.5, 0.5, 0.5))):
        assert torch.allclose(picture[:, 24, point], torch.tensor(colour))


def test_a_picture_begins_as_its_blocks(model: StableDiffusion1) -> None:
    blocks = {"castle": (box(0, 4), RED)}
    goal = model.latent(flat_picture(blocks, (64, 64), None)[None])
    plain, little, much = (clean(model, blocking(model, blocks, (64, 64), amount=part)) for part in (0.0, 0.4, 1.0))
    inside, outside = (..., slice(2, 5), slice(0, 4)), (..., slice(0, 8), slice(6, 8))
    apart = [float((latent[inside] - goal[inside]).abs().mean()) for latent in (plain, little, much)]
    assert apart[0] > apart[1] > apart[2] and apart[2] < 0.5 * apart[0]
    assert (much[outside] - plain[outside]).abs().mean() < (goal[outside] - plain[outside]).abs().mean()
    everywhere = clean(model, blocking(model, blocks, (64, 64), amount=1.0, ground=BLUE))
    ground = model.latent(flat_picture(blocks, (64, 64), BLUE)[None])
    assert (everywhere - ground).abs().mean() < 0.5 * (plain - ground).abs().mean()


def test_blocks_are_off_bit_for_bit(model: StableDiffusion1) -> None:
    blocks = {"castle": (box(0, 4), RED)}
    off = generate(model, PROMPT, blocking(model, blocks, (64, 64), amount=0.0), **SIZE)
    assert torch.equal(off, generate(model, PROMPT, **SIZE))
    assert not torch.equal(off, generate(model, PROMPT, blocking(model, blocks, (64, 64)), **SIZE))


@pytest.mark.parametrize(
    ("colour", "amount", "words"), [((2.0, 0.0, 0.0), 0.5, "no colour"), (RED, 2.0, "it is 0 to 1")]
)
def test_what_is_no_colour_or_amount_is_refused(model: StableDiffusion1, colour, amount: float, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        blocking(model, {"castle": (box(0, 4), colour)}, (64, 64), amount=amount)
