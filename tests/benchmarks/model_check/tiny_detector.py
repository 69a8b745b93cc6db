# SPDX-License-Identifier: MIT
"""Tiny OWLv2 and OWL-ViT of the real classes, with random weights, saved as transformers saves them."""

from pathlib import Path

import torch
from transformers import Owlv2Config, Owlv2ForObjectDetection, OwlViTConfig, OwlViTForObjectDetection

from sg_core.models.folder import quiet
from tests.sg_core.models.families import tokenizers

KINDS = {"owlv2": (Owlv2ForObjectDetection, Owlv2Config), "owlvit": (OwlViTForObjectDetection, OwlViTConfig)}
WIDTH = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def save(folder: Path, kind: str = "owlv2") -> Path:
    """The folder, with config.json, model.safetensors and a CLIP tokenizer."""
    network, config = KINDS[kind]
    words = tokenizers.clip()
    text = {**WIDTH, "vocab_size": len(words), "max_position_embeddings": 16, "pad_token_id": 0}
    text |= {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    vision = {**WIDTH, "image_size": 64, "patch_size": 16}
    torch.manual_seed(0)
    with quiet():
        detector = network(config(text_config=text, vision_config=vision, projection_dim=32)).eval()
        with torch.no_grad():
            for weight in (*detector.box_head.parameters(), *detector.class_head.parameters()):
                weight.mul_(0.1)  # random heads say nothing but 0 and 1
        detector.save_pretrained(folder)
        words.save_pretrained(folder)
    return folder
