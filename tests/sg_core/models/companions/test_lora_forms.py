# SPDX-License-Identifier: MIT
"""LoRAs of a layer, by every name that programs have given it, change it alone and by as much; damaged ones nothing."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sg_core import WeightsError, load
from sg_core.models.adapters import Fitting, Lora, modules, with_loras
from sg_core.models.folder import quiet
from sg_core.models.model import Model
from tests.sg_core.models.families import pipelines
from tests.sg_core.models.test_adapters import kohya, pair, peft

QUERY = "up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q"
OUT = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
TEXT = "encoder.layers.0.self_attn.q_proj"
FIRST = {
    "conv_in": "input_blocks_0_0",
    "down_blocks.0.resnets.0.conv1": "input_blocks_1_0_in_layers_2",
    "down_blocks.1.resnets.0.time_emb_proj": "input_blocks_{}_0_emb_layers_1",
    "down_blocks.0.downsamplers.0.conv": "input_blocks_{}_0_op",
    "mid_block.resnets.0.conv2": "middle_block_0_out_layers_3",
    "mid_block.attentions.0.proj_in": "middle_block_1_proj_in",
    "mid_block.resnets.1.conv1": "middle_block_2_in_layers_2",
    "up_blocks.0.resnets.0.conv_shortcut": "output_blocks_0_0_skip_connection",
    "up_blocks.0.upsamplers.0.conv": "output_blocks_{}_{}_conv",
    "time_embedding.linear_1": "time_embed_0",
    "add_embedding.linear_2": "label_emb_0_2",
    "conv_out": "out_2",
    QUERY: "output_blocks_0_1_transformer_blocks_0_attn2_to_q",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "xl"
    torch.manual_seed(0)
    with quiet():
        pipelines.stable_diffusion_xl().save_pretrained(path)
    return path


def change(folder: Path, tensors: Mapping[str, Tensor], file: Path, notes: dict[str, str] | None = None) -> dict:
    """What a LoRA of these tensors changes: the difference of each layer's weight, by part and name."""
    model = load(folder)
    parts = modules(model)
    before = {(part, name): w.clone() for part in parts for name, w in parts[part].state_dict().items()}
    save_file({name: weight.contiguous() for name, weight in tensors.items()}, file, notes)
    with_loras(model, [Lora(file)])
    after = {(part, name): w for part in parts for name, w in parts[part].state_dict().items()}
    return {key: after[key] - w for key, w in before.items() if not torch.equal(after[key], w)}


def product(down: Tensor, up: Tensor, share: float = 1.0) -> Tensor:
    return share * (up.flatten(1) @ down.flatten(1)).view(len(up), *down.shape[1:])


def numbered(model: Model, layer: str) -> str:
    """The name in the first code's numbering of this tiny network."""
    depth = model.network.config.layers_per_block + 1
    if "downsamplers" in layer:
        return FIRST[layer].format(depth)
    if "upsamplers" in layer:
        return FIRST[layer].format(depth - 1, 1 + hasattr(model.network.up_blocks[0], "attentions"))
    return FIRST[layer].format(1 + depth)


@pytest.mark.parametrize("layer", FIRST)
@pytest.mark.parametrize("prefix", ["lora_unet_", "diffusion_model."])
def test_every_layer_is_known_in_the_numbering_of_the_first_code(
    folder: Path, tmp_path: Path, layer: str, prefix: str
) -> None:
    """Convolutions too (LoCon), by kohya's names and with dots, as ComfyUI saves them."""
    model = load(folder)
    down, up = pair(model, "unet", layer)
    name = numbered(model, layer)
    if prefix.endswith("."):
        name = dotted(name)
    ((key, difference),) = change(folder, kohya(prefix + name, down, up), tmp_path / "x.safetensors").items()
    assert key == ("unet", f"{layer}.weight") and torch.allclose(difference, product(down, up, 0.5), atol=1e-5)


def dotted(name: str) -> str:
    words = (
        "input_blocks",
        "output_blocks",
        "middle_block",
        "in_layers",
        "out_layers",
        "emb_layers",
        "skip_connection",
    )
    words += ("transformer_blocks", "time_embed", "label_emb", "to_q", "proj_in")
    for word in words:
        name = name.replace(word, word.replace("_", "-"))
    return name.replace("_", ".").replace("-", "_")


