# SPDX-License-Identifier: MIT
"""Instances that share one array of matrices, however they lie in it, are where they would be alone."""

import numpy as np
import pytest

from addon.cooperative import finish
from addon.raster.frustum import Frustum
from addon.raster.instances import INSTANCES, Mesh, MeshInstances, camera_triangles
from addon.raster.lens import Lens
from addon.raster.triangles import Singles, Triangles
from addon.raster.zbuffer import NOTHING

LENS = Lens(np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, -1.0, -0.2], [0, 0, -1.0, 0]]), 0.1, 1000.0)
COUNTS = (3, INSTANCES - 2, 1, 2 * INSTANCES + 5, 1)


def triangle(size: float) -> Mesh:
    """One of that size, at the origin."""
    mesh = Mesh()
    points = np.array([[0, 0, 0], [size, 0, 0], [0, size, 0]], np.float32)
    mesh.fill(points, np.arange(3, dtype=np.int32), np.zeros(1, np.int32))
    return mesh


def standing(count: int, random: np.random.Generator) -> Singles:
    """Matrices (n, 4, 4) of translations before the camera and beside it."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    matrices[:, :3, 3] = random.uniform(-20, 20, (count, 3)) - [0, 0, 25]
    return matrices


def corners(triangles: Triangles) -> tuple[bytes, bytes]:
    """What there is to compare."""
    return triangles.points[triangles.corners].tobytes(), triangles.owners.tobytes()


@pytest.mark.parametrize("frustum", [None, Frustum(LENS, 64, 64, count=2)])
def test_shared_matrices_are_those_of_each(frustum: Frustum | None) -> None:
    random = np.random.default_rng(0)
    every = standing(sum(COUNTS), random)
    order = random.permutation(len(every))
    meshes = [triangle(0.5 + number) for number in range(len(COUNTS))]
    owners = (NOTHING, 0, 1, NOTHING, 0)
    own = np.split(order, np.cumsum(COUNTS)[:-1])
    shared = [MeshInstances(*each, indices=some) for *each, some in zip(meshes, [every] * 5, owners, own, strict=True)]
    alone = [MeshInstances(mesh, every[some], owner) for mesh, some, owner in zip(meshes, own, owners, strict=True)]
    one, other = (finish(camera_triangles(instances, np.eye(4), frustum)) for instances in (shared, alone))
    assert corners(one) == corners(other)
    assert (len(one) == len(every)) == (frustum is None)


def test_of_a_region_that_lies_outside_one_stays() -> None:
    matrices = standing(2 * INSTANCES, np.random.default_rng(1))
    matrices[:, 0, 3] = 4000.0
    frustum = Frustum(LENS, 64, 64, count=1)
    for owner, number in ((0, 1), (NOTHING, 0)):
        assert (
            len(finish(camera_triangles([MeshInstances(triangle(1), matrices, owner)], np.eye(4), frustum))) == number
        )


def test_one_that_is_no_number_is_left_out() -> None:
    matrices = standing(4, np.random.default_rng(2))
    matrices[1, 0, 0] = np.nan
    assert len(finish(camera_triangles([MeshInstances(triangle(1), matrices, 0)], np.eye(4)))) == 3
