# SPDX-License-Identifier: MIT
"""A decoder of twice the sides: what it is given, what pulls at it, and the folder it leaves."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from torch import Tensor

from sg_core.toybox import train
from sg_core.toybox.autoencoder import latents_of, new_autoencoder, projection_of, write_projection
from sg_core.toybox.components import load_parts
from sg_core.toybox.enlarging.critic import PatchCritic, critic_loss, with_critic
from sg_core.toybox.enlarging.decoder_course import begin_decoder
from sg_core.toybox.enlarging.settled_model import SettledModel, sampler_times
from sg_core.toybox.enlarging.shelf import CHUNK, CLEANED, SAMPLED, TRUE, Shelf
from sg_core.toybox.recipe import CRISP, RECIPES
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import draw_scene
from sg_core.toybox.training.milestone import WEIGHTS

TINY_DECODER = replace(
    CRISP,
    name="tiny-decoder",
    buckets=((64, 64, 0.7), (96, 64, 0.3)),
    autoencoder_channels=(8, 16, 48, 16, 64),
    scenes=2 * CHUNK,
    hours=1,
)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(CRISP.nouns)


@pytest.fixture(scope="module")
def model() -> SettledModel:
    return SettledModel(load_parts(WEIGHTS))


def pictures(atlas: Atlas, width: int, height: int) -> Tensor:
    return compose([draw_scene(seed, atlas, CRISP.vocabulary) for seed in range(4)], atlas, width, height).rgb


@pytest.mark.parametrize(("width", "height"), [(256, 256), (192, 128)])
def test_the_encoder_reads_the_latents_of_before_off_pictures_of_twice_the_sides(atlas, model, width, height):
    vae, rgb = new_autoencoder((16, 32, 80, 144, 192), model.channels, 256), pictures(atlas, width, height)
    write_projection(vae.encoder, *projection_of(model.parts.vae))
    with torch.no_grad():
        read, asked = latents_of(vae, rgb), model.latents(rgb)
    assert read.shape == (4, model.channels, height // 16, width // 16)
    assert asked.std() > 0.5
    assert torch.allclose(read, asked, atol=0.01)


def test_the_walk_is_the_sampler_s_and_cleans_what_was_noised_a_little(atlas, model):
    scheduler = model.parts.scheduler
    for count in (8, 30):
        scheduler.set_timesteps(count)
        assert sampler_times(count) == scheduler.timesteps.tolist()
    true = model.latents(pictures(atlas, 256, 256))
    captions = [draw_scene(seed, atlas, CRISP.vocabulary).caption for seed in range(4)]
    torch.manual_seed(0)
    for scale in (1.0, 3.0):
        cleaned = model.walk(torch.randn_like(true), true, captions, sampler_times(20)[-5:], scale)
        noisy = model.alphas[201].sqrt() * true + (1 - model.alphas[201]).sqrt() * torch.randn_like(true)
        assert (cleaned - true).square().mean() < 0.5 * (noisy - true).square().mean()


def test_a_shelf_holds_three_kinds_of_latents_of_its_scenes(atlas, model):
    torch.manual_seed(0)
    shelf = Shelf(TINY_DECODER, atlas, model, (96, 64), 2 * CHUNK, 0)
    shelf.renew()
    assert shelf.filled == CHUNK
    rgb = shelf.pictures[:CHUNK].float() / 255
    assert torch.allclose(shelf.latents[TRUE][:CHUNK], model.latents(rgb), atol=0.1)
    kinds = [shelf.latents[kind][:CHUNK] for kind in (TRUE, CLEANED, SAMPLED)]
    assert all(latents.shape == (CHUNK, 12, 4, 6) and latents.abs().max() > 0.5 for latents in kinds)
    assert not torch.equal(kinds[TRUE], kinds[CLEANED])
    assert torch.allclose(shelf.rough[:CHUNK], F.avg_pool2d(model.picture(kinds[SAMPLED]), 8), atol=1e-5)
    shelf.renew()
    shelf.renew()
    assert (shelf.filled, shelf.drawn) == (2 * CHUNK, 3 * CHUNK)


def test_a_critic_pulls_as_hard_as_it_is_told():
    torch.manual_seed(0)
    critic, true = PatchCritic(), torch.rand(2, 3, 64, 64)
    painted = torch.rand(2, 3, 64, 64, requires_grad=True)
    alone = torch.autograd.grad((painted - true).abs().mean(), painted)[0]
    likeness = (painted - true).abs().mean()
    loss = with_critic(likeness, painted, critic, 0.5)
    assert loss.item() == pytest.approx(likeness.item())
    pull = torch.autograd.grad(loss, painted)[0]
    assert ((pull - alone).norm() / alone.norm()).item() == pytest.approx(0.5, abs=1e-3)
    assert all(weight.grad is None and weight.requires_grad for weight in critic.parameters())


def test_a_critic_learns_to_tell_soft_pictures(atlas):
    torch.manual_seed(0)
    critic, true = PatchCritic(), pictures(atlas, 128, 128)
    soft = F.avg_pool2d(true, 5, stride=1, padding=2)
    before, optimiser = critic_loss(critic, true, soft).item(), torch.optim.AdamW(critic.parameters(), lr=2e-3)
    for _ in range(20):
        optimiser.zero_grad()
        torch.autograd.backward(critic_loss(critic, true, soft))
        optimiser.step()
    assert critic_loss(critic, true, soft) < 0.6 * before


def test_training_goes_on_and_leaves_the_model_with_another_decoder(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny-decoder", TINY_DECODER)
    flags = ["--recipe", "tiny-decoder", "--folder", str(tmp_path), "--minutes"]
    assert train.main([*flags, "0.02"]) == 0
    assert train.main([*flags, "0"]) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("begins: decoder") == log.count("stopped: decoder") == 2
    assert "decoder step 1 loss" in log
    for name in ("unet/diffusion_pytorch_model-00001-of-00002.safetensors", "tokenizer/vocab.json"):
        assert (tmp_path / "model" / name).read_bytes() == (WEIGHTS / name).read_bytes()
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "model", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    painted = pipeline("a castle", width=96, height=64, num_inference_steps=2, output_type="pt").images
    assert painted.shape == (1, 3, 64, 96)


def test_the_critic_is_heard_after_some_of_the_hours_and_both_are_kept(tmp_path: Path):
    course = begin_decoder(TINY_DECODER, tmp_path, 1.0)
    assert "critic" not in course.turn("decoder", lambda: True)
    course.training.learner.spent = 0.5
    assert "critic" in course.turn("decoder", lambda: True)
    course.save()
    again = begin_decoder(TINY_DECODER, tmp_path, 1.0)
    assert (again.training.learner.steps, again.training.critic_learner.steps) == (2, 1)
    assert all(map(torch.equal, again.training.learner.masters, course.training.learner.masters))
    assert course.due() == "decoder"
    course.training.learner.spent = 1.0
    assert course.due() is None
