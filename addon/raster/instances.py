# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as they stand in the world, and their triangles in a camera's space. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices
from .frustum import FARTHEST, Frustum, Sphere, sphere
from .triangles import PIECE, Bools, Floats, Indices, Ints, Singles, Triangles, some_of, touching
from .triangulate import counted, divided

INSTANCES = 1 << 11  # at once, some milliseconds' work


class Mesh:
    """``points`` (p, 3) in the mesh's own space; ``corners``, which of them are at one face's corners after another's;
    ``faces``, of which face each triangle is, in their order: of one, 1 or 2 are; and ``materials`` (n,), the index of
    each triangle's, None where all have the first.

    It begins unread, for a mesh of Blender's is read when there is time.
    """

    def __init__(self) -> None:
        self.is_read = False
        self.points = np.empty((0, 3), np.float32)
        self.materials: Indices | None = None
        self._corners = self._faces = np.empty(0, np.int32)
        self._triangles: Indices | None = None
        self._sphere: Sphere | None = None

    def fill(self, points: Singles, corners: Indices, faces: Indices, materials: Indices | None = None) -> None:
        """What was read of it."""
        self.points, self._corners, self._faces, self.is_read = points, corners, faces, True
        self.materials = materials

    def __len__(self) -> int:
        """Of triangles."""
        return len(self._faces)

    def triangles(self) -> Slices[Indices]:
        """Triangles (n, 3) of indices into ``points``, all of them finite; cut once, for a mesh may stand in many
        places."""
        if self._triangles is None:
            cuts = yield from counted(self._faces)
            self._triangles = yield from divided(self.points, self._corners, cuts)
        return self._triangles

    def bounds(self) -> Slices[Sphere]:
        """A sphere around its points, those that are no numbers left out; looked for once."""
        if self._sphere is None:
            self._sphere = yield from sphere(self.points)
        return self._sphere


@dataclass(frozen=True, eq=False)
class MeshInstances:
    """A mesh, the ``matrices`` (m, 4, 4) that each take it into the world, and whose it is; of its materials, by index,
    which are not drawn from behind; the session ids of the object and of what instances it; and which of the matrices,
    that others may share, are its own, None for all."""

    mesh: Mesh
    matrices: Singles
    owner: int
    culled: tuple[bool, ...] = ()
    lineage: tuple[int, ...] = ()
    indices: Ints | None = None

    def __len__(self) -> int:
        return len(self.matrices if self.indices is None else self.indices)

    def some(self, begin: int, end: int) -> Singles:
        """Its own matrices from ``begin`` to ``end``, (n, 4, 4)."""
        return self.matrices[begin:end] if self.indices is None else self.matrices[self.indices[begin:end]]


@dataclass(frozen=True, eq=False)
class _Placed:
    """A mesh's instances that matter, by the ``matrices`` (n, 4, 4) that take them into camera space."""

    instances: MeshInstances
    matrices: Floats

    def __len__(self) -> int:
        return len(self.matrices) * len(self.instances.mesh)


def camera_triangles(
    instances: Sequence[MeshInstances], pose: Floats, frustum: Frustum | None = None
) -> Slices[Triangles]:
    """The triangles of all ``instances`` in camera space, into which ``pose`` (4, 4) takes the world.

    What cannot matter to a picture of ``frustum`` is left out, where that is given: instances that lie outside, those
    of no region that are smaller than a cell, and faces that are culled. So are triangles with a point that is no
    number, which renders leave out too.
    """
    placed = yield from _placed(instances, pose, frustum)
    points = np.empty((sum(len(one.matrices) * len(one.instances.mesh.points) for one in placed), 3))
    corners = np.empty((sum(map(len, placed)), 3), dtype=np.int32)
    every = Triangles(points, corners, np.empty(len(corners), dtype=np.int32))
    yield from touching(points, corners, every.owners)
    point = corner = 0
    for one in placed:
        first = point
        point = yield from _put_points(one.instances.mesh.points, one.matrices, points, point)
        corner = yield from _put_triangles(one, first, every, corner)
    return (yield from _drawn(every, placed, frustum))


