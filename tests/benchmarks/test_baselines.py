# SPDX-License-Identifier: MIT
"""The baselines do what their papers say, on the model that ships."""

from dataclasses import replace

import pytest
import torch

from addon.request.settings import FEW_NOISE, default
from benchmarks.baselines import (
    attend_and_excite,
    best_of,
    boxdiff,
    dense_diffusion,
    layer_fusion,
    layout_guidance,
    region_boundary,
    words,
)
from benchmarks.baselines.attention import grid, listening
from benchmarks.baselines.loop import begin, paint
from benchmarks.flops import flops
from benchmarks.placement.cases import Case, draw_case
from benchmarks.placement.guided import GuidedSettings, guided, unguided
from benchmarks.placement.methods import PEERS, methods, with_values
from sg_core import generate, load, masks, shaped_noise
from sg_core.models.cards import CARDS
from sg_core.models.model import Model
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import load_atlas

STEPS = 3


@pytest.fixture(scope="module")
def model() -> Model:
    return load("toybox")


@pytest.fixture(scope="module")
def case() -> Case:
    return draw_case("development", "blocks", 2, 0, load_atlas(FALLBACK.nouns))


@pytest.fixture(scope="module")
def plain(model, case):
    return unguided(model, case, 0, STEPS)


def test_their_loop_is_our_loop(model, case, plain):
    """What differs between methods is what they do about the layout, and nothing else."""
    assert torch.equal(paint(begin(model, case), case, 0, STEPS), plain)


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_paints_another_picture_from_the_same_noise(model, case, plain, name):
    function, settings = PEERS[name]
    picture = function(model, case, 0, STEPS, settings())
    assert picture.shape == plain.shape and bool(picture.isfinite().all())
    assert not torch.equal(picture, plain)
    assert torch.equal(picture, function(model, case, 0, STEPS, settings()))


def first_step(model, case):
    run = begin(model, case)
    step = model.steps(30, "ddim").steps[0]
    return run, torch.randn(1, 12, 16, 16, generator=torch.Generator().manual_seed(0)), step


