# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the Blenders we run in, 4.2 to 5.2, in one place."""

from pathlib import Path

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


def write_layers(settings: bpy.types.ImageFormatSettings) -> None:
    """Have renders written with all their passes, as floats, compressed without loss."""
    if hasattr(settings, "media_type"):  # from 5.0 on the kind comes before the format
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
    if hasattr(settings, "use_exr_interleave"):  # 5.0 cannot write cells that are not square into several parts
        settings.use_exr_interleave = True


def draws_linear() -> bool:
    """Whether textures drawn over an editor are taken for linear light; from 5.0 on they are as the screen has them."""
    return bpy.app.version < (5, 0)


def ensure_nodes(material: bpy.types.Material) -> None:
    """Say with nodes what a material without them looks like. From 5.0 on every material has nodes."""
    if bpy.app.version >= (5, 0) or material.use_nodes:
        return
    material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    surface.inputs["Base Color"].default_value = material.diffuse_color
    surface.inputs["Metallic"].default_value = material.metallic
    surface.inputs["Roughness"].default_value = material.roughness
