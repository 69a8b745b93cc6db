# SPDX-License-Identifier: GPL-3.0-or-later
"""What the views that are projected show already, as a picture that the next one follows: it paints the rest."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from ....capture.canvas import mask_size
from ....capture.gathering import SceneKey
from ....capture.scene import Meshes
from ....capture.snapshot import Snapshot
from ....cooperative import Slices
from ....messages.errors import HistoryUnreadable
from ....projection.light import png
from ....projection.matching import showing
from ....projection.shown import Shown
from ....protocol.blockout import Mask, ReferencePicture, pack_mask
from ....raster.triangles import Bools, Singles

LEAST = 0.01  # of the picture that is shown already, for it to be worth telling
EDGE = 4  # pixels beside what is not shown, which may change too, so that both join


def reference_to_match(
    key: SceneKey, meshes: Meshes, snapshot: Snapshot, folder: Path
) -> Slices[ReferencePicture | None]:
    """What the projections of a scene show from a snapshot's camera, as a picture in ``folder``; None where that is
    next to nothing. Raises HistoryUnreadable, and as ``showing`` does."""
    there = yield from showing(key, meshes, snapshot.view, snapshot.canvas)
    if there is None:
        return None
    visible = _shrunk(there.seen)
    if visible.mean() < LEAST:
        return None
    file = yield from png(_filled(there)[::-1])
    name = sha256(file).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(file)
    except OSError as error:
        raise HistoryUnreadable("What the views show cannot be kept", error) from error
    caption = snapshot.settings.prompt or "a picture"
    return ReferencePicture(picture=name, caption=caption, shown=_mask(visible, *mask_size(snapshot.canvas)))


def _filled(there: Shown) -> Singles:
    """The picture, where nothing is shown in the mean of its colours: no model is misled by that."""
    light = there.light.copy()
    light[~there.seen] = light[there.seen].mean(axis=0)
    return light


def _shrunk(seen: Bools) -> Bools:
    visible = seen.copy()
    for axis in (0, 1):
        lines = visible.swapaxes(0, axis)
        before = lines.copy()
        for step in range(1, EDGE + 1):
            lines[step:] &= before[:-step]
            lines[:-step] &= before[step:]
    return visible


def _mask(visible: Bools, width: int, height: int) -> Mask:
    """Cells that are shown all over."""
    cells = visible.astype(np.uint8)
    for axis, number in ((0, height), (1, width)):
        cells = np.minimum.reduceat(cells, np.arange(number) * visible.shape[axis] // number, axis=axis)
    return pack_mask(width, height, (255 * cells).astype(np.uint8).tobytes())
