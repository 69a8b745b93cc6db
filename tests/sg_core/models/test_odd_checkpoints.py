# SPDX-License-Identifier: MIT
"""Checkpoints as they go around: with averages beside their weights, in 8 bits, by other names, with velocity."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from server.catalogue import NotAModel, described
from server.models.library import ModelLibrary
from sg_core import Phrase, WeightsError, generate, load, place
from sg_core.models.cards import read_card
from sg_core.models.folder import quiet
from sg_core.models.model import Model
from sg_core.models.schedulers import SCHEDULERS
from sg_core.models.single_file import read_file_noise
from tests.server.models.model_files import tensors_file, whole
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines

PROMPT = "a huge castle and a red rocket"
OPTIONS = {"width": 96, "height": 64, "steps": 2, "scale": 5.0}
SCHEDULER = Path("scheduler") / "scheduler_config.json"


@pytest.fixture(scope="module", params=["one", "two", "xl"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, and beside it the folder that says its tiny configuration, and nothing of what it predicts."""
    folder, name = tmp_path_factory.mktemp("models"), request.param
    torch.manual_seed(0)
    with quiet():
        pipeline = (pipelines.stable_diffusion_xl if name == "xl" else pipelines.stable_diffusion_2)()
        if name == "one":
            pipeline.text_encoder.config.hidden_act = "quick_gelu"
        pipeline.save_pretrained(folder / name)
    checkpoint_file.save(pipeline, folder / f"{name}.safetensors")
    for weights in (folder / name).rglob("*.safetensors"):
        weights.unlink()
    config = json.loads((folder / name / SCHEDULER).read_text())
    for key in ("prediction_type", "timestep_spacing", "rescale_betas_zero_snr"):
        config.pop(key, None)
    (folder / name / SCHEDULER).write_text(json.dumps(config))
    return folder / f"{name}.safetensors"


@pytest.fixture
def file(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(made.with_suffix(""), tmp_path / made.stem)
    return Path(shutil.copy(made, tmp_path))


def changed(file: Path, change: Any, notes: dict[str, str] | None = None) -> Path:
    save_file(change(load_file(file)), file, notes)
    return file


def pictured(model: Model) -> Tensor:
    return generate(model, PROMPT, **OPTIONS)


def alike(one: Tensor, other: Tensor) -> bool:
    """As near as arithmetic is on weights that lie elsewhere in their file."""
    return bool((one - other).abs().max() < 1e-4)


def test_averages_beside_the_weights_are_left_alone(file: Path) -> None:
    """Of which the first checkpoints have hundreds."""
    before = pictured(load(file))

    def averaged(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        own = {name: weight for name, weight in tensors.items() if name.startswith("model.diffusion_model.")}
        others = {f"model_ema.{name.replace('.', '')}": torch.full_like(weight, 9.0) for name, weight in own.items()}
        counts = {"model_ema.decay": torch.tensor(0.9), "global_step": torch.tensor(7), "betas": torch.ones(10)}
        return {**tensors, **others, **counts}

    assert alike(pictured(load(changed(file, averaged))), before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_small_numbers_paint_as_they_are(file: Path, dtype: torch.dtype) -> None:
    tensors = load_file(file)
    small = changed(file, lambda tensors: {name: weight.to(dtype) for name, weight in tensors.items()})
    ours = pictured(load(small))
    as_floats = changed(file, lambda _: {name: weight.to(dtype).float() for name, weight in tensors.items()})
    assert alike(ours, pictured(load(as_floats)))
    library = ModelLibrary([file.parent], None, [])
    library.look()
    assert [(listed.name, listed.trouble) for listed in library.listing().files] == [(file.stem, "")]


def test_an_encoder_without_its_wrapping_is_read(file: Path) -> None:
    """As some merges name CLIP's layers."""
    before = pictured(load(file))
    bare = changed(
        file, lambda tensors: {n.replace("transformer.text_model.", "transformer."): w for n, w in tensors.items()}
    )
    assert alike(pictured(load(bare)), before)


def test_scales_beside_the_weights_are_refused(file: Path) -> None:
    layer = next(name for name in load_file(file) if name.endswith("attn2.to_k.weight"))
    scaled = changed(file, lambda tensors: {**tensors, f"{layer.removesuffix('weight')}scale_weight": torch.ones(1)})
    with pytest.raises(WeightsError, match="is quantised"):
        load(scaled)


@pytest.mark.parametrize("part", ["model.diffusion_model.", "first_stage_model.", "c"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(file: Path, part: str, number: float) -> None:
    tensors = load_file(file)
    name = next(name for name in tensors if name.startswith(part) and name.endswith("weight"))
    tensors[name].view(-1)[-1] = number
    save_file(tensors, file)
    with pytest.raises(WeightsError, match="numbers that are none"):
        load(file)


def test_velocity_is_painted_as_velocity(file: Path) -> None:
    """As the same network whose folder says so; and another picture than as noise."""
    noise = pictured(load(file))
    config = file.with_suffix("") / SCHEDULER
    plain = config.read_text()
    config.write_text(json.dumps({**json.loads(plain), "prediction_type": "v_prediction"}))
    velocity = pictured(load(file))
    config.write_text(plain)
    assert (velocity - noise).abs().max() > 0.01
    changed(file, lambda tensors: {**tensors, "v_pred": torch.empty(0)})
    model = load(file)
    assert model.parametrisation.slope(0.5, 0.5) == 2.0 and alike(pictured(model), velocity)
    config.write_text(json.dumps({**json.loads(plain), "prediction_type": "epsilon"}))
    assert alike(pictured(load(file)), noise), "a folder beside it has the last word"


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_first_step_of_nothing_but_noise_can_be_walked_and_guided(file: Path, scheduler: str) -> None:
    changed(file, lambda tensors: {**tensors, "v_pred": torch.empty(0), "ztsnr": torch.empty(0)})
    model, mask = load(file), torch.zeros(8, 12)
    mask[:, :4] = 1.0
    first = model.steps(4, scheduler).steps[0]
    assert first.alpha < 1e-3 and first.sigma == pytest.approx(1.0)
    layout = place({Phrase("castle"): mask})
    options = {**OPTIONS, "steps": 4, "scheduler": scheduler}
    plain, guided = generate(model, PROMPT, **options), generate(model, PROMPT, layout=layout, **options)
    assert guided.isfinite().all() and (guided - plain).abs().max() > 1e-3


def test_version_2_is_told_by_its_name(tmp_path: Path) -> None:
    """768 pixels and velocity, or 512 and noise: no tensor tells, and its makers' names do."""
    names = {"v2-1_768-ema-pruned": (768, "v_prediction"), "v2-1_512-ema-pruned": (512, "epsilon")}
    for name, (side, kind) in {**names, "sd21-base": (512, "epsilon"), "dreams21": (768, "v_prediction")}.items():
        file = tmp_path / f"{name}.safetensors"
        tensors_file(file, whole("stable-diffusion-2"))
        assert read_card(file).area == described(file).area == side**2
        assert read_file_noise(file)["prediction_type"] == kind


def test_a_folder_for_inpainting_is_refused_by_both_readers(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.with_suffix(""), tmp_path / made.stem))
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps({**config, "in_channels": 9}))
    words = "its network takes 9 channels, and its autoencoder makes 4: it is made for inpainting"
    with pytest.raises(NotAModel, match=words):
        described(folder)
    with pytest.raises(WeightsError, match=words):
        load(folder)
