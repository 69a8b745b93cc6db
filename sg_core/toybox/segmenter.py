# SPDX-License-Identifier: MIT
"""The Judge that ships: a small segmenter, one class a noun, trained on Toybox's own scenes."""

import json
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sg_core.errors import WeightsError
from sg_core.judge import MULTIPLE
from sg_core.models.cards import CARDS
from sg_core.models.loading import find
from sg_core.models.model import Model


class Segmenter(nn.Module):
    """A Judge (``sg_core.judge``) as a network: pictures (batch, 3, height, width) in 0..1 to logits of their classes.

    Logits are (batch, 1 + nouns, height, width); class 0 is background. Heights and widths are multiples of 16.
    `architecture` names the network inside, one of NETWORKS: two Judges that see alike though they are built and
    trained differently are less likely to see wrong. One that was taught smaller pictures than it judges looks at them
    as large as those: `side` is the root of their area, 0 where it looks at pictures as they are.
    """

    def __init__(self, nouns: Sequence[str], width: int, architecture: str = "nested", side: int = 0) -> None:
        super().__init__()
        self.nouns, self.width, self.architecture, self.side = tuple(nouns), width, architecture, side
        self.network = NETWORKS[architecture](1 + len(self.nouns), width)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits at the picture's resolution."""
        logits: Tensor = self.network(rgb * 2 - 1)
        return logits

    def own_sides(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which it looks at a picture of these."""
        return of_area((height, width), self.side) if self.side else (height, width)

    @torch.no_grad()
    def probabilities(self, rgb: Tensor) -> Tensor:
        """Class probabilities (batch, 1 + nouns, height, width), float32."""
        sides = (rgb.shape[-2], rgb.shape[-1])
        own = self.own_sides(*sides)
        logits: Tensor = self(rgb if own == sides else F.interpolate(rgb, own, mode="area"))
        seen = logits.float().softmax(1)
        return seen if own == sides else F.interpolate(seen, sides, mode="bilinear")


def of_area(sides: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of a picture enlarged or reduced to an area of `side` ** 2, in multiples of 16."""
    scale = side / math.sqrt(sides[0] * sides[1])
    height, width = (max(MULTIPLE, round(one * scale / MULTIPLE) * MULTIPLE) for one in sides)
    return height, width


class Nested(nn.Module):
    """Down to a sixteenth and up again with shortcuts (U-Net, Ronneberger et al., 2015), from half resolution.

    The last layer reads a cell's features beside its own four pixels, so that outlines are not rounded off.
    """

    def __init__(self, leaving: int, width: int) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width, 6 * width)
        self.stem = nn.Conv2d(3, width, 4, stride=2, padding=1)
        self.down = nn.ModuleList(stage(a, b, 2) for a, b in pairwise(widths))
        self.middle = stage(widths[-1], widths[-1], 1)
        self.up = nn.ModuleList(stage(a + b, b, 1) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.fine = nn.Sequential(nn.Conv2d(width + 12, 2 * width, 3, padding=1), nn.GroupNorm(8, 2 * width), nn.SiLU())
        self.read = nn.Conv2d(2 * width, 4 * leaving, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """A cell of half resolution answers for each of its four pixels."""
        x = self.stem(picture)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2.0), skip], 1))
        x = self.fine(torch.cat([x, F.pixel_unshuffle(picture, 2)], 1))
        return F.pixel_shuffle(self.read(x), 2)


class Dilated(nn.Module):
    """One resolution, a quarter, and ever wider convolutions (context aggregation, Yu and Koltun, 2016)."""

    STRIDES = (1, 2, 4, 8, 1, 2, 4, 1)

    def __init__(self, leaving: int, width: int) -> None:
        super().__init__()
        wide = 3 * width
        self.stem = nn.Conv2d(3, wide, 4, stride=4)
        self.rings = nn.ModuleList(ring(wide, stride) for stride in self.STRIDES)
        self.read = nn.Conv2d(wide, 16 * leaving, 1)

    def features(self, x: Tensor) -> Tensor:
        """What is known of each cell of quarter resolution: (batch, 3 * width, height / 4, width / 4)."""
        x = self.stem(x)
        for ring in self.rings:
            x = x + ring(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """A cell of quarter resolution answers for each of its sixteen pixels."""
        return F.pixel_shuffle(self.read(self.features(x)), 4)


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {"nested": Nested, "dilated": Dilated}


def ring(width: int, stride: int) -> nn.Sequential:
    """A residual: a 3x3 convolution that looks `stride` cells away, then a mixing of channels."""
    return nn.Sequential(
        nn.GroupNorm(8, width),
        nn.SiLU(),
        nn.Conv2d(width, width, 3, padding=stride, dilation=stride),
        nn.GroupNorm(8, width),
        nn.SiLU(),
        nn.Conv2d(width, width, 1),
    )


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


def save_judge(judge: Segmenter, folder: Path) -> None:
    """Weights in fp16 and what is needed to build the network again."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.detach().half().contiguous() for key, value in judge.state_dict().items()}
    save_file(weights, folder / "judge.safetensors")
    config = {"nouns": judge.nouns, "width": judge.width, "architecture": judge.architecture, "side": judge.side}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def load_judge(folder: Path | None = None) -> Segmenter:
    """The Judge in a folder, the one that ships by default, in float32 and eval mode.

    Raises FileNotFoundError when the folder holds none.
    """
    folder = folder or find(CARDS["toybox"].address) / "judge"
    config = json.loads((folder / "config.json").read_text())
    judge = Segmenter(config["nouns"], config["width"], config["architecture"], config.get("side", 0))
    judge.load_state_dict({key: value.float() for key, value in load_file(folder / "judge.safetensors").items()})
    return judge.eval()


def judge_of(model: Model) -> Segmenter | None:
    """The Judge in the model's own folder, if it carries one. Raises WeightsError when it cannot be read."""
    folder = find(model.card.address) / "judge"
    if not (folder / "config.json").is_file():
        return None
    try:
        return load_judge(folder)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{folder} cannot be read: {type(error).__name__}: {error}") from error
