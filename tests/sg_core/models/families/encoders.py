# SPDX-License-Identifier: MIT
"""Tiny text encoders and autoencoders of the real classes, with random weights."""

from typing import Any

from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderKLFlux2, AutoencoderKLQwenImage
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1}


def clip_text(tokenizer: Any, *, projected: bool = False, act: str = "quick_gelu") -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        num_hidden_layers=2,
        hidden_act=act,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def t5_text(tokenizer: Any, width: int = 32) -> T5EncoderModel:
    sizes = {"d_model": width, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.0}
    config = T5Config(
        vocab_size=len(tokenizer), feed_forward_proj="gated-gelu", pad_token_id=0, eos_token_id=1, **sizes
    )
    return T5EncoderModel(config)


def gemma_text(tokenizer: Any) -> Gemma2Model:
    marks = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
    return Gemma2Model(Gemma2Config(vocab_size=len(tokenizer), head_dim=8, num_hidden_layers=2, **SMALL, **marks))


def qwen_text(tokenizer: Any, layers: int, kind: Any = Qwen3ForCausalLM) -> Qwen3Model:
    marks = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    sizes = {"num_hidden_layers": layers, "head_dim": 8, "max_position_embeddings": 2048}
    return kind(Qwen3Config(vocab_size=len(tokenizer), **sizes, **SMALL, **marks))


def qwen_vision_text(tokenizer: Any) -> Qwen2_5_VLForConditionalGeneration:
    number = tokenizer.convert_tokens_to_ids
    text = {
        **SMALL,
        "vocab_size": len(tokenizer),
        "num_hidden_layers": 2,
        "max_position_embeddings": 4096,
        "rope_parameters": {"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6},
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    names = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    names |= {"vision_start_token_id": "vision_start", "vision_end_token_id": "vision_end"}
    marks = {name: number(f"<|{mark}|>") for name, mark in names.items()}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision, **marks))


def mistral_text(tokenizer: Any) -> Mistral3ForConditionalGeneration:
    text = {
        **SMALL,
        "model_type": "mistral",
        "vocab_size": len(tokenizer),
        "num_hidden_layers": 31,
        "head_dim": 8,
        "max_position_embeddings": 2048,
        "sliding_window": None,
    }
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    vision = {"model_type": "pixtral", "image_size": 28, "patch_size": 14, "num_channels": 3, **sizes}
    options = {"image_token_index": 6, "vision_feature_layer": -1, "spatial_merge_size": 2}
    return Mistral3ForConditionalGeneration(Mistral3Config(text_config=text, vision_config=vision, **options))


LEVELS = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (8,) * 4,
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "sample_size": 64,
}


def autoencoder(channels: int = 4, scale: float = 0.13025, shift: float | None = None) -> AutoencoderKL:
    """Eight pixels to a latent's side."""
    quant = channels == 4
    options = {"scaling_factor": scale, "shift_factor": shift, "use_quant_conv": quant, "use_post_quant_conv": quant}
    return AutoencoderKL(latent_channels=channels, **options, **LEVELS)


def flux_2_autoencoder() -> AutoencoderKLFlux2:
    """Sixteen, with statistics that are not those of unit noise."""
    made = AutoencoderKLFlux2(latent_channels=8, **LEVELS)
    made.bn.running_mean.uniform_(-0.1, 0.1)
    made.bn.running_var.uniform_(0.5, 1.5)
    return made


def qwen_autoencoder() -> AutoencoderKLQwenImage:
    sizes = {"base_dim": 8, "z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}
    options = {"temperal_downsample": [False, True, True], "latents_mean": [0.1] * 16, "latents_std": [1.5] * 16}
    return AutoencoderKLQwenImage(**sizes, **options)


def deep_autoencoder() -> AutoencoderDC:
    """Thirty-two."""
    kinds, scales = ("ResBlock",) * 4 + ("EfficientViTBlock",) * 2, ((),) * 4 + ((5,),) * 2
    both = {
        "block_types": kinds,
        "block_out_channels": (8,) * 6,
        "qkv_multiscales": scales,
        "layers_per_block": (1,) * 6,
    }
    sides = {f"{side}_{name}": value for name, value in both.items() for side in ("encoder", "decoder")}
    options = {"latent_channels": 4, "attention_head_dim": 2, "scaling_factor": 0.41407}
    kinds_between = {"downsample_block_type": "conv", "upsample_block_type": "interpolate"}
    norms = {"decoder_norm_types": "rms_norm", "decoder_act_fns": "silu"}
    return AutoencoderDC(in_channels=3, **sides, **options, **kinds_between, **norms)
