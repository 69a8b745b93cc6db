# SPDX-License-Identifier: MIT
"""Checkpoints and milestones: whole whenever one is read, and enough to go on from."""

from pathlib import Path

import torch

from sg_core.toybox.components import load_parts
from sg_core.toybox.training import checkpoint
from sg_core.toybox.training.course import begin
from sg_core.toybox.training.milestone import first_parts, read_record, thinned
from sg_core.toybox.training.turns import save_fresh
from tests.sg_core.toybox.training.tiny_recipe import TINY, once


def test_checkpoints_go_where_the_user_keeps_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert checkpoint.training_folder("sharp") == tmp_path / "maquette" / "toybox" / "sharp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert checkpoint.training_folder("sharp") == Path.home() / ".cache" / "maquette" / "toybox" / "sharp"


def test_a_checkpoint_cut_off_in_the_middle_leaves_the_one_before(tmp_path):
    tensors = {"master": {"weight": torch.ones(2)}}
    checkpoint.write(tmp_path, "part", tensors, {"steps": 1})
    (tmp_path / "part-2").mkdir()
    (tmp_path / "part-2" / "master.safetensors").write_bytes(b"half of it")
    kept = checkpoint.read(tmp_path, "part", ("master",))
    assert kept is not None
    assert kept[1]["steps"] == 1
    checkpoint.write(tmp_path, "part", tensors, {"steps": 2})
    assert [path.name for path in tmp_path.glob("part-*")] == ["part-2"]


def test_a_milestone_is_taken_up_where_no_checkpoint_is_left(tmp_path, tiny, monkeypatch):
    first = begin(TINY, tmp_path / "first", 1.0, "cpu")
    for name in TINY.lessons:
        first.turn(name, once)
    first.export(tmp_path / "milestone")
    assert thinned([[float(k)] for k in range(200)])[-1] == [199.0]
    parts, record = first_parts(TINY, tmp_path / "again", tmp_path / "milestone")
    assert set(record) == set(TINY.lessons)
    weights = [weight.detach() for weight in parts.unet.parameters()]
    again = begin(TINY, tmp_path / "again", 1.0, "cpu")
    assert all(map(torch.equal, weights, load_parts(tmp_path / "milestone").unet.parameters()))
    for name, training in first.trainings.items():
        other = again.trainings[name].learner
        assert (other.steps, other.pictures) == (training.learner.steps, training.learner.pictures)
        close = zip(training.learner.averages, other.masters, strict=True)
        assert all(torch.allclose(one, two, atol=2e-3) for one, two in close)
    assert torch.equal(first.latents.scale, again.latents.scale)


def test_a_half_written_model_does_not_stop_a_training(tmp_path, tiny):
    first = begin(TINY, tmp_path, 1.0, "cpu")
    first.turn("denoiser", once)
    save_fresh(first.trainings, first.folder)
    first.export(tmp_path / "model")
    (tmp_path / "model" / "unet" / "config.json").unlink()
    again = begin(TINY, tmp_path, 1.0, "cpu")
    assert again.denoiser.learner.steps == 1
    assert again.parts.tokens(["a red car"]).tolist() == first.parts.tokens(["a red car"]).tolist()


def test_another_recipe_s_weights_are_no_milestone(tmp_path):
    (tmp_path / "training.json").write_text('{"recipe": "other", "parts": {"denoiser": {}}}')
    assert read_record(tmp_path, TINY) == {}
    assert read_record(tmp_path / "nowhere", TINY) == {}
