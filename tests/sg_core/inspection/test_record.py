# SPDX-License-Identifier: MIT
"""Looking into a run changes nothing of it, and says what was there."""

from collections import deque
from dataclasses import replace

import pytest
import torch

from sg_core import Layout, Phrase, generate, masks, place
from sg_core.edits import look
from sg_core.edits.reference import painted
from sg_core.inspection.insight import Insight, Sizes
from sg_core.inspection.page import page
from sg_core.inspection.record import InspectedStep, Inspection, chosen_steps, inspected, reduced
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Moment

PROMPT, SIZE = "a castle on grass", {"width": 64, "height": 64, "steps": 5}
LEFT, RIGHT = torch.zeros(8, 8), torch.zeros(8, 8)
LEFT[2:6, :3], RIGHT[2:6, 5:] = 1.0, 1.0
REGIONS = {"castle": LEFT}


def kept(model: StableDiffusion1) -> Layout:
    """What keeps something of another picture, by every kind of term but none of the costliest."""
    moments: deque[Moment] = deque(maxlen=1)
    generate(model, PROMPT, watch=moments.append, **SIZE)
    before = painted(moments[0].latent, PROMPT, {"castle": RIGHT}, seed=0)
    return look.keep_look(model, before, REGIONS) + look.share(before, "castle", LEFT)


@pytest.mark.parametrize("case", ["plain", "placed", "held", "kept"])
def test_the_picture_is_the_same_bit_for_bit(model: StableDiffusion1, case: str) -> None:
    layouts = {
        "plain": Layout,
        "placed": lambda: place(REGIONS) + Layout(),
        "held": lambda: place(REGIONS) + masks(REGIONS, emphasis=3.0),
        "kept": lambda: place(REGIONS) + masks(REGIONS) + kept(model),
    }
    layout = layouts[case]()
    inspection = inspected(model, PROMPT, layout, phrases=["grass"], **SIZE)
    assert torch.equal(inspection.picture, generate(model, PROMPT, layout, **SIZE)[0])
    assert [step.step for step in inspection.steps] == [1, 2, 3, 4, 5]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.network.modules())


def test_every_step_says_what_it_looked_at_and_what_pulled_it(model: StableDiffusion1) -> None:
    inspection = inspected(model, PROMPT, place(REGIONS) + masks(REGIONS), phrases=["grass"], **SIZE)
    assert inspection.phrases == ("castle", "grass") and set(inspection.targets) == {"castle"}
    assert inspection.terms == ("shape of castle", "presence of castle")
    first, last = inspection.steps[0].insight, inspection.steps[-1].insight
    assert first.guided and first.sizes.push > 0 and first.sizes.gradient is not None
    assert not last.guided and last.sizes.push == 0 and last.sizes.gradient is None
    assert set(last.errors) == set(inspection.terms), "terms are read where they no longer pull, too"
    assert all(step.insight.sizes.kept == 0 and step.insight.sizes.correction > 0 for step in inspection.steps)
    for step in inspection.steps:
        total = step.insight.maps["castle"] + step.insight.maps["grass"]
        assert bool((total <= step.insight.content + 1e-6).all()), "a phrase has no more than all words together"


def test_the_size_of_the_push_is_what_was_asked_for(model: StableDiffusion1) -> None:
    inspection = inspected(model, PROMPT, place(REGIONS), strength=0.5, **SIZE)
    first = inspection.steps[0].insight.sizes
    assert first.push == pytest.approx(min(1.0, 0.5 * first.correction), rel=1e-3)


def test_what_is_kept_of_a_reference_has_a_size(model: StableDiffusion1) -> None:
    inspection = inspected(model, PROMPT, kept(model), **SIZE)
    assert all(step.insight.sizes.kept > 0 and not step.insight.guided for step in inspection.steps)


def test_a_picture_without_a_layout_is_looked_into(model: StableDiffusion1) -> None:
    inspection = inspected(model, PROMPT, phrases=[Phrase("castle"), "grass"], **SIZE)
    assert inspection.phrases == ("castle", "grass") and inspection.terms == () and not inspection.targets
    assert inspected(model, PROMPT, **SIZE).phrases == ()


def test_a_flow_is_looked_into(flow) -> None:
    layout = place(REGIONS) + masks(REGIONS)
    inspection = inspected(flow, PROMPT, layout, scheduler="euler", **SIZE)
    assert torch.equal(inspection.picture, generate(flow, PROMPT, layout, scheduler="euler", **SIZE)[0])
    assert inspection.steps[0].insight.maps["castle"].shape[0] == 1


def drawn(attention: torch.Tensor, content: torch.Tensor) -> Inspection:
    """One step that looked there."""
    insight = Insight({"castle": attention[None]}, content[None], {}, {}, Sizes(None, 0.0, 0.0, 0.0), guided=False)
    return Inspection(torch.zeros(3, 8, 8), (InspectedStep(1, 1, insight),), {"castle": LEFT})


def test_shares_are_of_the_attention() -> None:
    attention = 3 * LEFT + RIGHT  # three quarters inside
    inspection = drawn(attention, torch.full((8, 8), 4.0))
    assert inspection.share_inside("castle") == [pytest.approx(0.75)]
    assert inspection.share_of_words("castle") == [pytest.approx(0.75)]  # of the best cells, 3 of 4
    assert drawn(torch.zeros(8, 8), torch.zeros(8, 8)).share_inside("castle") == [0.0]


def test_every_walk_of_a_picture_is_looked_into(model: StableDiffusion1) -> None:
    """Refinement and enlargement too, whose maps are larger: each share is of the map of its own step."""
    again = {**SIZE, "width": 128, "height": 128, "refinement": 0.4, "enlargement": 2.0, "denoising": 0.4}
    inspection = inspected(model, PROMPT, place(REGIONS) + masks(REGIONS), **again)
    sides = [step.insight.maps["castle"].shape[-1] for step in inspection.steps]
    assert sides[:7] == [sides[0]] * 7 and sides[7:] == [2 * sides[0]] * 2
    alone = [replace(inspection, steps=(step,)).share_inside("castle")[0] for step in inspection.steps]
    assert inspection.share_inside("castle") == alone and all(0.0 < share < 1.0 for share in alone)
    assert "castle at step 9" in page(inspection, PROMPT)


def test_previews_are_few_and_small(model: StableDiffusion1) -> None:
    inspection = inspected(model, PROMPT, previews=2, **SIZE)
    assert [step.step for step in inspection.steps if step.preview is not None] == [1, 5]
    sizes = [tuple(reduced(torch.rand(3, *side)).shape) for side in ((400, 200), (64, 64))]
    assert sizes == [(3, 160, 80), (3, 64, 64)]
    assert list(chosen_steps(4, 9)) == [1, 2, 3, 4] and chosen_steps(1000, 3) == [1, 501, 1000]
    assert list(chosen_steps(30, 1)) == [1]


def test_of_several_pictures_the_first_is_looked_into(model: StableDiffusion1) -> None:
    """With its own mask, where each has one."""
    several = {"castle": torch.stack([LEFT, RIGHT])}
    inspection = inspected(model, PROMPT, masks(several), seeds=[0, 1], **SIZE)
    assert torch.equal(inspection.targets["castle"], LEFT)
    assert "castle" in page(inspection, PROMPT)
