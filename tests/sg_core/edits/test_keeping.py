# SPDX-License-Identifier: MIT
"""What is kept of a reference is kept, and what is off is off bit for bit."""

from collections import deque

import pytest
import torch

from sg_core import generate
from sg_core.edits import look
from sg_core.edits.keeping import Carry, Keeping
from sg_core.edits.reference import Reference, RegionMasks, painted, pictured
from sg_core.errors import RequestError
from sg_core.layout import Layout
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Moment
from tests.sg_core.flow_model import TinyFlow

PROMPT, SIZE = "a castle on grass", {"width": 64, "height": 64, "steps": 4}
OLD, NEW = torch.zeros(8, 8), torch.zeros(8, 8)
OLD[2:5, 1:4], NEW[3:6, 4:7] = 1.0, 1.0


def paint(model: StableDiffusion1, layout: Layout | None = None, seed: int = 0, **options) -> torch.Tensor:
    return generate(model, PROMPT, layout, seeds=[seed], **{**SIZE, **options})


def reference(model: StableDiffusion1, **options) -> Reference:
    """A picture of the model's own, with its castle at OLD."""
    moments: deque[Moment] = deque(maxlen=1)
    paint(model, watch=moments.append, **options)
    return painted(moments[0].latent, PROMPT, {"castle": OLD}, seed=0)


def clean(model: StableDiffusion1, layout: Layout, **options) -> torch.Tensor:
    moments: deque[Moment] = deque(maxlen=1)
    paint(model, layout, watch=moments.append, **options)
    return moments[0].latent


@pytest.mark.parametrize("scheduler", ["ddim", "euler", "euler a", "dpm++ 2m", "ddpm"])
def test_what_is_frozen_stays_the_reference(model: StableDiffusion1, scheduler: str) -> None:
    before = reference(model)
    latent = clean(model, look.freeze(before, NEW), seed=5, scheduler=scheduler)
    closed = NEW == 0
    assert torch.allclose(
        latent[..., closed], before.latent[..., closed], atol=0.15
    )  # SD 1 ends a little before no noise
    assert not torch.allclose(latent[..., ~closed], before.latent[..., ~closed], atol=0.5)


def test_frozen_pixels_are_the_reference_s_own_bit_for_bit(model: StableDiffusion1) -> None:
    photograph = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))
    before = pictured(model, photograph, PROMPT, {"castle": OLD})
    picture = paint(model, look.freeze(before, NEW))[0]
    assert torch.equal(picture[:, :, :28], photograph[:, :, :28])
    assert not torch.allclose(picture[:, 24:48, 32:56], photograph[:, 24:48, 32:56], atol=0.1)


@pytest.mark.parametrize("term", ["follow", "freeze", "hold", "share", "carry"])
def test_a_term_without_weight_is_off_bit_for_bit(model: StableDiffusion1, term: str) -> None:
    before = reference(model)
    layouts = {
        "follow": lambda: look.follow(before, "castle", NEW),
        "freeze": lambda: look.freeze(before, NEW),
        "hold": lambda: look.hold(before, "castle", NEW),
        "share": lambda: look.share(before, "castle", NEW),
        "carry": lambda: look.carry(model, before, {"castle": NEW}),
    }
    plain = paint(model, seed=3)
    assert not torch.equal(paint(model, layouts[term](), seed=3), plain), "it does nothing at all"
    assert torch.equal(paint(model, 0.0 * layouts[term](), seed=3), plain)


def test_what_is_carried_arrives(model: StableDiffusion1) -> None:
    before = reference(model)
    latent = clean(model, look.carry(model, before, {"castle": NEW}, until=1.0), seed=7)
    apart = (latent[..., 3:6, 4:7] - before.latent[..., 2:5, 1:4]).abs().mean()
    assert apart < 0.1 * (before.latent[..., 3:6, 4:7] - before.latent[..., 2:5, 1:4]).abs().mean()


def test_what_is_held_has_the_reference_s_mean(model: StableDiffusion1) -> None:
    before = reference(model)
    latent = clean(model, look.hold(before, "castle", NEW, 1.0), seed=7)
    means = [values.mean(1) for values in (latent[0][:, NEW > 0], before.latent[0][:, OLD > 0])]
    assert torch.allclose(*means, atol=0.05)


