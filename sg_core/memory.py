# SPDX-License-Identifier: MIT
"""Tricks that save memory, and what they do to a gradient.

Some give one that is wrong, or not a number, without a word: offloading moves weights away that the backward pass still
needs, casting keeps them in a precision that has no backward, quantised products have one of another function. So a
network may guide only as plain weights, until a test has compared the gradient of a trick. Gradient checkpointing has
passed such a test, and so have the weights of GGUF files, which are made plain before each product, and float16, whose
gradients are scaled. Sampling without energies is free to use all tricks.

A picture is planned before it is begun: ``plan`` says which tricks fit it into a device, ``Sparing`` is a model that
obeys. Parking and checkpointing leave every bit of a picture as it is. Decoding in tiles does not, so it comes last,
and whoever asked for the picture is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sg_core.attention.hooks import all_modules
from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import RequestError, SelfGuidanceError
from sg_core.models.adapters import modules
from sg_core.models.cards import Card
from sg_core.models.model import Model, Step, Trajectory
from sg_core.parametrisation import Parametrisation
from sg_core.tokens import Phrase, Words

if TYPE_CHECKING:
    from sg_core.models.estimate import Estimate

COMPARED = frozenset({"GGUFParameter"})  # weights in another form, whose gradient a test has compared
PRECISIONS = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})
NARROW = ("stable-diffusion-xl",)  # families whose networks are published in float16
SCALES = (2.0**16, 2.0**11, 2.0**6, 2.0, 2.0**-4)
MARGIN = 3 * 2**28  # bytes that the driver takes for itself, and that fragments waste
GIBIBYTE = 2**30
TEXTS = 64  # prompts whose encoding is remembered
TILE = 64  # cells of a latent along one side of a tile, 512 pixels of most models
HOOKS = ("_diffusers_hook", "_hf_hook")  # diffusers': casting, offloading by groups, caches; accelerate's: offloading


def precision(device: str, family: str) -> torch.dtype:
    """Of a model's weights: half as wide on a GPU, in bfloat16 where it computes in that, and float32 everywhere else.

    Toybox and Stable Diffusion 1 are small and stay as they were. A card without bfloat16 computes those in float16
    that are published in it, and emulates bfloat16, which is slow, for the others: they leave float16's range.
    """
    if not device.startswith("cuda") or family.startswith("stable-diffusion-1"):
        return torch.float32
    if not torch.cuda.is_bf16_supported(including_emulation=False) and family.startswith(NARROW):
        return torch.float16
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32


def is_narrow(network: nn.Module) -> bool:
    """Whether a network computes in float16, where small gradients vanish; quantised weights are no sign of it."""
    return next((w.dtype == torch.float16 for w in network.parameters() if w.is_floating_point()), False)


def gradient_of(energy: Tensor, latent: Tensor, *, scaled: bool) -> Tensor | None:
    """d(energy (batch,) of a row) / d(latent (batch, ...) of that row), where rows do not touch; None where there is
    none.

    Args:
        scaled: on its way through float16 a small gradient vanishes. So the energy is multiplied by a power of two
            first, and the gradient divided by it (Micikevicius et al. 2018). A row that overflows is tried with less,
            and has no gradient, 0, where none of SCALES is little enough.
    """
    if not energy.requires_grad:
        return None
    if not scaled:
        return torch.autograd.grad(energy.sum(), latent, allow_unused=True)[0]
    result, waiting = torch.zeros_like(latent), torch.ones_like(energy, dtype=torch.bool)
    for scale in SCALES:
        total = torch.where(waiting, energy * scale, 0.0).sum()
        gradient = torch.autograd.grad(total, latent, retain_graph=True, allow_unused=True)[0]
        if gradient is None:
            return None
        finite = waiting & gradient.flatten(1).isfinite().all(1)
        result = torch.where(finite.view(-1, *[1] * (latent.ndim - 1)), gradient / scale, result)
        waiting = waiting & ~finite
        if not bool(waiting.any()):
            break
    return result


def refuse_untested(*networks: nn.Module) -> None:
    """Raise RequestError when one of the networks keeps its weights in a way whose gradient no test has compared."""
    if tricks := sorted({trick for network in networks for trick in _tricks(network)}):
        raise RequestError(
            f"this network is set up with {' and '.join(tricks)}, and gradients through that are wrong or unproven: "
            "load it plainly, or paint without energies (masks are free of this)"
        )


def _tricks(network: nn.Module) -> Iterator[str]:
    for module in all_modules(network):
        for name in HOOKS:
            if (hook := vars(module).get(name)) is not None:
                kinds = getattr(hook, "hooks", {"offloading": None})
                yield from (kind.replace("_", " ") for kind in kinds)
        for weight in module._parameters.values():
            if weight is None or type(weight).__name__ in COMPARED:
                continue
            if type(weight.data) is not torch.Tensor:
                yield f"weights of the kind {type(weight.data).__name__}"
            elif weight.dtype not in PRECISIONS:
                yield f"weights in {weight.dtype}"


@dataclass(frozen=True)
class MemoryPlan:
    """How a picture is painted. ``parks``: encoders wait in main memory while they have nothing to read; that costs
    their way there and back for each new prompt. ``alternates``: and the network does while they read. ``checkpoints``:
    guided passes compute anew what their gradient needs; that costs a third more time. ``tiles``: the decoder works on
    one tile after the other and blends borders, which changes pixels a little. ``needed`` bytes in all, by estimate.
    """

    parks: bool = False
    checkpoints: bool = False
    tiles: bool = False
    needed: int = 0
    alternates: bool = False


def plan(estimate: "Estimate", room: int) -> MemoryPlan:
    """The cheapest plan whose bytes fit into ``room``; where none does, the one that needs the least."""
    guided = [(False, estimate.guided)]
    if estimate.checkpointed is not None:
        guided.append((True, estimate.checkpointed))
    decoding = [(False, estimate.decoding)]
    if estimate.tiled is not None:
        decoding.append((True, estimate.tiled))
    plans = []
    for (tiles, last), (checkpoints, work) in product(decoding, guided):
        most, held = max(estimate.free, work, last), estimate.network + estimate.decoder
        plans.append(MemoryPlan(False, checkpoints, tiles, MARGIN + estimate.weights + most))
        plans.append(MemoryPlan(True, checkpoints, tiles, MARGIN + max(estimate.weights, held + most)))
        least = MARGIN + max(estimate.reading, held + most)
        if least < plans[-1].needed:
            plans.append(MemoryPlan(True, checkpoints, tiles, least, alternates=True))
    return next((plan for plan in plans if plan.needed <= room), min(plans, key=lambda plan: plan.needed))


def counted(
    source: str,
    precision: str,
    width: int,
    height: int,
    parts: Path | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> "Estimate | None":
    """The estimate for a model by what ``load`` takes, weights in this precision; None where none can be made."""
    from sg_core.models.estimate import estimate, outline

    try:
        model = outline(source, getattr(torch, precision), parts_folder=parts, changes=changes)
        return estimate(model, width, height)
    except (SelfGuidanceError, RuntimeError):
        return None


def has_tiles(model: Model) -> bool:
    """Whether a model's decoder can work in tiles of TILE cells."""
    return hasattr(modules(model).get("vae"), "tile_latent_min_size")


