# SPDX-License-Identifier: MIT
"""Means with bootstrap intervals."""

from collections.abc import Sequence

import numpy as np


def bootstrap(groups: Sequence[Sequence[float]], draws: int = 4000, seed: int = 0) -> tuple[float, float, float]:
    """Mean and its two-sided 95 % interval; whole groups are redrawn, since values inside one are alike."""
    sums = np.array([sum(group) for group in groups])
    counts = np.array([len(group) for group in groups])
    picks = np.random.default_rng(seed).integers(len(groups), size=(draws, len(groups)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(sums.sum() / counts.sum()), float(low), float(high)
