# SPDX-License-Identifier: MIT
"""What a model would take of a GPU's memory at its real size, without its weights and without a GPU.

The real networks are made of tensors that have shapes and no numbers, and a step is walked through them as the loop
walks it: encode, one heard pass with its gradient, one free pass, decoding. What is alive at most is counted. Kernels
are those that never write an attention matrix down; their small workspaces, the driver's own share (about half a
gibibyte) and what fragmentation costs are not in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from sg_core.attention.tape import forgetting_after, listening
from sg_core.conditioning import Conditioning
from sg_core.errors import RequestError
from sg_core.memory import TILE, has_tiles
from sg_core.models import pipeline_model, stable_diffusion_1
from sg_core.models.adapters import modules
from sg_core.models.cards import CONFIGURATIONS, Card, configuration_of, is_gguf
from sg_core.models.files.gguf_file import outline_gguf
from sg_core.models.folder import quiet
from sg_core.models.live_bytes import peak
from sg_core.models.loading import FAMILIES, NO_CHANGES, describe, find
from sg_core.models.model import Model, Step
from sg_core.models.parts import class_of, configuration, read_noise, tokenizer, understood
from sg_core.models.single_file import clip_tokenizer
from sg_core.tokens import Phrase

PROMPT, PHRASE = "a castle", Phrase("castle")
TOKENS = 128  # of a prompt that is not encoded, its template included
GIBIBYTE = 2**30
BLENDED = 3  # pictures that are held while tiles are blended: their rows, what they are cut to, and the whole


@dataclass(frozen=True)
class Estimate:
    """Bytes. ``encoders``, ``network`` and ``decoder`` are weights; the others what a step needs beside all of those.

    ``guided`` is the pass that is heard, with its gradient; ``checkpointed`` the same with gradient checkpointing, None
    where that is not used; ``tiled`` decoding in tiles, None where that takes no less.
    """

    encoders: int
    network: int
    decoder: int
    free: int
    guided: int
    checkpointed: int | None
    decoding: int
    tiled: int | None = None

    @property
    def weights(self) -> int:
        """All of them, as they lie on the GPU together."""
        return self.encoders + self.network + self.decoder

    @property
    def reading(self) -> int:
        """The most at once while encoders read with the network elsewhere; at most, for ``free`` is of both."""
        return self.encoders + self.decoder + self.free

    @property
    def least(self) -> int:
        """The most at once of a guided picture, with gradient checkpointing where it may be used."""
        guided = self.guided if self.checkpointed is None else min(self.guided, self.checkpointed)
        return self.weights + max(self.free, guided, self.decoding)


def estimate(model: Model, width: int, height: int) -> Estimate:
    """Of a model made by ``outline``, for one picture of this size in pixels.

    Raises RequestError for a size that it cannot paint.
    """
    shape = model.latent_shape(width, height)
    step = model.steps(2, "ddim", (shape[1], shape[2])).steps[0]
    parts = modules(model)
    held = [weight for part in parts.values() for weight in (*part.parameters(), *part.buffers())]
    network: Any = model.network
    with held[0].fake_mode:  # type: ignore[attr-defined]
        latent = torch.empty(1, *shape)
        measured, itemsize = _measured(held), next(weight.itemsize for weight in held if weight.is_floating_point())
        free, decoding = measured(_free(model, latent, step)), measured(_decoding(model, latent))
        tiled = measured(_decoding(model, latent[:, :, :TILE, :TILE])) + BLENDED * 3 * width * height * itemsize
        guided = measured(_guided(model, latent, step))
        saved = None
        family = FAMILIES[model.card.family].family
        if family is None or family.checkpoints:
            network.enable_gradient_checkpointing()
            saved = measured(_guided(model, latent, step))
            network.disable_gradient_checkpointing()
    sizes = {name: sum(weight.nbytes for weight in part.parameters()) for name, part in parts.items()}
    encoders = sum(size for name, size in sizes.items() if name.startswith("text_encoder"))
    decoder = sizes.get("vae", 0)
    network_size = sum(sizes.values()) - encoders - decoder
    less = tiled if has_tiles(model) and tiled < decoding else None
    return Estimate(encoders, network_size, decoder, free, guided, saved, decoding, less)


def _measured(held: Iterable[Tensor]) -> Callable[[Callable[[], object]], int]:
    kept = list(held)
    own = sum({id(tensor.untyped_storage()): tensor.untyped_storage().nbytes() for tensor in kept}.values())
    return lambda work: peak(work, kept) - own


def _free(model: Model, latent: Tensor, step: Step) -> Callable[[], object]:
    def work() -> None:
        with torch.no_grad():
            model.predict(latent, step, _text(model))

    return work


def _guided(model: Model, latent: Tensor, step: Step) -> Callable[[], object]:
    def work() -> None:
        leaf, layers = latent.detach().requires_grad_(True), model.layers(latent)
        words = model.words([PROMPT], [PHRASE])
        with listening(model.network, layers, words) as tape, forgetting_after(model.network, layers):
            model.predict(leaf, step, _text(model))
        torch.autograd.grad(tape.map(PHRASE).sum(), leaf)

    return work


def _decoding(model: Model, latent: Tensor) -> Callable[[], object]:
    def work() -> None:
        with torch.no_grad():
            model.decode(latent)

    return work


def _text(model: Model) -> Conditioning:
    """What the network is told of the prompt."""
    try:
        text = model.encode([PROMPT])
    except (DataDependentOutputException, DynamicOutputShapeException):
        text = _empty_text(model)
    return text.guided(model.card.scale) if model.card.guided_by == "input" else text


def _empty_text(model: Model) -> Conditioning:
    """The same where the encoders look at numbers, which shapes have not. Raises RequestError where nobody says it."""
    family = FAMILIES[model.card.family].family
    if family is None or family.empty_text is None:
        raise RequestError(f"the memory that {model.card.name} takes cannot be counted on shapes alone")
    assert isinstance(model, pipeline_model.PipelineModel), "it has a Family"
    return family.empty_text(model.pipe, TOKENS).cast(next(model.network.parameters()).dtype)


def outline(
    source: str | Path,
    dtype: torch.dtype = torch.bfloat16,
    card: Card | None = None,
    parts_folder: Path | None = None,
    changes: Mapping[str, Any] = NO_CHANGES,
) -> Model:
    """A model in tensors that have shapes alone: of a Card's name, a folder or a checkpoint file. No weights are read.
    ``parts_folder`` is what ``load`` takes as ``parts``, and so are the Card's ``changes``.

    Raises WeightsError as the loader does.
    """
    path = find(source)
    card = replace(card or describe(source, path, parts_folder), **changes)
    family = FAMILIES[card.family].family
    folder = path if path.is_dir() else Path(card.parts_folder) if card.parts_folder else configuration_of(path)
    own = {**stable_diffusion_1.COMPONENTS, "tokenizer": stable_diffusion_1.TOKENIZERS}
    parts: dict[str, Any] = {}
    mode = FakeTensorMode()
    for part, classes in (own if family is None else family.parts).items():
        if not part.startswith("tokenizer"):
            with mode, new_tensors(dtype), quiet():
                parts[part] = outlined(folder, part, classes).requires_grad_(False).eval()
            if is_gguf(path) and family is not None and part == family.network:
                outline_gguf(parts[part], configuration(folder / part), path, mode)
        elif (folder / part).is_dir():
            parts[part] = tokenizer(folder, part, classes)
        else:
            parts[part] = clip_tokenizer()
    if family is None:
        return stable_diffusion_1.assembled(read_noise(folder), card, parts)
    return pipeline_model.assembled(family, folder, card, parts)


@contextmanager
def new_tensors(dtype: torch.dtype) -> Iterator[None]:
    """Inside, weights are made in this precision: tensors without numbers cannot be cast in place."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def outlined(folder: Path, part: str, kinds: Sequence[str]) -> nn.Module:
    """One part of a folder's configuration, in tensors of the mode that is on. What ships has no index of its parts."""
    config = configuration(folder / part)
    name = kinds[0] if folder.parent == CONFIGURATIONS else class_of(folder, part, kinds)
    if hasattr(transformers, name):
        kind = getattr(transformers, name)
        encoder: nn.Module = kind(kind.config_class.from_dict(understood(kind.config_class, config)))
        return encoder
    network: nn.Module = getattr(diffusers, name).from_config(dict(config))
    return network
