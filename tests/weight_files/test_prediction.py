# SPDX-License-Identifier: MIT
"""A checkpoint that predicts velocity says so in one of four ways, and none is taken to where none is said."""

from pathlib import Path

import pytest

from tests.server.models.model_files import CHECKPOINT, tensors_file
from weight_files.prediction import stated_noise

VELOCITY = {"prediction_type": "v_prediction"}


def test_nothing_is_said_of_most(tmp_path: Path) -> None:
    assert stated_noise(tensors_file(tmp_path / "dreamer.safetensors", modelspec__title="x")) == {}


def test_a_tensor_says_it(tmp_path: Path) -> None:
    assert stated_noise(tensors_file(tmp_path / "a.safetensors", [*CHECKPOINT, "v_pred"])) == VELOCITY
    both = stated_noise(tensors_file(tmp_path / "b.safetensors", [*CHECKPOINT, "v_pred", "ztsnr"]))
    assert both == {**VELOCITY, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}


@pytest.mark.parametrize(
    ("note", "noise"),
    [("v", VELOCITY), ("V_prediction", VELOCITY), ("epsilon", {"prediction_type": "epsilon"}), ("?", {})],
)
def test_a_note_says_it(tmp_path: Path, note: str, noise: dict) -> None:
    assert stated_noise(tensors_file(tmp_path / "a.safetensors", modelspec__prediction_type=note)) == noise


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('model:\n  params:\n    parameterization: "v"\n', True),
        ("model:\n    parameterization: v  # as it was trained\n", True),
        ('model:\n    parameterization: "eps"\n', False),
        ("# parameterization: v\n", False),
        ("\xff\xfe", False),
    ],
)
def test_a_file_beside_it_says_it(tmp_path: Path, text: str, said: bool) -> None:
    file = tensors_file(tmp_path / "two.safetensors")
    file.with_suffix(".yaml").write_text(text, "latin-1")
    assert stated_noise(file) == (VELOCITY if said else {})


@pytest.mark.parametrize("name", ["alienVPredator_v10", "alien-v-predator", "evPredict"])
def test_a_name_that_only_sounds_so_says_nothing(tmp_path: Path, name: str) -> None:
    assert stated_noise(tensors_file(tmp_path / f"{name}.safetensors")) == {}


NAMES = ["noobaiXL_Vpred10", "other v-pred", "third.v_pred.fp16", "vPredV2", "it.v-prediction"]


@pytest.mark.parametrize("name", NAMES)
def test_its_name_says_it_where_nothing_else_does(tmp_path: Path, name: str) -> None:
    assert stated_noise(tensors_file(tmp_path / f"{name}.safetensors")) == VELOCITY
    noted = tensors_file(tmp_path / f"{name}.safetensors", modelspec__prediction_type="epsilon")
    assert stated_noise(noted) == {"prediction_type": "epsilon"}
