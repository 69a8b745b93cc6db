# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender hands to operators and panels, as types; and the 3D View that a press came from."""

from typing import TYPE_CHECKING, Protocol, TypeAlias

import bpy

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems  # of the type checker's stubs; Blender has no such module

    from ..pictures.gallery import MaquetteHistoryItem

    Icon: TypeAlias = IconItems

    class MaquetteScene(bpy.types.Scene):
        """A scene with the properties that ``properties.py`` and ``pictures/gallery.py`` register on it."""

        maquette_history: bpy.types.bpy_prop_collection[MaquetteHistoryItem]
        maquette_exact: bool
        maquette_size: int
        maquette_vary: bool
        maquette_count: int

    class MaquetteWindowManager(bpy.types.WindowManager):
        """With the properties that ``overlay/handlers.py`` and ``pictures/gallery.py`` register on it."""

        maquette_overlay: bool
        maquette_overlay_parts: set[str]
        maquette_favourites: bool
else:
    Icon, MaquetteScene, MaquetteWindowManager = str, bpy.types.Scene, bpy.types.WindowManager


class Context(Protocol):
    """What our operators and panels read of ``bpy.types.Context``, which calls all of it optional.

    A registered operator and a drawn panel have a scene, a view layer and a window manager; what belongs to an area is
    there in a window only.
    """

    @property
    def scene(self) -> MaquetteScene: ...
    @property
    def view_layer(self) -> bpy.types.ViewLayer: ...
    @property
    def collection(self) -> bpy.types.Collection: ...
    @property
    def selected_objects(self) -> list[bpy.types.Object]: ...
    @property
    def window_manager(self) -> MaquetteWindowManager: ...
    @property
    def window(self) -> bpy.types.Window: ...
    @property
    def workspace(self) -> bpy.types.WorkSpace: ...
    @property
    def screen(self) -> bpy.types.Screen: ...
    @property
    def area(self) -> bpy.types.Area | None: ...
    @property
    def region(self) -> bpy.types.Region: ...
    @property
    def space_data(self) -> bpy.types.Space: ...
    @property
    def preferences(self) -> bpy.types.Preferences: ...
    def evaluated_depsgraph_get(self) -> bpy.types.Depsgraph: ...


def view_3d(context: Context) -> bpy.types.SpaceView3D | None:
    """The 3D View of a press in it or in its sidebar (which has no region_data, while its view has); else None."""
    space = context.space_data if context.area is not None else None
    return space if isinstance(space, bpy.types.SpaceView3D) else None
