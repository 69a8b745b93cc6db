# SPDX-License-Identifier: MIT
"""FLUX.1 (Black Forest Labs 2024): a flow; T5's text and then the picture in one sequence; latents packed two by two.

``dev`` is told its guidance as a number, ``schnell`` has none: neither has a pass without the prompt.
"""

from typing import Any

from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.family import (
    AUTOENCODERS,
    CLIP_TOKENIZERS,
    T5_TOKENIZERS,
    Family,
    joint_grids,
    read_spans,
    shifted,
)
from sg_core.tokens import TokenSpans

LENGTH = 512  # tokens of T5; the network attends to padding too


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """T5's states, CLIP's pooled one, and the positions of the text."""
    device = pipe.text_encoder.device
    states, pooled, positions = pipe.encode_prompt(prompts, prompts, device=device, max_sequence_length=LENGTH)
    return Conditioning({"encoder_hidden_states": states, "pooled_projections": pooled}, {"txt_ids": positions})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """T5's tokens; what CLIP reads is pooled."""
    return read_spans(pipe.tokenizer_2, prompt, LENGTH)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow."""
    batch, _, rows, columns = latent.shape
    packed = pipe._pack_latents(latent, *latent.shape)
    positions = pipe._prepare_latent_image_ids(batch, rows // 2, columns // 2, latent.device, latent.dtype)
    output = pipe.transformer(packed, timestep=time / 1000, img_ids=positions, return_dict=False, **text.inputs)[0]
    flow: Tensor = pipe._unpack_latents(output, rows * 8, columns * 8, 8)
    return flow


FLUX_1 = Family(
    pipeline="FluxPipeline",
    parts={
        "transformer": ("FluxTransformer2DModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("CLIPTextModel",),
        "text_encoder_2": ("T5EncoderModel",),
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": T5_TOKENIZERS,
    },
    patch=2,
    channels=lambda pipe: pipe.transformer.config.in_channels // 4,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=joint_grids,
    spacing=shifted,
)
