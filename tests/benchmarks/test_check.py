# SPDX-License-Identifier: MIT
"""A model that is as it must be passes; one whose loop paints something else does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import check
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from tests.sg_core.models.families import pipelines

MADE: dict[str, Callable[[], Any]] = {
    "two": pipelines.stable_diffusion_2,
    "xl": pipelines.stable_diffusion_xl,
    "schnell": lambda: pipelines.flux_1(False),
    "z": pipelines.z_image,
    "qwen": pipelines.qwen_image,
    "if": pipelines.deepfloyd,
}


@pytest.fixture(params=MADE)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With a card that hears every layer, for the tiny network has few."""
    torch.manual_seed(0)
    with quiet():
        MADE[request.param]().save_pretrained(tmp_path / request.param)
    (tmp_path / request.param / "card.json").write_text(json.dumps({"layers": []}))
    return tmp_path / request.param


def test_a_good_model_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = check.main([str(folder), "--side", "64", "--steps", "8", "--json"])
    verdicts = json.loads(capsys.readouterr().out)
    assert [verdict["name"] for verdict in verdicts if not verdict["good"]] == []
    assert code == 0 and len(verdicts) == 1 + len(check.CHECKS)


def test_another_picture_is_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "schnell")
    model = load(tmp_path / "schnell")
    wrong = replace(model, noise={**model.noise, "shift": 5.0})  # type: ignore[type-var]
    subject = check.CheckedModel(wrong, (64, 64), 4)
    picture = check.pipelines_picture(replace(subject, model=model))
    assert (check.generate(wrong, check.PROMPT, **subject.options) - picture).abs().max() > check.SAME


def test_what_is_no_model_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path)]) == 1
    assert "model_index.json" in capsys.readouterr().err
