# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sets of a scene, as properties with names, ranges and tooltips.

Each one reads and writes a custom property of the same name (``scene["maquette_prompt"]``), so that a .blend can be
captured by a Blender without this add-on, and nothing is stored that the artist did not set.
"""

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from ..messages.errors import ModelUnlisted, StyleMissing
from ..pictures.camera_background import FOLLOW
from ..protocol.answers import ModelInfo
from ..protocol.blockout import DENOISING, SEED_MAX
from ..request.settings import (
    EMPHASIS,
    EXACT,
    KEYS,
    LARGEST,
    MASKED,
    MASKS,
    MODEL,
    NEGATIVE,
    PROMPT,
    REFINEMENT,
    SCHEDULER,
    SEED,
    SHAPED,
    SIZE,
    STEPS,
    STRENGTH,
    STYLE,
    default,
)
from ..request.styles import Style
from ..runtime.app import app
from ..session.state import is_unlisted, offered_model
from .adapter_properties import of_adapters
from .region_properties import of_blocks, of_regions
from .stored_property import declared, stored, text

VARY, COUNT = "maquette_vary", "maquette_count"
MOST = 10  # pictures that one press asks for
SMALLEST_SIZE = 25  # percent of a side; below that a model paints nothing that it was trained on


def register() -> None:
    """Put the properties on scenes, objects and collections."""
    for key, prop in (_of_scenes() | _of_results()).items():
        setattr(bpy.types.Scene, key, prop)
    for owner in (bpy.types.Object, bpy.types.Collection):
        for key, prop in of_regions().items():
            setattr(owner, key, prop)


def unregister() -> None:
    """Take them off again; what the artist set stays in the file."""
    for owner in (bpy.types.Collection, bpy.types.Object):
        for key in of_regions():
            delattr(owner, key)
    for key in _of_scenes() | _of_results():
        delattr(bpy.types.Scene, key)


def _of_scenes() -> dict[str, object]:
    return _choices() | _seeds() | _pictures_at_once() | _sampling() | _sizes() | _masks() | of_adapters() | of_blocks()


def _choices() -> dict[str, object]:
    return {
        PROMPT: declared(
            StringProperty, name="Prompt", description="What the picture shows; it names every region", **text(PROMPT)
        ),
        NEGATIVE: declared(
            StringProperty,
            name="Avoid",
            description="What the picture keeps away from, beside what its style avoids",
            **text(NEGATIVE),
        ),
        MODEL: declared(
            StringProperty,
            name="Model",
            description="Which of the server's models paints; empty for its first",
            **text(MODEL),
        ),
        STYLE: declared(
            StringProperty,
            name="Style",
            description="The style whose words follow the prompt; empty for none",
            **text(STYLE),
        ),
        EXACT: declared(
            BoolProperty,
            name="Exact",
            description="Show the server what a render shows: hair, displacement, transparency and the modifiers of "
            "the render. A copy of the file is captured in a second Blender, which takes some seconds",
            options=set(),
            **stored(EXACT, lambda scene: False),
        ),
    }


def _seeds() -> dict[str, object]:
    return {
        SEED: declared(
            IntProperty,
            name="Seed",
            description="Which of the many pictures that fit comes next; the same seed gives the same picture",
            min=0,
            max=SEED_MAX,
            options=set(),
            **stored(SEED, lambda scene: 0),
        ),
        VARY: declared(
            BoolProperty,
            name="New Seed Each Time",
            description="The seed moves on to the next one that is not painted; off, it stays as it is",
            options=set(),
            **stored(VARY, lambda scene: True),
        ),
    }


def _pictures_at_once() -> dict[str, object]:
    return {
        KEYS["variation"]: _fraction(
            KEYS["variation"],
            "Variation",
            "How far from the seed's picture, with the same layout: 0 is that picture, 1 that of the other "
            "seed. Above 0, the other seed is the one that moves on",
            lambda scene: 0.0,
        ),
        KEYS["variation_seed"]: declared(
            IntProperty,
            name="Towards Seed",
            description="The seed whose picture a variation is nearer to",
            min=0,
            max=SEED_MAX,
            options=set(),
            **stored(KEYS["variation_seed"], lambda scene: 0),
        ),
        COUNT: declared(
            IntProperty,
            name="Pictures",
            description="How many are asked for at once, with seeds one after the other",
            min=1,
            max=MOST,
            options=set(),
            **stored(COUNT, lambda scene: 1),
        ),
    }


def _masks() -> dict[str, object]:
    return {
        MASKED: _fraction(
            MASKED,
            "Masks",
            "For how much of the steps each region keeps its words to itself; 0 turns that off",
            lambda scene: MASKS,
        ),
        EMPHASIS: declared(
            FloatProperty,
            name="Emphasis",
            description="How much more each region's words are heard inside it, first of all; 0 is as much as ever",
            min=0.0,
            max=20.0,
            soft_max=12.0,
            options=set(),
            **stored(EMPHASIS, _by_steps("emphasis")),
        ),
        SHAPED: declared(
            IntProperty,
            name="Shaped Noise",
            description="How often the blocks shape the noise that the picture begins with; 0 leaves it as it is",
            min=0,
            max=3,
            options=set(),
            **stored(SHAPED, _by_steps("noise")),
        ),
    }


def _sampling() -> dict[str, object]:
    return {
        SCHEDULER: declared(
            StringProperty,
            name="Scheduler",
            description="How the model walks from noise to picture; its own until another is chosen",
            options=set(),
            **stored(SCHEDULER, _of_model("scheduler")),
        ),
        STRENGTH: _fraction(
            STRENGTH,
            "Strength",
            "How hard the blocks pull at the picture; 0 leaves it to the prompt alone",
            _by_steps("strength"),
        ),
        STEPS: declared(
            IntProperty,
            name="Steps",
            description="How many steps from noise to picture; more is finer and slower",
            min=1,
            max=1000,
            soft_max=100,
            options=set(),
            **stored(STEPS, _of_model("steps")),
        ),
        REFINEMENT: _fraction(
            REFINEMENT,
            "Refinement",
            "The last part of the steps that are painted once more, without emphasis: what stands where it "
            "should becomes clearer. At 0.5 half as many steps more; 0 is without",
            _by_steps("refinement"),
        ),
    }


def _sizes() -> dict[str, object]:
    return {
        SIZE: declared(
            IntProperty,
            name="Size",
            description="Of the model's own picture size; smaller needs less memory and time, and shows less. What is "
            "larger is painted in the model's own size first, then enlarged and painted over",
            min=SMALLEST_SIZE,
            max=LARGEST,
            soft_max=200,
            subtype="PERCENTAGE",
            options=set(),
            **stored(SIZE, lambda scene: 100),
        ),
        KEYS["denoising"]: _fraction(
            KEYS["denoising"],
            "Denoising",
            "How much the last pass of an enlarged picture may change: little keeps what those before have "
            "painted, much brings details, and sometimes more objects",
            lambda scene: DENOISING,
        ),
    }


def _fraction(key: str, name: str, description: str, fallback: Callable[[bpy.types.Scene], Any]) -> object:
    """A slider from 0 to 1."""
    bounds = {"min": 0.0, "max": 1.0, "subtype": "FACTOR", "options": set()}
    return declared(FloatProperty, name=name, description=description, **bounds, **stored(key, fallback))


def _of_results() -> dict[str, object]:
    return {
        FOLLOW: declared(
            BoolProperty,
            name="Follow",
            description="The camera's background shows each new picture as it arrives",
            options=set(),
            **stored(FOLLOW, lambda scene: False),
        ),
    }


def chosen(scene: bpy.types.Scene) -> ModelInfo:
    """The ModelInfo of the model the scene asks for, or the server's first."""
    return offered_model(app().session, scene.get(MODEL, ""))


def request_model(scene: bpy.types.Scene) -> ModelInfo:
    """The ``chosen`` model, to ask for a picture; in the background a server that starts is waited for. Raises
    ModelUnlisted."""
    if bpy.app.background and app().session.link.pending:
        app().event_loop.wait(app().dispatcher.until_answer())
    if is_unlisted(app().session, name := scene.get(MODEL, "")):
        raise ModelUnlisted(name)
    return chosen(scene)


def style(scene: bpy.types.Scene) -> Style | None:
    """The style the scene asks for. Raises StyleMissing when this Blender has none of that name."""
    name = scene.get(STYLE, "")
    named = app().style_library.find(name)
    if name and named is None:
        raise StyleMissing(f"There is no style “{name}” here.", "Choose another style, or none.", name)
    return named


def _by_steps(name: str) -> Callable[[bpy.types.Scene], Any]:
    """The default of what suits a number of steps."""
    return lambda scene: default(name, chosen(scene), _steps(scene))


def _steps(scene: bpy.types.Scene) -> int:
    return int(scene.get(STEPS, chosen(scene).steps))


def _of_model(name: str) -> Callable[[bpy.types.Scene], Any]:
    """The chosen model's own default."""
    return lambda scene: getattr(chosen(scene), name)
