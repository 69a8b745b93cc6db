# SPDX-License-Identifier: MIT
"""Stable Diffusion XL (Podell et al. 2023): a UNet, two text encoders side by side, and the sizes beside them.

Turbo, Lightning and DMD2 are the same network, distilled to a few steps: what differs stands in their Cards.
"""

from typing import Any

import torch
from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.models.family import AUTOENCODERS, CLIP_TOKENIZERS, Family, read_spans
from sg_core.models.stable_diffusion_1 import cross_attention
from sg_core.tokens import TokenSpans


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """Hidden states and the pooled state. Nothing to move away from is all zeros where the model was trained so."""
    states, _, pooled, _ = pipe.encode_prompt(
        prompts, device=pipe.text_encoder.device, do_classifier_free_guidance=False
    )
    if negative and pipe.config.force_zeros_for_empty_prompt and not any(prompts):
        states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
    return Conditioning({"encoder_hidden_states": states, "text_embeds": pooled})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Both encoders read the same tokens."""
    return read_spans(pipe.tokenizer, prompt, pipe.tokenizer.model_max_length)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """Noise or velocity, of a picture that was always as large as this and never cropped."""
    size = (latent.shape[2] * 8, latent.shape[3] * 8)
    pooled = text.rows["text_embeds"]
    sizes = pipe._get_add_time_ids(size, (0, 0), size, pooled.dtype, pooled.shape[-1])
    beside = {"text_embeds": pooled, "time_ids": sizes.to(latent.device).expand(len(latent), -1)}
    states = text.rows["encoder_hidden_states"]
    output: Tensor = pipe.unet(latent, time, states, added_cond_kwargs=beside, return_dict=False)[0]
    return output


def grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """Cross-attention; the outermost blocks have none."""
    return cross_attention(pipe.unet, (rows, columns), ())


STABLE_DIFFUSION_XL = Family(
    pipeline="StableDiffusionXLPipeline",
    parts={
        "unet": ("UNet2DConditionModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("CLIPTextModel",),
        "text_encoder_2": ("CLIPTextModelWithProjection",),
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": CLIP_TOKENIZERS,
    },
    network="unet",
    flow=False,
    channels=lambda pipe: int(pipe.unet.config.in_channels),
    encode=encode,
    spans=spans,
    predict=predict,
    grids=grids,
)
