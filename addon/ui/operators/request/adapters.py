# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose what goes on top of the model: LoRAs, a VAE, a ControlNet; and the scheduler that it walks with."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from ....capture import scene_settings
from ....messages import sentences
from ....protocol.answers import AdapterInfo
from ....protocol.blockout import LORAS, AdapterFile, ControlNet
from ....request import adapters
from ....request.settings import SCHEDULER, AskedFile, control_kind
from ....runtime.app import app
from ....session.state import find_task
from ...context import Context
from ...properties import chosen
from ..status import Status, call, refuse, settle
from .generate import Generate


class ChooseLora(bpy.types.Operator):
    """Add this LoRA to the model's weights"""

    bl_idname = "maquette.choose_lora"
    bl_label = "Add LoRA"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(options={"HIDDEN"})
    index: StringProperty(description="Of the one it takes the place of; empty for none", options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        loras, info = list(scene_settings.loras(context.scene)), adapters.find(_offered(), "lora", self.name)
        if info is None or (not self.index and len(loras) >= LORAS):
            return refuse(self, sentences.adapter_gone(self.name) if info is None else sentences.loras_full(str(LORAS)))
        if self.index and int(self.index) < len(loras):
            index = int(self.index)
            loras[index] = adapters.picked(info, loras[index].weight)
        else:
            loras.append(adapters.picked(info))
        scene_settings.write(context.scene, {"loras": tuple(loras)})
        return settle()


class RemoveLora(bpy.types.Operator):
    """Paint without this LoRA"""

    bl_idname = "maquette.remove_lora"
    bl_label = "Remove LoRA"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: IntProperty(options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        loras = list(scene_settings.loras(context.scene))
        del loras[self.index : self.index + 1]
        scene_settings.write(context.scene, {"loras": tuple(loras)})
        return settle()


class ChooseVae(bpy.types.Operator):
    """Decode pictures with this autoencoder"""

    bl_idname = "maquette.choose_vae"
    bl_label = "Choose VAE"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(description="Empty for the model's own", options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        info = adapters.find(_offered(), "vae", self.name)
        if self.name and info is None:
            return refuse(self, sentences.adapter_gone(self.name))
        file = info and AdapterFile(name=info.name, sha256=info.sha256)
        scene_settings.write(context.scene, {"vae": file})
        return settle()


class ChooseControl(bpy.types.Operator):
    """Have this ControlNet look at the blocks too"""

    bl_idname = "maquette.choose_control"
    bl_label = "Choose ControlNet"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(description="Empty for none", options={"HIDDEN"})
    kind: StringProperty(description="Depth or edges; empty for what its name says", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        info, before = adapters.find(_offered(), "controlnet", self.name), scene_settings.control(context.scene)
        control: ControlNet | None
        if not self.name:
            control = None
        elif self.kind and before is not None:
            control = replace(before, kind="edges" if self.kind == "edges" else "depth")
        elif info is None:
            return refuse(self, sentences.adapter_gone(self.name))
        else:
            control = ControlNet(name=info.name, sha256=info.sha256, kind=control_kind(info.name))
            if before is not None:
                control = replace(control, scale=before.scale, until=before.until)
        scene_settings.write(context.scene, {"control": control})
        return settle()


class ChooseScheduler(bpy.types.Operator):
    """Walk from noise to picture this way"""

    bl_idname = "maquette.choose_scheduler"
    bl_label = "Choose Scheduler"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(description="Empty for the model's own", options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        if self.name:
            context.scene[SCHEDULER] = self.name
        else:
            context.scene.pop(SCHEDULER, None)
        return settle()


class DropAdapters(bpy.types.Operator):
    """Paint without the LoRAs, VAE and ControlNet that are missing, have changed or do not fit"""

    bl_idname = "maquette.drop_adapters"
    bl_label = "Paint Without It"
    bl_options = {"REGISTER", "UNDO"}

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        return _without(self, context, lambda chosen: None)


class RenewAdapters(bpy.types.Operator):
    """Paint with the files as they are now: the picture will be another than the one that it was"""

    bl_idname = "maquette.renew_adapters"
    bl_label = "Take It as It Is"
    bl_options = {"REGISTER", "UNDO"}

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        return _without(self, context, lambda chosen: replace(chosen, sha256=""))


def _without(operator: DropAdapters | RenewAdapters, context: Context, instead: Callable[[Any], Any]) -> Status:
    """Have something ``instead`` of every file that is complained of, and ask for the picture again."""
    scene, words = context.scene, _complaint(operator.answers)
    settings, model = scene_settings.read(scene), chosen(scene)

    def changed(file: AskedFile | None) -> Any:
        wrong = file is not None and (f"“{file.name}”" in words or adapters.fault(file, _offered(), model))
        return instead(file) if wrong else file

    loras = tuple(lora for lora in map(changed, settings.loras) if lora is not None)
    changes = {"loras": loras, "vae": changed(settings.vae), "control": changed(settings.control)}
    if all(value == getattr(settings, name) for name, value in changes.items()):
        return refuse(operator, sentences.adapters_fit())
    scene_settings.write(scene, changes)
    settle()
    return call(Generate.bl_idname, answers=operator.answers, changed=True)


def _complaint(job: str) -> str:
    """What was said of the files: of the job that failed, or of a request that was refused."""
    session = app().session
    task = find_task(session, job)
    failures = [task.job.problem.detail] if task is not None and task.job.problem is not None else []
    return " ".join([*failures, *([session.notice.message] if session.notice is not None else [])])


def _offered() -> tuple[AdapterInfo, ...]:
    return app().session.link.adapters


CLASSES = (ChooseLora, RemoveLora, ChooseVae, ChooseControl, ChooseScheduler, DropAdapters, RenewAdapters)
