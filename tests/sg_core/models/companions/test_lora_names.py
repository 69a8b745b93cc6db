# SPDX-License-Identifier: MIT
"""FLUX's LoRAs in the numbering of its first code, where one layer is what diffusers has as several."""

from pathlib import Path

import pytest
import torch
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers
from safetensors.torch import save_file

from sg_core import load
from sg_core.models.adapters import Lora, with_loras
from sg_core.models.folder import quiet
from tests.sg_core.models.families import pipelines
from tests.sg_core.models.test_adapters import kohya, peft, weights

FLUX_LAYERS = {
    "double_blocks_0_img_attn_qkv": 3,
    "double_blocks_1_txt_attn_qkv": 3,
    "double_blocks_0_img_attn_proj": 1,
    "double_blocks_0_txt_attn_proj": 1,
    "double_blocks_0_img_mlp_0": 4,
    "double_blocks_0_txt_mlp_2": 1,
    "double_blocks_0_img_mod_lin": 6,
    "single_blocks_0_linear1": 7,
    "single_blocks_0_linear2": 1,
    "single_blocks_1_modulation_lin": 3,
}
INPUTS = {"double_blocks_0_txt_mlp_2": 4, "single_blocks_0_linear2": 5}
"""Rows and columns of the first code's layers, in widths of the network."""


@pytest.mark.parametrize("dotted", [False, True])
def test_flux_is_known_by_the_names_of_its_first_code(tmp_path: Path, dotted: bool) -> None:
    """Held against what diffusers makes of the same file."""
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "flux")
    model = load(tmp_path / "flux")
    width = model.network.config.num_attention_heads * model.network.config.attention_head_dim
    tensors = {}
    for name, rows in FLUX_LAYERS.items():
        down, up = torch.randn(2, INPUTS.get(name, 1) * width), torch.randn(rows * width, 2)
        tensors |= kohya(f"lora_unet_{name}", down, up)
    before = weights(model)
    fused = "lora_unet_single_blocks_0_linear1"  # which diffusers cuts up at FLUX's real width only
    expected = _convert_kohya_flux_lora_to_diffusers({k: v for k, v in tensors.items() if not k.startswith(fused)})
    ups = (tensors[f"{fused}.lora_up.weight"] * 0.5).split([width, width, width, 4 * width])
    for layer, up in zip(("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), ups, strict=True):
        expected |= peft(f"transformer.single_transformer_blocks.0.{layer}", tensors[f"{fused}.lora_down.weight"], up)
    if dotted:
        parts = {"double_blocks_": "double_blocks.", "single_blocks_": "single_blocks.", "_img": ".img", "_txt": ".txt"}
        dots = {**parts, "_linear": ".linear", "_modulation": ".modulation", "attn_": "attn.", "mlp_": "mlp."}
        dots |= {"mod_lin": "mod.lin", "lora_unet_": "diffusion_model.", "modulation_lin": "modulation.lin"}
        tensors = {renamed_by(dots, name): weight for name, weight in tensors.items()}
    save_file({name: weight.contiguous() for name, weight in tensors.items()}, tmp_path / "x.safetensors")
    after = weights(with_loras(model, [Lora(tmp_path / "x.safetensors", 0.5)]))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name.replace("lora_A.", "") for name in expected if "lora_A" in name}
    for name in changed:
        up, down = (expected[name.replace("weight", f"lora_{half}.weight")] for half in "BA")
        assert torch.allclose(after[name] - before[name], 0.5 * up @ down, atol=1e-4), name


def renamed_by(parts: dict[str, str], name: str) -> str:
    for old, new in parts.items():
        name = name.replace(old, new)
    return name
