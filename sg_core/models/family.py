# SPDX-License-Identifier: MIT
"""What differs between families of models, as data: a Family is a handful of functions over diffusers' own pipeline.

The pipeline is a box of parts and of helpers that are its own (``encode_prompt``, packing, position ids). Its loop is
never run: ours guides, and ``tests/sg_core/models/families`` holds the two to the same picture.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import TooLong
from sg_core.models.model import plus
from sg_core.tokens import TokenSpans

Guided = tuple[Tensor, Tensor]
"""The output that classifier-free guidance makes, and its correction, which the layout's pull is measured against."""

CLIP_TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
T5_TOKENIZERS = ("T5Tokenizer", "T5TokenizerFast")
QWEN_TOKENIZERS = ("Qwen2Tokenizer", "Qwen2TokenizerFast")
MARK = "\ufffc"  # a sign for what is put in its place, which no template says
AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")


def scaled(pipe: Any, latent: Tensor) -> Tensor:
    """Clean latents as an autoencoder of Stable Diffusion's kind wants them."""
    config = pipe.vae.config
    put_back: Tensor = latent / config.scaling_factor + (config.get("shift_factor") or 0.0)
    return put_back


def decoded(pipe: Any, latent: Tensor) -> Tensor:
    """Pictures (batch, 3, y, x), -1 to 1, of latents as the autoencoder wants them."""
    pictures: Tensor = pipe.vae.decode(latent.to(pipe.vae.dtype), return_dict=False)[0]
    return pictures


def evenly(noise: Mapping[str, Any], count: int, size: tuple[int, int]) -> dict[str, Any]:
    """The scheduler's own spacing, whatever the size."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of text-to-image model.

    Attributes:
        pipeline: the class in diffusers that ``model_index.json`` names.
        parts: the only ones that are loaded, each with the classes that it may be of.
        network: the part whose attention is heard.
        pixels: along one side of a latent's cell. ``patch``: cells along one side of what the network calls a token.
        flow: whether the network predicts a flow; otherwise its scheduler's configuration says what.
        channels: of the latent, from the pipeline.
        encode: (pipeline, prompts, negative) to what the network is told; ``negative`` are those to move away from.
        spans: (pipeline, prompt, negative) to what each text key says of the prompt.
        predict: (pipeline, latent, time (batch,), what it is told) to the output, in the scheduler's convention.
        grids: (pipeline, rows, columns of tokens) to the layers that can be heard, in the order they speak.
        spacing: (scheduler's configuration, count, (rows, columns) of the latent) to what ``set_timesteps`` is told
            beside the count.
        combine: (conditional, plain, scale) to a guided output.
        clean: (pipeline, latent) to latents as the autoencoder wants them; ``decode`` makes pictures of those, -1 to 1.
        changes: of the scheduler's configuration.
        empty_text: (pipeline, count) to what the network is told of a prompt of so many tokens, without its numbers; of
            those whose ``encode`` looks at numbers, so that memory can be counted on shapes alone.
        checkpoints: whether gradient checkpointing leaves output and gradient as they are.
    """

    pipeline: str
    parts: Mapping[str, Sequence[str]]
    network: str = "transformer"
    pixels: int = 8
    patch: int = 1
    flow: bool = True
    channels: Callable[[Any], int] = lambda pipe: int(pipe.transformer.config.in_channels)
    encode: Callable[[Any, list[str], bool], Conditioning]
    spans: Callable[[Any, str, bool], TokenSpans]
    predict: Callable[[Any, Tensor, Tensor, Conditioning], Tensor]
    grids: Callable[[Any, int, int], dict[str, Grid]]
    spacing: Callable[[Mapping[str, Any], int, tuple[int, int]], dict[str, Any]] = evenly
    combine: Callable[[Tensor, Tensor, float], Guided] = plus
    clean: Callable[[Any, Tensor], Tensor] = scaled
    decode: Callable[[Any, Tensor], Tensor] = decoded
    changes: Mapping[str, Any] = field(default_factory=dict)
    empty_text: Callable[[Any, int], Conditioning] | None = None
    checkpoints: bool = True


def layers(network: nn.Module, ending: str, grid: Grid) -> dict[str, Grid]:
    """All modules whose name ends so, in the order they stand, with one grid."""
    return {name: grid for name, _ in network.named_modules() if name.endswith(ending)}


def text_first(rows: int, columns: int) -> Grid:
    """Joint attention over the text and then the picture."""
    cells = rows * columns
    return Grid(rows, columns, image=slice(-cells, None), text=slice(0, -cells), both=True)


