# SPDX-License-Identifier: MIT
"""What each part learns from: scenes kept on disk, latents the denoiser left, crops, times."""

import numpy as np
import pytest
import torch

from sg_core.toybox.recipe import Lesson
from sg_core.toybox.segmenter import Nested
from sg_core.toybox.training.course import begin
from sg_core.toybox.training.decoder import crops, perceived, unlike
from sg_core.toybox.training.denoiser import draw_times
from sg_core.toybox.training.optimise import Learner
from tests.sg_core.toybox.training.tiny_recipe import TINY


def test_scenes_are_kept_and_the_oldest_replaced(tmp_path, tiny):
    pool = begin(TINY, tmp_path, 1.0, "cpu").denoiser.pools[0]
    assert pool.pictures is not None
    assert pool.pictures.shape[1:] == (3, 64, 64)
    assert pool.latents.shape == (pool.size, 24, 4, 4)
    pool.grow(pool.size)
    first = np.array(pool.latents)
    pool.renew(4)
    rows = [number % pool.size for number in range(pool.drawn - 4, pool.drawn)]
    changed = np.abs(pool.latents - first).max((1, 2, 3)) > 0
    assert sorted(np.flatnonzero(changed)) == sorted(rows)
    assert pool.filled == pool.size


def test_the_denoiser_leaves_latents_for_the_decoder(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    pool = whole.denoiser.pools[0]
    assert pool.painted is not None
    before = np.array(pool.painted)
    weights = [weight.clone() for weight in whole.denoiser.learner.working]
    whole.denoiser.repaint(8)
    assert 1 <= (np.abs(pool.painted - before).max((1, 2, 3)) > 0).sum() <= 8
    assert np.isfinite(pool.painted).all()
    assert all(map(torch.equal, weights, whole.denoiser.learner.working))


def test_the_decoder_listens_and_looks_once_the_others_are_worth_it(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    whole.decoder.prepare()
    assert not whole.decoder.listens
    assert whole.decoder.perceiver is None
    whole.denoiser.learner.spent, whole.decoder.judge.learner.steps = 2.0, 1000
    whole.decoder.prepare()
    assert whole.decoder.perceiver is not None
    loss, _ = whole.decoder.loss()
    torch.autograd.backward(loss)
    assert all(weight.grad is None for weight in whole.decoder.judge.learner.working)
    assert isinstance(whole.decoder.perceiver.network, Nested)


def test_a_learner_learns_with_its_rate_sinking_at_the_end():
    torch.manual_seed(0)
    layer, target, given = torch.nn.Linear(8, 8), torch.randn(8, 8), torch.randn(64, 8)
    learner = Learner({"layer": layer}, Lesson(1, 0.05, 64), planned=1.0)

    def loss() -> torch.Tensor:
        return (layer(given.to(learner.precision)).float() - given @ target).square().mean()

    before = loss().item()
    for _ in range(100):
        learner.step(loss(), 64)
    assert loss().item() < 0.5 * before
    full = learner.optimisers[1].param_groups[0]["lr"]
    learner.spent = 0.95
    learner.step(loss(), 64)
    assert learner.optimisers[1].param_groups[0]["lr"] == pytest.approx(0.2 * full)
    with learner.settled():
        assert layer.weight.dtype == torch.float32
        assert torch.equal(layer.weight, learner.averages[0])
    assert torch.equal(layer.weight, learner.masters[0].to(learner.precision))


def test_averages_of_trained_weights_keep_what_they_were():
    for trained, share in ((True, 0.002), (False, 9 / 11)):
        layer = torch.nn.Linear(4, 4)
        learner = Learner({"layer": layer}, Lesson(1, 0.05, 4), planned=1.0, trained=trained)
        before = learner.averages[0].clone()
        learner.step(layer(torch.ones(4, 4, dtype=learner.precision)).float().square().mean(), 4)
        moved = learner.masters[0].detach() - before
        assert torch.allclose(learner.averages[0] - before, share * moved, atol=1e-6)


def test_crops_of_latents_and_pictures_show_the_same_cells():
    rgb = torch.rand(3, 3, 256, 256)
    latents = torch.nn.functional.avg_pool2d(rgb, 16)
    cut, shown = crops(latents, rgb)
    assert cut.shape == (3, 3, 8, 8)
    assert torch.allclose(torch.nn.functional.avg_pool2d(shown, 16), cut, atol=1e-6)


def test_a_blurred_picture_is_unlike_and_perceived_so():
    torch.manual_seed(0)
    rgb, network = torch.rand(2, 3, 64, 64), Nested(3, 8)
    blurred = torch.nn.functional.avg_pool2d(rgb, 5, stride=1, padding=2)
    assert unlike(rgb, rgb) == 0
    assert perceived(network, rgb, rgb) == 0
    assert unlike(blurred, rgb) > 0.1
    assert perceived(network, blurred, rgb) > 0.1


def test_times_lie_in_the_middle_more_often_than_not():
    times = draw_times(10_000)
    assert 0 <= times.min() < 0.01
    assert 0.99 < times.max() < 1
    assert 0.55 < ((times > 0.25) & (times < 0.75)).float().mean() < 0.68
