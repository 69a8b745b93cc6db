# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the prompt and the seed."""

import random

import bpy
from bpy.props import StringProperty

from ....protocol.records import SEED_MAX
from ....request.phrases import inserted
from ....request.settings import PROMPT, SEED
from ...context import Context
from ..scene.regions import marked_by
from ..status import Status, refusing, settle


class InsertPhrase(bpy.types.Operator):
    """Write the missing words into the prompt"""

    bl_idname = "maquette.insert_phrase"
    bl_label = "Insert into Prompt"
    bl_options = {"REGISTER", "UNDO"}

    subject: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        phrases = self.subject.splitlines()
        for phrase in phrases:
            marked_by(context.scene, phrase)  # raises for one that is gone, before the prompt is touched
        for phrase in phrases:
            prompt = context.scene.get(PROMPT, "").strip()
            context.scene[PROMPT] = inserted(prompt, phrase)
        return settle()


class Say(bpy.types.Operator):
    """Write this into the prompt"""

    bl_idname = "maquette.say"
    bl_label = "Say"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    words: StringProperty(options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        context.scene[PROMPT] = inserted(context.scene.get(PROMPT, "").strip(), self.words)
        return {"FINISHED"}


class RollSeed(bpy.types.Operator):
    """Another picture that fits: draw a new seed"""

    bl_idname = "maquette.roll_seed"
    bl_label = "New Seed"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> Status:
        context.scene[SEED] = random.randint(0, SEED_MAX)
        return {"FINISHED"}


class Copy(bpy.types.Operator):
    """Copy this text, to read, keep or report it"""

    bl_idname = "maquette.copy"
    bl_label = "Copy"

    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


CLASSES = (InsertPhrase, Say, RollSeed, Copy)
