# SPDX-License-Identifier: MIT
"""A flow with joint attention: Stable Diffusion 3's own network at a tiny size, and the least that makes it a Model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel
from torch import Tensor, nn

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import RequestError
from sg_core.models.cards import Card, new_card
from sg_core.models.model import Step, plus
from sg_core.models.schedulers import FLOW_SCHEDULERS, Timetable, timetable
from sg_core.parametrisation import PARAMETRISATIONS, Parametrisation
from sg_core.tokens import Phrase, Words, locate

TOKENS = 16
CARD = replace(new_card("stable-diffusion-1", name="flow", source="", licence="MIT"), guided_by="nothing")


def build_network() -> SD3Transformer2DModel:
    """Three blocks: picture and words in one sequence, each block changing both."""
    torch.manual_seed(0)
    network = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        pos_embed_max_size=32,
    )
    return network.requires_grad_(False).eval()


@dataclass(frozen=True)
class TinyFlow:
    """Words are rows of a table; a picture is three channels of its latent, eight times as large."""

    network: SD3Transformer2DModel
    table: nn.Embedding
    tokenizer: Any
    card: Card = CARD

    @property
    def parametrisation(self) -> Parametrisation:
        return PARAMETRISATIONS["flow"]

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return 4, height // 8, width // 8

    def steps(self, count: int, scheduler: str, size: tuple[int, int] | None = None) -> Timetable:
        config = dict(FlowMatchEulerDiscreteScheduler(shift=3.0).config)
        return timetable(config, scheduler, count, schedulers=FLOW_SCHEDULERS)

    def layers(self, latent: Tensor) -> Mapping[str, Grid]:
        rows, columns = latent.shape[2] // 2, latent.shape[3] // 2
        places = rows * columns
        grid = Grid(rows, columns, image=slice(0, places), text=slice(places, places + TOKENS))
        return {f"transformer_blocks.{i}.attn": grid for i in range(3)}

    attention = layers

    def self_attention(self, latent: Tensor) -> Mapping[str, Grid]:
        return {}

    def latent(self, pictures: Tensor) -> Tensor:
        raise RequestError("it has no encoder")

    def encode(self, prompts: Sequence[str], *, negative: bool = False) -> Conditioning:
        ids = self.tokenizer(list(prompts), padding="max_length", return_tensors="pt").input_ids
        states = self.table(ids).detach()
        return Conditioning({"encoder_hidden_states": states, "pooled_projections": states.mean(1)})

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        return locate(self.tokenizer, prompts, phrases)

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        inputs = {name: row for name, row in text.inputs.items() if name != "guidance"}
        time = torch.full((len(latent),), float(step.time))
        return self.network(latent, timestep=time, return_dict=False, **inputs)[0]

    combine = staticmethod(plus)

    def decode(self, latent: Tensor) -> Tensor:
        return nn.functional.interpolate(latent[:, :3], scale_factor=8.0).sigmoid()


def build_flow(tokenizer: Any) -> TinyFlow:
    """The whole model."""
    torch.manual_seed(1)
    return TinyFlow(build_network(), nn.Embedding(len(tokenizer), 16), tokenizer)
