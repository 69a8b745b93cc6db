# SPDX-License-Identifier: MIT
"""What an overlay says and draws, and the grids it is made of."""

import json
from dataclasses import replace

import numpy as np
import pytest

from addon.capture.masks import cells, framed
from addon.cooperative import finish
from addon.overlay.figure import figure
from addon.overlay.measured import matched, measured
from addon.overlay.targets import drawn, targets
from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.protocol.default_model import TOYBOX
from addon.protocol.frame import offset
from addon.protocol.strict_json import dump
from addon.raster.instances import PIECE, Mesh, MeshInstances
from addon.raster.lens import Lens
from addon.raster.zbuffer import NOTHING
from addon.request.phrases import Mark

FLAT = Lens(np.diag([1.0, 1.0, -0.1, 1.0]), 0.1, 100.0)
FRONT = np.eye(4, dtype=np.float32)[None]


def request(*regions, frame=None):
    return Blockout(
        prompt="a castle",
        regions=regions,
        width=32,
        height=16,
        frame=frame or Frame(left=0, top=0, width=32, height=16),
        seed=0,
        model=TOYBOX.name,
        steps=1,
        strength=1.0,
        scale=1.0,
    )


def region(name, rows, centroid):
    mask = pack_mask(32, 16, rows.astype(np.uint8).tobytes())
    return Region(name=name, phrase=name, mask=mask, centroid=centroid, size=0.1, visible=1.0, depth=0)


def block(left, top, width, height):
    rows = np.zeros((16, 32))
    rows[top : top + height, left : left + width] = 255
    return rows


def asked():
    return request(
        region("castle", block(4, 4, 8, 8), (0.25, 0.5)), region("rocket", block(20, 2, 4, 12), (0.6875, 0.5))
    )


def answer(*findings_):
    return tuple(
        Achieved(
            name=name,
            by=by,
            mask=None if place is None else pack_mask(32, 16, block(4, 4, 8, 8).astype(np.uint8).tobytes()),
            centroid=place,
            size=0.0 if place is None else 0.1,
        )
        for name, by, place in findings_
    )


def read(achieved, blockout):
    return finish(measured(json.dumps(dump(blockout)), json.dumps([dump(item) for item in achieved])))


def said(achieved):
    picture = read(achieved, asked())
    drawing = finish(figure(picture.targets, picture.findings, 2.0, {"castle": 0, "rocket": 4}))
    return drawing, [label.text for label in drawing.labels]


def test_before_a_picture_there_are_only_names():
    drawing, words = said(())
    assert words == ["castle", "rocket"]
    assert drawing.achieved == ()
    assert [stroke.region for stroke in drawing.targets] == [0, 1]


def test_offsets_are_fractions_of_the_diagonal_and_absence_is_said():
    drawing, words = said(answer(("castle", "judge", (0.5, 0.5)), ("rocket", "judge", None)))
    assert words == [f"castle: {0.25 * 2 / np.hypot(2, 1):.1%} off", "rocket: not found in the picture"]
    assert {stroke.region for stroke in drawing.achieved} == {0}
    assert offset((0.0, 0.0), (1.0, 1.0), 2.0) == pytest.approx(1.0)


def test_what_is_held_to_its_place_and_size_alone_says_how_large_it_is():
    blockout = asked()
    castle, rocket = blockout.regions
    loose = replace(blockout, regions=(castle, replace(rocket, enforce=("centroid", "size"))))
    picture = read(answer(("castle", "judge", (0.25, 0.5)), ("rocket", "judge", (0.6875, 0.5))), loose)
    assert [picture.findings[name].size for name in ("castle", "rocket")] == [None, pytest.approx(64 / 48, abs=0.01)]
    drawing = finish(figure(picture.targets, picture.findings, 2.0, {"castle": 0, "rocket": 4}))
    assert [label.text for label in drawing.labels] == ["castle: 0.0% off", "rocket: 0.0% off, 1.3 × its size"]


def test_what_the_model_believes_is_called_so():
    _, words = said(answer(("castle", "attention", (0.25, 0.5)), ("rocket", "judge", (0.6875, 0.5))))
    assert words == ["castle: about 0.0% off", "rocket: 0.0% off"]


