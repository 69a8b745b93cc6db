# SPDX-License-Identifier: MIT
"""Stable Diffusion 3 and 3.5 (Esser et al. 2024): the picture, then CLIP's tokens and T5's, in one sequence; a flow."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.models.family import (
    AUTOENCODERS,
    CLIP_TOKENIZERS,
    T5_TOKENIZERS,
    Family,
    layers,
    read_spans,
    shifted,
    text_last,
)
from sg_core.tokens import TokenSpans

CLIP, T5 = 77, 256  # tokens


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """Both CLIPs' states side by side and T5's behind them, zeros where the model came without; the pooled states."""
    device = pipe.text_encoder.device
    options = {"device": device, "do_classifier_free_guidance": False, "max_sequence_length": T5}
    states, _, pooled, _ = pipe.encode_prompt(prompts, prompts, prompts, **options)
    return Conditioning({"encoder_hidden_states": states, "pooled_projections": pooled})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """A phrase stands in both; what CLIP has no room for, in T5's alone."""
    if pipe.tokenizer_3 is None:
        return read_spans(pipe.tokenizer, prompt, CLIP)
    read = pipe.tokenizer(prompt, truncation=True, max_length=CLIP, return_offsets_mapping=True)["offset_mapping"]
    return [*read, *[(0, 0)] * (CLIP - len(read)), *read_spans(pipe.tokenizer_3, prompt, T5)]


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow."""
    output: Tensor = pipe.transformer(latent, timestep=time, return_dict=False, **text.inputs)[0]
    return output


def grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """All joint blocks; the second attention of 3.5 medium is the picture's alone."""
    return layers(pipe.transformer, ".attn", text_last(rows, columns))


def spacing(noise: Mapping[str, Any], count: int, size: tuple[int, int]) -> dict[str, Any]:
    """The scheduler's own, moved by the picture's size where it says so."""
    return {name: value for name, value in shifted(noise, count, size).items() if name == "mu"}


STABLE_DIFFUSION_3 = Family(
    pipeline="StableDiffusion3Pipeline",
    parts={
        "transformer": ("SD3Transformer2DModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("CLIPTextModelWithProjection",),
        "text_encoder_2": ("CLIPTextModelWithProjection",),
        "text_encoder_3": ("T5EncoderModel",),
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": CLIP_TOKENIZERS,
        "tokenizer_3": T5_TOKENIZERS,
    },
    patch=2,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=grids,
    spacing=spacing,
)
