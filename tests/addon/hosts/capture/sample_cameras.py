# SPDX-License-Identifier: MIT
"""Cameras of every kind, and what a capture through one shows."""

import numpy as np

from addon.protocol.blockout import unpack_mask
from tests.addon.hosts.blockouts import capture


def look(scene, prompt="a thing", **options):
    return {region.phrase: region for region in capture(scene, prompt=prompt, **options).regions}


def grid(region):
    rows = np.frombuffer(unpack_mask(region.mask), np.uint8)
    return rows.reshape(region.mask.height, region.mask.width) / 255


def iou(one, two):
    return np.minimum(one, two).sum() / np.maximum(one, two).sum()


# Cameras


def wide(scene):
    scene.camera.data.lens = 20


def shifted(scene):
    scene.camera.data.shift_x, scene.camera.data.shift_y = 0.2, -0.1


def flat(scene):
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 7.0


def upright(scene):
    scene.camera.data.sensor_fit = "VERTICAL"


def anamorphic(scene):
    scene.render.pixel_aspect_x, scene.render.resolution_percentage = 2.0, 33


def scaled(scene):
    scene.camera.scale, scene.camera.rotation_euler.y = (2, 2, 2), 0.3


def portrait(scene):
    scene.render.resolution_x, scene.render.resolution_y, scene.render.pixel_aspect_y = 1080, 1920, 1.5


CAMERAS = [wide, shifted, flat, upright, anamorphic, scaled, portrait]
