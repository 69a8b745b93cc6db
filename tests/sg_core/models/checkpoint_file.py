# SPDX-License-Identifier: MIT
"""A tiny pipeline as one checkpoint file, under the names that the first code of Stable Diffusion had."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

Tensors = dict[str, Tensor]
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
OUTSIDE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def renamed(tensors: Tensors, names: Mapping[str, str], prefix: str = "") -> Tensors:
    """The beginnings of names changed, the longest first."""
    pairs = sorted(names.items(), key=lambda pair: -len(pair[0]))
    result = {}
    for name, weight in tensors.items():
        old, new = next(((old, new) for old, new in pairs if name.startswith(f"{old}.")), ("", ""))
        result[prefix + new + name[len(old) :]] = weight
    return result


def unet(network: Any) -> Tensors:
    """Blocks in a row: each resnet with the attention behind it, then what halves or doubles the sides."""
    names, index = dict(OUTSIDE), 1
    for i, block in enumerate(network.down_blocks):
        for j in range(len(block.resnets)):
            names[f"down_blocks.{i}.resnets.{j}"] = f"input_blocks.{index}.0"
            names[f"down_blocks.{i}.attentions.{j}"] = f"input_blocks.{index}.1"
            index += 1
        if block.downsamplers:
            names[f"down_blocks.{i}.downsamplers.0.conv"] = f"input_blocks.{index}.0.op"
            index += 1
    index = 0
    for i, block in enumerate(getattr(network, "up_blocks", ())):
        attends = hasattr(block, "attentions")
        for j in range(len(block.resnets)):
            names[f"up_blocks.{i}.resnets.{j}"] = f"output_blocks.{index}.0"
            names[f"up_blocks.{i}.attentions.{j}"] = f"output_blocks.{index}.1"
            index += 1
        names[f"up_blocks.{i}.upsamplers.0.conv"] = f"output_blocks.{index - 1}.{1 + attends}.conv"
    tensors = renamed(network.state_dict(), names, "model.diffusion_model.")
    return {_inside(name, RESNET, r"(put_blocks\.\d+\.0|middle_block\.[02])\."): w for name, w in tensors.items()}


def controlnet(network: Any) -> Tensors:
    """The first half of a UNet, and what a ControlNet has beside it."""
    hint = "controlnet_cond_embedding."
    names = {f"{hint}conv_in": "input_hint_block.0", f"{hint}conv_out": "input_hint_block.14"}
    names |= {f"{hint}blocks.{i}": f"input_hint_block.{2 * i + 2}" for i in range(6)}
    names |= {f"controlnet_down_blocks.{i}": f"zero_convs.{i}.0" for i in range(len(network.controlnet_down_blocks))}
    names["controlnet_mid_block"] = "middle_block_out.0"
    half = {name.removeprefix("model.diffusion_model."): weight for name, weight in unet(network).items()}
    return renamed(half, names, "control_model.")


def _inside(name: str, names: Mapping[str, str], place: str) -> str:
    match = re.search(place, name)
    if not match:
        return name
    head, tail = name[: match.end()], name[match.end() :]
    return head + next((new + tail[len(old) :] for old, new in names.items() if tail.startswith(old)), tail)


def vae(network: Any) -> Tensors:
    names = {"encoder.conv_norm_out": "encoder.norm_out", "decoder.conv_norm_out": "decoder.norm_out"}
    levels = len(network.encoder.down_blocks)
    for side in ("encoder", "decoder"):
        names |= {f"{side}.mid_block.resnets.{i}": f"{side}.mid.block_{i + 1}" for i in range(2)}
        names[f"{side}.mid_block.attentions.0"] = f"{side}.mid.attn_1"
    for i in range(levels):
        for j in range(3):
            names[f"encoder.down_blocks.{i}.resnets.{j}"] = f"encoder.down.{i}.block.{j}"
            names[f"decoder.up_blocks.{i}.resnets.{j}"] = f"decoder.up.{levels - 1 - i}.block.{j}"
        names[f"encoder.down_blocks.{i}.downsamplers.0.conv"] = f"encoder.down.{i}.downsample.conv"
        names[f"decoder.up_blocks.{i}.upsamplers.0.conv"] = f"decoder.up.{levels - 1 - i}.upsample.conv"
    result = {}
    for name, weight in renamed(network.state_dict(), names, "first_stage_model.").items():
        name = _inside(name.replace("conv_shortcut", "nin_shortcut"), ATTENTION, r"mid\.attn_1\.")
        square = "attn_1" in name and weight.ndim == 2
        result[name] = weight[:, :, None, None] if square else weight
    return result


def clip(encoder: Any, prefix: str) -> Tensors:
    tensors = encoder.state_dict().items()
    return {f"{prefix}{n if n.startswith('text_model.') else f'text_model.{n}'}": w for n, w in tensors}


def open_clip(encoder: Any, prefix: str) -> Tensors:
    tensors = {name.removeprefix("text_model."): w for name, w in encoder.state_dict().items()}
    result = {
        "token_embedding.weight": tensors["embeddings.token_embedding.weight"],
        "positional_embedding": tensors["embeddings.position_embedding.weight"],
        "ln_final.weight": tensors["final_layer_norm.weight"],
        "ln_final.bias": tensors["final_layer_norm.bias"],
    }
    if "text_projection.weight" in tensors:
        result["text_projection"] = tensors["text_projection.weight"].T
    for i in range(encoder.config.num_hidden_layers):
        layer = {n.removeprefix(f"encoder.layers.{i}."): w for n, w in tensors.items() if f"encoder.layers.{i}." in n}
        joined = {
            part: torch.cat([layer.pop(f"self_attn.{k}_proj.{part}") for k in "qkv"]) for part in ("weight", "bias")
        }
        block = renamed(layer, OPEN_CLIP) | {f"attn.in_proj_{part}": weight for part, weight in joined.items()}
        result |= {f"transformer.resblocks.{i}.{name}": weight for name, weight in block.items()}
    return {prefix + name: weight for name, weight in result.items()}


def save(pipeline: Any, file: Path) -> None:
    """The pipeline's parts in one file."""
    tensors = unet(pipeline.unet) | vae(pipeline.vae)
    if hasattr(pipeline, "text_encoder_2"):
        tensors |= clip(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        tensors |= open_clip(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    elif pipeline.text_encoder.config.hidden_act == "gelu":
        tensors |= open_clip(pipeline.text_encoder, "cond_stage_model.model.")
    else:
        tensors |= clip(pipeline.text_encoder, "cond_stage_model.transformer.")
    save_file({name: weight.contiguous() for name, weight in tensors.items()}, file)
