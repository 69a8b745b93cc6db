# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the folders in which the server looks for models; it begins at once where it runs on this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ...messages import sentences
from ...protocol.model_files import FoldersUnreadable, folders_path, listed_folders, write_folders
from ...runtime.app import app
from ...runtime.windows import redraw
from ..context import Context
from .status import Status, refuse, settle


class AddModelFolder(bpy.types.Operator):
    """Offer the models in a folder, ComfyUI's, A1111's or any, or in those that an extra_model_paths.yaml names"""

    bl_idname = "maquette.add_model_folder"
    bl_label = "Add Folder of Models…"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.yaml;*.yml", options={"HIDDEN"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> Status:
        path = Path(bpy.path.abspath(self.filepath))
        folder = path if path.is_dir() or path.suffix in (".yaml", ".yml") else path.parent
        return _write(self, lambda named: (*named, folder))


class RemoveModelFolder(bpy.types.Operator):
    """Look for models in this folder no more; nothing in it is touched"""

    bl_idname = "maquette.remove_model_folder"
    bl_label = "Remove Folder"

    path: StringProperty(options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        return _write(self, lambda named: [folder for folder in named if str(folder) != self.path])


def _write(operator: bpy.types.Operator, change: Callable[[Sequence[Path]], Sequence[Path]]) -> Status:
    try:
        write_folders(folders_path(), change(listed_folders(folders_path())))
    except FoldersUnreadable as error:
        return refuse(operator, sentences.folders_unkept(str(folders_path()), str(error)))
    except OSError as error:
        return refuse(operator, sentences.folders_unkept(str(folders_path()), error.strerror or str(error)))
    app().read_model_folders()
    app().dispatcher.nudge()
    redraw()
    return settle()


CLASSES = (AddModelFolder, RemoveModelFolder)
