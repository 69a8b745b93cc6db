# SPDX-License-Identifier: GPL-3.0-or-later
"""One walk over what a depsgraph instances: which objects are where, as values that outlive it.

Blender hands instances out one after another and no otherwise, counts them by handing them out, and what it hands out
is gone with the next: a walk cannot be cut into slices. So it gathers the barest: where what is instanced changes,
while the matrices come in one call. Whose instances are, which of them matter and what their meshes look like is asked
afterwards, and once for all of a kind: there may be a million.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ..raster.instances import Mesh
from ..raster.triangles import Ints, Singles
from ..regions.visibility import chain_of
from .back_faces import Culled
from .meshes import fetch
from .meshes import read as read_mesh
from .metaballs import read_parts

MOVED = 1000  # objects; Blender hands all instances out sooner than more of their matrices

Originals = Mapping[int, bpy.types.Object]  # a file's objects by session id


@dataclass(frozen=True)
class InstanceKind:
    """What all instances of one object's data by one instancer share: the ``address`` of the mesh, 0 of what is none;
    the session ids of the object and of what instances it; whether it shows itself, be it that it instances others; and
    which of its materials are ``culled``."""

    address: int
    lineage: tuple[int, ...]
    shows: bool
    culled: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class InstanceWalk:
    """Every instance of a depsgraph: the ``matrices`` (n, 4, 4) that take each into the world, and by ``indices`` into
    them which are of each of the ``kinds``; and the ``origin``: another depsgraph, or way to cull, has another."""

    origin: tuple[object, ...]
    kinds: tuple[InstanceKind, ...]
    indices: tuple[Ints, ...]
    matrices: Singles
    moved: Mapping[int, Singles] = field(default_factory=dict)  # the matrix (1, 4, 4) of each kind that has moved since

    def after(
        self, moved: AbstractSet[int], depsgraph: bpy.types.Depsgraph, originals: Originals
    ) -> "InstanceWalk | None":
        """The same after objects, by session id, have moved, and nothing else has changed; None where that has to be
        walked again: they are many, or what they instance, or where they are instanced, may have moved with them."""
        instanced = {uid for kind in self.kinds if len(kind.lineage) > 1 for uid in kind.lineage}
        if len(moved) > MOVED or not moved.isdisjoint(instanced):
            return None
        single = [(number, kind.lineage[0]) for number, kind in enumerate(self.kinds) if len(kind.lineage) == 1]
        if not moved <= {uid for _, uid in single}:  # what was hidden, or not there
            return None
        matrices = {
            number: np.array(originals[uid].evaluated_get(depsgraph).matrix_world, np.float32)[None]
            for number, uid in single
            if uid in moved
        }
        return replace(self, moved={**self.moved, **matrices})

    def standing(self, number: int) -> tuple[Singles, Ints | None]:
        """The matrices of a kind by its number, and which of them are its own, None for all."""
        return (self.moved[number], None) if number in self.moved else (self.matrices, self.indices[number])


class Meshes:
    """What was read of meshes, by address and part, and the last walk: shared by all that look at a scene. The meshes
    are worth nothing once any geometry has changed, and the walk once anything has."""

    def __init__(self) -> None:
        self.by_address: dict[tuple[int, int], Mesh] = {}
        self.walk: InstanceWalk | None = None
        self.moved: set[int] = set()  # objects, by session id, since the walk

    def touch(self, moved: frozenset[int] | None) -> None:
        """Something has changed; no more than that objects have ``moved``, where these are given."""
        if moved is None:
            self.walk = None
        else:
            self.moved |= moved

    def clear(self) -> None:
        """Begin anew: geometry has changed."""
        self.by_address.clear()
        self.walk = None

    def shared(self, address: int, number: int) -> tuple[Mesh, ...]:
        """The ``number`` parts of the mesh at an address, read or not."""
        return tuple(self.by_address.setdefault((address, part), Mesh()) for part in range(number))


def walk(depsgraph: bpy.types.Depsgraph, culled: Culled, origin: tuple[object, ...]) -> InstanceWalk:
    """Walk over all instances. It takes Blender's time for each: four references, and a matrix."""
    numbers: dict[tuple[object, ...], int] = {}
    kinds: list[InstanceKind] = []
    starts, runs = [], []
    last: tuple[object, ...] | None = None
    count = 0
    for instance in depsgraph.object_instances:
        item, source = instance.object, instance.instance_object
        key = (item.data, item if source is None else source, instance.parent)
        if key != last:
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(kinds)
                kinds.append(_kind(instance, culled))
            starts.append(count)
            runs.append(number)
            last = key
        count += 1
    return InstanceWalk(origin, tuple(kinds), _by_kind(runs, starts, count, len(kinds)), _matrices(depsgraph, count))


