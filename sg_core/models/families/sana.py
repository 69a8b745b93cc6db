# SPDX-License-Identifier: MIT
"""Sana (Xie et al. 2024): linear attention over latents of 32 pixels a side, across to the text of Gemma 2; a flow."""

import inspect
from typing import Any

from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.family import Family, cross_grids, lowered_spans
from sg_core.tokens import TokenSpans

LENGTH = 300  # tokens: the first of all, and the last ones


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """Gemma's states of the prompt behind its instruction; of what to move away from, without."""
    states, mask, *_ = pipe.encode_prompt(
        prompts,
        False,
        device=pipe.text_encoder.device,
        max_sequence_length=LENGTH,
        complex_human_instruction=None if negative else instruction(pipe),
    )
    return Conditioning({"encoder_hidden_states": states, "encoder_attention_mask": mask})


def instruction(pipe: Any) -> list[str]:
    """What the pipeline puts in front of a prompt by default."""
    lines: list[str] = inspect.signature(type(pipe).__call__).parameters["complex_human_instruction"].default
    return lines


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Gemma's tokens of the prompt in small letters, as the pipeline cuts them."""
    if negative:
        return lowered_spans(pipe.tokenizer, prompt, LENGTH)
    before = "\n".join(instruction(pipe))
    room = len(pipe.tokenizer.encode(before)) - 2 + LENGTH
    tokens = list(lowered_spans(pipe.tokenizer, prompt, room, before=before))
    padded = tokens + [(0, 0)] * (room - len(tokens))
    return [padded[0], *padded[1 - LENGTH :]]


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow."""
    scaled = time * pipe.transformer.config.timestep_scale
    output: Tensor = pipe.transformer(latent, timestep=scaled, return_dict=False, **text.inputs)[0]
    return output[:, : latent.shape[1]]


SANA = Family(
    pipeline="SanaPipeline",
    parts={
        "transformer": ("SanaTransformer2DModel",),
        "vae": ("AutoencoderDC",),
        "text_encoder": ("Gemma2Model",),
        "tokenizer": ("GemmaTokenizer", "GemmaTokenizerFast"),
    },
    pixels=32,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=cross_grids,  # the picture's own attention is linear
)
