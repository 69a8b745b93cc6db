# SPDX-License-Identifier: MIT
"""What a model must do to be guided: our loop paints the pipeline's picture, listening and memory tricks change
nothing, and an energy falls. Each line is a verdict with its figure.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import diffusers
import torch
from torch import Tensor

from sg_core import Moment, Phrase, generate, listening, place
from sg_core.models.folder import quiet
from sg_core.models.loading import FAMILIES
from sg_core.models.model import Model, Step
from sg_core.models.pipeline_model import PipelineModel
from sg_core.models.schedulers import FLOW_SCHEDULERS, SCHEDULERS, configured
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Texts, conditional_pass

PROMPT, PHRASE = "a castle on a hill", Phrase("castle")
SAME = 1e-3  # of a picture's values, in float32
TURNED = 0.05  # of the gradient's size, what checkpointing may change


@dataclass(frozen=True)
class Verdict:
    """One line: what was looked at, whether it is as it must be, and the figure."""

    name: str
    good: bool
    figure: str


@dataclass(frozen=True)
class CheckedModel:
    """A model and how it is asked: picture size in pixels, steps, and a scheduler that both loops know."""

    model: Model
    size: tuple[int, int]
    steps: int

    @property
    def scheduler(self) -> str:
        """Euler where the family's own is of that kind."""
        family = self.model.card.family
        if family == "deepfloyd-if":
            return "ddpm"
        loader = FAMILIES[family].family
        return "euler" if family.startswith("stable-diffusion-xl") or (loader and loader.flow) else "ddim"

    @property
    def options(self) -> dict[str, Any]:
        """For ``generate``."""
        width, height = self.size
        sizes = {"width": width, "height": height, "steps": self.steps, "seeds": (1,)}
        return sizes | {"scale": self.model.card.scale, "scheduler": self.scheduler}


def line(verdict: Verdict) -> str:
    """For people."""
    return f"{'ok ' if verdict.good else 'BAD'}  {verdict.name:34}{verdict.figure}"


def verdicts_of(subject: CheckedModel) -> Iterator[Verdict]:
    """All but the first."""
    for name, check in CHECKS.items():
        begun = time.monotonic()
        good, figure = check(subject)
        yield Verdict(name, good, f"{figure} ({time.monotonic() - begun:.0f} s)")


def paints_the_pipelines_picture(subject: CheckedModel) -> tuple[bool, str]:
    """The largest difference of a value."""
    difference = float((generate(subject.model, PROMPT, **subject.options) - pipelines_picture(subject)).abs().max())
    return difference < SAME, f"differs by {difference:.0e} at most"


def pipelines_picture(subject: CheckedModel) -> Tensor:
    """What diffusers' own loop paints with the very parts, (1, 3, y, x) in 0..1 on the CPU."""
    model, card = subject.model, subject.model.card
    pipe, flow = pipeline_of(model)
    kind, changes = (FLOW_SCHEDULERS if flow else SCHEDULERS)[subject.scheduler]
    own, pipe.scheduler = pipe.scheduler, configured(kind, model.noise, changes, flow=flow)  # type: ignore[attr-defined]
    pipe.set_progress_bar_config(disable=True)
    known = inspect.signature(pipe.__call__).parameters
    scale = card.scale - 1.0 if card.family.startswith("z-image") else card.scale
    wishes: dict[str, Any] = {"guidance_scale": scale, "true_cfg_scale": scale, "use_resolution_binning": False}
    wishes["clean_caption"] = False
    if card.family == "qwen-image":
        wishes["negative_prompt"] = ""  # without one it has no second pass
    else:
        del wishes["true_cfg_scale"]  # others have it for what they were not made for
    options = {name: value for name, value in wishes.items() if name in known}
    width, height = subject.size
    generator = [torch.Generator("cpu").manual_seed(1)]
    sizes = {"width": width, "height": height, "num_inference_steps": subject.steps}
    picture: Tensor = pipe(prompt=PROMPT, generator=generator, output_type="pt", **sizes, **options).images
    pipe.scheduler = own
    return (picture / 2 + 0.5 if card.family == "deepfloyd-if" else picture).float().cpu()


