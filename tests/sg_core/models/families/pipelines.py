# SPDX-License-Identifier: MIT
"""A tiny pipeline of every family, and how it is asked for the picture that our own loop must paint too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import diffusers
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from diffusers import FlowMatchEulerDiscreteScheduler as Flow
from transformers import Qwen3Model

from tests.sg_core.models.families import encoders, networks, tokenizers

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
MOVED = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15, "shift": 3.0}
FLUX_VAE = {"channels": 16, "scale": 0.3611, "shift": 0.1159}


def stable_diffusion_2() -> Any:
    words = tokenizers.clip()
    return diffusers.StableDiffusionPipeline(
        vae=encoders.autoencoder(scale=0.18215),
        text_encoder=encoders.clip_text(words, act="gelu"),
        tokenizer=words,
        unet=networks.stable_diffusion_2(),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> Any:
    words = tokenizers.clip()
    return diffusers.StableDiffusionXLPipeline(
        vae=encoders.autoencoder(),
        text_encoder=encoders.clip_text(words),
        text_encoder_2=encoders.clip_text(words, projected=True, act="gelu"),
        tokenizer=words,
        tokenizer_2=words,
        unet=networks.stable_diffusion_xl(),
        scheduler=EulerDiscreteScheduler(**NOISE, timestep_spacing="leading"),
        add_watermarker=False,
    )


def stable_diffusion_3(medium: bool) -> Any:
    words, pieces = tokenizers.clip(), tokenizers.t5()
    return diffusers.StableDiffusion3Pipeline(
        transformer=networks.stable_diffusion_3(medium),
        scheduler=Flow(shift=3.0),
        vae=encoders.autoencoder(16, 1.5305, 0.0609),
        text_encoder=encoders.clip_text(words, projected=True),
        tokenizer=words,
        text_encoder_2=encoders.clip_text(words, projected=True, act="gelu"),
        tokenizer_2=words,
        text_encoder_3=encoders.t5_text(pieces, 64),
        tokenizer_3=pieces,
    )


def flux_1(guided: bool) -> Any:
    words, pieces = tokenizers.clip(), tokenizers.t5()
    return diffusers.FluxPipeline(
        scheduler=Flow(**MOVED) if guided else Flow(shift=1.0),
        vae=encoders.autoencoder(**FLUX_VAE),
        text_encoder=encoders.clip_text(words),
        tokenizer=words,
        text_encoder_2=encoders.t5_text(pieces),
        tokenizer_2=pieces,
        transformer=networks.flux_1(guided),
    )


def chroma() -> Any:
    pieces = tokenizers.t5()
    return diffusers.ChromaPipeline(
        scheduler=Flow(**MOVED),
        vae=encoders.autoencoder(**FLUX_VAE),
        text_encoder=encoders.t5_text(pieces),
        tokenizer=pieces,
        transformer=networks.chroma(),
    )


def flux_2_dev() -> Any:
    words = tokenizers.mistral()
    return diffusers.Flux2Pipeline(
        scheduler=Flow(**MOVED),
        vae=encoders.flux_2_autoencoder(),
        text_encoder=encoders.mistral_text(words),
        tokenizer=words,
        transformer=networks.flux_2(guided=True),
    )


def flux_2_klein(distilled: bool) -> Any:
    words = tokenizers.qwen()
    return diffusers.Flux2KleinPipeline(
        scheduler=Flow(**MOVED),
        vae=encoders.flux_2_autoencoder(),
        text_encoder=encoders.qwen_text(words, layers=28),
        tokenizer=words,
        transformer=networks.flux_2(guided=False),
        is_distilled=distilled,
    )


def qwen_image() -> Any:
    words = tokenizers.qwen()
    moved = {**MOVED, "shift": 1.0, "max_shift": 0.9, "max_image_seq_len": 8192, "shift_terminal": 0.02}
    return diffusers.QwenImagePipeline(
        scheduler=Flow(**moved),
        vae=encoders.qwen_autoencoder(),
        text_encoder=encoders.qwen_vision_text(words),
        tokenizer=words,
        transformer=networks.qwen_image(),
    )


def z_image() -> Any:
    words = tokenizers.qwen()
    return diffusers.ZImagePipeline(
        scheduler=Flow(shift=6.0),
        vae=encoders.autoencoder(**FLUX_VAE),
        text_encoder=encoders.qwen_text(words, layers=4, kind=Qwen3Model),
        tokenizer=words,
        transformer=networks.z_image(),
    )


def pixart() -> Any:
    pieces = tokenizers.t5()
    return diffusers.PixArtSigmaPipeline(
        tokenizer=pieces,
        text_encoder=encoders.t5_text(pieces),
        vae=encoders.autoencoder(),
        transformer=networks.pixart(),
        scheduler=DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02, beta_schedule="linear"),
    )


def sana() -> Any:
    words = tokenizers.gemma()
    return diffusers.SanaPipeline(
        tokenizer=words,
        text_encoder=encoders.gemma_text(words),
        vae=encoders.deep_autoencoder(),
        transformer=networks.sana(),
        scheduler=DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    )


def deepfloyd() -> Any:
    pieces = tokenizers.t5()
    return diffusers.IFPipeline(
        tokenizer=pieces,
        text_encoder=encoders.t5_text(pieces),
        unet=networks.deepfloyd(),
        scheduler=DDPMScheduler(
            beta_schedule="squaredcos_cap_v2", thresholding=True, sample_max_value=1.5, variance_type="learned_range"
        ),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of model.

    Attributes:
        name: of its folder. ``family``: which it must be taken for.
        scale: of our guidance, ``theirs``: of the pipeline's where it counts otherwise; ``scheduler``: its own.
        asked: what the pipeline is told beside; ``negative``: what to move away from, None where it takes none.
        changes: of its scheduler's configuration, which we make too.
    """

    name: str
    family: str
    build: Callable[[], Any]
    scale: float
    scheduler: str = "euler"
    size: tuple[int, int] = (96, 64)
    negative: str | None = "dog"
    theirs: float | None = None
    scale_name: str = "guidance_scale"
    asked: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: bool = True


