# SPDX-License-Identifier: MIT
"""What the tensors of a UNet are called in one checkpoint file, and how large they are, from its configuration alone.

Names are those of its first code (Rombach et al. 2022, Podell et al. 2023): blocks in a row, counted through. Shapes
are rows first, as torch has them. A configuration that says anything beyond what these networks have is not followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

TensorShape = tuple[int, ...]
TensorShapes = dict[str, TensorShape]
ATTENDS: Mapping[str, bool] = MappingProxyType(
    {"DownBlock2D": False, "UpBlock2D": False, "CrossAttnDownBlock2D": True, "CrossAttnUpBlock2D": True}
)
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": [320, 640, 1280, 1280],
        "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        "layers_per_block": 2,
        "cross_attention_dim": 1280,
        "transformer_layers_per_block": 1,
        "use_linear_projection": False,
        "addition_embed_type": None,
        "projection_class_embeddings_input_dim": None,
    }
)
"""What decides shapes here, with what the network's class has where a configuration says nothing."""

FIXED: Mapping[str, Any] = MappingProxyType(
    {
        "_class_name": "UNet2DConditionModel",
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "time_embedding_type": "positional",
        "resnet_time_scale_shift": "default",
        "attention_type": "default",
        "conv_in_kernel": 3,
        "conv_out_kernel": 3,
        "addition_embed_type_num_heads": 64,
    }
)
"""What decides shapes too, and is followed in this one form alone."""

SHAPELESS = frozenset(
    (
        *("sample_size", "act_fn", "norm_eps", "norm_num_groups", "flip_sin_to_cos", "freq_shift", "dropout"),
        *("center_input_sample", "downsample_padding", "mid_block_scale_factor", "attention_head_dim"),
        *("num_attention_heads", "upcast_attention", "resnet_skip_time_act", "resnet_out_scale_factor"),
        *("addition_time_embed_dim", "_diffusers_version", "_name_or_path", "decay", "optimization_step"),
        *("inv_gamma", "min_decay", "power", "update_after_step", "use_ema_warmup"),
    )
)
"""What changes numbers and no shape. The last of them are what training left behind."""


@dataclass(frozen=True)
class UNetLayout:
    """What decides the shapes of a UNet, one entry a level from the outermost; ``depths`` are transformer blocks."""

    channels: Sequence[int]
    depths: Sequence[int]
    down: Sequence[bool]
    up: Sequence[bool]
    layers: int
    words: int
    linear: bool

    @property
    def time(self) -> int:
        """Width of what says the step."""
        return 4 * self.channels[0]


def unet_shapes(config: Mapping[str, Any]) -> TensorShapes:
    """Every tensor of the network, by name; none where the configuration says what is not followed here."""
    values = {key: value for key, value in config.items() if key not in SHAPELESS}
    if any(values[key] != FIXED[key] if key in FIXED else bool(values[key]) for key in values.keys() - DEFAULTS):
        return {}
    values = {**DEFAULTS, **values}
    layout = _layout(values)
    if layout is None or values["addition_embed_type"] not in (None, "text_time"):
        return {}
    first, time = layout.channels[0], layout.time
    shapes = {
        **linear("time_embed.0", first, time),
        **linear("time_embed.2", time, time),
        **convolution("input_blocks.0.0", int(values["in_channels"]), first),
        **norm("out.0", first),
        **convolution("out.2", first, int(values["out_channels"])),
    }
    if values["addition_embed_type"]:
        beside = int(values["projection_class_embeddings_input_dim"] or 0)
        shapes |= {**linear("label_emb.0.0", beside, time), **linear("label_emb.0.2", time, time)}
    for block in (*_down_blocks(layout), _middle(layout), *_up_blocks(layout)):
        shapes |= block
    return shapes


def _layout(values: Mapping[str, Any]) -> UNetLayout | None:
    """None of a network that is built otherwise."""
    channels, down, up = values["block_out_channels"], values["down_block_types"], values["up_block_types"]
    depths = values["transformer_layers_per_block"]
    depths = [depths] * len(channels) if isinstance(depths, int) else depths
    plain = all(isinstance(number, int) for number in (*channels, *depths, values["layers_per_block"]))
    standard = all(kind in ATTENDS for kind in (*down, *up)) and isinstance(values["cross_attention_dim"], int)
    if not plain or not standard or not len(channels) == len(depths) == len(down) == len(up):
        return None
    attending = [ATTENDS[kind] for kind in down], [ATTENDS[kind] for kind in up]
    words, linear = values["cross_attention_dim"], bool(values["use_linear_projection"])
    return UNetLayout(channels, depths, *attending, values["layers_per_block"], words, linear)


