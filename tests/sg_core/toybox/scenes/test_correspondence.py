# SPDX-License-Identifier: MIT
"""What the denoiser is taught in passing: which part of which thing a cell shows."""

import pytest
import torch

from sg_core.toybox.components import build_unet
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.correspondence import SPOT_SCALE, Reader, correspondence, overheard
from sg_core.toybox.scenes.scene import Scene, Thing

PATCH = 8


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


def test_a_thing_s_cells_know_their_noun_and_their_place_on_it(atlas):
    bus = Thing("bus", atlas.of("bus")[0], None, False, 0.5, 0.5, 0.7, 0.7)
    scene = Scene("meadow", 0.6, (0.5,) * 8, (bus,), "")
    truth = correspondence([scene], compose([scene], atlas, 128, 128), atlas, FALLBACK.nouns, PATCH)
    inside = truth.classes[0] > 0
    assert set(truth.classes.unique().tolist()) == {0, 1 + FALLBACK.nouns.index("bus")}
    assert 0.2 < inside.float().mean() < 0.5
    across, down = truth.spots[0].float() / SPOT_SCALE
    assert (across[8].diff()[4:11] > 0).all()
    assert (down[:, 8].diff()[4:11] > 0).all()
    assert across.abs().max() <= 1


def test_a_mirrored_thing_shows_the_same_parts_the_other_way(atlas):
    def spots(flip: bool) -> torch.Tensor:
        thing = Thing("car", atlas.of("car")[0], None, False, 0.5, 0.5, 0.8, 0.8, flip=flip)
        scene = Scene("meadow", 0.6, (0.5,) * 8, (thing,), "")
        return correspondence([scene], compose([scene], atlas, 128, 128), atlas, FALLBACK.nouns, PATCH).spots

    plain, mirrored = spots(False), spots(True)
    assert (mirrored[0, 0].flip(-1).float() - plain[0, 0].float()).abs().max() <= 2
    assert not torch.equal(plain, mirrored)


def test_the_reader_learns_and_leaves_no_hook(atlas):
    torch.manual_seed(0)
    unet = build_unet(FALLBACK)
    with overheard(unet) as heard:
        unet(torch.randn(2, 12, 16, 16), 10, torch.randn(2, 32, 128))
    assert heard[0].shape == (2, FALLBACK.denoiser_channels[1], 16, 16)
    assert not any(module._forward_hooks for module in unet.modules())
    car = Thing("car", atlas.of("car")[0], None, False, 0.4, 0.5, 0.6, 0.6)
    scenes = [Scene("meadow", 0.6, (0.5,) * 8, (car,), "")] * 2
    truth = correspondence(scenes, compose(scenes, atlas, 128, 128), atlas, FALLBACK.nouns, PATCH)
    reader = Reader(FALLBACK.denoiser_channels[1], len(FALLBACK.nouns))
    optimiser = torch.optim.Adam(reader.parameters(), 1e-2)
    first = reader.loss(heard[0].detach(), truth)
    for _ in range(30):
        loss = reader.loss(heard[0].detach(), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.5 * first
