# SPDX-License-Identifier: MIT
"""The rasteriser against projections that can be written down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.raster.lens import Lens
from addon.raster.rasterise import coverage, coverages, depths, rasterise
from addon.raster.triangles import soup
from addon.raster.zbuffer import NOTHING, ZBuffer

PERSPECTIVE = Lens(np.array([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, -1.002, -0.2002], [0, 0, -1, 0]]), 0.1, 100.0)
ORTHOGRAPHIC = Lens(np.array([[0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, -0.02, -1.002], [0, 0, 0, 1]]), 0.1, 100.0)
SIDE = 256


def sphere(centre, radius, rings=64):
    """A finely cut sphere, (n, 3, 3)."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings + 1), indexing="ij")
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    corners = np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)
    return np.asarray(centre) + radius * corners


def draw(triangles, lens, count=1, owner=0, side=SIDE):
    return rasterise(soup(triangles, np.full(len(triangles), owner)), lens, side, side, count)


def rays(side=SIDE):
    """Slopes x/depth and y/depth of PERSPECTIVE's pixel centres."""
    x = ((np.arange(side) + 0.5) / side * 2 - 1) / 2
    return np.meshgrid(x, -x)


def test_a_sphere_in_perspective_covers_the_pixels_whose_rays_hit_it():
    centre, radius = np.array([0.6, -0.4, -6.0]), 1.0
    raster = draw(sphere(centre, radius), PERSPECTIVE)
    x, y = rays()
    along = (x * centre[0] + y * centre[1] - centre[2]) / np.sqrt(x**2 + y**2 + 1)
    hit = centre @ centre - along**2 < radius**2
    got = raster.owners == 0
    iou = (hit & got).sum() / (hit | got).sum()
    assert iou > 0.99
    middle = depths(raster.nearness)[got].min()
    assert middle == pytest.approx(5.0, abs=0.02)