def _placed(instances: Sequence[MeshInstances], pose: Floats, frustum: Frustum | None) -> Slices[list[_Placed]]:
    """Those that matter, all tested together, for they are many: a million of one mesh, or one each of thousands. Of
    each region one stays at least: it shall not seem to be bare."""
    groups = yield from _grouped(instances, frustum)
    total = int(groups.ends[-1]) if len(groups.ends) else 0
    matrices, numbers, last = np.empty((total, 4, 4)), np.zeros(len(groups.ends), np.int64), 0
    for begin in range(0, total, INSTANCES):
        group = np.searchsorted(groups.ends, np.arange(begin, min(begin + INSTANCES, total)), side="right")
        with np.errstate(invalid="ignore", over="ignore"):
            some = pose @ groups.matrices(group, begin)
            kept = np.isfinite(some).all(axis=(1, 2))
            if frustum is not None:
                kept &= frustum.matters(groups.bounds[group], some, groups.regions[group])
        chosen = np.flatnonzero(kept)
        first, last = last, last + len(chosen)
        matrices[first:last] = some[chosen]
        np.add.at(numbers, group[chosen], 1)
        yield
    placed, last = [], 0
    for index, one in enumerate(groups.instances):
        first, last = last, last + int(numbers[index])
        own = matrices[first:last]
        if not len(own) and frustum is not None and groups.regions[index]:
            own = yield from _one_ahead(frustum, groups.bounds[index], one, pose)
        if len(own):
            placed.append(_Placed(one, own))
        if index % INSTANCES == 0:
            yield
    return placed


@dataclass(frozen=True, eq=False)
class _Groups:
    """Instances that have a mesh: the ``bounds`` (k, 4) of each, middle and radius; which are of ``regions`` (k,); and
    where the matrices of each end, counted through all of them."""

    instances: list[MeshInstances]
    bounds: Floats
    regions: Bools
    ends: Ints

    def matrices(self, group: Ints, begin: int) -> Floats:
        """Into the world, (n, 4, 4): those from ``begin`` on, that are of ``group`` (n,)."""
        first, last = int(group[0]), int(group[-1])
        pieces = []
        for index in range(first, last + 1):
            own = self.ends[index] - len(self.instances[index])  # where its own begin
            pieces.append(self.instances[index].some(max(begin - own, 0), begin + len(group) - own))
        return (pieces[0] if first == last else np.concatenate(pieces)).astype(np.float64)


def _grouped(instances: Sequence[MeshInstances], frustum: Frustum | None) -> Slices[_Groups]:
    groups, bounds, regions, ends, end = [], [], [], [], 0
    for one in instances:
        if len(one.mesh):
            around = yield from one.mesh.bounds()
            end += len(one)
            groups.append(one)
            bounds.append((*around.middle, around.radius))
            regions.append(frustum is not None and frustum.is_region(one.owner))
            ends.append(end)
    yield
    return _Groups(groups, np.array(bounds).reshape(-1, 4), np.array(regions, bool), np.array(ends, np.int64))


def _one_ahead(frustum: Frustum, bounds: Floats, instances: MeshInstances, pose: Floats) -> Slices[Floats]:
    """The matrix (1, 4, 4) of the one of a region's instances that stays where none matters: the first that lies ahead,
    be it too far, if any."""
    for begin in range(0, len(instances), INSTANCES):
        with np.errstate(invalid="ignore", over="ignore"):
            matrices = pose @ instances.some(begin, begin + INSTANCES).astype(np.float64)
            ahead = np.flatnonzero(frustum.ahead(bounds, matrices))
        yield
        if len(ahead):
            nearest: Floats = matrices[ahead[:1]]
            return nearest
    with np.errstate(invalid="ignore", over="ignore"):
        first: Floats = pose @ instances.some(0, 1).astype(np.float64)
    return first


