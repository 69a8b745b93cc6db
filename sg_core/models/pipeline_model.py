# SPDX-License-Identifier: MIT
"""One model of any Family, as the sampling loop knows it."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import diffusers
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import AttentionError, RequestError
from sg_core.models.cards import Card, is_gguf
from sg_core.models.family import Family, Guided, decoded, scaled
from sg_core.models.files.gguf_file import read_gguf
from sg_core.models.files.network_file import read_network
from sg_core.models.folder import quiet, read_index
from sg_core.models.model import Step, check_sides, mean_latent
from sg_core.models.parts import Hardware, component, read_noise, tokenizer
from sg_core.models.schedulers import FLOW_SCHEDULERS, SCHEDULERS, Timetable, timetable
from sg_core.models.single_file import read_file_noise, read_parts
from sg_core.models.stable_diffusion_1 import SELF, unet_attention
from sg_core.parametrisation import PARAMETRISATIONS, Parametrisation
from sg_core.tokens import Phrase, Words, located


@dataclass(frozen=True)
class PipelineModel:
    """A pipeline's parts, and the Family that knows how to use them.

    The network may be in half precision: latents and outputs are in float32 here, and so is the gradient. ``noise`` is
    the configuration of the model's own scheduler.
    """

    card: Card
    pipe: Any
    family: Family
    noise: Mapping[str, Any]

    @property
    def network(self) -> nn.Module:
        """The part whose attention is heard."""
        network: nn.Module = getattr(self.pipe, self.family.network)
        return network

    @property
    def parametrisation(self) -> Parametrisation:
        """A flow, or what the scheduler's configuration says."""
        return PARAMETRISATIONS["flow" if self.family.flow else self.noise.get("prediction_type", "epsilon")]

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channel, y, x), sizes in pixels. Raises RequestError when a side is not a multiple of the Card's."""
        check_sides(self.card, width, height)
        return self.family.channels(self.pipe), height // self.family.pixels, width // self.family.pixels

    def steps(self, count: int, scheduler: str, size: tuple[int, int] | None = None) -> Timetable:
        """Any of the schedulers over this model's noise schedule."""
        side = round(self.card.area**0.5) // self.family.pixels
        schedulers = FLOW_SCHEDULERS if self.family.flow else SCHEDULERS
        spacing = self.family.spacing(self.noise, count, size or (side, side))
        return timetable(self.noise, scheduler, count, schedulers=schedulers, spacing=spacing)

    def layers(self, latent: Tensor) -> dict[str, Grid]:
        """The Card's blocks, or all. Raises AttentionError when the Card names none that this network has."""
        every, blocks = self.attention(latent), self.card.layers
        chosen = {n: grid for n, grid in every.items() if not blocks or n.startswith(tuple(f"{b}." for b in blocks))}
        if not chosen:
            other = next(iter(every))
            raise AttentionError(f"no attention to words in {', '.join(blocks)}: name other blocks, such as {other}")
        return chosen

    def attention(self, latent: Tensor) -> dict[str, Grid]:
        """Every layer where the picture looks at words, in the order they speak."""
        rows, columns = (side // self.family.patch for side in latent.shape[2:])
        return self.family.grids(self.pipe, rows, columns)

    def self_attention(self, latent: Tensor) -> dict[str, Grid]:
        """Those of a UNet; none for the others."""
        size = (latent.shape[2], latent.shape[3])
        return unet_attention(self.network, size, (), SELF) if self.family.network == "unet" else {}

    def encode(self, prompts: Sequence[str], *, negative: bool = False) -> Conditioning:
        """Prompts as the network takes them, in its precision. Raises TooLong when one is too long."""
        for prompt in prompts:
            self.family.spans(self.pipe, prompt, negative)
        with torch.no_grad():
            text = self.family.encode(self.pipe, list(prompts), negative)
        return text.cast(_dtype(self.network))

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        """Where the prompts say the phrases. Raises TokenError when one does not."""
        return located(prompts, [self.family.spans(self.pipe, prompt, False) for prompt in prompts], phrases)

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        """The network's output, in float32."""
        time = torch.full((len(latent),), float(step.time), device=latent.device)
        output = self.family.predict(self.pipe, latent.to(_dtype(self.network)), time, text)
        return output.to(latent.dtype)

    def combine(self, conditional: Tensor, plain: Tensor, scale: float) -> Guided:
        """Classifier-free guidance as this family is used to it."""
        return self.family.combine(conditional, plain, scale)

    def decode(self, latent: Tensor) -> Tensor:
        """Pictures (batch, 3, y, x), 0 to 1."""
        picture = self.family.decode(self.pipe, self.family.clean(self.pipe, latent))
        return (picture.to(latent.dtype) / 2 + 0.5).clamp(0, 1)

    def latent(self, pictures: Tensor) -> Tensor:
        """Clean latents of pictures (batch, 3, height, width) in 0..1. Raises RequestError for a family of its own."""
        if self.family.clean is not scaled or self.family.decode is not decoded:
            raise RequestError(
                f"{self.card.name} cannot encode pictures here yet: refer to a picture that it painted itself, "
                "or choose a model of another family"
            )
        config = self.pipe.vae.config
        shift, scaling = float(config.get("shift_factor") or 0.0), float(config.scaling_factor)
        return (mean_latent(self.pipe.vae, pictures) - shift) * scaling


def _dtype(network: nn.Module) -> torch.dtype:
    """In which a network computes: its quantised weights are bytes."""
    return next(weight.dtype for weight in network.parameters() if weight.is_floating_point())


def load(family: Family, folder: Path, card: Card, hardware: Hardware) -> PipelineModel:
    """The model in a folder, without gradients for its weights.

    Raises WeightsError when the folder's parts are of other classes, damaged, not in safetensors, or ask for code.
    """
    return assembled(family, folder, card, _parts(family, folder, hardware))


def load_file(family: Family, file: Path, card: Card, hardware: Hardware) -> PipelineModel:
    """The model in one checkpoint file. Raises WeightsError as ``single_file.read_parts`` does."""
    parts, folder = read_parts(file, hardware)
    return assembled(family, folder, card, parts, read_file_noise(file))


def load_network(family: Family, file: Path, card: Card, hardware: Hardware) -> PipelineModel:
    """The model whose network lies in a file, and whose other parts the Card's ``parts_folder`` has.

    Raises WeightsError as ``load`` and ``network_file.read_network`` do.
    """
    folder = Path(card.parts_folder)
    others = replace(family, parts={part: kinds for part, kinds in family.parts.items() if part != family.network})
    read = read_gguf if is_gguf(file) else read_network
    network = read(file, folder, family.network, family.parts[family.network], hardware)
    return assembled(family, folder, card, {family.network: network, **_parts(others, folder, hardware)})


def assembled(
    family: Family, folder: Path, card: Card, parts: Mapping[str, Any], noise: Mapping[str, Any] | None = None
) -> PipelineModel:
    """A model of these parts, and of what the folder's configuration says beside them; of its ``noise`` too unless that
    is given."""
    noise, index = {**(noise or read_noise(folder)), **family.changes}, read_index(folder)
    with quiet():
        kind = getattr(diffusers, family.pipeline)
        named = inspect.signature(kind.__init__).parameters
        rest = {name: index.get(name, option.default) for name, option in named.items() if name not in parts}
        options = {name: value for name, value in rest.items() if isinstance(value, bool | int | float)}
        absent = {name: None for name in rest if name not in (*options, "self")}
        pipe = kind(**{**absent, **options, **parts, "scheduler": DDIMScheduler()})
    return PipelineModel(card, pipe, family, MappingProxyType(noise))


def _parts(family: Family, folder: Path, hardware: Hardware) -> dict[str, Any]:
    parts = {part: _part(folder, part, kinds, hardware) for part, kinds in family.parts.items()}
    for part, words in parts.items():
        if part.startswith("tokenizer") and type(words).__name__.startswith("CLIP"):  # some name no length
            encoder = parts[part.replace("tokenizer", "text_encoder")]
            words.model_max_length = min(words.model_max_length, encoder.config.max_position_embeddings)
    return parts


def _part(folder: Path, part: str, kinds: Sequence[str], hardware: Hardware) -> Any:
    if part.startswith("tokenizer"):
        return tokenizer(folder, part, kinds)
    return component(folder, part, kinds, hardware)
