# SPDX-License-Identifier: MIT
"""The shape of a model that learns nothing, but quickly."""

from dataclasses import replace

from sg_core.toybox.recipe import LESSONS, SHARP

TINY = replace(
    SHARP,
    name="tiny",
    buckets=((64, 64, 0.7), (96, 48, 0.3)),
    autoencoder_channels=(8, 8, 8, 16, 16),
    denoiser_channels=(16, 32),
    heads=2,
    text_width=32,
    judge_width=8,
    scenes=64,
    hours=1,
    lessons={name: replace(lesson, batch=4) for name, lesson in LESSONS.items()},
)


def once() -> bool:
    """Ends a turn after its first step."""
    return True