def tile(model: Model, on: bool) -> None:
    """Have a model's decoder work in tiles of TILE cells, or whole; one that cannot stays as it is."""
    if not has_tiles(model):
        return
    vae: Any = modules(model)["vae"]
    if on:
        pixels = round(vae.tile_sample_min_size / vae.tile_latent_min_size)
        vae.tile_latent_min_size, vae.tile_sample_min_size = TILE, TILE * pixels
    (vae.enable_tiling if on else vae.disable_tiling)()


class Sparing:
    """A model that remembers what its encoders said of a prompt, and paints by a plan. It is a Model itself."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.plan = MemoryPlan()
        self._device = next(model.network.parameters()).device
        self._texts: dict[tuple[tuple[str, ...], bool], Conditioning] = {}

    def follow(self, plan: MemoryPlan) -> None:
        """Paint by this plan from now on."""
        self.plan = plan
        network: Any = self.model.network
        if getattr(network, "is_gradient_checkpointing", False) != plan.checkpoints:
            (network.enable_gradient_checkpointing if plan.checkpoints else network.disable_gradient_checkpointing)()
        tile(self.model, plan.tiles)
        self._place(reading=False)

    def encode(self, prompts: Sequence[str], *, negative: bool = False) -> Conditioning:
        """As the model does, and once for each prompt."""
        key = (tuple(prompts), negative)
        if key not in self._texts:
            self._place(reading=True)
            try:
                text = self.model.encode(prompts, negative=negative)
            finally:
                self._place(reading=False)
            for oldest in list(self._texts)[: len(self._texts) + 1 - TEXTS]:
                del self._texts[oldest]
            self._texts[key] = text
        return self._texts[key]

    def _place(self, *, reading: bool) -> None:
        """Encoders and the network where they belong while prompts are read, or while there is nothing to read; what
        leaves does so before the other comes."""
        encoders = [part for name, part in modules(self.model).items() if name.startswith("text_encoder")]
        if reading and self.plan.alternates:
            self.model.network.to("cpu")
        for part in encoders:
            part.to("cpu" if self.plan.parks and not reading else self._device)
        if not reading:
            self.model.network.to(self._device)

    @property
    def card(self) -> Card:
        """The model's."""
        return self.model.card

    @property
    def network(self) -> nn.Module:
        """The model's."""
        return self.model.network

    @property
    def parametrisation(self) -> Parametrisation:
        """The model's."""
        return self.model.parametrisation

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """The model's."""
        return self.model.latent_shape(width, height)

    def steps(self, count: int, scheduler: str, size: tuple[int, int] | None = None) -> Trajectory:
        """The model's."""
        return self.model.steps(count, scheduler, size)

    def layers(self, latent: Tensor) -> Mapping[str, Grid]:
        """The model's."""
        return self.model.layers(latent)

    def attention(self, latent: Tensor) -> Mapping[str, Grid]:
        """The model's."""
        return self.model.attention(latent)

    def self_attention(self, latent: Tensor) -> Mapping[str, Grid]:
        """The model's."""
        return self.model.self_attention(latent)

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        """The model's."""
        return self.model.words(prompts, phrases)

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        """The model's."""
        return self.model.predict(latent, step, text)

    def combine(self, conditional: Tensor, plain: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """The model's."""
        return self.model.combine(conditional, plain, scale)

    def decode(self, latent: Tensor) -> Tensor:
        """The model's."""
        return self.model.decode(latent)

    def latent(self, pictures: Tensor) -> Tensor:
        """The model's."""
        return self.model.latent(pictures)