def earlier(layer: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    """As diffusers wrote it before PEFT."""
    block, _, inner = layer.partition("attn2." if "attn2" in layer else "attn1.")
    head = f"unet.{block}{'attn2' if 'attn2' in layer else 'attn1'}.processor.{inner.removesuffix('.0')}_lora"
    return {f"{head}.down.weight": down, f"{head}.up.weight": up}


FORMS = {
    "peft": lambda layer, down, up: peft(f"unet.{layer}", down, up),
    "of an adapter": lambda layer, down, up: peft(f"base_model.model.{layer}", down, up),
    "bare": lambda layer, down, up: peft(layer, down, up),
    "lycoris": lambda layer, down, up: kohya("lycoris_" + layer.replace(".", "_"), down, up) | {},
    "earlier": earlier,
    "default": lambda layer, down, up: {
        f"unet.{layer}.lora_A.default.weight": down,
        f"unet.{layer}.lora_B.default.weight": up,
    },
    "in eight bits": lambda layer, down, up: {
        name: weight.to(torch.float8_e4m3fn) for name, weight in peft(f"unet.{layer}", down, up).items()
    },
}


@pytest.mark.parametrize("layer", [QUERY, OUT])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read(folder: Path, tmp_path: Path, form: str, layer: str) -> None:
    down, up = pair(load(folder), "unet", layer)
    tensors = FORMS[form](layer, down, up)
    ((key, difference),) = change(folder, tensors, tmp_path / "x.safetensors").items()
    assert key == ("unet", f"{layer}.weight")
    if form == "in eight bits":
        down, up = (half.to(torch.float8_e4m3fn).float() for half in (down, up))
    assert torch.allclose(difference, product(down, up, 0.5 if form == "lycoris" else 1.0), atol=1e-5)


def test_an_encoder_s_layers_by_diffusers_earlier_names(folder: Path, tmp_path: Path) -> None:
    model = load(folder)
    own = f"text_model.{TEXT}" if hasattr(modules(model)["text_encoder"], "text_model") else TEXT
    down, up = pair(model, "text_encoder", own)
    head = f"text_encoder.text_model.{TEXT}.lora_linear_layer"
    ((key, difference),) = change(
        folder, {f"{head}.down.weight": down, f"{head}.up.weight": up}, tmp_path / "x.safetensors"
    ).items()
    assert key == ("text_encoder", f"{own}.weight") and torch.allclose(difference, product(down, up), atol=1e-5)


@pytest.mark.parametrize(
    ("stated", "share"),
    [
        ({"unet.lora_alpha": 1}, 0.5),
        ({"unet.lora_alpha": 1, "unet.use_rslora": True}, 2**-0.5),
        ({"unet.lora_alpha": 1, "unet.alpha_pattern": {"attn2.to_q": 4}}, 2.0),
        ({"text_encoder.lora_alpha": 1}, 1.0),
        ([], 1.0),
    ],
)
def test_peft_states_its_alpha_in_the_notes(folder: Path, tmp_path: Path, stated: object, share: float) -> None:
    down, up = pair(load(folder), "unet", QUERY)
    notes = {"lora_adapter_metadata": json.dumps(stated)}
    (difference,) = change(folder, peft(f"unet.{QUERY}", down, up), tmp_path / "x.safetensors", notes).values()
    assert torch.allclose(difference, product(down, up, share), atol=1e-5)


def halves(down: Tensor, up: Tensor, alpha: Tensor | None = None) -> dict[str, Tensor]:
    name = "lora_unet_" + QUERY.replace(".", "_")
    named = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    return named if alpha is None else {**named, f"{name}.alpha": alpha}


DAMAGED = {
    "no rank": (lambda down, up: halves(down[:0], up[:, :0]), "halves that do not belong together"),
    "two ranks": (lambda down, up: halves(down, up[:, :1]), "halves that do not belong together"),
    "flat": (lambda down, up: halves(down.flatten(), up), "halves that do not belong together"),
    "a number": (lambda down, up: halves(torch.tensor(1.0), up), "halves that do not belong together"),
    "many alphas": (lambda down, up: halves(down, up, torch.ones(3)), "halves that do not belong together"),
    "no alpha": (lambda down, up: halves(down, up, torch.tensor(float("nan"))), "numbers that are none"),
    "infinite": (lambda down, up: halves(down, up * float("inf")), "numbers that are none"),
    "of another width": (lambda down, up: halves(down[:, 1:], up), "of another size"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_refused_and_changes_nothing(folder: Path, tmp_path: Path, name: str) -> None:
    fitting = Fitting(load(folder))
    before = {key: weight.clone() for key, weight in fitting.model.network.state_dict().items()}
    tensors, words = DAMAGED[name][0](*pair(fitting.model, "unet", QUERY)), DAMAGED[name][1]
    save_file({key: weight.contiguous() for key, weight in tensors.items()}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=words):
        fitting.fit([Lora(tmp_path / "x.safetensors")])
    assert all(torch.equal(weight, before[key]) for key, weight in fitting.model.network.state_dict().items())


@pytest.mark.parametrize("key", ["hada_w1_a", "lokr_w1", "dora_scale", "lora_mid.weight", "diff", "oft_blocks"])
def test_what_is_like_a_lora_and_is_none_says_so(folder: Path, tmp_path: Path, key: str) -> None:
    model = load(folder)
    name = "lora_unet_" + QUERY.replace(".", "_")
    save_file({**halves(*pair(model, "unet", QUERY)), f"{name}.{key}": torch.ones(2, 2)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=f"{key}: it is no LoRA of a kind that Maquette reads"):
        with_loras(model, [Lora(tmp_path / "x.safetensors")])
