# SPDX-License-Identifier: MIT
"""How many steps a request takes, pass by pass."""

from .blockout import Blockout


def all_steps(blockout: Blockout) -> int:
    """The steps of all passes, which progress is counted in."""
    return blockout.steps + refining_steps(blockout) + enlarging_steps(blockout)


def refining_steps(blockout: Blockout) -> int:
    """Those that are walked again at the same size: never all of them."""
    return min(blockout.steps - 1, round(blockout.steps * blockout.refinement))


def enlarging_steps(blockout: Blockout) -> int:
    """Those of the pass at the full size, where there is one."""
    return max(1, round(blockout.steps * blockout.denoising)) if blockout.enlargement > 1.0 else 0
