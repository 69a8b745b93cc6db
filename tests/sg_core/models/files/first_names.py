# SPDX-License-Identifier: MIT
"""A network's tensors by the names of its first code, as files of one network are passed around."""

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Rules = Sequence[tuple[str, str]]
"""Patterns of diffusers' names, and what stands there in the first code; what shares a name there was one tensor."""

EMBEDDERS = ((r"\.linear_1\.", ".in_layer."), (r"\.linear_2\.", ".out_layer."))
JOINT: Rules = (
    (r"^transformer_blocks\.", "double_blocks."),
    (r"^single_transformer_blocks\.", "single_blocks."),
    (r"(double_blocks\.\d+)\.attn\.to_[qkv]\.", r"\1.img_attn.qkv."),
    (r"(double_blocks\.\d+)\.attn\.add_[qkv]_proj\.", r"\1.txt_attn.qkv."),
    (r"(double_blocks\.\d+)\.attn\.norm_q\.weight", r"\1.img_attn.norm.query_norm.scale"),
    (r"(double_blocks\.\d+)\.attn\.norm_k\.weight", r"\1.img_attn.norm.key_norm.scale"),
    (r"\.attn\.norm_added_q\.weight", ".txt_attn.norm.query_norm.scale"),
    (r"\.attn\.norm_added_k\.weight", ".txt_attn.norm.key_norm.scale"),
    (r"(double_blocks\.\d+)\.attn\.to_out\.0\.", r"\1.img_attn.proj."),
    (r"\.attn\.to_add_out\.", ".txt_attn.proj."),
    (r"(single_blocks\.\d+)\.attn\.norm_q\.weight", r"\1.norm.query_norm.scale"),
    (r"(single_blocks\.\d+)\.attn\.norm_k\.weight", r"\1.norm.key_norm.scale"),
    (r"^x_embedder\.", "img_in."),
    (r"^context_embedder\.", "txt_in."),
    (r"^proj_out\.", "final_layer.linear."),
    (r"^norm_out\.linear\.", "final_layer.adaLN_modulation.1."),
)
FLUX_1: Rules = (
    *JOINT,
    (r"(double_blocks\.\d+)\.norm1\.linear\.", r"\1.img_mod.lin."),
    (r"(double_blocks\.\d+)\.norm1_context\.linear\.", r"\1.txt_mod.lin."),
    (r"\.ff\.net\.0\.proj\.", ".img_mlp.0."),
    (r"\.ff\.net\.2\.", ".img_mlp.2."),
    (r"\.ff_context\.net\.0\.proj\.", ".txt_mlp.0."),
    (r"\.ff_context\.net\.2\.", ".txt_mlp.2."),
    (r"(single_blocks\.\d+)\.norm\.linear\.", r"\1.modulation.lin."),
    (r"(single_blocks\.\d+)\.(attn\.to_[qkv]|proj_mlp)\.", r"\1.linear1."),
    (r"(single_blocks\.\d+)\.proj_out\.", r"\1.linear2."),
    (r"^time_text_embed\.timestep_embedder", "time_in"),
    (r"^time_text_embed\.text_embedder", "vector_in"),
    (r"^time_text_embed\.guidance_embedder", "guidance_in"),
    (r"^(distilled_guidance_layer\.norms\.\d+)\.weight", r"\1.scale"),
    *EMBEDDERS,
)
FLUX_2: Rules = (
    *JOINT,
    (r"\.ff\.linear_in\.", ".img_mlp.0."),
    (r"\.ff\.linear_out\.", ".img_mlp.2."),
    (r"\.ff_context\.linear_in\.", ".txt_mlp.0."),
    (r"\.ff_context\.linear_out\.", ".txt_mlp.2."),
    (r"(single_blocks\.\d+)\.attn\.to_qkv_mlp_proj\.", r"\1.linear1."),
    (r"(single_blocks\.\d+)\.attn\.to_out\.", r"\1.linear2."),
    (r"_modulation(_img|_txt)?\.linear\.", r"_modulation\1.lin."),
    (r"^time_guidance_embed\.timestep_embedder", "time_in"),
    (r"^time_guidance_embed\.guidance_embedder", "guidance_in"),
    *EMBEDDERS,
)
Z_IMAGE: Rules = (
    (r"\.attention\.to_[qkv]\.", ".attention.qkv."),
    (r"\.attention\.to_out\.0\.", ".attention.out."),
    (r"\.attention\.norm_([qk])\.", r".attention.\1_norm."),
    (r"^all_(final_layer|x_embedder)\.2-1\.", r"\1."),
)
STABLE_DIFFUSION_3: Rules = (
    (r"^transformer_blocks\.", "joint_blocks."),
    (r"\.(attn2?)\.to_[qkv]\.", r".x_block.\1.qkv."),
    (r"\.attn\.add_[qkv]_proj\.", ".context_block.attn.qkv."),
    (r"\.(attn2?)\.norm_([qk])\.", r".x_block.\1.ln_\2."),
    (r"\.attn\.norm_added_([qk])\.", r".context_block.attn.ln_\1."),
    (r"\.(attn2?)\.to_out\.0\.", r".x_block.\1.proj."),
    (r"\.attn\.to_add_out\.", ".context_block.attn.proj."),
    (r"\.norm1\.linear\.", ".x_block.adaLN_modulation.1."),
    (r"\.norm1_context\.linear\.", ".context_block.adaLN_modulation.1."),
    (r"\.ff\.net\.0\.proj\.", ".x_block.mlp.fc1."),
    (r"\.ff\.net\.2\.", ".x_block.mlp.fc2."),
    (r"\.ff_context\.net\.0\.proj\.", ".context_block.mlp.fc1."),
    (r"\.ff_context\.net\.2\.", ".context_block.mlp.fc2."),
    (r"^pos_embed\.pos_embed", "pos_embed"),
    (r"^pos_embed\.proj\.", "x_embedder.proj."),
    (r"^time_text_embed\.timestep_embedder", "t_embedder.mlp"),
    (r"^time_text_embed\.text_embedder", "y_embedder.mlp"),
    (r"_embedder\.mlp\.linear_1\.", "_embedder.mlp.0."),
    (r"_embedder\.mlp\.linear_2\.", "_embedder.mlp.2."),
    (r"^proj_out\.", "final_layer.linear."),
    (r"^norm_out\.linear\.", "final_layer.adaLN_modulation.1."),
)
ORDER = ("_q", "_k", "_v", "proj_mlp")  # in which joined tensors stand


def first_names(tensors: Mapping[str, Tensor], rules: Rules, prefix: str = "", swapped: str = "") -> dict[str, Tensor]:
    """The tensors renamed, joined where they were one, shift before scale where the first code has them so.

    Args:
        swapped: the beginning of another layer than the last whose scale and shift stand so.
    """
    parts: dict[str, list[Tensor]] = {}
    for name in sorted(tensors, key=_order):
        new, tensor = name, tensors[name]
        for pattern, instead in rules:
            new = re.sub(pattern, instead, new)
        turned = name.startswith(("norm_out.linear.", swapped or "norm_out.linear."))
        parts.setdefault(new, []).append(torch.cat(tensor.chunk(2)[::-1]) if turned else tensor)
    return {prefix + name: torch.cat(pieces) if len(pieces) > 1 else pieces[0] for name, pieces in parts.items()}


def _order(name: str) -> int:
    return next((i for i, part in enumerate(ORDER) if part in name), 0)
