# SPDX-License-Identifier: MIT
"""OWL-ViT and OWLv2 (Minderer et al. 2022 and 2023), detectors that are asked in words, from a folder on the disk.

What the library's own image processor does is a few lines here, for that one needs torchvision: OWLv2 fills a picture
up to a square at its right and bottom, and its boxes are of the square; OWL-ViT stretches it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.models.parts import Hardware, read_tokenizer, standalone

MEAN, SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # that CLIP was trained with
SQUARE, STRETCHED = "Owlv2ForObjectDetection", "OwlViTForObjectDetection"
THRESHOLD = 0.2


@dataclass(frozen=True)
class OwlDetector:
    """A detector of whatever words say; boxes less likely than ``threshold``, 0..1, are none."""

    network: Any
    tokenizer: Any
    name: str
    threshold: float = THRESHOLD

    @torch.no_grad()
    def areas(self, picture: Tensor, phrases: Sequence[str]) -> Mapping[str, Tensor]:
        """The likeliest box of each phrase, as coverage (height, width) of a picture (3, height, width) in 0..1."""
        config, device = self.network.config, self.network.device
        text = self.tokenizer(
            [f"a photo of a {phrase}" for phrase in phrases],
            padding="max_length",
            truncation=True,
            max_length=config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(device)
        pixels = self.prepared(picture).to(device, self.network.dtype)
        answer = self.network(input_ids=text.input_ids, attention_mask=text.attention_mask, pixel_values=pixels)
        likelihoods, boxes = answer.logits[0].float().sigmoid().cpu(), answer.pred_boxes[0].float().cpu()
        best = likelihoods.argmax(0)
        areas = {
            phrase: self._coverage(boxes[index], picture)
            for column, (phrase, index) in enumerate(zip(phrases, best.tolist(), strict=True))
            if likelihoods[index, column] >= self.threshold
        }
        return {phrase: area for phrase, area in areas.items() if area.any()}

    def prepared(self, picture: Tensor) -> Tensor:
        """(1, 3, side, side), normalised."""
        height, width = picture.shape[-2:]
        longest, side = max(height, width), self.network.config.vision_config.image_size
        whole = F.pad(picture, (0, longest - width, 0, longest - height)) if self._square else picture
        scaled = F.interpolate(whole[None].float(), (side, side), mode="bicubic", antialias=True, align_corners=False)
        mean, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, SPREAD))
        return (scaled.clamp(0, 1) - mean) / spread

    @property
    def _square(self) -> bool:
        return type(self.network).__name__ == SQUARE

    def _coverage(self, box: Tensor, picture: Tensor) -> Tensor:
        """A box (middle x, middle y, width, height), as fractions of what the network saw, as (height, width) of 0 and
        1: pixels whose middle lies inside."""
        height, width = picture.shape[-2:]
        sides = (max(height, width),) * 2 if self._square else (width, height)
        x, y, wide, high = (float(value) * side for value, side in zip(box, (*sides, *sides), strict=True))
        columns, rows = torch.arange(width) + 0.5, torch.arange(height) + 0.5
        inside = ((rows - y).abs() <= high / 2)[:, None] & ((columns - x).abs() <= wide / 2)[None]
        return inside.float()


def load_detector(folder: Path, hardware: Hardware, threshold: float = THRESHOLD) -> OwlDetector:
    """A detector from a folder as transformers saves one: safetensors only, offline.

    Raises WeightsError when it is none.
    """
    network = standalone(folder, (SQUARE, STRETCHED), hardware)
    tokenizer = read_tokenizer(folder, "CLIPTokenizer")
    return OwlDetector(network, tokenizer, f"{network.config.model_type} in {folder.name}", threshold)
