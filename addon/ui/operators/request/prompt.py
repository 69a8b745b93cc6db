# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the prompt and the seed."""

import random

import bpy
from bpy.props import StringProperty

from ....protocol.records import SEED_MAX
from ....regions import marks
from ....request.phrases import inserted
from ...properties import SEED
from ..scene.regions import gone
from ..status import Status, refuse, settle


class InsertPhrase(bpy.types.Operator):
    """Write the missing words into the prompt"""

    bl_idname = "maquette.insert_phrase"
    bl_label = "Insert into Prompt"
    bl_options = {"REGISTER", "UNDO"}

    subject: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        phrases = self.subject.splitlines()
        lost = next((phrase for phrase in phrases if not marks.of_phrase(context.scene, phrase)), None)
        if lost is not None:
            return refuse(self, gone(lost))
        for phrase in phrases:
            prompt = context.scene.get(marks.PROMPT, "").strip()
            context.scene[marks.PROMPT] = inserted(prompt, phrase)
        return settle()


class Say(bpy.types.Operator):
    """Write this into the prompt"""

    bl_idname = "maquette.say"
    bl_label = "Say"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    words: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[marks.PROMPT] = inserted(context.scene.get(marks.PROMPT, "").strip(), self.words)
        return {"FINISHED"}


class RollSeed(bpy.types.Operator):
    """Another picture that fits: draw a new seed"""

    bl_idname = "maquette.roll_seed"
    bl_label = "New Seed"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[SEED] = random.randint(0, SEED_MAX)
        return {"FINISHED"}


class Copy(bpy.types.Operator):
    """Copy this text, to read, keep or report it"""

    bl_idname = "maquette.copy"
    bl_label = "Copy"

    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


CLASSES = (InsertPhrase, Say, RollSeed, Copy)
