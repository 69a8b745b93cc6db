# SPDX-License-Identifier: MIT
"""The parts of a Stable Diffusion folder at Toybox's size, and the folder itself."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sg_core.toybox.recipe import Recipe

SHARD = "15MB"


@dataclass(frozen=True)
class Parts:
    """The five components that StableDiffusionPipeline names."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    scheduler: DDIMScheduler

    def tokens(self, captions: list[str]) -> Tensor:
        """Token ids (batch, length), padded as the pipeline pads them."""
        length = self.tokenizer.model_max_length
        padded = {"padding": "max_length", "max_length": length, "truncation": True}
        ids: Tensor = self.tokenizer(captions, return_tensors="pt", **padded).input_ids
        return ids

    def save(self, folder: Path) -> None:
        """Write a folder that StableDiffusionPipeline.from_pretrained loads: fp16 safetensors in shards under 16 MB."""
        pipeline = StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=self.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True, max_shard_size=SHARD)
        pipeline.to(dtype=torch.float32)


def build_tokenizer(words: tuple[str, ...], length: int, folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer whose every known word is one token and whose every other word falls apart into letters.

    CLIP's byte-pair merges are spelt out: a word is merged letter by letter from the left.
    """
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = {token: index for index, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    merges: dict[str, None] = {}
    for word in sorted(words):
        left = word[0] if len(word) > 1 else f"{word}</w>"
        for index, letter in enumerate(word[1:], 2):
            right = f"{letter}</w>" if index == len(word) else letter
            merges[f"{left} {right}"] = None
            left += right
            vocabulary.setdefault(left, len(vocabulary))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=length, pad_token="<|endoftext|>"
    )


def build_parts(recipe: Recipe, folder: Path) -> Parts:
    """Freshly initialised parts."""
    tokenizer = build_tokenizer(recipe.vocabulary.words, recipe.tokens, folder / "tokenizer")
    levels = len(recipe.denoiser_channels)
    blocks = len(recipe.autoencoder_channels)
    return Parts(
        tokenizer=tokenizer,
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=recipe.text_width,
                intermediate_size=2 * recipe.text_width,
                projection_dim=recipe.text_width,
                num_hidden_layers=recipe.text_layers,
                num_attention_heads=4,
                max_position_embeddings=recipe.tokens,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        ),
        unet=UNet2DConditionModel(
            sample_size=recipe.buckets[0][0] // 2 ** (blocks - 1),
            in_channels=recipe.latent_channels,
            out_channels=recipe.latent_channels,
            down_block_types=("CrossAttnDownBlock2D",) * levels,
            up_block_types=("CrossAttnUpBlock2D",) * levels,
            block_out_channels=recipe.denoiser_channels,
            layers_per_block=recipe.layers,
            cross_attention_dim=recipe.text_width,
            attention_head_dim=recipe.heads,
            norm_num_groups=16,
        ),
        vae=AutoencoderKL(
            in_channels=3,
            out_channels=3,
            down_block_types=("DownEncoderBlock2D",) * blocks,
            up_block_types=("UpDecoderBlock2D",) * blocks,
            block_out_channels=recipe.autoencoder_channels,
            layers_per_block=1,
            latent_channels=recipe.latent_channels,
            norm_num_groups=8,
            mid_block_add_attention=False,
            sample_size=recipe.buckets[0][0],
        ),
        scheduler=DDIMScheduler(
            num_train_timesteps=1000,
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            prediction_type="v_prediction",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
    )


def load_parts(folder: Path) -> Parts:
    """Parts of a saved folder, in float32."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, torch_dtype=torch.float32, safety_checker=None, local_files_only=True
    )
    return Parts(pipeline.tokenizer, pipeline.text_encoder, pipeline.unet, pipeline.vae, pipeline.scheduler)


def parameters(*modules: nn.Module) -> list[nn.Parameter]:
    """All parameters of several modules."""
    return [parameter for module in modules for parameter in module.parameters()]
