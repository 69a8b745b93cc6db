# SPDX-License-Identifier: MIT
"""PixArt-Σ (Chen et al. 2024): a transformer over latents that looks across at T5's text."""

from typing import Any

from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.family import AUTOENCODERS, T5_TOKENIZERS, Family, cross_grids, lowered_spans
from sg_core.tokens import TokenSpans

LENGTH = 300  # tokens


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """T5's states, and which of them count."""
    states, mask, *_ = pipe.encode_prompt(prompts, False, device=pipe.text_encoder.device, max_sequence_length=LENGTH)
    return Conditioning({"encoder_hidden_states": states, "encoder_attention_mask": mask})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """T5's tokens of the prompt in small letters."""
    return lowered_spans(pipe.tokenizer, prompt, LENGTH)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The noise; the other half of the output, its variance, is not used."""
    sizes = {"resolution": None, "aspect_ratio": None}
    output = pipe.transformer(latent, timestep=time, added_cond_kwargs=sizes, return_dict=False, **text.inputs)[0]
    noise: Tensor = output[:, : latent.shape[1]]
    return noise


PIXART_SIGMA = Family(
    pipeline="PixArtSigmaPipeline",
    parts={
        "transformer": ("PixArtTransformer2DModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("T5EncoderModel",),
        "tokenizer": T5_TOKENIZERS,
    },
    patch=2,
    flow=False,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=cross_grids,
)