def test_an_arrow_leads_from_what_is_to_what_was_asked_unless_they_are_one():
    near, _ = said(answer(("castle", "judge", (0.25, 0.51)), ("rocket", "judge", None)))
    far, _ = said(answer(("castle", "judge", (0.5, 0.5)), ("rocket", "judge", None)))
    assert len(near.achieved) == 1 and len(far.achieved) == 2
    tail, tip = far.achieved[1].segments[0]
    assert tuple(tip) == pytest.approx((0.25, 0.5))
    assert 0.25 < tail[0] < 0.5


def test_a_finding_belongs_to_its_phrase_whatever_the_order():
    found = read(answer(("castle", "judge", (0.3, 0.3)), ("rocket", "judge", (0.7, 0.7))), asked()).findings
    assert found["castle"].centroid == (0.3, 0.3) and found["rocket"].centroid == (0.7, 0.7)


def test_a_picture_is_read_in_slices_of_one_region():
    achieved = answer(("castle", "judge", (0.3, 0.3)), ("rocket", "judge", None))
    slices = measured(json.dumps(dump(asked())), json.dumps([dump(item) for item in achieved]))
    assert len(list(slices)) == 2 * len(asked().regions)  # what was asked for, then what is shown


def test_a_renamed_region_is_still_the_one_that_was_painted():
    picture = read(answer(("castle", "judge", (0.3, 0.3)), ("rocket", "judge", None)), asked())
    found = picture.findings
    renamed, rocket = Mark("fort", "fort"), Mark("rocket", "rocket")
    assert matched(picture, (7, 8), [(7, renamed), (8, rocket)]) == {"fort": found["castle"], "rocket": found["rocket"]}
    assert matched(picture, (7, 8), [(9, Mark("castle", "castle"))]) == {}  # another object, called so since
    assert matched(picture, (), [(7, renamed), (8, rocket)]) == {"rocket": found["rocket"]}


def test_a_mask_of_the_whole_picture_is_cut_to_the_frame():
    blockout = request(
        region("castle", block(8, 0, 8, 16), (0.5, 0.5)), frame=Frame(left=4, top=0, width=16, height=16)
    )
    (target,) = read((), blockout).targets
    columns = target.mask.mean(0) > 127
    assert target.mask.shape[::-1] == cells(1.0)
    assert columns.mean() == pytest.approx(0.5, abs=0.02)
    assert np.flatnonzero(columns)[0] / len(columns) == pytest.approx(0.25, abs=0.02)


def test_resampling_keeps_a_ramp_straight():
    ramp = np.tile(np.linspace(0, 255, 32), (16, 1)).astype(np.uint8)
    assert np.abs(np.diff(framed(ramp, request()).astype(float), n=2)[:, 8:-8]).max() <= 2


def quad(x, y, half, depth, owner):
    """Two triangles in front of the camera; the flat lens sees -1..1."""
    low, high = np.array([x - half, y - half]), np.array([x + half, y + half])
    points = np.array([[*low, -depth], [high[0], low[1], -depth], [*high, -depth], [low[0], high[1], -depth]])
    return MeshInstances(
        quads(points.astype(np.float32), np.arange(4, dtype=np.int32)), np.eye(4, dtype=np.float32)[None], owner
    )


def quads(points, corners):
    """A mesh of faces of four corners."""
    mesh = Mesh()
    mesh.fill(points, corners, np.repeat(np.arange(len(corners) // 4, dtype=np.int32), 2))
    return mesh


def test_parts_in_any_order_and_slicing_give_one_frame():
    near, far, wall = quad(-0.5, 0, 0.3, 1, 0), quad(-0.3, 0, 0.3, 2, 1), quad(0.6, 0, 0.2, 1, NOTHING)
    speck = quad(0.6, 0, 0.01, 3, 1).mesh.points
    dust = MeshInstances(
        quads(speck, np.tile(np.arange(4, dtype=np.int32), PIECE)), np.eye(4, dtype=np.float32)[None], 1
    )
    marks = [Mark("near", "near"), Mark("far", "far")]
    one, other = (
        finish(drawn(parts, FRONT, FLAT, 2.0)) for parts in ([near, far, wall, dust], [dust, wall, far, near])
    )
    assert np.array_equal(one.owners, other.owners)
    seen = targets(marks, one)
    assert seen[0].centroid == pytest.approx((0.25, 0.5), abs=0.01)
    assert seen[1].centroid[0] == pytest.approx(0.45, abs=0.01)


def test_what_nothing_is_seen_of_has_no_place():
    frame = finish(drawn([], FRONT, FLAT, 1.0))
    (gone,) = targets([Mark("gone", "gone")], frame)
    assert (gone.mask, gone.centroid) == (None, None)
