# SPDX-License-Identifier: MIT
"""A picture larger than a model paints well: first as large as the model likes it, then enlarged and painted over.

A network that is asked for far more than the area it was trained on repeats objects, for it never saw so much of a
picture at once. So the layout is decided in a first pass at about its own area. The picture of that is enlarged, noise
is put back to where a part of the steps begins (SDEdit, Meng et al. 2022), and those steps are walked again at the full
size, guided by the same layout: what is where stays, and details come that a small picture has no room for.

It is the picture that is enlarged, and encoded again: between the cells of a latent there need not be anything that
means what lies between the pixels. Only of a model that cannot encode pictures the latent itself is.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.edits.keeping import Keeping
from sg_core.energy import Energy
from sg_core.errors import RequestError
from sg_core.layout import Layout
from sg_core.models.cards import Card
from sg_core.models.model import Model
from sg_core.second_passes.last_steps import walked_again

DENOISING = 0.4  # of the steps that the second pass walks again, where nobody says otherwise
MOST = 4.0  # times the sides of the first pass


def first_size(card: Card, width: int, height: int, enlargement: float) -> tuple[int, int]:
    """Sides of the first pass, in pixels: the nearest ones that the model can paint.

    Raises RequestError for an enlargement outside 1 to 4.
    """
    if not 1.0 <= enlargement <= MOST:
        raise RequestError(f"an enlargement of {enlargement} was asked for: it is 1 to {MOST:.0f}")
    sides = (max(1, round(side / enlargement / card.multiple)) * card.multiple for side in (width, height))
    return next(sides), next(sides)


def settled(layout: Layout, start: float) -> Layout:
    """A layout as it holds while an enlarged picture is walked from the progress ``start`` on: as in every second walk,
    but what is kept of other pictures, each of the first pass's size, or measured against them, is in it already."""
    energy = Energy(tuple(term for term in layout.energy.terms if term.likeness is None))
    return replace(walked_again(layout, start), energy=energy, keeping=Keeping())


def step_count(steps: int, denoising: float) -> int:
    """Steps of the second pass, one at least; a step is that of the first. Raises RequestError outside 0 to 1."""
    if not 0.0 <= denoising <= 1.0:
        raise RequestError(f"a denoising of {denoising} was asked for: it is 0 to 1")
    return max(1, round(steps * denoising))


@torch.no_grad()
def enlarged(model: Model, latent: Tensor, width: int, height: int) -> Tensor:
    """A clean latent (batch, channel, y, x) as one of a picture of so many pixels."""
    picture = F.interpolate(model.decode(latent), (height, width), mode="bicubic", align_corners=False)
    try:
        return model.latent(picture.clamp(0, 1))
    except RequestError:  # its family has no way back from pictures
        return F.interpolate(latent, model.latent_shape(width, height)[1:], mode="bicubic", align_corners=False)
