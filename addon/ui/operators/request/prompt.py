# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the prompt and the seed."""

import random
import re
from collections.abc import Iterable

import bpy
from bpy.props import StringProperty

from ....protocol.blockout import SEED_MAX
from ....request.settings import PROMPT, SEED
from ....request.spelling import SPACELESS
from ....request.wording import inserted
from ...context import Context
from ..scene.regions import marked_by
from ..status import Status, refusing, settle

LINES = ("first", "second", "third", "fourth", "fifth", "last")  # of the prompt, in its popup
WRAPPED = 80  # letters that a line is filled with; one that cannot be broken takes as many as it has
SOLID = SPACELESS.pattern
BREAK = re.compile(  # a blank, but between two letters of scripts without; and between two of these, where none is
    rf"(?<=\S) (?=\S)(?:(?<!{SOLID} )|(?!{SOLID}))|(?<={SOLID})(?={SOLID})"
)


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

    first: StringProperty(options={"SKIP_SAVE"})
    second: StringProperty(options={"SKIP_SAVE"})
    third: StringProperty(options={"SKIP_SAVE"})
    fourth: StringProperty(options={"SKIP_SAVE"})
    fifth: StringProperty(options={"SKIP_SAVE"})
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
        context.scene[PROMPT] = joined(getattr(self, name) for name in LINES)
        return {"FINISHED"}


def in_lines(prompt: str) -> list[str]:
    """A prompt for the popup's lines, broken between words alone, and in scripts without blanks between any two
    letters: ``joined`` again, it is what it was."""
    lines: list[str] = []
    rest = re.sub("[\t-\r]", " ", prompt.strip())
    while len(lines) < len(LINES) - 1 and len(rest) > WRAPPED:
        breaks = list(BREAK.finditer(rest))
        fitting = [place for place in breaks if place.start() <= WRAPPED]
        if not breaks:
            break
        place = fitting[-1] if fitting else breaks[0]
        lines.append(rest[: place.start()])
        rest = rest[place.end() :]
    return [*lines, rest, *[""] * (len(LINES) - len(lines) - 1)]


def joined(lines: Iterable[str]) -> str:
    """What the lines say, with blanks between them where their script has any."""
    prompt = ""
    for line in filter(None, (line.strip() for line in lines)):
        solid = re.search(f"{SOLID}$", prompt) and re.match(SOLID, line)
        prompt += line if solid or not prompt else f" {line}"
    return prompt


CLASSES = (InsertPhrase, Say, RollSeed, Copy, EditPrompt)
