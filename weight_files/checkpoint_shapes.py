# SPDX-License-Identifier: MIT
"""Whether one checkpoint file holds the networks that its configuration says, told from its header alone.

What loading a file of some gigabytes would find out is said before: a smaller kin of the family, an encoder that is
missing, an autoencoder of another kind. What is more in a file than its networks need is left alone, as loading does.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weight_files.unet_shapes import TensorShape, TensorShapes, convolution, linear, norm, unet_shapes

UNET, VAE = "model.diffusion_model.", "first_stage_model."
CLIP = ("cond_stage_model.transformer.", "conditioner.embedders.0.transformer.")
OPEN_CLIP = ("cond_stage_model.model.", "conditioner.embedders.1.model.")
WRAPPING = "text_model."  # around CLIP's layers, which some merges leave out
WORDS: Mapping[str, str] = {
    "unet": "its network",
    "vae": "its autoencoder (VAE)",
    "text_encoder": "its text encoder",
    "text_encoder_2": "its second text encoder",
}
VAE_FOLLOWED: Mapping[str, Any] = {
    "_class_name": "AutoencoderKL",
    "use_quant_conv": True,
    "use_post_quant_conv": True,
    "mid_block_add_attention": True,
}
VAE_BLOCKS = frozenset({"DownEncoderBlock2D", "UpDecoderBlock2D"})
SMALLER = 0.95  # of the numbers that a family's network has
HeaderTensors = Mapping[str, Mapping[str, Any]]


def unlike(tensors: HeaderTensors, folder: Path, kind: Mapping[str, Any]) -> str:
    """Why a file with these tensors is not what a folder's configuration says; "" where it is.

    Args:
        folder: of the configuration of its parts, ``unet/config.json`` and so on; parts it has not are not looked for.
        kind: of the file, as ``cards.json`` lists it; what it is ``called``, and its smaller ``kin``.

    Raises OSError, ValueError, TypeError and the like for a configuration that is none.
    """
    for part, words in WORDS.items():
        if (file := folder / part / "config.json").is_file():
            shapes = part_shapes(part, json.loads(file.read_text("utf-8")), tensors)
            if all(_same(name, _shape(tensors, name), shape) for name, shape in shapes.items()):
                continue
            if part == "unet" and "kin" in kind and _is_smaller(tensors, shapes):
                return (
                    f"{words} is smaller than {kind['called']}'s, as those of {kind['kin']} are: "
                    "get the model as a folder in diffusers' format, which says how it is built"
                )
            return _difference(words, shapes, tensors)
    return ""


def part_shapes(part: str, config: Mapping[str, Any], tensors: HeaderTensors) -> TensorShapes:
    """What a file has to hold of a part, by the file's names; nothing where its configuration is not followed.

    Args:
        tensors: of the file, which say whether an encoder is CLIP's or OpenCLIP's.
    """
    if part == "unet":
        return {f"{UNET}{name}": shape for name, shape in unet_shapes(config).items()}
    if part == "vae":
        return {f"{VAE}{name}": shape for name, shape in vae_shapes(config).items()}
    second = part == "text_encoder_2"
    if second or f"{OPEN_CLIP[0]}token_embedding.weight" in tensors:
        prefix = OPEN_CLIP[second]
        return {f"{prefix}{name}": shape for name, shape in open_clip_shapes(config, projected=second).items()}
    prefix = next((one for one in CLIP if any(name.startswith(one) for name in tensors)), CLIP[0])
    return {f"{prefix}{WRAPPING}{name}": shape for name, shape in clip_shapes(config).items()}


def vae_shapes(config: Mapping[str, Any]) -> TensorShapes:
    """Of an autoencoder of Stable Diffusion's kind."""
    kinds = {*config.get("down_block_types", VAE_BLOCKS), *config.get("up_block_types", VAE_BLOCKS)}
    if any(config.get(key, value) != value for key, value in VAE_FOLLOWED.items()) or not kinds <= VAE_BLOCKS:
        return {}
    channels, layers = list(config.get("block_out_channels", [64])), int(config.get("layers_per_block", 1))
    latent, last = int(config.get("latent_channels", 4)), channels[-1]
    shapes = {
        **convolution("encoder.conv_in", int(config.get("in_channels", 3)), channels[0]),
        **_ends("encoder", last, 2 * latent),
        **convolution("quant_conv", 2 * latent, 2 * latent, 1),
        **convolution("post_quant_conv", latent, latent, 1),
        **convolution("decoder.conv_in", latent, last),
        **_ends("decoder", channels[0], int(config.get("out_channels", 3))),
        **_middle("encoder", last),
        **_middle("decoder", last),
    }
    down, up = channels[0], last
    for level, width in enumerate(channels):
        back = len(channels) - 1 - level
        for layer in range(layers + 1):
            if layer < layers:
                shapes |= _resnet(f"encoder.down.{level}.block.{layer}", down, width)
                down = width
            shapes |= _resnet(f"decoder.up.{back}.block.{layer}", up, channels[back])
            up = channels[back]
        if back:
            shapes |= convolution(f"encoder.down.{level}.downsample.conv", width, width)
            shapes |= convolution(f"decoder.up.{back}.upsample.conv", channels[back], channels[back])
    return shapes


def _ends(side: str, inputs: int, outputs: int) -> TensorShapes:
    return {**norm(f"{side}.norm_out", inputs), **convolution(f"{side}.conv_out", inputs, outputs)}


