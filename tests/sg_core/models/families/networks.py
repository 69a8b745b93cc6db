# SPDX-License-Identifier: MIT
"""Tiny networks of the real classes, with random weights."""

import torch
from diffusers import (
    ChromaTransformer2DModel,
    ControlNetModel,
    Flux2Transformer2DModel,
    FluxTransformer2DModel,
    PixArtTransformer2DModel,
    QwenImageTransformer2DModel,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)

HEADS = {"attention_head_dim": 16, "num_attention_heads": 2}
PACKED = {"patch_size": 1, "in_channels": 64, "num_layers": 2, "num_single_layers": 2, **HEADS}


def stable_diffusion_2() -> UNet2DConditionModel:
    """Two levels of which one attends, heads of one width, linear projections."""
    return UNet2DConditionModel(
        sample_size=24,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        norm_num_groups=4,
    )


def stable_diffusion_xl() -> UNet2DConditionModel:
    """Three levels; the outermost does not attend, the innermost does twice."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=64,
        attention_head_dim=(2, 4, 4),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 1, 2),
        norm_num_groups=4,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 32,
    )


def deepfloyd() -> UNet2DConditionModel:
    """Pixels in, noise and variance out; text joins the picture's keys."""
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=3,
        out_channels=6,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        cross_attention_dim=32,
        encoder_hid_dim=32,
        encoder_hid_dim_type="text_proj",
        attention_head_dim=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
        norm_num_groups=4,
    )


def pixart() -> PixArtTransformer2DModel:
    sizes = {"sample_size": 16, "num_layers": 3, "attention_head_dim": 8, "num_attention_heads": 4}
    widths = {"caption_channels": 32, "cross_attention_dim": 32, "in_channels": 4, "out_channels": 8}
    return PixArtTransformer2DModel(**sizes, **widths, use_additional_conditions=False)


def sana() -> SanaTransformer2DModel:
    return SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=3,
        num_attention_heads=2,
        attention_head_dim=8,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=16,
        sample_size=8,
    )


def stable_diffusion_3(medium: bool) -> SD3Transformer2DModel:
    """As 3.5 medium is, some blocks let the picture look at itself once more."""
    options = {"dual_attention_layers": (0, 1), "qk_norm": "rms_norm"} if medium else {}
    return SD3Transformer2DModel(
        sample_size=16,
        in_channels=16,
        out_channels=16,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=64,
        pooled_projection_dim=64,
        pos_embed_max_size=32,
        **options,
    )


def flux_1(guided: bool) -> FluxTransformer2DModel:
    widths = {"joint_attention_dim": 32, "pooled_projection_dim": 32, "axes_dims_rope": (4, 6, 6)}
    return FluxTransformer2DModel(guidance_embeds=guided, **widths, **PACKED)


def chroma() -> ChromaTransformer2DModel:
    sizes = {"approximator_hidden_dim": 32, "approximator_layers": 1, "approximator_num_channels": 16}
    return ChromaTransformer2DModel(joint_attention_dim=32, axes_dims_rope=(4, 6, 6), **sizes, **PACKED)


def flux_2(guided: bool) -> Flux2Transformer2DModel:
    widths = {"joint_attention_dim": 48, "timestep_guidance_channels": 32, "axes_dims_rope": (4, 4, 4, 4)}
    return Flux2Transformer2DModel(guidance_embeds=guided, **widths, **{**PACKED, "in_channels": 32})


def qwen_image() -> QwenImageTransformer2DModel:
    widths = {"in_channels": 64, "out_channels": 16, "joint_attention_dim": 16, "axes_dims_rope": (4, 6, 6)}
    return QwenImageTransformer2DModel(num_layers=3, **widths, **HEADS)


def z_image() -> ZImageTransformer2DModel:
    """Its padding is learned, and is made to count here."""
    sizes = {"dim": 32, "n_layers": 3, "n_refiner_layers": 1, "n_heads": 2, "n_kv_heads": 2, "cap_feat_dim": 16}
    axes = {"axes_dims": [4, 6, 6], "axes_lens": [1024, 64, 64]}
    made = ZImageTransformer2DModel(in_channels=16, **sizes, **axes)
    made.x_pad_token.data.normal_()
    made.cap_pad_token.data.normal_()
    return made


def controlnet(unet: UNet2DConditionModel, seed: int = 3) -> ControlNetModel:
    """One for this UNet that does something: what is zero in a new one is drawn too."""
    torch.manual_seed(seed)
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 12, 12))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.startswith("controlnet_"):
                weight.copy_(0.5 * torch.randn(weight.shape))
    return network
