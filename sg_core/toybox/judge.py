# SPDX-License-Identifier: MIT
"""The Judge: a small segmenter, one class a noun; it measures pictures, never the attention that was optimised."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sg_core.toybox.recipe import HERE, Recipe
from sg_core.toybox.stream import Batch


class Judge(nn.Module):
    """A U-shaped segmenter: rgb (batch, 3, height, width) in 0..1 -> logits (batch, 1 + nouns, height, width).

    Class 0 is background. Heights and widths are multiples of 16. Logits are computed at half resolution and enlarged.
    """

    def __init__(self, nouns: Sequence[str], width: int) -> None:
        super().__init__()
        self.nouns = tuple(nouns)
        widths = (width, 2 * width, 4 * width, 6 * width)
        self.stem = nn.Conv2d(3, width, 4, stride=2, padding=1)
        self.down = nn.ModuleList(stage(a, b, 2) for a, b in pairwise(widths))
        self.middle = stage(widths[-1], widths[-1], 1)
        self.up = nn.ModuleList(stage(a + b, b, 1) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.read = nn.Conv2d(width, 1 + len(self.nouns), 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits at the picture's resolution."""
        x = self.stem(rgb * 2 - 1)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2.0), skip], 1))
        return F.interpolate(self.read(x), scale_factor=2.0, mode="bilinear")

    @torch.no_grad()
    def probabilities(self, rgb: Tensor) -> Tensor:
        """Class probabilities (batch, 1 + nouns, height, width), float32."""
        logits: Tensor = self(rgb)
        return logits.float().softmax(1)


def stage(entering: int, leaving: int, stride: int) -> nn.Sequential:
    """Two 3x3 convolutions with group normalisation."""
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, stride=stride, padding=1),
        nn.GroupNorm(8, leaving),
        nn.SiLU(),
        nn.Conv2d(leaving, leaving, 3, padding=1),
        nn.GroupNorm(8, leaving),
        nn.SiLU(),
    )


def new_judge(recipe: Recipe) -> Judge:
    """An untrained Judge for a recipe's nouns."""
    return Judge(recipe.nouns, recipe.judge_width)


def classes(batch: Batch, nouns: Sequence[str]) -> Tensor:
    """The class of each pixel (batch, height, width): the thing that covers most of it, or 0."""
    visible = batch.pictures.visible
    index = {noun: number for number, noun in enumerate(nouns, 1)}
    slots = visible.shape[1]
    names = [[index[t.noun] for t in scene.things] + [0] * (slots - len(scene.things)) for scene in batch.scenes]
    background = 1 - visible.sum(1, keepdim=True)
    winner = torch.cat([background, visible], 1).argmax(1)
    table = torch.tensor(names, device=visible.device)
    table = torch.cat([torch.zeros_like(table[:, :1]), table], 1)
    return table.gather(1, winner.flatten(1)).view_as(winner)


def segmentation_loss(judge: Judge, picture: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy with the true visible masks, things weighing more than background, boundaries as they are."""
    truth = classes(batch, judge.nouns)
    weight = torch.ones(1 + len(judge.nouns), device=truth.device)
    weight[0] = 0.5
    return F.cross_entropy(judge(picture).float(), truth, weight)


def save_judge(judge: Judge, recipe: Recipe, folder: Path) -> None:
    """Weights in fp16 and what is needed to build the network again."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.detach().half().contiguous() for key, value in judge.state_dict().items()}
    save_file(weights, folder / "judge.safetensors")
    config = {"nouns": judge.nouns, "width": recipe.judge_width}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_judge(folder: Path = HERE / "weights" / "judge") -> Judge:
    """The Judge that ships with Toybox, in float32 and eval mode."""
    config = json.loads((folder / "config.json").read_text())
    judge = Judge(config["nouns"], config["width"])
    judge.load_state_dict({key: value.float() for key, value in load_file(folder / "judge.safetensors").items()})
    return judge.eval()
