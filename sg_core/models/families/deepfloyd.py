# SPDX-License-Identifier: MIT
"""DeepFloyd IF (2023), first stage: pixels themselves, as the paper's Imagen; text and picture are both keys."""

from typing import Any

from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.models.family import T5_TOKENIZERS, Family, lowered_spans
from sg_core.models.stable_diffusion_1 import block_sizes
from sg_core.tokens import TokenSpans

LENGTH = 77  # tokens


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """T5's states."""
    states, _ = pipe.encode_prompt(prompts, False, device=pipe.text_encoder.device)
    return Conditioning({"encoder_hidden_states": states})


def spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """T5's tokens of the prompt in small letters."""
    return lowered_spans(pipe.tokenizer, prompt, LENGTH)


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The noise; the other half of the output, its variance, is not used."""
    output = pipe.unet(latent, time, return_dict=False, **text.inputs)[0]
    noise: Tensor = output[:, : latent.shape[1]]
    return noise


def grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """Every attention: its keys are the text, and behind it the picture."""
    return {
        f"{block}.attentions.{i}": Grid(*size, text=slice(0, LENGTH))
        for block, size in block_sizes(pipe.unet, (rows, columns))
        for i, _ in enumerate(getattr(pipe.unet.get_submodule(block), "attentions", ()))
    }


def pixels(pipe: Any, latent: Tensor) -> Tensor:
    """There is no autoencoder: a latent is the picture."""
    return latent


DEEPFLOYD_IF = Family(
    pipeline="IFPipeline",
    parts={"unet": ("UNet2DConditionModel",), "text_encoder": ("T5EncoderModel",), "tokenizer": T5_TOKENIZERS},
    network="unet",
    pixels=1,
    flow=False,
    channels=lambda pipe: int(pipe.unet.config.in_channels),
    encode=encode,
    spans=spans,
    predict=predict,
    grids=grids,
    clean=pixels,
    decode=pixels,
    changes={"variance_type": "fixed_small"},
)
