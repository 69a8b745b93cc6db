# SPDX-License-Identifier: MIT
"""Is it where it was to be? One seed with and without guidance, measured by the Judge, which sees the picture alone.

python examples/measured_picture.py
"""

import torch

from sg_core import Energy, Grounding, Moment, centroid, generate, groundings, load, presence
from sg_core.toybox.segmenter import judge_of

PROMPT = "a castle and a rocket on a meadow"
TARGETS = {"castle": (0.25, 0.6), "rocket": (0.75, 0.4)}  # x from the left, y from the top, 0..1
MODEL = load("toybox")


def painted(layout: Energy | None) -> dict[str, Grounding]:
    """What the picture shows of each phrase: its mask, or None; and who says so."""
    latents: list[torch.Tensor] = []

    def watch(moment: Moment) -> None:
        latents.append(moment.latent)

    picture = generate(MODEL, PROMPT, layout, seeds=[1], width=256, height=256, steps=20, watch=watch)
    return groundings(MODEL, judge_of(MODEL), PROMPT, list(TARGETS), latents[-1], picture)


def offset(grounding: Grounding, target: tuple[float, float]) -> str:
    """How far the middle of what is there is from the target, in fractions of the side."""
    if grounding.mask is None:
        return "is not there"
    rows, columns = grounding.mask.nonzero(as_tuple=True)
    middle = torch.stack([columns / grounding.mask.shape[1], rows / grounding.mask.shape[0]]).mean(1)
    return f"is {torch.dist(middle, torch.tensor(target)).item():.2f} off, says the {grounding.by}"


def main() -> None:
    """Print a line for each phrase, without and with guidance."""
    layout = sum((centroid(noun, x, y) + 0.25 * presence(noun) for noun, (x, y) in TARGETS.items()), Energy())
    for name, energy in (("without guidance", None), ("guided", layout)):
        for noun, grounding in painted(energy).items():
            print(f"{name}, the {noun} {offset(grounding, TARGETS[noun])}")


if __name__ == "__main__":
    main()