def pipeline_of(model: Model) -> tuple[Any, bool]:
    """A model's parts as diffusers' pipeline, and whether it predicts a flow."""
    if isinstance(model, PipelineModel):
        return model.pipe, model.family.flow
    assert isinstance(model, StableDiffusion1)
    with quiet():
        pipe = diffusers.StableDiffusionPipeline(
            vae=model.autoencoder,
            text_encoder=model.text_encoder,
            tokenizer=model.tokenizer,
            unet=model.network,
            scheduler=diffusers.DDIMScheduler.from_config(dict(model.noise)),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return pipe, False


def middle(subject: CheckedModel) -> tuple[Tensor, Step, Texts]:
    """A latent on its way, where words are listened to."""
    model = subject.model
    shape = model.latent_shape(*subject.size)
    step = model.steps(subject.steps, subject.scheduler, shape[1:]).steps[1]
    text = model.encode([PROMPT])
    text = text.guided(model.card.scale) if model.card.guided_by == "input" else text
    latent = torch.randn(1, *shape, generator=torch.Generator().manual_seed(2)).to(text.device)
    return latent, step, Texts(text, None, model.words([PROMPT], [PHRASE]))


def listening_changes_nothing(subject: CheckedModel) -> tuple[bool, str]:
    """Bit for bit."""
    model, (latent, step, texts) = subject.model, middle(subject)
    with torch.no_grad():
        before = model.predict(latent, step, texts.conditional)
        with listening(model.network, model.layers(latent), texts.words) as tape:
            after = model.predict(latent, step, texts.conditional)
    return torch.equal(before, after), f"{len(tape.attention)} layers heard"


def gradients_agree(subject: CheckedModel) -> tuple[bool, str]:
    """With checkpointing and without, where it may be used."""
    model, (latent, step, texts) = subject.model, middle(subject)
    network: Any = model.network
    energy = place(halves(latent.shape[2], latent.shape[3]))

    def gradient() -> Tensor:
        slope = conditional_pass(model, latent, step, texts, energy, follow=True).gradient
        assert slope is not None, "it was followed"
        return slope

    plain = gradient()
    good = bool(plain.isfinite().all()) and float(plain.abs().max()) > 0
    loader = FAMILIES[model.card.family].family
    if loader is not None and not loader.checkpoints:
        return good, "checkpointing is not used"
    network.enable_gradient_checkpointing()
    away = float((gradient() - plain).norm() / plain.norm().clamp_min(1e-30))
    network.disable_gradient_checkpointing()
    return good and away < TURNED, f"checkpointed differs by {away:.0e} of its size"


def halves(rows: int, columns: int) -> dict[str | Phrase, Tensor]:
    """The castle is to be in the left half."""
    mask = torch.zeros(rows, columns)
    mask[:, : columns // 2] = 1.0
    return {PHRASE: mask}


def guidance_is_obeyed(subject: CheckedModel) -> tuple[bool, str]:
    """The errors of the last guided step, of all terms, with guidance and without."""

    def last(strength: float) -> float:
        read: list[float] = []

        def watch(moment: Moment) -> None:
            read.extend([sum(moment.energies.values())] if moment.energies else [])

        generate(subject.model, PROMPT, place(halves(8, 8)), strength=strength, watch=watch, **subject.options)
        return read[-1]

    free, guided = last(0.0), last(1.0)
    return guided < free, f"error {free:.3f} without, {guided:.3f} with guidance"


CHECKS: dict[str, Callable[[CheckedModel], tuple[bool, str]]] = {
    "listening changes nothing": listening_changes_nothing,
    "paints the pipeline's picture": paints_the_pipelines_picture,
    "gradients agree": gradients_agree,
    "guidance is obeyed": guidance_is_obeyed,
}
