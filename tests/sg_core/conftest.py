# SPDX-License-Identifier: MIT
"""A text-to-image model of the real classes at a tiny size, saved as a real StableDiffusionPipeline folder."""

import json
import string
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sg_core.models.cards import new_card
from sg_core.models.loading import load
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from tests.sg_core.flow_model import TinyFlow, build_flow

WORDS = ("a", "and", "castle", "on", "grass", "blue", "rock")
CARD = new_card("stable-diffusion-1", name="tiny", source="", licence="MIT", multiple=16, layers=())


def build_tokenizer() -> CLIPTokenizer:
    """Knows WORDS as one token each; "rocket" is "rock" + "et"; any other word is spelt."""
    vocabulary = {letter + end: 0 for letter in string.ascii_lowercase + ",.!'" for end in ("", "</w>")}
    merges: list[tuple[str, str]] = []
    for parts in [[*word[:-1], word[-1] + "</w>"] for word in WORDS] + [list("rock"), ["e", "t</w>"]]:
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
            vocabulary[parts[0]] = 0
    tokens = [*vocabulary, "<|startoftext|>", "<|endoftext|>"]
    numbered = {token: i for i, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=numbered, merges=list(dict.fromkeys(merges)), model_max_length=16)


def build_unet() -> UNet2DConditionModel:
    """Two levels, each of which attends."""
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=2,
    )


def build_vae() -> AutoencoderKL:
    """Eight pixels to a latent's side."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """One layer."""
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return CLIPTextModel(text)


def build_folder(folder: Path, prediction_type: str) -> Path:
    """A whole pipeline's folder."""
    torch.manual_seed(0)
    tokenizer = build_tokenizer()
    unet, vae = build_unet(), build_vae()
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )
    parts = {
        "unet": unet,
        "vae": vae,
        "text_encoder": build_text_encoder(tokenizer),
        "tokenizer": tokenizer,
        "scheduler": scheduler,
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    index = {name: [_library(part), type(part).__name__] for name, part in parts.items()}
    extra = {"safety_checker": [None, None], "feature_extractor": [None, None], "image_encoder": [None, None]}
    document = {"_class_name": "StableDiffusionPipeline", "requires_safety_checker": False, **index, **extra}
    (folder / "model_index.json").write_text(json.dumps(document))
    return folder


def _library(part: object) -> str:
    return type(part).__module__.partition(".")[0]


@pytest.fixture(scope="session")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predicts noise."""
    return build_folder(tmp_path_factory.mktemp("epsilon"), "epsilon")


@pytest.fixture(scope="session")
def velocity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predicts velocity."""
    return build_folder(tmp_path_factory.mktemp("velocity"), "v_prediction")


@pytest.fixture
def model(folder: Path) -> StableDiffusion1:
    return load(folder, card=replace(CARD, source=str(folder)))


@pytest.fixture
def velocity_model(velocity_folder: Path) -> StableDiffusion1:
    return load(velocity_folder, card=replace(CARD, source=str(velocity_folder)))


@pytest.fixture
def flow(tokenizer: CLIPTokenizer) -> TinyFlow:
    """Joint attention, a flow, and no second pass."""
    return build_flow(tokenizer)
