# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene's projections show from another camera: what the next picture is told, so that it goes on with them."""

from dataclasses import replace

from ..camera.view import View, numbers
from ..capture.canvas import Canvas, overscan
from ..capture.gathering import SceneKey
from ..capture.scene import Meshes, parts
from ..cooperative import Slices
from ..protocol.views import unmoved
from ..raster.zbuffer import NOTHING
from .baking import BakedView
from .projectors import PROJECTED, PROJECTOR, SEEN, is_on, projectors
from .shown import Shown, shown
from .view_numbers import read_view


def showing(key: SceneKey, meshes: Meshes, view: View, canvas: Canvas) -> Slices[Shown | None]:
    """What of a picture of ``canvas`` through ``view`` the scene's projections show; None without any from elsewhere.

    One from the very same camera is left out: the new picture takes its place; and so are those of an older Maquette,
    which kept no numbers. Raises Misfit where the scene is gone, and Unbakeable where a view is.
    """
    scene, _, _ = key.find()
    now = numbers(view)
    known = [(one.session_uid, one[PROJECTOR]) for one in projectors(scene) if is_on(one) and SEEN in one[PROJECTOR]]
    others = [(uid, str(one["key"])) for uid, one in known if not unmoved(now, tuple(one[SEEN]))]
    del scene, known
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
    whole = View(view.pose, overscan(view.lens, canvas), canvas.width / canvas.height)
    seen_by = [[views[name] for name in keys] for keys in stacks]
    return (yield from shown(instances, whole, seen_by, canvas.width, canvas.height))