def text_last(rows: int, columns: int, filled: int = 1) -> Grid:
    """Joint attention over the picture, filled up to a multiple of ``filled`` places, and then the text."""
    cells = rows * columns
    first = -(-cells // filled) * filled
    return Grid(rows, columns, image=slice(0, cells), text=slice(first, None), both=True)


def joint_grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """All joint blocks of a transformer whose text comes first, those with two streams before the others."""
    return layers(pipe.transformer, ".attn", text_first(rows, columns))


def cross_grids(pipe: Any, rows: int, columns: int) -> dict[str, Grid]:
    """Cross-attention of every block of a transformer."""
    return layers(pipe.transformer, ".attn2", Grid(rows, columns))


def shifted(noise: Mapping[str, Any], count: int, size: tuple[int, int]) -> dict[str, Any]:
    """Evenly from 1, moved towards noise for larger pictures where the scheduler does so (Esser et al. 2024)."""
    spacing: dict[str, Any] = {"sigmas": torch.linspace(1.0, 1.0 / count, count, dtype=torch.float64).tolist()}
    if not noise.get("use_dynamic_shifting"):
        return spacing
    tokens = size[0] * size[1] // 4
    low, high = noise.get("base_image_seq_len", 256), noise.get("max_image_seq_len", 4096)
    least, most = noise.get("base_shift", 0.5), noise.get("max_shift", 1.15)
    slope = (most - least) / (high - low)
    return {**spacing, "mu": tokens * slope + (least - slope * low)}


def read_spans(
    tokenizer: Any, prompt: str, room: int, *, before: str = "", after: str = "", dropped: int = 0, **options: Any
) -> TokenSpans:
    """What each token of a text says of the prompt that stands in it, as characters of the prompt; (0, 0) for nothing.

    Args:
        room: tokens that the encoder reads, those dropped not counted.
        before: the text in front of the prompt, ``after``: the text behind it.
        dropped: tokens at the beginning that the network is not told.

    Raises TooLong when the encoder would not read the prompt to its end.
    """
    spans = unlimited_spans(tokenizer, prompt, before, after, **options)[dropped:]
    check_room(prompt, spans, room)
    return spans


def lowered_spans(tokenizer: Any, prompt: str, room: int, *, before: str = "") -> TokenSpans:
    """``read_spans`` of encoders that read the prompt in small letters, and without the blanks around it."""
    small = [(letter, index) for index, capital in enumerate(prompt) for letter in capital.lower()]  # "İ" becomes two
    text = "".join(letter for letter, _ in small)
    sources = [index for _, index in small][len(text) - len(text.lstrip()) :]
    read = unlimited_spans(tokenizer, text.strip(), before)
    spans = [(sources[a], sources[b - 1] + 1) if b > a else (0, 0) for a, b in read]
    check_room(prompt, spans, room)
    return spans


def unlimited_spans(tokenizer: Any, prompt: str, before: str = "", after: str = "", **options: Any) -> TokenSpans:
    """``read_spans`` of an encoder that reads any number of tokens."""
    start, stop = len(before), len(before) + len(prompt)
    read = tokenizer(before + prompt + after, return_offsets_mapping=True, truncation=False, verbose=False, **options)
    inside = [(max(a, start) - start, min(b, stop) - start) for a, b in read["offset_mapping"]]
    return [(a, b) if b > a else (0, 0) for a, b in inside]


def check_room(prompt: str, spans: TokenSpans, room: int) -> None:
    """Raise TooLong, with the prompt as it was said, where there are more tokens than the encoder reads."""
    if len(spans) > room:
        raise TooLong(prompt, lost(prompt, spans[room - 1 :]), f"{len(spans)} tokens and the model reads {room}")


def lost(prompt: str, unread: TokenSpans) -> str:
    """The end of a prompt from the text word on that holds the first of these spans."""
    first = next((start for start, end in unread if end > start), len(prompt) - 1)
    begin = next((word.start() for word in re.finditer(r"\w+|[^\w\s]+", prompt) if word.end() > first), 0)
    return prompt[begin:].strip()


def chat(tokenizer: Any, **options: Any) -> Callable[[str], str]:
    """What a user's message becomes in a language model's template, an answer to follow."""

    def filled(text: str) -> str:
        message = [{"role": "user", "content": text}]
        return str(tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True, **options))

    return filled


def around(filled: Callable[[str], str], prompt: str) -> tuple[str, str]:
    """The text before and behind the prompt of a template that is ``filled`` with it, and may say the same itself."""
    text = filled(prompt)
    start = text.index(prompt, filled(MARK).index(MARK))
    return text[:start], text[start + len(prompt) :]
