# SPDX-License-Identifier: MIT
"""What is painted over UVs is what the shaders of stacked projections show; and which UVs can be painted over."""

import struct
import zlib

import bpy
import numpy as np
import pytest

from addon.cooperative import finish
from addon.projection.baked_objects import apply_bakes, baking
from addon.projection.baking import MARGIN, Surface, baked, fitting
from addon.projection.light import as_light, png
from addon.projection.projectors import project
from addon.protocol.png import chunks
from tests.addon.hosts.projection.sample_projection import gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import camera, paint, render

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def surface(*squares):
    """Squares in the world, one above the other, each over its own part of an image: left, bottom, side."""
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    points = [np.column_stack([corners, np.full(4, n)]) for n in range(len(squares))]
    uvs = [corners * side + (left, bottom) for left, bottom, side in squares]
    triangles = [np.array([(0, 1, 2), (0, 2, 3)]) + 4 * n for n in range(len(squares))]
    return Surface(
        points=np.concatenate(points).astype(np.float32),
        normals=np.tile(np.array([0, 0, 1], np.float32), (4 * len(squares), 1)),
        uvs=np.concatenate(uvs).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        materials=np.repeat(np.arange(len(squares), dtype=np.int32), 2),
        under=np.array([RED, BLUE][: len(squares)]),
        is_closed=False,
    )


def test_two_views_baked_are_the_two_views(tmp_path, record_property):
    scene = staged()
    second = camera(scene, (5, -8, 3), (0, 0, 0), "Second")
    inside = regions(scene, tmp_path / "plain.png")
    pictures = [gradient(180, 320), gradient(180, 320)[::-1]]
    loaded = [bpy.data.images.load(str(paint(tmp_path / f"{n}.png", one))) for n, one in enumerate(pictures)]
    for eye, one in zip((scene.camera, second), loaded, strict=True):
        project(scene, eye, one)
    shaded = render(scene, tmp_path / "shaded.png", samples=16)[:, :, :3]
    apply_bakes(finish(baking(scene)))
    again = render(scene, tmp_path / "again.png", samples=16)[:, :, :3]
    record_property("psnr", float(psnr(again[inside], shaded[inside])))
    assert psnr(again[inside], shaded[inside]) > 35


def test_colours_go_on_for_the_margin_and_no_farther():
    side, edge = 64, 32
    image = finish(baked(surface((0.25, 0.25, 0.25)), (), side))
    painted = (image == RED).all(2)
    assert painted[16 - MARGIN : edge + MARGIN, 16 - MARGIN : edge + MARGIN].all()
    assert painted.sum() == (16 + 2 * MARGIN) ** 2


def test_each_material_shows_its_own_colour_where_no_view_sees():
    image = finish(baked(surface((0.0, 0.0, 0.5), (0.5, 0.5, 0.5)), (), 64))
    assert np.allclose(image[10, 10], RED) and np.allclose(image[50, 50], BLUE)


@pytest.mark.parametrize(
    ("squares", "fits"),
    [
        (((0.0, 0.0, 0.5), (0.5, 0.0, 0.5)), True),
        (((0.0, 0.0, 0.5), (0.2, 0.0, 0.5)), False),  # one over the other
        (((0.7, 0.0, 0.5), (0.0, 0.0, 0.5)), False),  # out of the image
        (((0.0, 0.0, 0.05), (0.5, 0.0, 0.05)), False),  # hardly any of it
        (((0.0, 0.0, 0.9), (0.95, 0.0, 0.0)), False),  # nothing for the second
    ],
    ids=["apart", "overlapping", "outside", "tiny", "none"],
)
def test_uvs_are_painted_over_where_every_part_has_room_of_its_own(squares, fits):
    assert finish(fitting(surface(*squares), 256)) is fits


def test_a_png_file_has_the_colours_of_the_picture_that_was_light():
    colours = np.tile(np.linspace(0, 255, 256).round()[:, None, None] / 255, (1, 2, 3)).astype(np.float32)
    file = finish(png(finish(as_light(colours))))
    content = {kind: data for kind, data, _ in chunks(file)}
    assert struct.unpack_from(">II", content[b"IHDR"]) == (2, 256)
    rows = np.frombuffer(zlib.decompress(content[b"IDAT"]), np.uint8).reshape(256, 7)[::-1, 1:]
    assert (rows == np.arange(256)[:, None]).all()
