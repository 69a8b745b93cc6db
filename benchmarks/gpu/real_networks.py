# SPDX-License-Identifier: MIT
"""Networks at the sizes that are published, with random weights made where they are used: nothing is downloaded.

What a step costs does not depend on what the weights say. Each has a tiny kin, so that all of it can be rehearsed on a
CPU. FLUX.2 Klein's and Stable Diffusion 3.5's sizes are from their published configurations, written down here; those
of Stable Diffusion 1 and XL ship; of the others they are the defaults of their classes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import diffusers
import torch
from torch import Tensor, nn

from sg_core.conditioning import Conditioning
from sg_core.models.cards import CONFIGURATIONS, new_card
from sg_core.models.loading import FAMILIES
from sg_core.models.model import Model
from sg_core.models.pipeline_model import PipelineModel
from sg_core.models.stable_diffusion_1 import StableDiffusion1

Config = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class RealNetwork:
    """One row of the bench.

    Attributes:
        side: of its picture, in pixels. ``kind``: of the network, a class of diffusers. ``config``: its published size;
            ``tiny``: what that is in a rehearsal.
        rows, shared: what it is told, from its configuration: shapes of one prompt, without the batch for ``shared``.
    """

    name: str
    family: str
    side: int
    kind: str
    config: Config
    tiny: Config
    rows: Callable[[Any], Shapes]
    shared: Callable[[Any], Shapes] = field(default=lambda config: {})


def shipped(family: str) -> dict[str, Any]:
    """The configuration of a UNet that ships."""
    read: dict[str, Any] = json.loads((CONFIGURATIONS / family / "unet" / "config.json").read_text("utf-8"))
    return read


def build(real: RealNetwork, device: str, dtype: torch.dtype, *, tiny: bool) -> Model:
    """A model of it, without encoders and decoder, with random weights on a device."""
    network = random_network(real.kind, real.tiny if tiny else real.config, device, dtype)
    card = new_card(real.family, name=real.name, source="")
    family = FAMILIES[real.family].family
    if family is None:
        return StableDiffusion1(card, network, None, None, None, {"prediction_type": "epsilon"})
    kind = getattr(diffusers, family.pipeline)
    parts = dict.fromkeys(family.parts) | {family.network: network}
    pipe = kind(scheduler=diffusers.DDIMScheduler(), **parts)
    return PipelineModel(card, pipe, family, {"prediction_type": "epsilon"})


def random_network(kind: str, config: Config, device: str, dtype: torch.dtype) -> nn.Module:
    """A network of diffusers, its weights drawn on the device itself, in their precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            network: nn.Module = getattr(diffusers, kind).from_config(dict(config))
    finally:
        torch.set_default_dtype(before)
    return network.to(dtype).requires_grad_(False).eval()


def size_in_bytes(real: RealNetwork, dtype: torch.dtype, *, tiny: bool) -> int:
    """Of the weights, counted without making them."""
    network = random_network(real.kind, real.tiny if tiny else real.config, "meta", dtype)
    return sum(weight.nbytes for weight in network.parameters())


def conditioning(real: RealNetwork, model: Model) -> Conditioning:
    """What a prompt would have its network told: random numbers of the right shapes."""
    weight, config = next(model.network.parameters()), model.network.config

    def draw(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, device=weight.device, dtype=weight.dtype)

    rows = {name: draw((1, *shape)) for name, shape in real.rows(config).items()}
    shared = {name: torch.zeros(shape, device=weight.device) for name, shape in real.shared(config).items()}
    text = Conditioning(rows, shared)
    return text.guided(model.card.scale) if model.card.guided_by == "input" else text


def pooled_width(config: Any) -> int:
    """Of XL's pooled state, which its network is told beside six sizes."""
    return int(config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim)