LOSSES = {
    "layout-guidance": (layout_guidance.loss, layout_guidance.LayoutGuidanceSettings().layers),
    "attend-and-excite": (
        lambda run, overheard, z: attend_and_excite.loss(run, overheard, z, 10.0),
        attend_and_excite.AttendAndExciteSettings().layers,
    ),
    "boxdiff": (
        lambda run, overheard, z: boxdiff.loss(run, attend_and_excite.excited(run, overheard, z, 20.0), 0.2),
        boxdiff.BoxDiffSettings().layers,
    ),
    "r-and-b": (
        lambda run, overheard, z: region_boundary.loss(run, overheard, z, region_boundary.RegionBoundarySettings()),
        region_boundary.RegionBoundarySettings().layers,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_falls_along_its_gradient(model, case, name):
    loss, layers = LOSSES[name]
    run, latent, step = first_step(model, case)
    before, gradient = run.gradient(latent, step, layers, lambda overheard, z: loss(run, overheard, z))
    down = latent - 0.3 * gradient / gradient.square().mean().sqrt()
    after, _ = run.gradient(down, step, layers, lambda overheard, z: loss(run, overheard, z))
    assert after < before


def test_hearing_changes_nothing(model, case):
    run, latent, step = first_step(model, case)
    with torch.no_grad():
        expected = model.predict(latent, step, run.text)
        with listening(model.network, ["down_blocks.0", "up_blocks.1"]) as listener:
            assert torch.equal(model.predict(latent, step, run.text), expected)
    assert set(listener.overheard) == set(model.layers(latent))
    for attention in listener.overheard.values():
        assert torch.allclose(attention.sum(-1), torch.ones(()), atol=1e-5)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_places_of_a_layer_find_their_grid():
    latent = torch.zeros(1, 4, 20, 12)
    assert grid(240, latent) == (20, 12) and grid(60, latent) == (10, 6) and grid(15, latent) == (5, 3)


def test_words_say_the_side(model, case):
    sides = {words.side(target, 0.12) for target in case.targets}
    assert sides <= {"left", "right", "top", "bottom", "middle"}
    picture = words.words(model, case, 0, STEPS, words.WordsSettings())
    assert not torch.equal(picture, words.words(model, case, 0, STEPS, words.WordsSettings(margin=1.0)))


def test_the_best_of_several_is_none_of_the_worse(model, case):
    settings = best_of.BestOfSettings(pictures=2, budget=4.0)  # each has twice the steps
    best = best_of.best_of(model, case, 0, STEPS, settings)
    run = begin(model, case)
    each = [paint(run, case, seed, 2 * STEPS) for seed in (0, 10_000)]
    assert best_of.overlap(best, case) == max(best_of.overlap(picture, case) for picture in each)
    budget = replace(settings, budget=2.0)
    unguided_cost = flops(lambda: unguided(model, case, 0, STEPS))
    assert flops(lambda: best_of.best_of(model, case, 0, STEPS, budget)) / unguided_cost < 2.5  # two pictures, decoded


def test_without_weights_or_layers_a_gradient_free_peer_is_plain(model, case, plain):
    nothing = dense_diffusion.DenseDiffusionSettings(words=0.0, places=0.0)
    assert torch.allclose(dense_diffusion.dense_diffusion(model, case, 0, STEPS, nothing), plain, atol=1e-4)
    unfused = layer_fusion.LayerFusionSettings(until=0.0)
    fused = layer_fusion.layer_fusion(model, case, 0, STEPS, unfused)
    assert fused.shape == plain.shape
    assert torch.allclose(fused, plain, atol=1e-4)


@pytest.mark.parametrize("steps", [STEPS, CARDS["toybox"].few])
def test_ours_is_what_generate_paints(model, case, steps):
    """With few steps the layout shapes the noise, and its pull is in proportion; else words are emphasised."""
    from sg_core.edits.recipes import place

    card, nearest_first = model.card, dict(reversed(case.masks.items()))
    few = steps < card.few
    own = masks(nearest_first) + shaped_noise(FEW_NOISE) if few else masks(nearest_first, emphasis=card.emphasis)
    direct = generate(
        model,
        case.prompt,
        place(case.masks) + own,
        seeds=[0],
        width=128,
        height=128,
        steps=steps,
        scale=card.scale,
        strength=default("strength", card, steps),
    )[0]
    assert torch.equal(methods()["ours"](model, case, 0, steps), direct)


def test_refined_is_what_generate_refines(model, case):
    from sg_core.edits.recipes import place

    card = model.card
    own = masks(dict(reversed(case.masks.items())), emphasis=card.emphasis)
    size = {"width": 128, "height": 128, "steps": card.few, "scale": card.scale, "strength": card.strength}
    layout = place(case.masks) + own
    direct = generate(model, case.prompt, layout, seeds=[0], refinement=card.refinement, **size)[0]
    assert torch.equal(methods()["refined"](model, case, 0, card.few), direct)


@pytest.mark.parametrize(
    "settings",
    [
        GuidedSettings(guidance="random"),
        GuidedSettings(guidance="paper", strength=7500.0),
        GuidedSettings(energy="shuffled"),
        GuidedSettings(energy="shapeless"),
        GuidedSettings(energy="outlines"),
        GuidedSettings(layers=("down_blocks.0",)),
        GuidedSettings(layers=()),
        GuidedSettings(masks=0.7),
        GuidedSettings(masks=0.7, softness=1.0),
        GuidedSettings(energy="none", masks=0.7),
        GuidedSettings(guidance="unheard", noise=3),
        GuidedSettings(masks=0.7, leakage=0.25),
    ],
)
def test_an_ablation_is_another_picture(model, case, plain, settings):
    picture = guided(model, case, 0, STEPS, settings)
    assert bool(picture.isfinite().all())
    assert not torch.equal(picture, plain)
    assert not torch.equal(picture, guided(model, case, 0, STEPS, GuidedSettings()))


def test_settings_come_back_from_json():
    settings = with_values(
        attend_and_excite.AttendAndExciteSettings, {"scale": 5.0, "refinements": [[0.0, 0.1]], "gone": 1}
    )
    assert settings == attend_and_excite.AttendAndExciteSettings(scale=5.0, refinements=((0.0, 0.1),))
