# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on top of the model: a row for each LoRA, and for a ControlNet; the rest under Advanced."""

from collections.abc import Sequence
from typing import get_args

import bpy

from ...capture import scene_settings
from ...protocol.answers import AdapterInfo, AdapterKind, ModelInfo
from ...protocol.blockout import LORAS, ControlKind, Scheduler
from ...request import adapters
from ...request.settings import SCHEDULER, AskedFile
from ...runtime.app import app
from ..adapter_properties import CONTROL_SCALE, CONTROL_UNTIL, WEIGHTS
from ..context import Context, Icon
from ..properties import chosen
from .menus import choice, row
from .widgets import Drawable, paragraph

ROW_KEY = "lora_place"  # in the context of a row's menu: which row
NAME = 0.62  # of a row's width
LISTED = 12  # files that do not fit, named below those that do


class MAQUETTE_MT_loras(Drawable, bpy.types.Menu):
    """The LoRAs that the server has for the chosen model."""

    bl_label = "LoRA"

    def draw(self, context: Context) -> None:
        """Those that fit; and why others do not."""
        index: str = getattr(context, ROW_KEY, "")
        current = scene_settings.loras(context.scene)
        for info in _fitting("lora", chosen(context.scene)):
            used = any(lora.name == info.name for lora in current)
            words = f"{info.name}  ·  {info.bytes / 2**20:.0f} MB"
            operator = self.layout.operator("maquette.choose_lora", text=words, icon="CHECKMARK" if used else "BLANK1")
            operator.name, operator.index = info.name, index
        _others(self.layout, "lora", chosen(context.scene))


class MAQUETTE_MT_vaes(Drawable, bpy.types.Menu):
    """The autoencoders that the server has for the chosen model."""

    bl_label = "VAE"

    def draw(self, context: Context) -> None:
        """The model's own, and those that fit."""
        model, vae = chosen(context.scene), scene_settings.vae(context.scene)
        row(self.layout, "maquette.choose_vae", "", "The Model's Own", vae is None)
        for info in _fitting("vae", model):
            row(self.layout, "maquette.choose_vae", info.name, info.name, vae is not None and vae.name == info.name)
        _others(self.layout, "vae", model)


class MAQUETTE_MT_controls(Drawable, bpy.types.Menu):
    """The ControlNets that the server has for the chosen model."""

    bl_label = "ControlNet"

    def draw(self, context: Context) -> None:
        """None, those that fit, and what the chosen one looks at."""
        model, control = chosen(context.scene), scene_settings.control(context.scene)
        row(self.layout, "maquette.choose_control", "", "None", control is None)
        for info in _fitting("controlnet", model):
            used = control is not None and control.name == info.name
            row(self.layout, "maquette.choose_control", info.name, info.name, used)
        if control is not None:
            self.layout.separator()
            for kind in get_args(ControlKind):
                icon: Icon = "RADIOBUT_ON" if control.kind == kind else "RADIOBUT_OFF"
                operator = self.layout.operator("maquette.choose_control", text=f"Looks at {kind.title()}", icon=icon)
                operator.name, operator.kind = control.name, kind
        _others(self.layout, "controlnet", model)


class MAQUETTE_MT_schedulers(Drawable, bpy.types.Menu):
    """How the chosen model can walk from noise to picture."""

    bl_label = "Scheduler"

    def draw(self, context: Context) -> None:
        """The one that the model likes, and all that it can walk with."""
        model, current = chosen(context.scene), context.scene.get(SCHEDULER, "")
        own = f"The Model's Own ({scheduler_words(model.scheduler)})"
        row(self.layout, "maquette.choose_scheduler", "", own, not current)
        for name in schedulers(model):
            row(self.layout, "maquette.choose_scheduler", name, scheduler_words(name), name == current)


def lora_rows(column: bpy.types.UILayout, context: Context) -> None:
    """A row for each LoRA, with its weight; and a menu of more, where the server has any."""
    scene, model = context.scene, chosen(context.scene)
    loras = scene_settings.loras(scene)
    if len(loras) < LORAS and adapters.of_kind(app().session.link.adapters, "lora"):
        choice(column, "LoRAs", "MAQUETTE_MT_loras", "Add a LoRA", "ADD")
    for index, lora in enumerate(loras):
        line = column.row(align=True)  # names are long: no label takes room from them
        line.use_property_split = False
        why = _fault(lora, model)
        parts = line.split(factor=NAME, align=True)
        name = parts.row(align=True)
        name.alert = bool(why)
        name.context_string_set(ROW_KEY, str(index))
        name.menu("MAQUETTE_MT_loras", text=lora.name)
        parts.prop(scene, WEIGHTS, index=index, text="", slider=True)
        line.operator("maquette.remove_lora", text="", icon="X").index = index
        if why:
            paragraph(column, f"“{lora.name}” {why}", context, "ERROR", "BLANK1")


