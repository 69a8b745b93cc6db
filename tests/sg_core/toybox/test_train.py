# SPDX-License-Identifier: MIT
"""Training in turns: it stops at any moment, goes on from there, and leaves a folder that diffusers loads."""

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from sg_core.errors import RequestError
from sg_core.models.cards import CARDS, read_card
from sg_core.toybox import train
from sg_core.toybox.components import load_parts
from sg_core.toybox.judge import Nested, load_judge
from sg_core.toybox.recipe import LESSONS, RECIPES, SHARP, Lesson
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.training import checkpoint, course, sprint
from sg_core.toybox.training.course import Course, begin
from sg_core.toybox.training.decoder import crops, perceived, unlike
from sg_core.toybox.training.denoiser import draw_times
from sg_core.toybox.training.judge import JUDGES
from sg_core.toybox.training.milestone import first_parts, read_record, thinned
from sg_core.toybox.training.optimise import Learner

TINY = replace(
    SHARP,
    name="tiny",
    buckets=((64, 64, 0.7), (96, 48, 0.3)),
    autoencoder_channels=(8, 8, 8, 16, 16),
    denoiser_channels=(16, 32),
    heads=2,
    text_width=32,
    judge_width=8,
    scenes=64,
    hours=1,
    lessons={name: replace(lesson, batch=4) for name, lesson in LESSONS.items()},
)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(TINY.nouns)


@pytest.fixture
def tiny(monkeypatch, atlas) -> None:
    monkeypatch.setattr(course, "load_atlas", lambda nouns: atlas)  # unpacked once
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    monkeypatch.setattr(course, "FIRST_SCENES", 32)


def once() -> bool:
    return True


def test_parts_take_turns_by_their_shares(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    for name in TINY.lessons:
        assert "step 1 " in whole.turn(name, once)
    for training in whole.trainings.values():
        training.learner.spent = training.learner.lesson.share / 2
    assert whole.trainings["denoiser"].learner.planned == pytest.approx(TINY.lessons["denoiser"].share)
    whole.trainings["encoder"].learner.spent /= 2
    assert whole.due() == "encoder"
    for training in whole.trainings.values():
        training.learner.spent = training.learner.planned
    assert whole.due() is None


def test_a_checkpoint_is_taken_up_where_it_was(tmp_path, tiny):
    first = begin(TINY, tmp_path, 1.0, "cpu")
    for name in TINY.lessons:
        first.turn(name, once)
    first.save()
    again = begin(TINY, tmp_path, 1.0, "cpu")
    for name, training in first.trainings.items():
        other = again.trainings[name].learner
        assert (other.steps, other.pictures, other.losses) == (1, training.learner.pictures, training.learner.losses)
        assert other.spent == pytest.approx(training.learner.spent)
        assert all(map(torch.equal, training.learner.masters, other.masters))
        assert all(map(torch.equal, training.learner.averages, other.averages))
    assert torch.equal(first.latents.scale, again.latents.scale)
    assert first.parts.tokens(["a red car"]).tolist() == again.parts.tokens(["a red car"]).tolist()


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
    assert whole.decoder.eyes is None
    whole.denoiser.learner.spent, whole.decoder.judge.learner.steps = 2.0, 1000
    whole.decoder.prepare()
    assert whole.decoder.eyes is not None
    loss, _ = whole.decoder.loss()
    torch.autograd.backward(loss)
    assert all(weight.grad is None for weight in whole.decoder.judge.learner.working)
    assert isinstance(whole.decoder.eyes.network, Nested)


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


def test_the_judges_are_exported_once_they_have_learned(tmp_path, tiny):
    whole = begin(TINY, tmp_path, 1.0, "cpu")
    whole.turn("judge", once)
    whole.export(tmp_path / "model")
    assert load_judge(tmp_path / "model" / "judge").architecture == JUDGES["judge"][0]
    assert not (tmp_path / "model" / "second-judge").exists()
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


def test_a_course_sums_up_its_hours(tmp_path, tiny):
    whole: Course = begin(TINY, tmp_path, 1.0, "cpu")
    assert whole.summary().startswith("denoiser 0.00 core-hours, decoder 0.00")


def test_a_milestone_is_taken_up_where_no_checkpoint_is_left(tmp_path, tiny, monkeypatch):
    first = begin(TINY, tmp_path / "first", 1.0, "cpu")
    for name in TINY.lessons:
        first.turn(name, once)
    first.export(tmp_path / "milestone")
    assert thinned([[float(k)] for k in range(200)])[-1] == [199.0]
    parts = first_parts(TINY, tmp_path / "again", tmp_path / "milestone")
    weights = [weight.detach() for weight in parts.unet.parameters()]
    again = begin(TINY, tmp_path / "again", 1.0, "cpu")
    assert all(map(torch.equal, weights, load_parts(tmp_path / "milestone").unet.parameters()))
    for name, training in first.trainings.items():
        other = again.trainings[name].learner
        assert (other.steps, other.pictures) == (training.learner.steps, training.learner.pictures)
        close = zip(training.learner.averages, other.masters, strict=True)
        assert all(torch.allclose(one, two, atol=2e-3) for one, two in close)
    assert torch.equal(first.latents.scale, again.latents.scale)


def test_another_recipe_s_weights_are_no_milestone(tmp_path):
    (tmp_path / "training.json").write_text('{"recipe": "other", "parts": {"denoiser": {}}}')
    assert read_record(tmp_path, TINY) == {}
    assert read_record(tmp_path / "nowhere", TINY) == {}


def test_a_sprint_stops_in_time_and_leaves_few_small_files_to_go_on_from(tmp_path, tiny):
    flags = ["--recipe", "tiny", "--minutes", "0.15", "--batch", "8", "--device", "cpu", "--out"]
    assert sprint.main([*flags, str(tmp_path / "first")]) == 0
    files = list((tmp_path / "first").iterdir())
    assert len(files) <= 8
    assert all(file.stat().st_size < 16 * 2**20 for file in files)
    log = (tmp_path / "first" / "log").read_text()
    assert "steps/s" in log
    assert float(log.splitlines()[-1].split()[0]) < 60
    pieces = sorted((tmp_path / "first").glob("model.tar.*"))
    (tmp_path / "model.tar").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with tarfile.open(tmp_path / "model.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    steps = read_record(tmp_path / "model", TINY)["denoiser"]["steps"]
    assert sprint.main([*flags, str(tmp_path / "again"), "--model", str(tmp_path / "model")]) == 0
    assert len(list((tmp_path / "again").glob("model.tar.*"))) == len(pieces)
    assert steps > 2


def test_what_is_packed_comes_back_whole_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(sprint, "PIECE", 4096)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(bytes(range(256)) * 64)
    sprint.pack(tmp_path / "model", tmp_path)
    pieces = [tmp_path / f"model.tar.{number}" for number in range(len(list(tmp_path.glob("model.tar.*"))))]
    assert len(pieces) > 3
    (tmp_path / "whole.tar").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with tarfile.open(tmp_path / "whole.tar") as tar:
        content = tar.extractfile("model/weights")
        assert content is not None
        assert content.read() == (tmp_path / "model" / "weights").read_bytes()