@dataclass(frozen=True, eq=False)
class ReadableMesh:
    """The mesh at an ``address``, which is of an ``original`` object's or of what makes its instances; and its parts,
    whose ``owners`` are several where a family of metaballs is of several regions."""

    address: int
    original: bpy.types.Object
    owners: Sequence[tuple[bpy.types.Object, int]]
    meshes: tuple[Mesh, ...]

    @property
    def is_read(self) -> bool:
        """Whether there is nothing left to read."""
        return all(mesh.is_read for mesh in self.meshes)

    def is_of(self, item: bpy.types.Object) -> bool:
        """Whether it is the mesh of an evaluated object."""
        return item.type == "MESH" and item.data.as_pointer() == self.address

    def read(self, item: bpy.types.Object) -> None:
        """Read it from an evaluated object whose it is."""
        if len(self.meshes) == 1:
            read_mesh(item, self.meshes[0])
        else:
            read_parts(item, [owner for owner, _ in self.owners], self.meshes)


def read_for(seconds: float | None, readable: Sequence[ReadableMesh], depsgraph: bpy.types.Depsgraph) -> None:
    """Read meshes for so long, one at least, None for all: those of objects from these, and only for the others, which
    nodes make, from one of their instances, which takes another walk."""
    spent = 0.0
    for mesh, item in _readable(readable, depsgraph):
        begun = time.perf_counter()
        mesh.read(item)
        spent += time.perf_counter() - begun
        if seconds is not None and spent >= seconds:
            return


def _readable(
    readable: Sequence[ReadableMesh], depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[ReadableMesh, bpy.types.Object]]:
    """What is yet to be read, with the evaluated object to read it from."""
    others: dict[int, ReadableMesh] = {}
    for mesh in readable:
        if not mesh.is_read:
            item = mesh.original.evaluated_get(depsgraph)
            if mesh.is_of(item):
                yield mesh, item
            else:
                others[mesh.address] = mesh
    if not others:
        return
    for instance in depsgraph.object_instances:
        shown = instance.object
        assert shown is not None, "an instance is one of an object"
        if shown.type == "MESH" and (other := others.pop(shown.data.as_pointer(), None)) is not None:
            yield other, shown
            if not others:
                return


def _kind(instance: bpy.types.DepsgraphObjectInstance, culled: Culled) -> InstanceKind:
    item = instance.object
    assert item is not None, "an instance is one of an object"
    lineage = tuple(one.session_uid for one in chain_of(instance))
    if item.type != "MESH":  # curves, text and metaballs come a second time, as the meshes they are rendered as
        return InstanceKind(0, lineage, instance.show_self, ())
    return InstanceKind(item.data.as_pointer(), lineage, instance.show_self, culled(item))


def _by_kind(runs: Sequence[int], starts: Sequence[int], count: int, kinds: int) -> tuple[Ints, ...]:
    """Which of ``count`` instances are of each of so many ``kinds``, in their order; each of ``runs``, the number of a
    kind, begins at one of ``starts``."""
    if not kinds:
        return ()
    each = np.repeat(np.array(runs, np.min_scalar_type(kinds)), np.diff([*starts, count]))
    order = np.argsort(each, kind="stable")  # numbers of 16 bits are sorted in no time
    return tuple(np.split(order, np.cumsum(np.bincount(each, minlength=kinds))[:-1]))


def _matrices(depsgraph: bpy.types.Depsgraph, count: int) -> Singles:
    """Those of all ``count`` instances, (n, 4, 4), in one call: asked for one by one they take twenty times as long;
    and Blender, asked for their number, counts them one by one."""
    flat = np.empty(16 * count, np.float32)
    fetch(depsgraph.object_instances, "matrix_world", flat)
    return flat.reshape(-1, 4, 4).transpose(0, 2, 1)  # Blender's are column by column