def control_row(column: bpy.types.UILayout, context: Context) -> None:
    """The ControlNet, how much of it is added and for how long, where the server has any, or one is chosen."""
    scene = context.scene
    control = scene_settings.control(scene)
    if control is None:
        if adapters.of_kind(app().session.link.adapters, "controlnet"):
            choice(column, "ControlNet", "MAQUETTE_MT_controls", "None")
        return
    why = _fault(control, chosen(scene))
    line = column.row(align=True)
    line.use_property_split = False
    parts = line.split(factor=NAME, align=True)
    name = parts.row(align=True)
    name.alert = bool(why)
    name.menu("MAQUETTE_MT_controls", text=f"{control.name}  ·  {control.kind}")
    parts.prop(scene, CONTROL_SCALE, text="", slider=True)
    column.prop(scene, CONTROL_UNTIL, slider=True)
    if why:
        paragraph(column, f"“{control.name}” {why}", context, "ERROR", "BLANK1")


def advanced(layout: bpy.types.UILayout, context: Context) -> None:
    """The autoencoder and the scheduler of the chosen model."""
    header, body = layout.panel("MAQUETTE_advanced", default_closed=True)
    header.label(text="Advanced")
    if body is None:
        return
    scene, model = context.scene, chosen(context.scene)
    column = body.column()
    column.use_property_split = True
    column.use_property_decorate = False
    vae, name = scene_settings.vae(scene), scene.get(SCHEDULER, "") or model.scheduler
    why = _fault(vae, model) if vae is not None else ""
    choice(column, "VAE", "MAQUETTE_MT_vaes", vae.name if vae else "The Model's Own", "ERROR" if why else "NONE")
    if vae is not None and why:
        paragraph(column, f"“{vae.name}” {why}", context, "BLANK1", "BLANK1")
    walks = name in schedulers(model)
    choice(column, "Scheduler", "MAQUETTE_MT_schedulers", scheduler_words(name), "NONE" if walks else "ERROR")
    if not walks:
        paragraph(column, f"{model.name} does not walk with {scheduler_words(name)}", context, "BLANK1", "BLANK1")


def schedulers(model: ModelInfo) -> Sequence[str]:
    """Those that a model walks with."""
    return model.schedulers or get_args(Scheduler)


def scheduler_words(name: str) -> str:
    """A scheduler as artists write it."""
    return {"ddim": "DDIM", "ddpm": "DDPM", "lcm": "LCM", "unipc": "UniPC"}.get(name) or name.title()


def _fault(file: AskedFile, model: ModelInfo) -> str:
    """Why one would be refused, where there is a server to ask."""
    link = app().session.link
    return adapters.fault(file, link.adapters, model) if link.name == "online" else ""


def _fitting(kind: AdapterKind, model: ModelInfo) -> list[AdapterInfo]:
    offered = adapters.of_kind(app().session.link.adapters, kind)
    return [info for info in offered if not adapters.unfit(info, model)]


def _others(layout: bpy.types.UILayout, kind: AdapterKind, model: ModelInfo) -> None:
    """Those that do not fit, and why; what to do where there is none at all."""
    offered = adapters.of_kind(app().session.link.adapters, kind)
    others = [(info, why) for info in offered if (why := adapters.unfit(info, model))]
    if not offered:
        layout.label(text="Put them into a folder beside the model, or of --loras", icon="INFO")
    elif others:
        layout.separator()
    for info, why in others[:LISTED]:
        layout.label(text=f"{info.name} {why}", icon="BLANK1")
    if len(others) > LISTED:
        layout.label(text=f"and {len(others) - LISTED} more", icon="BLANK1")


MENUS: tuple[type[bpy.types.Menu], ...] = (
    MAQUETTE_MT_loras,
    MAQUETTE_MT_vaes,
    MAQUETTE_MT_controls,
    MAQUETTE_MT_schedulers,
)
