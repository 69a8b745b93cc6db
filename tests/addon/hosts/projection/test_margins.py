# SPDX-License-Identifier: MIT
"""Beside silhouettes: a picture that stands out over them, as painted ones do, does not bleed onto what another view
shows; what is turned away gets nothing; and edges are soft."""

import bpy
import numpy as np

from addon.projection.projectors import project
from addon.regions.marks import mark
from tests.addon.hosts.projection.sample_projection import flat
from tests.addon.hosts.sample_scenes import ball, box, camera, colour, fresh, paint, render

GREEN, RED, BLUE = (0.0, 0.5, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
SIDE = 256


def staged():
    """A ball before a wall, both regions, and their camera."""
    scene = fresh(SIDE, SIDE)
    round_one = ball("ball", (0, 0, 0), 1.0, rings=64)
    round_one.data.polygons.foreach_set("use_smooth", [True] * len(round_one.data.polygons))
    for item in (round_one, box("wall", (0, 3, 0), (14, 0.1, 14))):
        mark(item)
        colour(item, GREEN)
    bpy.context.view_layer.update()
    return scene


def disc(scene, path, excess):
    """The ball in red on blue, its radius in the picture too large by that share, as a painter's hand may have it."""
    half = np.tan(scene.camera.data.angle / 2)
    radius = np.tan(np.arcsin(1.0 / 10.0)) / half * (1 + excess)
    y, x = np.mgrid[:512, :512] / 256 - 1 + 1 / 512
    inside = np.hypot(x, y) < radius
    picture = np.where(inside[..., None], RED, BLUE)
    return bpy.data.images.load(str(paint(path, picture)))


def from_above(scene, path):
    """The wall behind the ball, seen over it."""
    scene.camera, before = camera(scene, (0, -4, 9), (0, 3, 0), "Above"), scene.camera
    shown = render(scene, path, samples=16)[:, :, :3]
    scene.camera = before
    return shown


def reddish(shown):
    """How many pixels of it have any red."""
    return int((shown[:, :, 0] > 0.3).sum())


def test_the_other_view_shows_where_a_picture_stands_out_over_a_silhouette(tmp_path):
    scene = staged()
    ball_itself = scene.objects["ball"]
    project(scene, scene.camera, disc(scene, tmp_path / "disc.png", 0.05))
    ball_itself.hide_render = True
    alone = reddish(from_above(scene, tmp_path / "alone.png"))
    ball_itself.hide_render = False
    bpy.context.view_layer.update()
    project(scene, camera(scene, (12, -6, 4), (0, 3, 0), "Second"), flat(BLUE))  # which sees past the ball
    ball_itself.hide_render = True
    both = reddish(from_above(scene, tmp_path / "both.png"))
    assert alone > 200 and both < 0.05 * alone


def test_what_is_turned_away_or_hidden_keeps_its_own_and_edges_are_soft(tmp_path):
    scene = staged()
    project(scene, scene.camera, flat(RED))
    scene.camera = camera(scene, (10, 0, 0), (0, 0, 0), "Beside")
    scene.camera.data.lens = 200  # the ball fills the frame, and what sees it is on the left
    row = render(scene, tmp_path / "beside.png", samples=16)[SIDE // 2, :, 0]
    edge = int(SIDE / 2 * (1 - 0.1 / 0.9))  # the ball's outline from there
    assert (row[5 : edge - 8] > 0.98).all() and (row[edge + 8 : -5] < 0.02).all()
    assert (np.diff(row[edge - 8 : edge + 8]) < 0.02).all()
    assert ((row > 0.1) & (row < 0.9)).sum() >= 2
