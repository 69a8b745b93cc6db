# SPDX-License-Identifier: MIT
"""The names that LoRAs give to layers: kohya's, diffusers' of all times, PEFT's, and the numbering of the first code.

FLUX's first code has one layer where diffusers has several side by side (query, key, value, and in single blocks what
the network multiplies beside its attention); a LoRA for it is cut up, and its down half serves all of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

PREFIXES: Mapping[str, Sequence[str]] = {
    "unet": ("lora_unet_", "lycoris_", "unet.", "base_model.model.", ""),
    "transformer": (
        *("lora_unet_", "lora_transformer_", "lycoris_"),
        *("transformer.", "diffusion_model.", "base_model.model.", ""),
    ),
    "text_encoder": ("lora_te_", "lora_te1_", "text_encoder."),
    "text_encoder_2": ("lora_te2_", "text_encoder_2."),
}
DOWN = re.compile(r"\.(?:lora_down|lora_A|lora_A\.default|lora\.down)\.weight$")
EARLIER = (
    (re.compile(r"\.processor\.to_out_lora\."), ".to_out.0.lora."),
    (re.compile(r"\.processor\.(to_[qkv])_lora\."), r".\1.lora."),
    (re.compile(r"\.lora_linear_layer\."), ".lora."),
)
"""How diffusers wrote names before it had PEFT, and what it writes now."""

ENDING = re.compile(r"\.(?:lora_down|lora_up|lora_A|lora_B|lora|alpha)(?:\.|$)")
FIRST_BLOCK = re.compile(r"^(input_blocks|output_blocks|middle_block)_(\d+)_(?:([012])_)?(.*)$")
FIRST_INSIDE: Mapping[str, str] = {
    "in_layers_2": "conv1",
    "emb_layers_1": "time_emb_proj",
    "out_layers_3": "conv2",
    "skip_connection": "conv_shortcut",
}
FIRST_OUTSIDE: Mapping[str, str] = {
    "input_blocks_0_0": "conv_in",
    "time_embed_0": "time_embedding_linear_1",
    "time_embed_2": "time_embedding_linear_2",
    "label_emb_0_0": "add_embedding_linear_1",
    "label_emb_0_2": "add_embedding_linear_2",
    "out_2": "conv_out",
}
FIRST_FLUX = re.compile(
    r"^(?:lora_unet_|diffusion_model\.|base_model\.model\.|)(double|single)_blocks[._](\d+)[._](.+)$"
)
FLUX_LAYERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "double": {
        "img_attn_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
        "txt_attn_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
        "img_attn_proj": ("attn.to_out.0",),
        "txt_attn_proj": ("attn.to_add_out",),
        "img_mlp_0": ("ff.net.0.proj",),
        "img_mlp_2": ("ff.net.2",),
        "txt_mlp_0": ("ff_context.net.0.proj",),
        "txt_mlp_2": ("ff_context.net.2",),
        "img_mod_lin": ("norm1.linear",),
        "txt_mod_lin": ("norm1_context.linear",),
    },
    "single": {
        "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
        "linear2": ("proj_out",),
        "modulation_lin": ("norm.linear",),
    },
}
FLUX_BLOCKS: Mapping[str, str] = {"double": "transformer_blocks", "single": "single_transformer_blocks"}


def renamed(
    tensors: Mapping[str, Tensor], parts: Mapping[str, nn.Module], layers: Mapping[str, nn.Module]
) -> Mapping[str, Tensor]:
    """A file's tensors under names that are among those of ``layers``, as far as we know them."""
    result = {_current(name): weight for name, weight in tensors.items()}
    if "unet" in parts:
        return _renumbered(result, parts["unet"])
    tensors = dict(result)
    for down in [name for name in tensors if DOWN.search(name)]:
        layer, up = DOWN.sub("", down), up_name(down)
        targets = [target for target in _flux_layers(layer) if target in layers]
        rows = [len(weight) for target in targets if isinstance(weight := layers[target].weight, Tensor)]
        if targets and up in tensors and sum(rows) == len(tensors[up]):
            alpha = result.pop(f"{layer}.alpha", None)
            result |= _cut(result.pop(down), result.pop(up), alpha, dict(zip(targets, rows, strict=True)))
    return result


