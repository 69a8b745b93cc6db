# SPDX-License-Identifier: MIT
"""The parts of a Stable Diffusion folder at Toybox's size, and the folder itself."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sg_core.models.cards import CARDS, OWN_CARD
from sg_core.models.folder import bars_in_terminals_only
from sg_core.toybox.autoencoder import new_autoencoder
from sg_core.toybox.latents import CELL, LOOKS
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.scene import Vocabulary

if TYPE_CHECKING:  # its import warns of image processors that no part of ours needs
    from diffusers import StableDiffusionPipeline

SHARD = "15MB"


@dataclass(frozen=True)
class Parts:
    """The five components that StableDiffusionPipeline names."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: AutoencoderKL | AutoencoderTiny
    scheduler: DDIMScheduler

    def tokens(self, captions: list[str]) -> Tensor:
        """Token ids (batch, length), padded as the pipeline pads them."""
        length = self.tokenizer.model_max_length
        padded = {"padding": "max_length", "max_length": length, "truncation": True}
        ids: Tensor = self.tokenizer(captions, return_tensors="pt", **padded).input_ids
        return ids

    def to(self, device: torch.device | str) -> "Parts":
        """These very parts, moved to another device."""
        for module in (self.text_encoder, self.unet, self.vae):
            nn.Module.to(module, device)
        return self

    def pipeline(self) -> "StableDiffusionPipeline":
        """These very parts as the plain pipeline."""
        from diffusers import StableDiffusionPipeline

        return StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=self.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    def save(self, folder: Path) -> None:
        """Write a folder that StableDiffusionPipeline.from_pretrained loads: fp16 safetensors in shards under 16 MB."""
        pipeline = self.pipeline()
        cast(torch.float16, self.vae, self.text_encoder, self.unet)
        pipeline.save_pretrained(folder, safe_serialization=True, max_shard_size=SHARD)
        # Transformers would compute in the stored precision; where the parts lay when trained is nobody's business.
        amend(folder / "vae" / "config.json", {"_name_or_path": None})
        amend(folder / "unet" / "config.json", {"_name_or_path": None})
        amend(folder / "text_encoder" / "config.json", {"dtype": "float32"})
        cast(torch.float32, self.vae, self.text_encoder, self.unet)


def cast(dtype: torch.dtype, *modules: nn.Module) -> None:
    """Change the modules' precision in place (diffusers' own `to` would warn of layers that none of them has)."""
    for module in modules:
        nn.Module.to(module, dtype)


def amend(config: Path, changes: dict[str, str | None]) -> None:
    """Set keys of a JSON file; None takes one out."""
    settings = json.loads(config.read_text()) | changes
    remaining = {key: value for key, value in settings.items() if key not in changes or value is not None}
    config.write_text(json.dumps(remaining, indent=2) + "\n")


