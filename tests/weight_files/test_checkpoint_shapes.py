# SPDX-License-Identifier: MIT
"""What a header is held against is what loading needs: the same names and shapes, tiny and at real size."""

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers

from sg_core import WeightsError, load
from sg_core.models.cards import CONFIGURATIONS, header, kind_of_file
from sg_core.models.folder import quiet, read_json
from sg_core.models.single_file import TRANSLATIONS
from tests.server.models.model_files import whole
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines
from weight_files.checkpoint_shapes import part_shapes, unlike
from weight_files.unet_shapes import unet_shapes

FAMILIES = ("stable-diffusion-1", "stable-diffusion-2", "stable-diffusion-2-base", "stable-diffusion-xl")


def empty(config: dict[str, Any]) -> torch.nn.Module:
    with torch.device("meta"), quiet():
        if name := config.get("_class_name"):
            return getattr(diffusers, name).from_config(config)
        kind = getattr(transformers, config["architectures"][0])
        return kind(kind.config_class(**config))


@pytest.mark.parametrize("family", FAMILIES)
def test_real_checkpoints_hold_what_loading_needs_and_no_more(family: str) -> None:
    tensors = {name: torch.empty(shape, device="meta") for name, shape in whole(family).items()}
    for part, translate in TRANSLATIONS.items():
        if not (CONFIGURATIONS / family / part).is_dir():
            continue
        config = read_json(CONFIGURATIONS / family / part / "config.json")
        module = empty(config)
        ours = {name: weight.shape for name, weight in translate(dict(tensors), config, module).items()}
        needed = {name: weight.shape for name, weight in module.named_parameters()}
        assert ours.keys() >= needed.keys() and {name: ours[name] for name in needed} == needed
        assert len(ours) == len(needed), "nothing is asked for that is not needed"


@pytest.fixture(scope="module", params=["stable_diffusion_xl", "stable_diffusion_2"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint, and beside it the folder of its configuration."""
    folder = tmp_path_factory.mktemp("models")
    with quiet():
        pipeline = getattr(pipelines, request.param)()
        pipeline.save_pretrained(folder / "mine")
    for weights in (folder / "mine").rglob("*.safetensors"):
        weights.unlink()
    checkpoint_file.save(pipeline, folder / "mine.safetensors")
    return folder / "mine.safetensors"


def test_what_a_tiny_checkpoint_needs_is_what_it_holds(made: Path) -> None:
    tensors, folder = header(made), made.with_suffix("")
    assert unlike(tensors, folder, kind_of_file(made)) == ""
    needed = {}
    for part in TRANSLATIONS:
        if (folder / part).is_dir():
            needed |= part_shapes(part, read_json(folder / part / "config.json"), tensors)
    assert {name: list(shape) for name, shape in needed.items()} == {n: tensors[n]["shape"] for n in needed}
    assert tensors.keys() - needed.keys() <= {n for n in tensors if n.endswith("position_ids")}


def test_a_file_is_refused_before_its_weights_are_read(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a configuration that says another size: no tensor is touched, and the header's words are said."""
    config = made.with_suffix("") / "unet" / "config.json"
    text = config.read_text()
    monkeypatch.setattr("sg_core.models.single_file.load_file", lambda file: pytest.fail("it was read"))
    config.write_text(text.replace('"layers_per_block": 1', '"layers_per_block": 2'))
    try:
        assert config.read_text() != text
        with pytest.raises(WeightsError, match="its network is"):
            load(made)
    finally:
        config.write_text(text)


ODD = (
    {"transformer_layers_per_block": [1, [1, 2], 4]},
    {"mid_block_type": None},
    {"class_embed_type": "timestep"},
    {"down_block_types": ["SimpleCrossAttnDownBlock2D"] * 4},
    {"encoder_hid_dim": 8},
    {"conv_in_kernel": 1},
)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_built_otherwise_is_left_to_loading(odd: dict[str, Any]) -> None:
    """Nobody is refused a model for what the header's reader does not know."""
    config = read_json(CONFIGURATIONS / "stable-diffusion-1" / "unet" / "config.json")
    assert unet_shapes(config) and unet_shapes({**config, **odd}) == {}
