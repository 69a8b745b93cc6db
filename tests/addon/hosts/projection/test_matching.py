# SPDX-License-Identifier: MIT
"""What the next view is told: what a render would show of the earlier ones from its camera, and where."""

from hashlib import sha256

import bpy
import numpy as np

from addon.camera.reader import view
from addon.capture.canvas import canvas
from addon.capture.gathering import SceneKey
from addon.capture.instance_walk import Meshes
from addon.capture.scene import capture, evaluated
from addon.cooperative import finish
from addon.projection.light import png
from addon.projection.matching import reference_to_match, showing
from addon.projection.projectors import project
from addon.protocol.blockout import mask_rows
from addon.protocol.default_model import TOYBOX
from addon.request.settings import Settings
from tests.addon.hosts.projection.sample_projection import flat, gradient, psnr, staged
from tests.addon.hosts.sample_scenes import camera, paint, render


def told(scene, eye):
    """What there is to see from that camera, and the canvas."""
    seen_from = view(scene, eye, evaluated(scene))
    asked = canvas(seen_from.aspect, TOYBOX)
    key = SceneKey(scene.session_uid, eye.session_uid)
    return finish(showing(key, Meshes(), seen_from, asked)), asked


def projected(scene, tmp_path):
    picture = bpy.data.images.load(str(paint(tmp_path / "p.png", gradient(180, 320))))
    project(scene, scene.camera, picture)


def screen(shown, tmp_path):
    """Its colours as a picture, rows from the top."""
    (tmp_path / "told.png").write_bytes(finish(png(shown.light[::-1])))
    image = bpy.data.images.load(str(tmp_path / "told.png"))
    pixels = np.empty((image.size[1], image.size[0], 4), np.float32)
    image.pixels.foreach_get(pixels.ravel())
    return pixels[::-1, :, :3]


def test_it_is_what_a_render_shows_from_there(tmp_path, record_property):
    scene = staged()
    second = camera(scene, (4, -9, 3), (0, 0, 0), "Second")
    projected(scene, tmp_path)
    shown, asked = told(scene, second)
    frame = asked.frame
    scene.render.resolution_x, scene.render.resolution_y = frame.width, frame.height
    scene.camera = second
    rendered = render(scene, tmp_path / "rendered.png", samples=16)[:, :, :3]
    lines, columns = slice(frame.top, frame.top + frame.height), slice(frame.left, frame.left + frame.width)
    seen, colours = shown.seen[lines, columns], screen(shown, tmp_path)[lines, columns]
    inner = seen.copy()
    for step in (-1, 1):
        inner &= np.roll(seen, step, 0) & np.roll(seen, step, 1)
    record_property("psnr", float(psnr(colours[inner], rendered[inner])))
    assert psnr(colours[inner], rendered[inner]) > 30
    assert 0.1 < seen.mean() < 0.5
    painted = (rendered[:, :, 0] > 0.25) & (rendered[:, :, 1] < 0.4)  # the picture's colours, never green
    assert (seen & painted).sum() > 0.9 * seen.sum()


def test_its_own_view_is_not_told_nor_one_that_nothing_is_projected_in(tmp_path):
    scene = staged()
    second = camera(scene, (4, -9, 3), (0, 0, 0), "Second")
    assert told(scene, second)[0] is None
    projected(scene, tmp_path)
    assert told(scene, scene.camera)[0] is None
    assert told(scene, second)[0] is not None


def test_the_back_of_things_is_not_shown(tmp_path):
    scene = staged()
    back = camera(scene, (0, 12, 2), (0, 0, 0), "Back")
    projected(scene, tmp_path)
    shown, _ = told(scene, back)
    assert shown.seen.mean() < 0.01


def test_what_is_told_is_a_picture_on_disk_and_a_mask_of_what_of_it_stays(tmp_path):
    scene = staged()
    project(scene, scene.camera, flat((1.0, 0.0, 0.0)))
    second = camera(scene, (3, -9, 3), (0, 0, 0), "Second")
    told = {}
    for eye in (scene.camera, second):
        snapshot = capture(scene, Settings(prompt="a box and a ball"), camera=eye)
        key = SceneKey(scene.session_uid, eye.session_uid)
        told[eye.name] = finish(reference_to_match(key, Meshes(), snapshot, tmp_path))
    assert told["Camera"] is None
    reference = told["Second"]
    file = tmp_path / f"{reference.picture}.png"
    assert sha256(file.read_bytes()).hexdigest() == reference.picture
    kept = np.asarray(mask_rows(reference.shown))
    assert 0.02 < (kept == 255).mean() < 0.5 and set(np.unique(kept)) == {0, 255}
    image = bpy.data.images.load(str(file))
    assert tuple(image.size) == (snapshot.canvas.width, snapshot.canvas.height)
