# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene's projections show from another camera, as a picture that the next one follows: it paints the rest."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from ..camera.view import View, numbers
from ..capture.canvas import Canvas, mask_size, overscan
from ..capture.gathering import SceneKey
from ..capture.instance_walk import Meshes
from ..capture.scene import parts
from ..capture.snapshot import Snapshot
from ..cooperative import Slices
from ..messages.errors import HistoryUnreadable
from ..protocol.blockout import Mask, ReferencePicture, pack_mask
from ..protocol.views import unmoved
from ..raster.triangles import Bools, Singles
from ..raster.zbuffer import NOTHING
from .baking import BakedView
from .keys import PROJECTED, PROJECTOR
from .light import png
from .projectors import SEEN, is_on, projectors
from .shown import Shown, shown
from .view_numbers import read_view

LEAST = 0.005  # of the picture that is shown already, for it to be worth telling
EDGE = 1 / 128  # of the picture's side, beside what is not shown, which may change too, so that both join


def reference_to_match(
    key: SceneKey, meshes: Meshes, snapshot: Snapshot, folder: Path
) -> Slices[ReferencePicture | None]:
    """What the projections of a scene show from a snapshot's camera, as a picture in ``folder``; None where that is
    next to nothing. Raises HistoryUnreadable, and as ``showing`` does."""
    picture = yield from showing(key, meshes, snapshot.view, snapshot.canvas)
    if picture is None:
        return None
    stable = _shrunk(picture.seen)
    if stable.mean() < LEAST:
        return None
    file = yield from png(_filled(picture)[::-1])
    name = sha256(file).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(file)
    except OSError as error:
        raise HistoryUnreadable("What the views show cannot be kept", error) from error
    caption = snapshot.settings.prompt or "a picture"
    return ReferencePicture(picture=name, caption=caption, shown=_mask(stable, *mask_size(snapshot.canvas)))


def _filled(picture: Shown) -> Singles:
    """The picture, where nothing is shown in the mean of its colours: no model is misled by that."""
    light = picture.light.copy()
    light[~picture.seen] = light[picture.seen].mean(axis=0)
    return light


def _shrunk(seen: Bools) -> Bools:
    stable = seen.copy()
    for axis in (0, 1):
        lines = stable.swapaxes(0, axis)
        before = lines.copy()
        for step in range(1, max(1, round(EDGE * max(seen.shape))) + 1):
            lines[step:] &= before[:-step]
            lines[:-step] &= before[step:]
    return stable


def _mask(stable: Bools, width: int, height: int) -> Mask:
    """Cells that are shown all over."""
    cells = stable.astype(np.uint8)
    for axis, number in ((0, height), (1, width)):
        cells = np.minimum.reduceat(cells, np.arange(number) * stable.shape[axis] // number, axis=axis)
    return pack_mask(width, height, (255 * cells).astype(np.uint8).tobytes())


def showing(key: SceneKey, meshes: Meshes, view: View, canvas: Canvas) -> Slices[Shown | None]:
    """What of a picture of ``canvas`` through ``view`` the scene's projections show; None without any from elsewhere.

    One from the very same camera is left out: the new picture takes its place; and so are those of an older Maquette,
    which kept no numbers. Raises Misfit where the scene is gone, and Unbakeable where a view is.
    """
    scene, _, _ = key.find()
    now = numbers(view)
    records = [(one.session_uid, one[PROJECTOR]) for one in projectors(scene) if is_on(one) and SEEN in one[PROJECTOR]]
    others = [(uid, str(one["key"])) for uid, one in records if not unmoved(now, tuple(one[SEEN]))]
    del scene, records
    views: dict[str, BakedView] = {}
    for uid, name in others:
        views[name] = yield from read_view(uid)
    if not views:
        return None
    scene, _, graph = key.find()
    stacks: dict[tuple[str, ...], int] = {}
    instances = []
    for item, part in parts(scene, graph, meshes):
        keys = tuple(name for name in sorted(str(item.get(PROJECTED, "")).split()) if name in views)
        instances.append(replace(part, owner=stacks.setdefault(keys, len(stacks)) if keys else NOTHING))
    del scene, graph
    yield
    full = View(view.pose, overscan(view.lens, canvas), canvas.width / canvas.height)
    layers = [[views[name] for name in keys] for keys in stacks]
    return (yield from shown(instances, full, layers, canvas.width, canvas.height))
