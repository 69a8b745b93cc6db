# SPDX-License-Identifier: GPL-3.0-or-later
"""Projectors read as numbers: what their shaders are made of."""

from typing import Any

import bpy
import numpy as np

from ..camera.view import View
from ..cooperative import Slices
from ..data_blocks import of_session
from ..messages.errors import Unbakeable
from ..raster.lens import Lens
from ..raster.triangles import Singles
from .baking import BakedView
from .keys import PROJECTOR
from .light import as_light
from .nodes import images_of
from .projectors import SEEN


def changed() -> Unbakeable:
    """What was begun fits the scene no more."""
    return Unbakeable("The objects or their views have changed since the button was pressed.", "Press it again.")


def read_view(uid: int) -> Slices[BakedView]:
    """A projector as numbers. Raises Unbakeable for one that is gone, or that an older Maquette set up."""
    record = _record(uid)
    pose, projection = np.array(record[SEEN]).reshape(2, 4, 4)
    view = View(pose, Lens(projection, 0.0, 0.0), record["aspect"])
    picture = _pixels(record["picture"])
    del record  # an undo makes it stale
    yield
    record = _record(uid)
    depth = _pixels(next(image for image in images_of(record["group"]) if image != record["picture"]))
    del record
    yield
    light = yield from as_light(picture[..., :3])
    return BakedView(view, light, depth[..., 0], depth[..., 1])


def _record(uid: int) -> Any:
    """What a projector keeps. Raises Unbakeable."""
    projector = of_session(bpy.data.objects, uid)
    if projector is None:
        raise changed()
    record = projector[PROJECTOR]
    if SEEN not in record:
        raise Unbakeable(f"{projector.name} is from an older Maquette.", "Project its picture again, then bake.")
    return record


def _pixels(image: bpy.types.Image) -> Singles:
    width, height = image.size
    pixels = np.empty((height, width, 4), np.float32)
    buffer: Any = image.pixels  # one number, says its stub
    buffer.foreach_get(pixels.ravel())
    return pixels
