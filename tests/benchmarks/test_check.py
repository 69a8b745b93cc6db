# SPDX-License-Identifier: MIT
"""A model that is as it must be passes, one whose loop paints something else does not: all tiny families, Toybox."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from benchmarks import check
from benchmarks.model_check import verdicts
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from tests.benchmarks.model_check import tiny_detector
from tests.sg_core.models.families import pipelines
from tests.sg_core.models.families.pipelines import CASES, Case

NOUNS = "castle,rocket"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector.save(tmp_path_factory.mktemp("judge") / "owl")


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With a card that hears every layer, for the tiny network has few."""
    case: Case = request.param
    torch.manual_seed(0)
    with quiet():
        case.build().save_pretrained(tmp_path / case.name)
    (tmp_path / case.name / "card.json").write_text(json.dumps({"layers": []}))
    return tmp_path / case.name


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def checked(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, dict[str, Any]]:
    code = check.main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_family_is_checked_to_the_end(
    folder: Path, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge is random, and so is what it says of layers; that each was heard and held against it is not."""
    side = 256 if folder.name == "sana" else 64
    options = ("--judge", judge, "--threshold", 0, "--nouns", NOUNS, "--cards", tmp_path / "cards")
    code, answer = checked(capsys, folder, "--side", side, "--steps", 8, "--pictures", 2, *options)
    assert [verdict["name"] for verdict in answer["verdicts"] if not verdict["good"]] == []
    assert code == 0 and len(answer["verdicts"]) == 1 + len(verdicts.CHECKS)
    model = load(folder)
    every = list(model.attention(torch.zeros(1, *model.latent_shape(side, side))))
    layers = answer["layers"]["layers"]
    assert [score["layer"] for score in layers] == every
    assert sorted(score["rank"] for score in layers) == list(range(1, len(every) + 1))
    assert all(score["in_card"] and 0 < score["overlap"] <= 1 for score in layers)
    assert answer["layers"]["sightings"] == 4 and answer["layers"]["blocks"]


def test_toybox_s_own_judge_finds_layers_that_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others than a user's card of before says: that is said, and written."""
    cards, sheet = tmp_path / "cards", tmp_path / "sheet.png"
    cards.mkdir()
    (cards / "mine.toml").write_text('[model.toybox]\nlayers = ["down_blocks.1"]\n')
    code, answer = checked(capsys, "toybox", "--pictures", 3, "--cards", cards, "--sheet", sheet)
    layers = answer["layers"]
    assert {score["layer"].split(".")[1] for score in layers["layers"] if score["in_card"]} == {"1"}
    assert code == 0 and layers["best"] > layers["card"] + 0.05 and layers["best"] > layers["chance"] + 0.2
    assert any("others than the Card's: up_blocks" in line for line in answer["words"])
    written = tomllib.loads((cards / "toybox.toml").read_text())["model"]["toybox"]["layers"]
    assert written == layers["blocks"] and all(block.startswith("up_blocks") for block in written)
    assert size_of(sheet)[1] > 100


def test_without_a_judge_there_is_a_sheet_and_no_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    with quiet():
        pipelines.stable_diffusion_xl().save_pretrained(tmp_path / "xl")
    (tmp_path / "xl" / "card.json").write_text(json.dumps({"layers": []}))
    options = ("--side", "64", "--steps", "4", "--pictures", "1", "--cards", str(tmp_path / "cards"))
    assert check.main([str(tmp_path / "xl"), *options]) == 0
    assert "look at the sheet" in capsys.readouterr().out
    assert size_of(tmp_path / "xl-layers.png")[0] > 300 and not (tmp_path / "cards").exists()
    check.main([str(tmp_path / "xl"), *options, "--layers", "mid_block,up_blocks.1"])
    written = tomllib.loads((tmp_path / "cards" / "xl.toml").read_text())
    assert written["model"]["xl"] == {"layers": ["mid_block", "up_blocks.1"]}


def test_another_picture_is_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "schnell")
    model = load(tmp_path / "schnell")
    wrong = replace(model, noise={**model.noise, "shift": 5.0})  # type: ignore[type-var]
    subject = verdicts.CheckedModel(wrong, (64, 64), 4)
    picture = verdicts.pipelines_picture(replace(subject, model=model))
    assert (verdicts.generate(wrong, verdicts.PROMPT, **subject.options) - picture).abs().max() > verdicts.SAME


def test_what_is_no_model_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path)]) == 1
    assert "model_index.json" in capsys.readouterr().err


def test_a_size_below_the_card_s_least_is_checked_at_what_is_painted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the pipeline, which averages nothing down, paints it; and nothing of its libraries is said to people."""
    code = check.main(["toybox", "--side", "128", "--pictures", "0"])
    said = capsys.readouterr()
    assert code == 0 and "BAD" not in said.out and "[transformers]" not in said.err
    assert check.main(["toybox", "--side", "100", "--pictures", "0"]) == 1
    assert "multiple" in capsys.readouterr().err