def test_an_orthographic_square_is_exact_and_its_depth_planar():
    # x, y in [-2, 2] fill the picture; this square fills its right upper quarter, tilted in depth from 4 to 8
    a, b, c, d = [0, 0, -4.0], [2, 0, -8.0], [2, 2, -8.0], [0, 2, -4.0]
    raster = draw(np.array([[a, b, c], [a, c, d]]), ORTHOGRAPHIC)
    expected = np.zeros((SIDE, SIDE), dtype=bool)
    expected[: SIDE // 2, SIDE // 2 :] = True
    assert np.array_equal(raster.owners == 0, expected)
    across = 4.0 + 4.0 * (np.arange(SIDE // 2) + 0.5) / (SIDE // 2)
    assert np.allclose(depths(raster.nearness)[10, SIDE // 2 :], across, rtol=1e-6)


def test_perspective_depth_is_that_of_the_plane():
    # the floor y = -1 reaches from under the camera to far ahead: it needs near and far clipping
    floor = np.array(
        [[[-500.0, -1, 500], [500, -1, 500], [500, -1, -500]], [[-500, -1, 500], [500, -1, -500], [-500, -1, -500]]]
    )
    raster = draw(floor, PERSPECTIVE)
    _, y = rays()
    with np.errstate(divide="ignore"):
        depth = np.where(y < 0, -1.0 / y, np.inf)
    visible = depth < PERSPECTIVE.far
    assert np.array_equal(raster.owners == 0, visible)
    assert np.allclose(depths(raster.nearness)[visible], depth[visible], rtol=1e-5)


def test_nearer_things_hide_farther_ones_whatever_the_order():
    near, far = sphere((0, 0, -5.0), 0.5), sphere((0, 0, -9.0), 1.5)
    owners = np.repeat([0, 1], [len(near), len(far)])
    both = np.concatenate([near, far])
    one = rasterise(soup(both, owners), PERSPECTIVE, SIDE, SIDE, 2)
    two = rasterise(soup(both[::-1], owners[::-1]), PERSPECTIVE, SIDE, SIDE, 2)
    assert np.array_equal(one.owners, two.owners)
    assert np.array_equal(one.footprint, two.footprint)
    alone = draw(far, PERSPECTIVE).owners == 0
    assert np.array_equal(one.footprint[1], alone)
    assert np.array_equal(one.owners == 1, alone & ~one.footprint[0])


def test_an_unmarked_thing_hides_and_is_no_owner():
    both = np.concatenate([sphere((0, 0, -5.0), 0.5), sphere((0, 0, -9.0), 1.5)])
    owners = np.repeat([NOTHING, 0], len(both) // 2)
    raster = rasterise(soup(both, owners), PERSPECTIVE, SIDE, SIDE, 1)
    assert raster.owners[SIDE // 2, SIDE // 2] == NOTHING
    assert depths(raster.nearness)[SIDE // 2, SIDE // 2] < 5.0
    assert raster.footprint[0, SIDE // 2, SIDE // 2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shared_edges_leave_no_crack_and_no_overlap(seed):
    rng = np.random.default_rng(seed)
    inner = rng.uniform(-1.5, 1.5, (1, 2))
    ring = np.array([[-2.0, -2], [2, -2], [2, 2], [-2, 2]])
    fan = [np.concatenate([inner, ring[[i]], ring[[(i + 1) % 4]]]) for i in range(4)]
    triangles = np.stack([np.concatenate([part, np.full((3, 1), -5.0)], axis=1) for part in fan])
    raster = rasterise(soup(triangles, np.arange(4)), ORTHOGRAPHIC, 64, 64, 4)
    assert np.array_equal(raster.footprint.sum(axis=0), np.ones((64, 64)))


def test_a_triangle_through_the_camera_is_cut_at_the_near_plane():
    wall = np.array([[[1.0, -50, 5], [1.0, 50, 5], [1.0, 0, -200]]])
    raster = draw(wall, PERSPECTIVE)
    # the wall x = 1 is at depth 1 / slope, visible only right of the middle
    x, _ = rays()
    row = depths(raster.nearness)[SIDE // 2]
    visible = np.isfinite(row)
    assert visible.any() and not visible[: SIDE // 2].any()
    assert np.allclose(row[visible], 1.0 / x[0][visible], rtol=1e-5)


def test_nothing_in_front_leaves_everything_empty():
    raster = draw(sphere((0, 0, 5.0), 1.0), PERSPECTIVE)
    assert (raster.owners == NOTHING).all() and np.isinf(depths(raster.nearness)).all() and not raster.footprint.any()


def test_many_parts_give_the_picture_of_one(monkeypatch):
    triangles = np.concatenate([sphere((0, 0, -5.0), 0.5), sphere((0.3, 0, -6.0), 1.0)])
    owners = np.repeat([0, 1], len(triangles) // 2)
    at_once = rasterise(soup(triangles, owners), PERSPECTIVE, SIDE, SIDE, 2)
    monkeypatch.setattr("addon.raster.culling.FRAGMENTS", 1000)
    parts = rasterise(soup(triangles, owners), PERSPECTIVE, SIDE, SIDE, 2)
    assert np.array_equal(at_once.owners, parts.owners) and np.array_equal(at_once.nearness, parts.nearness)


def test_coverage_is_the_share_of_samples():
    hits = np.zeros((4, 8), dtype=bool)
    hits[0, 0] = True
    hits[2:, 4:6] = True
    assert coverage(hits, 2).tolist() == [[64, 0, 0, 0], [0, 0, 255, 0]]


def test_all_owners_covered_at_once_are_covered_as_each_alone():
    both = np.concatenate([sphere((0, 0, -5.0), 0.5), sphere((0.4, 0, -9.0), 1.5)])
    raster = rasterise(soup(both, np.repeat([0, 2], len(both) // 2)), PERSPECTIVE, SIDE, SIDE)
    together = coverages(raster, 4, 2)
    assert np.array_equal(together, [coverage(raster.owners == owner, 2) for owner in range(4)])
    assert together[0].any() and not together[1].any() and together[2].any()


def test_staggered_samples_tell_four_shades_of_an_upright_edge():
    # the square's left edge moves through one cell of 2 x 2 samples
    for offset, shade in ((0.1, 4), (0.3, 3), (0.6, 2), (0.8, 1)):
        x = -2 + (8 + offset) * 4 / (SIDE / 2)
        a, b, c, d = [x, -2, -4.0], [2, -2, -4.0], [2, 2, -4.0], [x, 2, -4.0]
        square = np.array([[a, b, c], [a, c, d]])
        raster = rasterise(soup(square, np.zeros(2, dtype=np.int64)), ORTHOGRAPHIC, SIDE, SIDE, 1, 0.25)
        cells = coverage(raster.owners == 0, 2)
        assert (cells[:, 8] == round(shade * 255 / 4)).all(), offset
        assert (cells[:, 9:] == 255).all() and not cells[:, :8].any()
        assert np.array_equal(raster.owners == 0, raster.footprint[0])


def nearest_by_rays(triangles, side, slopes):
    """Owner and depth of what each ray of PERSPECTIVE through (``slopes``, -1) meets first; and where that is clear."""
    a, b, c = (triangles[:, corner, None, None] for corner in range(3))
    ray = np.stack([*slopes, -np.ones((side, side))], axis=-1)
    normal = np.cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (normal * a).sum(-1) / (normal * ray).sum(-1)
    turns = [(np.cross(one, other) * ray).sum(-1) for one, other in ((a, b), (b, c), (c, a))]
    inside = np.all([turn > 0 for turn in turns], axis=0) | np.all([turn < 0 for turn in turns], axis=0)
    depth = np.where(inside & (depth > 0), depth, np.inf)
    ordered = np.sort(depth, axis=0)
    clear = np.abs(turns).min(axis=(0, 1)) > 1e-6
    with np.errstate(invalid="ignore"):
        clear &= ~(ordered[1] - ordered[0] < 1e-4)
    return np.where(np.isfinite(ordered[0]), depth.argmin(axis=0), NOTHING), ordered[0], clear


@pytest.mark.parametrize("footprints", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_every_pixel_shows_what_its_ray_meets_first(seed, footprints):
    rng = np.random.default_rng(seed)
    large = rng.uniform([-4, -4, -9], [4, 4, -3], (12, 3, 3))
    small = rng.uniform([-3, -3, -9], [3, 3, -2], (400, 1, 3)) + rng.uniform(-0.2, 0.2, (400, 3, 3))
    triangles = np.concatenate([large, small])
    raster = rasterise(
        soup(triangles, np.arange(len(triangles))), PERSPECTIVE, 128, 128, len(triangles) if footprints else 0
    )
    owners, depth, clear = nearest_by_rays(triangles, 128, rays(128))
    assert clear.mean() > 0.9
    assert np.array_equal(raster.owners[clear], owners[clear])
    assert np.allclose(depths(raster.nearness)[clear], depth[clear], rtol=1e-5)
    if footprints:
        alone = rasterise(soup(triangles[5:6], np.zeros(1, dtype=int)), PERSPECTIVE, 128, 128)
        assert np.array_equal(raster.footprint[5], alone.owners == 0)


def test_the_far_side_of_an_object_is_not_painted(monkeypatch):
    ball = soup(sphere((0, 0, -5.0), 1.0), np.zeros(4 * 64**2, dtype=int))
    expected = rasterise(ball, PERSPECTIVE, SIDE, SIDE)
    painted = []
    paint = ZBuffer.paint

    def counting(z_buffer, spans, owners):
        painted.append(len(owners))
        paint(z_buffer, spans, owners)

    monkeypatch.setattr(ZBuffer, "paint", counting)
    assert np.array_equal(rasterise(ball, PERSPECTIVE, SIDE, SIDE).nearness, expected.nearness)
    assert sum(painted) < 0.7 * len(ball)
    painted.clear()
    rasterise(ball, PERSPECTIVE, SIDE, SIDE, 1)
    assert sum(painted) > 0.9 * len(ball)