def _down_blocks(layout: UNetLayout) -> Iterator[TensorShapes]:
    index, before, last = 1, layout.channels[0], len(layout.channels) - 1
    for level, channels in enumerate(layout.channels):
        for _ in range(layout.layers):
            yield _resnet(f"input_blocks.{index}.0", before, channels, layout.time)
            if layout.down[level]:
                yield _transformer(f"input_blocks.{index}.1", channels, layout.depths[level], layout)
            index, before = index + 1, channels
        if level < last:
            yield convolution(f"input_blocks.{index}.0.op", channels, channels)
            index += 1


def _middle(layout: UNetLayout) -> TensorShapes:
    channels = layout.channels[-1]
    return {
        **_resnet("middle_block.0", channels, channels, layout.time),
        **_transformer("middle_block.1", channels, layout.depths[-1], layout),
        **_resnet("middle_block.2", channels, channels, layout.time),
    }


def _up_blocks(layout: UNetLayout) -> Iterator[TensorShapes]:
    """Each layer is values what the way down left at its size, too."""
    left = [layout.channels[0]]
    for level, channels in enumerate(layout.channels):
        left += [channels] * (layout.layers + (level < len(layout.channels) - 1))
    index, before = 0, layout.channels[-1]
    for level in reversed(range(len(layout.channels))):
        channels, attends = layout.channels[level], layout.up[len(layout.channels) - 1 - level]
        for _ in range(layout.layers + 1):
            yield _resnet(f"output_blocks.{index}.0", before + left.pop(), channels, layout.time)
            if attends:
                yield _transformer(f"output_blocks.{index}.1", channels, layout.depths[level], layout)
            index, before = index + 1, channels
        if level:
            yield convolution(f"output_blocks.{index - 1}.{1 + attends}.conv", channels, channels)


def _resnet(name: str, inputs: int, outputs: int, time: int) -> TensorShapes:
    skipped = {} if inputs == outputs else convolution(f"{name}.skip_connection", inputs, outputs, 1)
    return {
        **norm(f"{name}.in_layers.0", inputs),
        **convolution(f"{name}.in_layers.2", inputs, outputs),
        **linear(f"{name}.emb_layers.1", time, outputs),
        **norm(f"{name}.out_layers.0", outputs),
        **convolution(f"{name}.out_layers.3", outputs, outputs),
        **skipped,
    }


def _transformer(name: str, channels: int, depth: int, layout: UNetLayout) -> TensorShapes:
    shapes = norm(f"{name}.norm", channels)
    for side in ("proj_in", "proj_out"):
        projection = linear(f"{name}.{side}", channels, channels)
        shapes |= projection if layout.linear else convolution(f"{name}.{side}", channels, channels, 1)
    for number in range(depth):
        block = f"{name}.transformer_blocks.{number}"
        for attention, width in (("attn1", channels), ("attn2", layout.words)):
            shapes[f"{block}.{attention}.to_q.weight"] = (channels, channels)
            shapes |= {f"{block}.{attention}.to_{part}.weight": (channels, width) for part in "kv"}
            shapes |= linear(f"{block}.{attention}.to_out.0", channels, channels)
        shapes |= linear(f"{block}.ff.net.0.proj", channels, 8 * channels)
        shapes |= linear(f"{block}.ff.net.2", 4 * channels, channels)
        for index in (1, 2, 3):
            shapes |= norm(f"{block}.norm{index}", channels)
    return shapes


def linear(name: str, inputs: int, outputs: int) -> TensorShapes:
    """Of a layer from so many channels to so many."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def convolution(name: str, inputs: int, outputs: int, side: int = 3) -> TensorShapes:
    """Of a layer that looks at so many cells a side."""
    return {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}


def norm(name: str, channels: int) -> TensorShapes:
    """Of what makes channels comparable."""
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}