UNCHANGED = {"use_resolution_binning": False, "clean_caption": False}
TRAILING = {"timestep_spacing": "trailing"}
CASES = (
    Case(name="two", family="stable-diffusion-1", build=stable_diffusion_2, scale=7.5, scheduler="ddim"),
    Case(name="xl", family="stable-diffusion-xl", build=stable_diffusion_xl, scale=5.0),
    Case(name="xl-blank", family="stable-diffusion-xl", build=stable_diffusion_xl, scale=5.0, negative=""),
    Case(
        name="xl-lightning",
        family="stable-diffusion-xl-lightning",
        build=stable_diffusion_xl,
        scale=1.0,
        negative=None,
        changes=TRAILING,
    ),
    Case(name="three", family="stable-diffusion-3", build=lambda: stable_diffusion_3(False), scale=7.0),
    Case(name="three-medium", family="stable-diffusion-3", build=lambda: stable_diffusion_3(True), scale=4.5),
    Case(name="dev", family="flux-1-dev", build=lambda: flux_1(True), scale=3.5, negative=None),
    Case(name="schnell", family="flux-1-schnell", build=lambda: flux_1(False), scale=1.0, negative=None),
    Case(name="dev-2", family="flux-2-dev", build=flux_2_dev, scale=4.0, negative=None),
    Case(name="klein", family="flux-2-klein", build=lambda: flux_2_klein(True), scale=1.0, negative=None),
    Case(name="base", family="flux-2-klein-base", build=lambda: flux_2_klein(False), scale=4.0, negative=None),
    Case(name="chroma", family="chroma", build=chroma, scale=5.0, checkpoints=False),
    Case(name="qwen", family="qwen-image", build=qwen_image, scale=4.0, scale_name="true_cfg_scale"),
    Case(name="z", family="z-image", build=z_image, scale=6.0, theirs=5.0),
    Case(name="z-turbo", family="z-image-turbo", build=z_image, scale=1.0, theirs=0.0, negative=None),
    Case(name="sigma", family="pixart-sigma", build=pixart, scale=4.5, scheduler="dpm++ 2m", asked=UNCHANGED),
    Case(name="sana", family="sana", build=sana, scale=4.5, scheduler="dpm++ 2m", size=(384, 256), asked=UNCHANGED),
    Case(
        name="if",
        family="deepfloyd-if",
        build=deepfloyd,
        scale=7.0,
        scheduler="ddpm",
        size=(48, 32),
        asked={"clean_caption": False},
        changes={"variance_type": "fixed_small"},
    ),
)