HEADS: Config = {"attention_head_dim": 16, "num_attention_heads": 2}
TINY_UNET: Config = {
    "sample_size": 16,
    "block_out_channels": (16, 32, 32),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "use_linear_projection": True,
}
SDXL = RealNetwork(
    name="Stable Diffusion XL",
    family="stable-diffusion-xl",
    side=1024,
    kind="UNet2DConditionModel",
    config=shipped("stable-diffusion-xl"),
    tiny={
        **TINY_UNET,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": (2, 4, 4),
        "cross_attention_dim": 64,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
    rows=lambda config: {
        "encoder_hidden_states": (77, config.cross_attention_dim),
        "text_embeds": (pooled_width(config),),
    },
)
KLEIN = RealNetwork(
    name="FLUX.2 Klein 4B",
    family="flux-2-klein",
    side=1024,
    kind="Flux2Transformer2DModel",
    config={
        "in_channels": 128,
        "num_layers": 5,
        "num_single_layers": 20,
        "attention_head_dim": 128,
        "num_attention_heads": 24,
        "joint_attention_dim": 7680,
        "guidance_embeds": False,
    },
    tiny={
        **HEADS,
        "in_channels": 16,
        "num_layers": 2,
        "num_single_layers": 2,
        "joint_attention_dim": 48,
        "guidance_embeds": False,
        "axes_dims_rope": (4, 4, 4, 4),
    },
    rows=lambda config: {"encoder_hidden_states": (512, config.joint_attention_dim)},
    shared=lambda config: {"txt_ids": (1, 512, 4)},
)
FLUX_1 = RealNetwork(
    name="FLUX.1 dev",
    family="flux-1-dev",
    side=1024,
    kind="FluxTransformer2DModel",
    config={"guidance_embeds": True},
    tiny={
        **HEADS,
        "in_channels": 64,
        "num_layers": 2,
        "num_single_layers": 2,
        "joint_attention_dim": 32,
        "pooled_projection_dim": 32,
        "guidance_embeds": True,
        "axes_dims_rope": (4, 6, 6),
    },
    rows=lambda config: {
        "encoder_hidden_states": (512, config.joint_attention_dim),
        "pooled_projections": (config.pooled_projection_dim,),
    },
    shared=lambda config: {"txt_ids": (512, 3)},
)
SD_1 = RealNetwork(
    name="Stable Diffusion 1.5",
    family="stable-diffusion-1",
    side=512,
    kind="UNet2DConditionModel",
    config=shipped("stable-diffusion-1"),
    tiny={
        **TINY_UNET,
        "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        "attention_head_dim": 2,
        "cross_attention_dim": 32,
    },
    rows=lambda config: {"encoder_hidden_states": (77, config.cross_attention_dim)},
)
Z_IMAGE = RealNetwork(
    name="Z-Image",
    family="z-image",
    side=1024,
    kind="ZImageTransformer2DModel",
    config={},
    tiny={
        "all_patch_size": (2,),
        "all_f_patch_size": (1,),
        "in_channels": 16,
        "dim": 32,
        "n_layers": 2,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
        "cap_feat_dim": 32,
        "axes_dims": (4, 6, 6),
        "axes_lens": (256, 64, 64),
    },
    rows=lambda config: {"cap_feats": (64, config.cap_feat_dim)},
)
SD_3_5 = RealNetwork(
    name="Stable Diffusion 3.5 medium",
    family="stable-diffusion-3",
    side=1024,
    kind="SD3Transformer2DModel",
    config={
        "sample_size": 128,
        "num_layers": 24,
        "attention_head_dim": 64,
        "num_attention_heads": 24,
        "caption_projection_dim": 1536,
        "pos_embed_max_size": 384,
        "dual_attention_layers": tuple(range(13)),
        "qk_norm": "rms_norm",
    },
    tiny={
        **HEADS,
        "sample_size": 16,
        "num_layers": 2,
        "caption_projection_dim": 32,
        "joint_attention_dim": 32,
        "pooled_projection_dim": 32,
        "pos_embed_max_size": 32,
    },
    rows=lambda config: {
        "encoder_hidden_states": (333, config.joint_attention_dim),
        "pooled_projections": (config.pooled_projection_dim,),
    },
)

REAL_NETWORKS: Mapping[str, RealNetwork] = MappingProxyType(
    {"sdxl": SDXL, "klein": KLEIN, "flux": FLUX_1, "sd15": SD_1, "z-image": Z_IMAGE, "sd35": SD_3_5}
)
"""In the order of their worth: the first are measured first."""
