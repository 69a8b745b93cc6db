# SPDX-License-Identifier: MIT
"""A scene to project onto, a picture to project, and how alike two pictures are."""

import bpy
import numpy as np

from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import ball, box, colour, fresh, render

GREEN = (0.0, 0.5, 0.0)


def staged(width=320, height=180):
    """A red box before a blue ball, on a grey floor that is no region."""
    scene = fresh(width, height)
    scene.camera.location, scene.camera.rotation_euler.x = (0, -10, 2), 1.4
    for obj, rgb in ((box("box", (-1, -1, 0), (2, 2, 2)), GREEN), (ball("ball", (1, 1.5, 0.3), 1.5), GREEN)):
        mark(obj)
        colour(obj, rgb)
    colour(box("floor", (0, 5, -1.6), (30, 30, 0.2)), (0.2, 0.2, 0.2))
    bpy.context.view_layer.update()
    return scene


def nudged(scene):
    """The scene's camera, moved a little: its view is another one from here on."""
    scene.camera.location.x += 0.001
    bpy.context.view_layer.update()
    return scene.camera


def gradient(height, width):
    """A picture with different colours everywhere, red and blue and never green."""
    y, x = np.mgrid[:height, :width]
    red, blue = 0.3 + 0.6 * x / width, 0.3 + 0.6 * y / height
    return np.dstack([red + 0.1 * np.sin(x / 9) * np.sin(y / 7), np.full_like(red, 0.1), blue])


def regions(scene, path):
    """Where the marked things are seen, fully inside pixels: their green against anything else."""
    plain = render(scene, path, samples=16)
    return (plain[:, :, 1] > 0.73) & (plain[:, :, 0] < 0.01)


def psnr(one, two):
    return -10 * np.log10(np.mean((one - two) ** 2))


def flat(rgb):
    """A picture of one colour, in the file."""
    image = bpy.data.images.new("flat", 16, 9)
    image.pixels.foreach_set(np.tile(np.array([*rgb, 1.0], dtype=np.float32), 16 * 9))
    image.pack()
    return image