def build_tokenizer(words: tuple[str, ...], length: int, folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer that knows every given word as one token; any other word falls apart into shorter pieces.

    Byte-pair merges are learned from the words alone until nothing is left to merge. ``words.json`` keeps the words:
    the vocabulary holds their pieces too, of which some ("man", "side") look like words and were never learned.
    """
    letters = [chr(code) for code in range(33, 127)]
    model = BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>")
    trainer = BpeTrainer(
        vocab_size=100_000,
        min_frequency=1,
        initial_alphabet=letters,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner = Tokenizer(model)
    learner.pre_tokenizer = Whitespace()
    learner.train_from_iterator([" ".join([*words, *letters])], trainer)
    learned = json.loads(learner.to_str())["model"]
    singles = [f"{letter}</w>" for letter in letters if f"{letter}</w>" not in learned["vocab"]]
    tokens = [*learned["vocab"], *singles, "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "words.json").write_text(json.dumps([word for word in words if word.isalpha()]))
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in learned["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=length, pad_token="<|endoftext|>"
    )


def build_parts(recipe: Recipe, folder: Path) -> Parts:
    """Freshly initialised parts; a tokenizer that is there already is kept, for two builds number words differently.

    Tokenizer and card are written into the folder, where ``Parts.save`` puts the rest.
    """
    remaining = folder / "tokenizer"
    if (remaining / "vocab.json").exists():
        tokenizer = CLIPTokenizer.from_pretrained(remaining, local_files_only=True)
    else:
        tokenizer = build_tokenizer(recipe.vocabulary.words, recipe.tokens, remaining)
        tokenizer.save_pretrained(remaining)
    write_card(recipe.vocabulary, folder)
    return Parts(
        tokenizer=tokenizer,
        text_encoder=build_text_encoder(recipe, tokenizer),
        unet=build_unet(recipe),
        vae=new_autoencoder(recipe.autoencoder_channels, latent_channels(recipe), recipe.buckets[0][0]),
        scheduler=build_scheduler(),
    )


def latent_channels(recipe: Recipe) -> int:
    """Numbers of a latent cell: the noun's code, its look, the place on it (2), coverage (1), colours."""
    return recipe.code_width + LOOKS + 3 + recipe.colours


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's schedule with more noise at its end, from where sampling begins ("trailing").

    Lin et al., 2024, arXiv 2305.08891: with the schedule as it is a model never sees noise alone, learns to read the
    picture's mean and layout off what is left, and paints means. Here 0.015 is left, not nothing: guidance divides
    by it.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # of no effect here; diffusers warns of any other
        timestep_spacing="trailing",
    )


def write_card(vocabulary: Vocabulary, folder: Path) -> None:
    """The folder's own card: a model of this vocabulary that likes to be used as the one that ships."""
    like = CARDS["toybox"]
    card = {
        name: getattr(like, name)
        for name in ("licence", "steps", "scale", "strength", "emphasis", "refinement", "few", "base", "layers")
    }
    groups = [{"name": name, "words": words} for name, words in vocabulary.groups.items()]
    words = {"nouns": vocabulary.nouns, "vocabulary": groups}
    (folder / OWN_CARD).write_text(json.dumps(card | words, indent=2) + "\n")


def build_text_encoder(recipe: Recipe, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A shallow CLIP text model: a token's state is still mostly its own word, so that attention stays local to it."""
    return CLIPTextModel(
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
    )


def build_unet(recipe: Recipe) -> UNet2DConditionModel:
    """A denoiser with cross-attention at every level."""
    levels = len(recipe.denoiser_channels)
    return UNet2DConditionModel(
        sample_size=recipe.buckets[0][0] // CELL,
        in_channels=latent_channels(recipe),
        out_channels=latent_channels(recipe),
        down_block_types=("CrossAttnDownBlock2D",) * levels,
        up_block_types=("CrossAttnUpBlock2D",) * levels,
        block_out_channels=recipe.denoiser_channels,
        layers_per_block=recipe.layers,
        only_cross_attention=recipe.cross_only,
        cross_attention_dim=recipe.text_width,
        attention_head_dim=recipe.heads,
        norm_num_groups=16,
    )


def load_parts(folder: Path) -> Parts:
    """Parts of a saved folder, in float32, each by itself: the pipeline would warn that its autoencoder is small."""
    local = {"local_files_only": True}
    plain = {"torch_dtype": torch.float32, "low_cpu_mem_usage": False, **local}  # the other way wants accelerate
    kind = json.loads((folder / "model_index.json").read_text())["vae"][1]
    autoencoder = AutoencoderKL if kind == "AutoencoderKL" else AutoencoderTiny
    with bars_in_terminals_only():
        return Parts(
            tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer", **local),
            text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32, **local),
            unet=UNet2DConditionModel.from_pretrained(folder / "unet", **plain),
            vae=autoencoder.from_pretrained(folder / "vae", **plain),
            scheduler=DDIMScheduler.from_pretrained(folder / "scheduler", **local),
        )
