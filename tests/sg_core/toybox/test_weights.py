# SPDX-License-Identifier: MIT
"""The model in the repository: it loads anywhere, paints what it is asked, and puts it where it is told."""

from functools import partial

import pytest
import torch
from diffusers import StableDiffusionPipeline

from addon.protocol.default_model import TOYBOX
from server.catalogue import offered
from sg_core import generate
from sg_core.edits.recipes import place
from sg_core.judge import Judge, detect, placement
from sg_core.models.cards import CARDS
from sg_core.models.loading import find, load
from sg_core.models.model import Model
from sg_core.toybox.bench import judged, psnr, reconstruct, subject_of, true_scenes
from sg_core.toybox.recipe import CRISP
from sg_core.toybox.segmenter import judge_of, load_judge

SIDE = 256
TOYBOX_FOLDER = find(CARDS["toybox"].address)


@pytest.fixture(scope="module")
def model() -> Model:
    return load("toybox")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


def test_it_carries_its_judge(model):
    """The server measures its pictures by it."""
    judge = judge_of(model)
    assert judge is not None
    assert set(TOYBOX.nouns) <= set(judge.nouns)


def test_plain_diffusers_loads_and_runs_it():
    pipeline = StableDiffusionPipeline.from_pretrained(TOYBOX_FOLDER, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pictures = pipeline("a castle on a meadow", width=320, height=192, num_inference_steps=2, output_type="pt").images
    assert pictures.shape == (1, 3, 192, 320)


def test_a_picture_asked_for_at_the_sides_of_before_is_the_same_one_averaged_down(model):
    """Blockouts of before asked for a quarter of the pixels, and their latents had as many cells as today's."""
    before, now = (generate(model, "a castle", seeds=[1], width=side, height=side, steps=4) for side in (128, 256))
    assert model.latent_shape(144, 80) == (12, 10, 18)
    assert torch.allclose(before, torch.nn.functional.avg_pool2d(now, 2), atol=1e-5)


def test_its_encoder_is_a_linear_map_of_the_picture_at_half_its_sides(model):
    """As that of the weights before was of pictures of half the sides, so that their latents still mean the same."""
    one, other = torch.rand(2, 1, 3, 192, 256)
    assert torch.allclose(model.latent((one + other) / 2), (model.latent(one) + model.latent(other)) / 2, atol=0.01)
    halved = torch.nn.functional.avg_pool2d(one, 2).repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert torch.allclose(model.latent(halved), model.latent(one), atol=0.01)
    assert model.latent(one).std() > 0.1


def test_it_is_small():
    files = [path for path in TOYBOX_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 45_000_000
    assert max(path.stat().st_size for path in files) < 16_000_000


def test_it_does_not_say_where_it_was_made():
    for path in TOYBOX_FOLDER.rglob("*.json"):
        assert "_name_or_path" not in path.read_text(), path.name


def test_everyone_means_the_same_nouns(judge):
    assert judge.nouns == TOYBOX.nouns == CRISP.nouns


def test_the_server_says_the_words_it_knows():
    """All that its captions held, and no piece of them."""
    (toybox,) = offered(())
    assert set(toybox.words) == set(CRISP.vocabulary.words) - {","}
    assert set(TOYBOX.nouns) < set(toybox.words)


def test_it_paints_what_it_is_asked(model, judge):
    prompts = ["an apple on a meadow", "a penguin in the snow", "a rocket in the desert", "a bus at sunset"]
    nouns = [["apple"], ["penguin"], ["rocket"], ["bus"]]
    pictures = generate(model, prompts, seeds=[0, 1, 2, 3], width=SIDE, height=SIDE, steps=20)
    assert sum(seen.present for found in detect(judge, pictures, nouns) for seen in found.values()) >= 3


def test_a_thing_goes_where_its_block_is(model, judge):
    left, right = torch.zeros(SIDE, SIDE), torch.zeros(SIDE, SIDE)
    left[80:200, 16:120] = 1
    right[80:200, 136:240] = 1
    overlaps = []
    for mask in (left, right):
        layout = place({"castle": mask})
        pictures = generate(model, "a castle on a meadow", layout, seeds=[0, 1], width=SIDE, height=SIDE, steps=20)
        overlaps += [scores["castle"]["iou"] for scores in placement(judge, pictures, {"castle": mask})]
    assert sum(overlaps) / 4 > 0.4


def test_its_judge_and_its_autoencoder_hold_on_held_out_scenes(judge):
    subject = subject_of(TOYBOX_FOLDER, CRISP)
    batches = true_scenes(subject, 16)
    overlaps, right = judged(judge, batches, lambda rgb: rgb)
    _, again = judged(judge, batches, partial(reconstruct, subject))
    assert sum(overlaps) / len(overlaps) > 0.75
    assert sum(right) / len(right) > 0.85
    assert sum(again) >= 0.9 * sum(right)
    values = psnr(subject, batches)
    assert sum(values) / len(values) > 26
