# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the Blenders we run in, 4.2 to 5.2, in one place."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy


def prompt_box(layout: bpy.types.UILayout, data: bpy.types.ID, prop: str, placeholder: str, popup: str) -> None:
    """A box for a long text: several lines from 5.2 on; before, one, and an operator ``popup`` for more."""
    if hasattr(layout, "textbox"):
        layout.textbox(data, prop, initial_visible_lines=3, placeholder=placeholder)
    else:
        row = layout.row(align=True)
        row.prop(data, prop, text="", placeholder=placeholder)
        row.operator(popup, text="", icon="TEXT")


def render_path(path: Path) -> str:
    """A file as the path of a render: from 4.5 on braces in it are a template, and doubled ones are braces."""
    text = str(path)
    return text.replace("{", "{{").replace("}", "}}") if bpy.app.version >= (4, 5) else text


def is_rewritten(path: Path) -> bool:
    """Whether Blender would look elsewhere: it takes a backslash for a slash, wherever that is not one already."""
    return os.sep == "/" and "\\" in str(path)


def temporary_folder(usual: str) -> str:
    """The ``usual`` folder for temporary files, or the first other one whose path Blender takes as it is."""
    others = ("/tmp", "/var/tmp", str(Path.home()), os.getcwd())
    plain = (folder for folder in (usual, *others) if not is_rewritten(Path(folder)) and os.access(folder, os.W_OK))
    return next(plain, usual)


def write_layers(settings: bpy.types.ImageFormatSettings) -> None:
    """Have renders written with all their passes, as floats, compressed without loss."""
    if hasattr(settings, "media_type"):  # from 5.0 on the kind comes before the format
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
    if hasattr(settings, "use_exr_interleave"):  # 5.0 cannot write cells that are not square into several parts
        settings.use_exr_interleave = True


def curves(animation: bpy.types.AnimData) -> Iterator[tuple[str, int]]:
    """Path and index of everything that an action animates, its own or one of its strips'; drivers aside."""
    strips = (strip for track in animation.nla_tracks for strip in track.strips)
    for action in {animation.action, *(strip.action for strip in strips)} - {None}:
        for curve in _curves(action):
            yield curve.data_path, curve.array_index


def _curves(action: Any) -> Iterator[bpy.types.FCurve]:
    if not hasattr(action, "layers"):
        yield from action.fcurves
        return
    for layer in action.layers:  # from 4.4 on an action is of layers, strips, and a bag for each that it animates
        for strip in layer.strips:
            yield from (curve for bag in strip.channelbags for curve in bag.fcurves)


def draws_linear() -> bool:
    """Whether textures drawn over an editor are taken for linear light; from 5.0 on they are as the screen has them."""
    return bpy.app.version < (5, 0)


def white_balance(view: bpy.types.ColorManagedViewSettings | None) -> bool:
    """Whether a scene is shown under another white than its own, as can be said from 4.3 on."""
    return bool(getattr(view, "use_white_balance", False))


def ensure_nodes(material: bpy.types.Material) -> None:
    """Say with nodes what a material without them looks like. From 5.0 on every material has nodes."""
    if bpy.app.version >= (5, 0) or material.use_nodes:
        return
    material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    surface.inputs["Base Color"].default_value = material.diffuse_color
    surface.inputs["Metallic"].default_value = material.metallic
    surface.inputs["Roughness"].default_value = material.roughness


def image_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The strips of a sequencer, which were its sequences before 4.4."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def show_strips(workspace: Any, scene: bpy.types.Scene) -> None:
    """Have sequencers show this scene's strips where they show none: from 5.0 on a workspace says whose."""
    if getattr(workspace, "sequencer_scene", scene) is None:
        workspace.sequencer_scene = scene