def test_a_layout_is_kept_where_its_regions_are_and_around_them_words_decide(model: StableDiffusion1) -> None:
    before = reference(model)
    everywhere, inside = (
        clean(model, look.keep_layout(before, regions, until=1.0), seed=7, negative="castle castle", scale=9.0)
        for regions in (None, {"castle": OLD})
    )
    assert torch.allclose(everywhere, before.latent, atol=0.15)
    assert torch.allclose(inside[..., OLD > 0], before.latent[..., OLD > 0], atol=0.15)
    apart, held = ((latent - before.latent)[..., OLD == 0].abs().mean() for latent in (inside, everywhere))
    assert apart > 2 * held
    plain = paint(model, seed=7)
    assert torch.equal(paint(model, 0.0 * look.keep_layout(before, {"castle": OLD}), seed=7), plain)


def test_a_reference_of_another_size_is_refused(model: StableDiffusion1) -> None:
    with pytest.raises(RequestError, match="8 x 8 cells and the picture 12 x 8"):
        paint(model, look.freeze(reference(model), NEW), width=96)
    goal = Carry(torch.zeros(1, *model.latent_shape(64, 64)), torch.ones(8, 8))
    with pytest.raises(RequestError, match="8 x 8 cells and the picture 12 x 8"):
        paint(model, Layout(keeping=Keeping((goal,))), width=96)


def test_a_region_that_the_reference_does_not_have_is_named(model: StableDiffusion1) -> None:
    with pytest.raises(RequestError, match="no region grass: it has castle"):
        look.follow(reference(model), "grass", NEW)


def test_a_family_that_cannot_share_says_so(flow: TinyFlow) -> None:
    latent = torch.zeros(1, *flow.latent_shape(64, 64))
    before = painted(latent, PROMPT, {"castle": OLD})
    with pytest.raises(RequestError, match="picture and words in the same layers"):
        paint(flow, look.share(before, "castle", NEW), scheduler="euler")


def test_all_that_is_kept_at_once_leaves_no_hook(model: StableDiffusion1) -> None:
    before = reference(model)
    layout = look.keep_look(model, before, {"castle": NEW}) + look.share(before, "castle", NEW)
    paint(model, layout + look.hold(before, "castle", NEW))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.network.modules())


def test_what_stays_beside_a_region_is_not_opened(model: StableDiffusion1) -> None:
    beside = torch.zeros(8, 8)
    beside[4:6, 3:4] = 1.0
    before = reference(model)
    with_it, without = (look.opened(before, {"castle": NEW}, others) for others in ({"grass": beside}, {}))
    assert without[4, 3] == 1 and with_it[4, 3] == 0 and with_it[NEW > 0].min() == 1


def test_what_a_region_leaves_begins_as_its_surroundings_but_where_others_are(model: StableDiffusion1) -> None:
    before, beside = reference(model), torch.zeros(8, 8)
    beside[2:5, 1:2] = 1.0
    smaller = torch.zeros(8, 8)
    smaller[3:4, 2:3] = 1.0

    def emptied(regions: RegionMasks, **options) -> torch.Tensor:
        terms = look.keep_look(model, before, regions, **options).keeping.terms
        return next(term.cover for term in terms if isinstance(term, Carry))

    left = emptied({"castle": smaller})
    assert left[2, 1] > 0.5 and left[3, 2] < 0.1 and left[6, 6] == 0
    assert emptied({"castle": OLD}).max() == 0, "what stays leaves nothing"
    assert emptied({"castle": smaller}, others={"grass": beside})[2:5, 1].max() == 0
    assert emptied({"castle": smaller, "grass": beside}, repainted=["grass"])[2:5, 1].max() == 0


def test_an_enlarged_picture_is_kept_in_its_first_pass_alone(model: StableDiffusion1) -> None:
    layout, moments = look.freeze(reference(model), NEW), list[Moment]()
    small = clean(model, layout, seed=5)
    picture = paint(model, layout, 5, width=128, height=128, enlargement=2.0, denoising=0.5, watch=moments.append)
    assert picture.shape == (1, 3, 128, 128) and picture.isfinite().all()
    assert torch.equal(moments[3].latent, small) and len(moments) == 6
    assert moments[-1].latent.shape[2:] == (16, 16)
