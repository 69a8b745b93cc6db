# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the prompt and the seed."""

import random
import textwrap

import bpy
from bpy.props import StringProperty

from ....protocol.blockout import SEED_MAX
from ....request.settings import PROMPT, SEED
from ....request.wording import inserted
from ...context import Context
from ..scene.regions import marked_by
from ..status import Status, refusing, settle

LINES = ("first", "second", "third", "fourth", "fifth", "last")  # of the prompt, in its popup
WRAPPED, LINE = 80, 400  # letters that a line is filled with, and that one can take


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

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{properties.text}\n\nCopies this, to keep or report it"

    def execute(self, context: Context) -> Status:
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


class EditPrompt(bpy.types.Operator):
    """Write the prompt in several lines"""

    bl_idname = "maquette.edit_prompt"
    bl_label = "Edit Prompt"
    bl_options = {"REGISTER", "UNDO"}

    first: StringProperty(maxlen=LINE, options={"SKIP_SAVE"})
    second: StringProperty(maxlen=LINE, options={"SKIP_SAVE"})
    third: StringProperty(maxlen=LINE, options={"SKIP_SAVE"})
    fourth: StringProperty(maxlen=LINE, options={"SKIP_SAVE"})
    fifth: StringProperty(maxlen=LINE, options={"SKIP_SAVE"})
    last: StringProperty(options={"SKIP_SAVE"})  # and whatever does not fit above

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        for name, line in zip(LINES, in_lines(context.scene.get(PROMPT, "")), strict=True):
            setattr(self, name, line)
        return set(context.window_manager.invoke_props_dialog(self, width=600))

    def draw(self, context: Context) -> None:
        assert self.layout is not None, "Blender draws it"
        column = self.layout.column(align=True)
        for name in LINES:
            column.prop(self, name, text="")

    def execute(self, context: Context) -> Status:
        written = (getattr(self, name).strip() for name in LINES)
        context.scene[PROMPT] = " ".join(line for line in written if line)
        return {"FINISHED"}


def in_lines(prompt: str) -> list[str]:
    """A prompt for the popup's lines, broken between words alone: joined again with blanks, it says what it said."""
    words = textwrap.wrap(prompt, WRAPPED, break_long_words=False, break_on_hyphens=False)
    words += [""] * (len(LINES) - len(words))
    return [*words[: len(LINES) - 1], " ".join(words[len(LINES) - 1 :])]


CLASSES = (InsertPhrase, Say, RollSeed, Copy, EditPrompt)
