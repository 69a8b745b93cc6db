# SPDX-License-Identifier: MIT
"""Models at their published sizes: folders without weights, a quantised network, and a checkpoint of random numbers.

The tokenizers are tiny ones: how many tokens a network is told does not depend on them.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import FluxTransformer2DModel

from benchmarks.gpu.real_networks import FLUX_1, KLEIN
from sg_core.models.cards import CONFIGURATIONS
from sg_core.models.folder import quiet, read_json
from tests.server.models.model_files import gguf_text, tensors_file, whole
from tests.sg_core.models.families import pipelines
from weight_files.gguf_header import KINDS

LEVELS = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "norm_num_groups": 32}
BLOCKS = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
FLUX_VAE = {
    "_class_name": "AutoencoderKL",
    "latent_channels": 16,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "sample_size": 1024,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    **LEVELS,
    **BLOCKS,
}
T5_XXL = {
    "architectures": ["T5EncoderModel"],
    "model_type": "t5",
    "feed_forward_proj": "gated-gelu",
    "d_model": 4096,
    "d_ff": 10240,
    "d_kv": 64,
    "num_heads": 64,
    "num_layers": 24,
    "vocab_size": 32128,
    "is_encoder_decoder": False,
    "use_cache": False,
    "relative_attention_num_buckets": 32,
}
QWEN_3_4B = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "tie_word_embeddings": True,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "vocab_size": 151936,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
}
NUMBERS = {name: number for number, (name, _, _) in KINDS.items()}


def flux_1(folder: Path) -> Path:
    """FLUX.1 dev: T5-XXL, CLIP-L, twelve thousand million weights."""
    network = {"_class_name": FLUX_1.kind, **FLUX_1.config}
    clip = read_json(CONFIGURATIONS / "stable-diffusion-1" / "text_encoder" / "config.json")
    parts = {"transformer": network, "vae": FLUX_VAE, "text_encoder": clip, "text_encoder_2": T5_XXL}
    return configured(folder, lambda: pipelines.flux_1(True), parts)


def klein(folder: Path) -> Path:
    """FLUX.2 Klein 4B, which reads with Qwen 3 4B."""
    network = {"_class_name": KLEIN.kind, **KLEIN.config}
    parts = {"transformer": network, "vae": {"_class_name": "AutoencoderKLFlux2"}, "text_encoder": QWEN_3_4B}
    return configured(folder, lambda: pipelines.flux_2_klein(True), parts)


def configured(folder: Path, tiny: Callable[[], Any], parts: Mapping[str, Mapping[str, Any]]) -> Path:
    """The folder of a tiny pipeline, with these configurations in the place of its own, and no weights."""
    with quiet():
        tiny().save_pretrained(folder)
    for weights in folder.rglob("*.safetensors"):
        weights.unlink()
    for part, config in parts.items():
        (folder / part / "config.json").write_text(json.dumps(config))
    return folder


def quantised_flux(file: Path, kind: str = "Q4_0") -> Path:
    """A GGUF file of FLUX.1 dev's network: its products quantised, all else plain. No disk keeps its zeros."""
    with torch.device("meta"), quiet():
        shapes = {n: tuple(w.shape) for n, w in FluxTransformer2DModel(**FLUX_1.config).state_dict().items()}
    head, end = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), 0), 0
    for name, shape in shapes.items():
        own = kind if len(shape) == 2 else "F32"
        _, block, size = KINDS[NUMBERS[own]]
        head += gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], NUMBERS[own], end)
        count = torch.Size(shape).numel() // block * size
        end += count + -count % 32
    head += bytes(-len(head) % 32)
    with file.open("wb") as opened:
        opened.write(head)
        opened.truncate(len(head) + end)
    return file


def random_checkpoint(file: Path, configuration: str) -> Path:
    """A checkpoint as artists have them, in float16, tensor by tensor: norms are 1, biases 0, all else small."""
    shapes, block = whole(configuration), np.random.default_rng(0).standard_normal(1_000_003, np.float32)
    tensors_file(file, shapes)  # its header, and as many bytes as there will be
    with file.open("r+b") as opened:
        opened.seek(8 + int.from_bytes(opened.read(8), "little"))
        for name, shape in shapes.items():
            if len(shape) == 1:
                drawn = np.full(shape, float(name.endswith("weight")), np.float16)
            else:
                spread = 1.0 / math.sqrt(math.prod(shape[1:]))
                drawn = np.resize(
                    (spread * block).astype(np.float16), math.prod(shape)
                )  # the same numbers, over and over
            opened.write(drawn.tobytes())
    return file
