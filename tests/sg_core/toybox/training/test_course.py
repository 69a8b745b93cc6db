# SPDX-License-Identifier: MIT
"""Parts take turns, stop at any moment, go on from there, and leave a folder that diffusers loads."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from sg_core.errors import RequestError
from sg_core.models.cards import CARDS, read_card
from sg_core.toybox import train
from sg_core.toybox.segmenter import load_judge
from sg_core.toybox.training.course import begin
from sg_core.toybox.training.judge import JUDGES
from sg_core.toybox.training.turns import furthest_behind, hours_of, save_fresh
from tests.sg_core.toybox.training.tiny_recipe import TINY, once


def test_parts_take_turns_by_their_shares(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    for name in TINY.lessons:
        assert "step 1 " in whole.turn(name, once)
    for training in whole.trainings.values():
        training.learner.spent = training.learner.lesson.share / 2
    assert whole.trainings["denoiser"].learner.planned == pytest.approx(TINY.lessons["denoiser"].share)
    whole.trainings["encoder"].learner.spent /= 2
    assert furthest_behind(whole.trainings) == "encoder"
    for training in whole.trainings.values():
        training.learner.spent = training.learner.planned
    assert furthest_behind(whole.trainings) is None


def test_a_checkpoint_is_taken_up_where_it_was(tmp_path, tiny):
    first = begin(TINY, tmp_path, 1.0, "cpu")
    for name in TINY.lessons:
        first.turn(name, once)
    save_fresh(first.trainings, first.folder)
    again = begin(TINY, tmp_path, 1.0, "cpu")
    for name, training in first.trainings.items():
        other = again.trainings[name].learner
        assert (other.steps, other.pictures, other.losses) == (1, training.learner.pictures, training.learner.losses)
        assert other.spent == pytest.approx(training.learner.spent)
        assert all(map(torch.equal, training.learner.masters, other.masters))
        assert all(map(torch.equal, training.learner.averages, other.averages))
    assert torch.equal(first.latents.scale, again.latents.scale)
    assert first.parts.tokens(["a red car"]).tolist() == again.parts.tokens(["a red car"]).tolist()


def test_training_leaves_a_folder_that_diffusers_loads_and_goes_on(tmp_path: Path, tiny):
    flags = ["--recipe", "tiny", "--folder", str(tmp_path), "--minutes"]
    assert train.main([*flags, "0"]) == 0
    assert train.main([*flags, "0.02"]) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("begins:") == log.count("stopped:") == 2
    assert "denoiser step" in log
    with Image.open(max(tmp_path.glob("samples-*.png"))) as sheet:
        assert sheet.size == (256, 256)
    assert all(path.stat().st_size < 16_000_000 for path in (tmp_path / "model").rglob("*") if path.is_file())
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "model", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline("a castle", width=64, height=96, num_inference_steps=2, output_type="pt").images.shape[2:] == (
        96,
        64,
    )


def test_an_export_has_all_that_a_model_of_ours_has(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "of-before").touch()
    whole.export(tmp_path / "model")
    for name, (architecture, _) in JUDGES.items():
        assert load_judge(tmp_path / "model" / name).architecture == architecture
    words = json.loads((tmp_path / "model" / "tokenizer" / "words.json").read_text())
    assert {"castle", "red", "sunset"} < set(words)
    assert not (tmp_path / "model" / "of-before").exists()
    card, like = read_card(tmp_path / "model"), CARDS["toybox"]
    assert (card.scale, card.strength, card.layers) == (like.scale, like.strength, like.layers)
    assert card.nouns == TINY.nouns
    assert whole.decoder.judge.learner.working[0].dtype == whole.decoder.judge.learner.precision


def test_one_folder_is_trained_by_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "trains", lambda process: True)
    (tmp_path / "pid").write_text("1")
    with pytest.raises(RequestError, match="process 1"):
        train.claim(tmp_path)
    monkeypatch.setattr(train, "trains", lambda process: False)
    train.claim(tmp_path)
    assert (tmp_path / "pid").read_text() != "1"


def test_a_course_sums_up_its_hours(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    assert hours_of(whole.trainings).startswith("denoiser 0.00 core-hours, decoder 0.00")