def _put_points(points: Singles, matrices: Floats, into: Floats, point: int) -> Slices[int]:
    """A mesh's points as each of the matrices takes them; where the next ones go."""
    together = max(1, PIECE // max(len(points), 1))  # small meshes, many at once
    for first in range(0, len(matrices), together):
        some = matrices[first : first + together]
        for begin in range(0, len(points), PIECE):
            piece = points[begin : begin + PIECE]
            begun, point = point, point + len(some) * len(piece)
            with np.errstate(invalid="ignore", over="ignore"):
                moved = piece @ some[:, :3, :3].transpose(0, 2, 1) + some[:, None, :3, 3]
            into[begun:point] = moved.reshape(-1, 3)
            yield
    return point


def _put_triangles(placed: _Placed, first: int, into: Triangles, corner: int) -> Slices[int]:
    """A mesh's triangles, of points ``first`` on, as often as it stands there; where the next ones go."""
    mesh, number = placed.instances.mesh, len(placed.matrices)
    triangles = yield from mesh.triangles()
    together = max(1, PIECE // max(len(triangles), 1))
    for index in range(0, number, together):
        offsets = first + len(mesh.points) * np.arange(index, min(index + together, number))
        for begin in range(0, len(triangles), PIECE):
            cut = triangles[begin : begin + PIECE]
            begun, corner = corner, corner + len(offsets) * len(cut)
            into.corners[begun:corner] = (offsets[:, None, None] + cut).reshape(-1, 3)
            into.owners[begun:corner] = placed.instances.owner
            yield
    return corner


def _drawn(triangles: Triangles, placed: Sequence[_Placed], frustum: Frustum | None) -> Slices[Triangles]:
    """The triangles without those that are culled, or have a point that is no number or next to infinite."""
    drawn = np.ones(len(triangles), bool)
    finite = np.empty(len(triangles.points), bool)
    for begin in range(0, len(finite), PIECE):
        finite[begin : begin + PIECE] = (np.abs(triangles.points[begin : begin + PIECE]) < FARTHEST).all(axis=1)
        yield
    if not finite.all():
        for begin in range(0, len(finite), PIECE):  # nothing draws them, and no warning comes of them
            triangles.points[begin : begin + PIECE][~finite[begin : begin + PIECE]] = [0.0, 0.0, -1.0]
            yield
        for begin in range(0, len(drawn), PIECE):
            drawn[begin : begin + PIECE] = finite[triangles.corners[begin : begin + PIECE]].all(axis=1)
            yield
    begin = 0
    for one in placed:
        end = begin + len(one)
        if any(one.instances.culled) and frustum is not None:
            facing = yield from _facing(triangles, begin, end, one, frustum)
            drawn[begin:end] &= facing
        begin = end
    if drawn.all():
        return triangles
    yield
    return (yield from some_of(triangles, np.flatnonzero(drawn)))


def _facing(
    triangles: Triangles, first: int, last: int, placed: _Placed, frustum: Frustum
) -> Slices[NDArray[np.bool_]]:
    """Which of the triangles ``first`` to ``last`` show their fronts, or a material that is not culled."""
    mesh, culled = placed.instances.mesh, np.array(placed.instances.culled)
    materials = np.zeros(len(mesh), np.int32) if mesh.materials is None else mesh.materials
    mirrors = np.linalg.det(placed.matrices[:, :3, :3]) < 0.0
    visible = np.ones(last - first, bool)
    for begin in range(0, len(visible), PIECE):
        end = min(begin + PIECE, len(visible))
        instance, face = np.divmod(np.arange(begin, end), len(mesh))
        with np.errstate(invalid="ignore", over="ignore"):
            fronts = (
                frustum.facing(triangles.points[triangles.corners[first + begin : first + end]]) != mirrors[instance]
            )
        visible[begin:end] = fronts | ~culled[np.minimum(materials[face], len(culled) - 1)]
        yield
    return visible
