# SPDX-License-Identifier: MIT
"""What the helpers of these tests say of a scene agrees: the view, an exact capture, and a render."""

import bpy
import numpy as np

from addon.exact.second_blender import alike
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import box, captured, fresh, rendered_alpha


def test_view_render_and_exact_capture_agree(tmp_path) -> None:
    scene = fresh(128, 96)
    mark(box("castle", (-0.5, 0.0, 0.3), (2.0, 2.0, 2.0)))
    bpy.context.view_layer.update()
    scene.render.filepath = "//mine"
    live = captured(scene, "a castle")["castle"]
    alpha = rendered_alpha(scene, tmp_path / "alpha.png")
    assert abs(float(alpha.mean()) - live.size) < 0.01
    rows, columns = np.nonzero(alpha > 0.5)
    assert abs((columns.mean() + 0.5) / 128 - live.centroid[0]) < 0.01
    assert abs((rows.mean() + 0.5) / 96 - live.centroid[1]) < 0.01
    assert scene.render.filepath == "//mine" and not scene.render.film_transparent
    assert alike(live, captured(scene, "a castle", exact=True)["castle"]) > 0.95