def _current(name: str) -> str:
    for earlier, now in EARLIER:
        name = earlier.sub(now, name)
    return name


def up_name(down_name: str) -> str:
    """The name of the other half."""
    return down_name.replace("lora_down", "lora_up").replace("lora_A", "lora_B").replace("lora.down", "lora.up")


def stated_alpha(stated: Mapping[str, Any], layer: str, rank: int) -> float:
    """A layer's alpha, by what PEFT ``stated`` of the LoRA in the notes of its file; its rank where nothing is said.

    Raises TypeError and ValueError for what is no number.
    """
    part, _, name = layer.partition(".")
    own: Mapping[str, Any] = stated.get(f"{part}.alpha_pattern") or {}
    alpha = next((own[key] for key in own if f".{name}".endswith(f".{key}")), stated.get(f"{part}.lora_alpha", rank))
    return float(alpha) * (rank**0.5 if stated.get(f"{part}.use_rslora") else 1.0)


def _flux_layers(name: str) -> Sequence[str]:
    match = FIRST_FLUX.match(name)
    if match is None:
        return ()
    kind, index, rest = match[1], match[2], match[3].replace(".", "_")
    block = f"transformer.{FLUX_BLOCKS[kind]}.{index}"
    return [f"{block}.{layer}" for layer in FLUX_LAYERS[kind].get(rest, ())]


def _cut(down: Tensor, up: Tensor, alpha: Tensor | None, rows: Mapping[str, int]) -> dict[str, Tensor]:
    """The halves for each of the layers that are one in the first code, by kohya's endings; each has so many rows."""
    result: dict[str, Tensor] = {}
    for target, part in zip(rows, torch.split(up, list(rows.values())), strict=True):
        result |= {f"{target}.lora_down.weight": down, f"{target}.lora_up.weight": part}
        result |= {} if alpha is None else {f"{target}.alpha": alpha}
    return result


def named_layers(parts: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Every layer that a LoRA may change, under each of the names that files give it."""
    layers: dict[str, nn.Module] = {}
    for part, prefixes in PREFIXES.items():
        if part not in parts:
            continue
        for name, layer in parts[part].named_modules():
            if isinstance(getattr(layer, "weight", None), Tensor) and layer.weight.ndim in (2, 4):
                wrapped = (f"text_model.{name}",) if part.startswith("text_encoder") else ()  # newer classes have none
                for full in (name, *wrapped):
                    layers |= {p + (full.replace(".", "_") if p.endswith("_") else full): layer for p in prefixes}
    return layers


def _renumbered(tensors: Mapping[str, Tensor], unet: Any) -> dict[str, Tensor]:
    """Names in diffusers' numbering of a UNet's blocks, where they are kohya's or ComfyUI's in the first code's."""
    depth = unet.config.layers_per_block + 1  # what halves or doubles the sides counts as a layer
    result: dict[str, Tensor] = {}
    for name, weight in tensors.items():
        match = ENDING.search(name)
        head, tail = (name[: match.start()], name[match.start() :]) if match else (name, "")
        for prefix in ("lora_unet_", "diffusion_model."):
            if match and head.startswith(prefix):
                head = "lora_unet_" + _layer(head.removeprefix(prefix).replace(".", "_"), depth)
        result[head + tail] = weight
    return result


def _layer(name: str, depth: int) -> str:
    """A layer of a UNet as diffusers calls it, with low lines between; blocks are ``depth`` layers deep."""
    if name in FIRST_OUTSIDE:
        return FIRST_OUTSIDE[name]
    match = FIRST_BLOCK.match(name)
    if match is None:
        return name
    side, first, second, inner = match[1], int(match[2]), match[3] or "0", match[4]
    inside = FIRST_INSIDE.get(inner, inner)
    if side == "middle_block":
        parts = ("resnets_0", "attentions_0", "resnets_1")
        return f"mid_block_{parts[first]}_{inside}" if first < len(parts) else name
    index = first - 1 if side == "input_blocks" else first
    block = f"{'down' if side == 'input_blocks' else 'up'}_blocks_{index // depth}"
    if inner in ("op", "conv"):
        return f"{block}_{'downsamplers' if inner == 'op' else 'upsamplers'}_0_conv"
    return f"{block}_{('resnets', 'attentions', 'attentions')[int(second)]}_{index % depth}_{inside}"
