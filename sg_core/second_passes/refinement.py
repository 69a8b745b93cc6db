# SPDX-License-Identifier: MIT
"""A picture walked again from its middle on, at its own size: what is laid out in coarse strokes is painted well.

Emphasis decides where objects are, and few steps do it in a hurry; what they leave stands where it should, and is
coarse. So noise is put back to where the last part of the steps begins, and those are walked again under the same
layout, but without emphasis. New noise also forgets what went wrong in the first walk, which steps alone carry along
(restart sampling, Xu et al. 2023, arXiv 2306.14878; resampling, Lugmayr et al. 2022, arXiv 2201.09865).
"""

from dataclasses import replace

from sg_core.errors import RequestError
from sg_core.layout import Layout
from sg_core.second_passes.last_steps import walked_again


def refined(layout: Layout, start: float) -> Layout:
    """A layout as it holds while a picture is refined from the progress ``start`` on: as in every second walk, and what
    is kept of other pictures is as it was from there on."""
    return replace(walked_again(layout, start), keeping=layout.keeping.resume(start))


def refining_steps(steps: int, refinement: float) -> int:
    """How many of the last steps are walked again: none of a single one, and never all of them.

    Raises RequestError for a refinement outside 0 to 1.
    """
    if not 0.0 <= refinement <= 1.0:
        raise RequestError(f"a refinement of {refinement} was asked for: it is 0 to 1")
    return min(steps - 1, round(steps * refinement))
