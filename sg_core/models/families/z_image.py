# SPDX-License-Identifier: MIT
"""Z-Image (Tongyi 2025): one stream, the picture filled up to 32s and then the text; time and output run backwards.

Its own guidance scale counts from 0, where ours, as everywhere, counts from 1: our 6 is its 5.

Text is as long as it is, so the prompts of one batch have to have as many tokens.
"""

from typing import Any

import torch
from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import RequestError
from sg_core.models.family import (
    AUTOENCODERS,
    QWEN_TOKENIZERS,
    Family,
    around,
    chat,
    layers,
    read_spans,
    shifted,
    text_last,
)
from sg_core.tokens import TokenSpans

LENGTH = 512  # tokens of the template and the prompt in it
FILLED = 32  # places


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """Qwen's states without padding. Raises RequestError for prompts of different lengths."""
    states, _ = pipe.encode_prompt(prompts, device=pipe.text_encoder.device, do_classifier_free_guidance=False)
    if len({len(rows) for rows in states}) > 1:
        raise RequestError("these prompts differ in length, and this model paints such one by one: ask for each alone")
    return Conditioning({"cap_feats": torch.stack(states)})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Qwen's tokens, told to think."""
    before, after = around(chat(pipe.tokenizer, enable_thinking=True), prompt)
    return read_spans(pipe.tokenizer, prompt, LENGTH, before=before, after=after)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow."""
    pictures = list(latent[:, :, None].unbind(0))
    states = list(text.rows["cap_feats"].unbind(0))
    output = pipe.transformer(pictures, (1000 - time) / 1000, states, return_dict=False)[0]
    return -torch.stack(list(output))[:, :, 0]


def grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """The blocks where picture and text meet; before them each has its own."""
    grid = text_last(rows, columns, FILLED)
    every = layers(pipe.transformer, ".attention", grid)
    return {name: grid for name, grid in every.items() if name.startswith("layers.")}


def empty_text(pipe: Any, count: int) -> Conditioning:
    """As ``encode``, of one prompt."""
    return Conditioning({"cap_feats": torch.empty(1, count, pipe.transformer.config.cap_feat_dim)})


Z_IMAGE = Family(
    pipeline="ZImagePipeline",
    parts={
        "transformer": ("ZImageTransformer2DModel",),
        "vae": AUTOENCODERS,
        "text_encoder": ("Qwen3Model", "Qwen3ForCausalLM"),
        "tokenizer": QWEN_TOKENIZERS,
    },
    patch=2,
    encode=encode,
    spans=spans,
    predict=predict,
    grids=grids,
    spacing=shifted,
    empty_text=empty_text,
)
