# SPDX-License-Identifier: MIT
"""Smaller kin of Stable Diffusion XL are painted with as folders, which say how they are built; as files not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel

from server.catalogue import described
from sg_core import generate, load, place
from sg_core.models.cards import header, kind_of_file
from sg_core.models.folder import quiet
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines
from weight_files.checkpoint_shapes import unlike

KIN: dict[str, dict[str, Any]] = {
    "fewer layers, not the same up as down": {  # as SSD-1B and Segmind-Vega have them
        "layers_per_block": 2,
        "transformer_layers_per_block": [1, [1, 1], [2, 1]],
        "reverse_transformer_layers_per_block": [[1, 1, 2], [1, 1, 1], 1],
    },
    "nothing in the middle": {"mid_block_type": None},  # as KOALA has it
}


@pytest.fixture(scope="module", params=KIN)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kin"
    torch.manual_seed(0)
    with quiet():
        pipeline = pipelines.stable_diffusion_xl()
        config = {**pipeline.unet.config, **KIN[request.param]}
        config.pop("_use_default_values")
        pipeline.register_modules(unet=UNet2DConditionModel.from_config(config))
        pipeline.save_pretrained(path)
        checkpoint_file.save(pipelines.stable_diffusion_xl(), path.with_suffix(".safetensors"))
    return path


def test_its_folder_paints_and_is_guided(folder: Path) -> None:
    assert described(folder).family == "stable-diffusion-xl"
    model, mask = load(folder), torch.zeros(8, 12)
    mask[:, :4] = 1.0
    options = {"width": 96, "height": 64, "steps": 3, "scale": 3.0}
    layout = place({"castle": mask})
    free, guided = (generate(model, "a huge castle", layout, strength=s, **options) for s in (0.0, 1.0))
    assert guided.isfinite().all() and not torch.equal(free, guided)


def test_a_header_is_not_held_against_what_nobody_follows(folder: Path) -> None:
    """A file beside such a folder is left to loading, which knows how it is built."""
    file = folder.with_suffix(".safetensors")
    assert unlike(header(file), folder, kind_of_file(file)) == ""
