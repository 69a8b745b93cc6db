# SPDX-License-Identifier: MIT
"""Chroma (Lodestone Rock 2025): FLUX.1 without CLIP and without distilled guidance; of the padding one token is heard.

Gradient checkpointing of its single blocks loses the mask of the text in diffusers: it is not used.
"""

from typing import Any

import torch
from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.families import flux_1
from sg_core.models.family import AUTOENCODERS, T5_TOKENIZERS, Family, joint_grids, read_spans, shifted
from sg_core.tokens import TokenSpans


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """T5's states, which of them count, and the positions of the text."""
    states, positions, mask, *_ = pipe.encode_prompt(
        prompts,
        device=pipe.text_encoder.device,
        do_classifier_free_guidance=False,
        max_sequence_length=flux_1.LENGTH,
    )
    return Conditioning({"encoder_hidden_states": states, "attention_mask": mask}, {"txt_ids": positions})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """T5's tokens."""
    return read_spans(pipe.tokenizer, prompt, flux_1.LENGTH)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow; of the picture everything counts."""
    mask = text.rows["attention_mask"]
    picture = mask.new_ones(len(latent), latent.shape[2] * latent.shape[3] // 4)
    rows = {**text.rows, "attention_mask": torch.cat([mask, picture], 1)}
    return flux_1.predict(pipe, latent, time, Conditioning(rows, text.shared))


CHROMA = Family(
    pipeline="ChromaPipeline",
    parts={
        "transformer": ("ChromaTransformer2DModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("T5EncoderModel",),
        "tokenizer": T5_TOKENIZERS,
    },
    patch=2,
    channels=lambda pipe: pipe.transformer.config.in_channels // 4,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=joint_grids,
    spacing=shifted,
    checkpoints=False,
)
