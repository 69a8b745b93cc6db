# SPDX-License-Identifier: MIT
"""Qwen-Image (Wu et al. 2025): the text, as long as it is, and then the picture in one sequence; a flow."""

from typing import Any

import torch
from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.family import QWEN_TOKENIZERS, Family, Guided, joint_grids, read_spans, shifted
from sg_core.models.model import plus
from sg_core.tokens import TokenSpans

LENGTH = 1024  # tokens of the prompt and what the template has behind it


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """The language model's states from the prompt on; what is in front of it was an instruction."""
    states, mask = pipe.encode_prompt(prompts, device=pipe.text_encoder.device)
    masks = {} if mask is None else {"encoder_hidden_states_mask": mask}
    return Conditioning({"encoder_hidden_states": states, **masks})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Qwen's tokens, without the first, as the network gets them."""
    before, _, after = pipe.prompt_template_encode.partition("{}")
    dropped = pipe.prompt_template_encode_start_idx
    return read_spans(pipe.tokenizer, prompt, LENGTH, before=before, after=after, dropped=dropped)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow, of latents packed two by two."""
    batch, _, rows, columns = latent.shape
    shapes = [[(1, rows // 2, columns // 2)]] * batch
    packed = pipe._pack_latents(latent, *latent.shape)
    output = pipe.transformer(packed, timestep=time / 1000, img_shapes=shapes, return_dict=False, **text.inputs)[0]
    flow: Tensor = pipe._unpack_latents(output, rows * 8, columns * 8, 8)[:, :, 0]
    return flow


def combine(conditional: Tensor, plain: Tensor, scale: float) -> Guided:
    """Classifier-free guidance, after which each token (two by two cells) is as long as the conditional one."""
    guided, correction = plus(conditional, plain, scale)
    length = _token_length(conditional) / _token_length(guided)
    return guided * length, correction


def _token_length(latent: Tensor) -> Tensor:
    """Of every cell the length of its token: (batch, 1, y, x)."""
    batch, channels, rows, columns = latent.shape
    tokens = latent.view(batch, channels, rows // 2, 2, columns // 2, 2).square().sum((1, 3, 5)).sqrt()
    return tokens.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, None]


def clean(pipe: Any, latent: Tensor) -> Tensor:
    """Mean and spread of each channel put back; the autoencoder is one of films, of which a picture is one frame."""
    config = pipe.vae.config
    spread, mean = (latent.new_tensor(v).view(1, -1, 1, 1) for v in (config.latents_std, config.latents_mean))
    return (latent * spread + mean)[:, :, None]


def decode(pipe: Any, latent: Tensor) -> Tensor:
    """The one frame."""
    frames: Tensor = pipe.vae.decode(latent.to(pipe.vae.dtype), return_dict=False)[0]
    return frames[:, :, 0]


def empty_text(pipe: Any, count: int) -> Conditioning:
    """As ``encode``, of one prompt, which needs no mask."""
    return Conditioning({"encoder_hidden_states": torch.empty(1, count, pipe.transformer.config.joint_attention_dim)})


QWEN_IMAGE = Family(
    pipeline="QwenImagePipeline",
    parts={
        "transformer": ("QwenImageTransformer2DModel",),
        "vae": ("AutoencoderKLQwenImage",),
        "text_encoder": ("Qwen2_5_VLForConditionalGeneration",),
        "tokenizer": QWEN_TOKENIZERS,
    },
    patch=2,
    channels=lambda pipe: pipe.transformer.config.in_channels // 4,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=joint_grids,
    spacing=shifted,
    combine=combine,
    clean=clean,
    decode=decode,
    empty_text=empty_text,
)
