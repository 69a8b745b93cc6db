# SPDX-License-Identifier: GPL-3.0-or-later
"""A painted sequence to the scene: behind its cameras, or as strips in the sequencer; and where its files are."""

from collections.abc import Callable

import bpy
from bpy.props import StringProperty

from ....compat import show_strips
from ....messages import sentences
from ....messages.errors import SequenceUnusable
from ....pictures.origin import scene_of
from ....pictures.sequences.footage import as_strips, behind_cameras
from ....runtime.app import app
from ....session.sequence import PictureSequence, by_camera
from ....session.state import find_sequence
from ...context import Context
from ..status import Status, call, refusing, say, settle


class SequenceBackground(bpy.types.Operator):
    """Show the pictures over what their cameras see, each at its frame"""

    bl_idname = "maquette.sequence_background"
    bl_label = "Behind Cameras"
    bl_options = {"REGISTER", "UNDO"}

    sequence: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @refusing
    def execute(self, context: Context) -> Status:
        missing = _applied(context, self.sequence, _behind_cameras)
        status = settle()
        if missing:
            say(self, sentences.cameras_missing(", ".join(missing)))
        return status


class SequenceStrips(bpy.types.Operator):
    """Lay the pictures out in the scene's sequencer, a strip a shot. A render shows the strips from then on, unless
    Sequencer is off among the output's Post Processing"""

    bl_idname = "maquette.sequence_strips"
    bl_label = "As Strips"
    bl_options = {"REGISTER", "UNDO"}

    sequence: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @refusing
    def execute(self, context: Context) -> Status:
        _applied(context, self.sequence, as_strips)
        show_strips(context.workspace, context.scene)
        return settle()


class OpenSequence(bpy.types.Operator):
    """Open the folder of the numbered pictures"""

    bl_idname = "maquette.open_sequence"
    bl_label = "Folder"

    sequence: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @refusing
    def execute(self, context: Context) -> Status:
        return call("wm.path_open", filepath=str(_sequence(self.sequence).folder))


def _applied(
    context: Context, name: str, apply: Callable[[bpy.types.Scene, PictureSequence], tuple[str, ...]]
) -> tuple[str, ...]:
    """Put a sequence to use in the scene that it was painted for. Raises SequenceUnusable, LockedObject."""
    sequence = _sequence(name)
    if scene_of(sequence.view) != context.scene:
        raise SequenceUnusable("The sequence is of another scene.", "Open that one first.")
    if not sequence.painted:
        raise SequenceUnusable("The sequence has no picture.", "Paint it again.")
    try:
        return apply(context.scene, sequence)
    except (OSError, RuntimeError) as error:  # the latter is Blender's word for a file that is gone
        message = f"The pictures in {sequence.folder} cannot be read: {str(error).strip()}."
        raise SequenceUnusable(message, "Paint the sequence again.") from error


def _behind_cameras(scene: bpy.types.Scene, sequence: PictureSequence) -> tuple[str, ...]:
    return behind_cameras(scene, by_camera(sequence.frames), sequence.folder)


def _sequence(name: str) -> PictureSequence:
    """Raises SequenceUnusable for one that is on the list no more."""
    sequence = find_sequence(app().session, name)
    if sequence is None:
        raise SequenceUnusable("There is no such sequence on the list any more.", "Its pictures lie in their folder.")
    return sequence


CLASSES = (SequenceBackground, SequenceStrips, OpenSequence)