def _middle(side: str, width: int) -> TensorShapes:
    shapes = {**_resnet(f"{side}.mid.block_1", width, width), **_resnet(f"{side}.mid.block_2", width, width)}
    for name in ("q", "k", "v", "proj_out"):
        shapes |= convolution(f"{side}.mid.attn_1.{name}", width, width, 1)
    return shapes | norm(f"{side}.mid.attn_1.norm", width)


def _resnet(name: str, inputs: int, outputs: int) -> TensorShapes:
    return {
        **norm(f"{name}.norm1", inputs),
        **convolution(f"{name}.conv1", inputs, outputs),
        **norm(f"{name}.norm2", outputs),
        **convolution(f"{name}.conv2", outputs, outputs),
        **({} if inputs == outputs else convolution(f"{name}.nin_shortcut", inputs, outputs, 1)),
    }


def clip_shapes(config: Mapping[str, Any]) -> TensorShapes:
    """Of CLIP's text encoder (Radford et al. 2021), by the names of transformers."""
    width, inner = int(config.get("hidden_size", 512)), int(config.get("intermediate_size", 2048))
    shapes: TensorShapes = {
        "embeddings.token_embedding.weight": (int(config.get("vocab_size", 49408)), width),
        "embeddings.position_embedding.weight": (int(config.get("max_position_embeddings", 77)), width),
        **norm("final_layer_norm", width),
    }
    for number in range(int(config.get("num_hidden_layers", 12))):
        layer = f"encoder.layers.{number}"
        for side in ("q", "k", "v", "out"):
            shapes |= linear(f"{layer}.self_attn.{side}_proj", width, width)
        shapes |= {**linear(f"{layer}.mlp.fc1", width, inner), **linear(f"{layer}.mlp.fc2", inner, width)}
        shapes |= {**norm(f"{layer}.layer_norm1", width), **norm(f"{layer}.layer_norm2", width)}
    return shapes


def open_clip_shapes(config: Mapping[str, Any], *, projected: bool) -> TensorShapes:
    """Of OpenCLIP's text encoder, by its own names; with its projection where that is used."""
    width, inner = int(config.get("hidden_size", 512)), int(config.get("intermediate_size", 2048))
    shapes: TensorShapes = {
        "token_embedding.weight": (int(config.get("vocab_size", 49408)), width),
        "positional_embedding": (int(config.get("max_position_embeddings", 77)), width),
        **norm("ln_final", width),
    }
    if projected:
        shapes["text_projection"] = (width, int(config.get("projection_dim", 512)))
    for number in range(int(config.get("num_hidden_layers", 12))):
        layer = f"transformer.resblocks.{number}"
        shapes |= {f"{layer}.attn.in_proj_weight": (3 * width, width), f"{layer}.attn.in_proj_bias": (3 * width,)}
        shapes |= linear(f"{layer}.attn.out_proj", width, width)
        shapes |= {**linear(f"{layer}.mlp.c_fc", width, inner), **linear(f"{layer}.mlp.c_proj", inner, width)}
        shapes |= {**norm(f"{layer}.ln_1", width), **norm(f"{layer}.ln_2", width)}
    return shapes


def configured_numbers(config: Mapping[str, Any]) -> int:
    """How many numbers a part of a folder needs, by its configuration; 0 of one that is not followed here."""
    name = config.get("_class_name") or (config.get("architectures") or [""])[0]
    shapes: TensorShapes = {}
    if name == "UNet2DConditionModel":
        shapes = unet_shapes(config)
    elif name == "AutoencoderKL":
        shapes = vae_shapes(config)
    elif name in ("CLIPTextModel", "CLIPTextModelWithProjection"):
        shapes = clip_shapes(config)
        if name.endswith("Projection"):
            shapes["projection"] = (int(config.get("projection_dim", 512)), int(config.get("hidden_size", 512)))
    return sum(map(math.prod, shapes.values()))


def _shape(tensors: HeaderTensors, name: str) -> TensorShape | None:
    """Of a tensor by this name, or by the one that some merges give it."""
    facts = tensors.get(name) or tensors.get(name.replace(WRAPPING, "", 1))
    return None if facts is None else tuple(facts["shape"])


def _same(name: str, shape: TensorShape | None, expected: TensorShape) -> bool:
    """Autoencoders have had their attention as convolutions of one cell, of one line, and as plain products."""
    return shape == expected or (
        shape is not None
        and ".mid.attn_1." in name
        and shape[:2] == expected[:2]
        and all(side == 1 for side in shape[2:])
    )


def _is_smaller(tensors: HeaderTensors, shapes: TensorShapes) -> bool:
    """Whether a file's network has clearly fewer numbers than it should, and is not only torn somewhere."""
    own = sum(math.prod(facts["shape"]) for name, facts in tensors.items() if name.startswith(UNET))
    return 0 < own < SMALLER * sum(map(math.prod, shapes.values()))


def _difference(words: str, shapes: TensorShapes, tensors: HeaderTensors) -> str:
    lacking = [name for name in shapes if _shape(tensors, name) is None]
    if len(lacking) == len(shapes):
        return f"it lacks {words}: get the whole checkpoint"
    other = [name for name in shapes if not _same(name, _shape(tensors, name), shapes[name]) and name not in lacking]
    if other:
        shape = _sides(_shape(tensors, other[0]) or ())
        return f"{words} is of another kind than its family's: {other[0]} is {shape}, not {_sides(shapes[other[0]])}"
    more = f" and {len(lacking) - 1} more" if lacking[1:] else ""
    return f"{words} is not whole, for it lacks {lacking[0]}{more}: get the whole checkpoint"


def _sides(shape: TensorShape) -> str:
    return " x ".join(map(str, shape)) or "one number"
