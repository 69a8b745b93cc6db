# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist sets for a picture: one record, its keys in a .blend, its flags, and its part of a blockout. No bpy.

A setting is a field here, and from there on is read from a scene and written back, passed on a command line, kept with
the picture, and sent where the blockout has a field of the same name.
"""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, NamedTuple

from ..camera.pose import CameraPose
from ..protocol.answers import ModelInfo
from ..protocol.blockout import SEED_MAX, Blockout, Emphasis, Fraction, Text
from ..protocol.strict_json import Added, Key, Length, Range


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the artist sets for a picture; None leaves a number to the model, and "" the model to the server.

    ``prompt`` and ``negative`` are the artist's own words, before those of the style of that name. ``size`` is in
    percent of the sides of the model's own pictures; ``exact`` asks for what a render shows; ``camera`` is where it
    stood, once a picture was asked for. Histories keep this for ever: fields are only added, with defaults.
    """

    prompt: Annotated[str, Length(0, 2000), Key("words")] = ""
    negative: Text = ""
    style: Annotated[str, Length(0, 200)] = ""
    size: Annotated[int, Range(1, 100)] = 100
    exact: bool = False
    camera: Annotated[CameraPose | None, Key("shot")] = None
    model: Annotated[str, Length(0, 200), Added("0.2.0")] = ""
    seed: Annotated[int, Range(0, SEED_MAX), Added("0.2.0")] = 0
    steps: Annotated[Annotated[int, Range(1, 1000)] | None, Added("0.2.0")] = None
    strength: Annotated[Fraction | None, Added("0.2.0")] = None
    scale: Annotated[Annotated[float, Range(1.0, 100.0)] | None, Added("0.2.0")] = None
    masks: Annotated[Fraction | None, Added("0.2.0")] = None
    emphasis: Annotated[Emphasis | None, Added("0.2.0")] = None
    noise: Annotated[Annotated[int, Range(0, 3)] | None, Added("0.2.0")] = None
    variation: Annotated[Fraction, Added("0.2.0")] = 0.0
    variation_seed: Annotated[int, Range(0, SEED_MAX), Added("0.2.0")] = 0


class Flag(NamedTuple):
    """A setting on a command line: its type, and its help; "" for one that no person types."""

    type: type
    help: str = ""


DEFAULTS = Settings()
MASKS = 0.7  # where nobody says otherwise
NOISE = 0  # with emphasis it places nothing better, and brings six times as many things that nobody asked for
OWN = {"masks": MASKS, "noise": NOISE}  # defaults that no model says
SEEDS = {"seed", "variation", "variation_seed"}
UNKEPT = {"camera", "scale"}  # no property of a scene
KEYS = {field.name: f"maquette_{field.name}" for field in fields(Settings) if field.name not in UNKEPT}
PROMPT, NEGATIVE, STYLE, MODEL = KEYS["prompt"], KEYS["negative"], KEYS["style"], KEYS["model"]
SEED, STEPS, STRENGTH, SIZE, EXACT = KEYS["seed"], KEYS["steps"], KEYS["strength"], KEYS["size"], KEYS["exact"]
MASKED, EMPHASIS, SHAPED = KEYS["masks"], KEYS["emphasis"], KEYS["noise"]
VARIATION, VARIATION_SEED = KEYS["variation"], KEYS["variation_seed"]

SENT = tuple(field.name for field in fields(Blockout) if hasattr(DEFAULTS, field.name))
"""The settings that a blockout has under the same name."""

FLAGS = {
    "prompt": Flag(str, "instead of the scene's"),
    "negative": Flag(str),
    "seed": Flag(int, "0 to 2147483647"),
    "variation": Flag(float, "0 to 1: how far to turn the seed's noise towards that of --variation-seed"),
    "variation_seed": Flag(int, "0 to 2147483647"),
    "steps": Flag(int, "sampling steps; the model's own by default"),
    "strength": Flag(float, "of the guidance, 0 to 1"),
    "masks": Flag(float, "for how much of the steps regions keep their words to themselves, 0 (off) to 1"),
    "emphasis": Flag(float, "how much more regions' words are heard inside, 0 to 20; the model's own by default"),
    "noise": Flag(int, "how often the layout shapes the initial noise, 0 to 3"),
    "scale": Flag(float),
    "size": Flag(int),
    "exact": Flag(bool, "capture what a render shows: hair, displacement, …"),
}


def part(settings: Settings | Blockout, names: Iterable[str]) -> dict[str, Any]:
    """Some of the settings, by name; or of what was sent of them."""
    return {name: getattr(settings, name) for name in names}


def sent(settings: Settings, model: ModelInfo) -> dict[str, Any]:
    """The settings as fields of a Blockout for ``model``, whose defaults stand in for what is None."""
    values = part(settings, SENT) | {"model": model.name}
    return {name: _default(name, model) if value is None else value for name, value in values.items()}


def asks_alike(settings: Settings, model: ModelInfo, request: Blockout) -> bool:
    """Whether a request was made with these settings, whatever its seed."""
    return all(getattr(request, name) == value for name, value in sent(settings, model).items() if name not in SEEDS)


def _default(name: str, model: ModelInfo) -> Any:
    return OWN[name] if name in OWN else getattr(model, name)


def add_flags(parser: argparse.ArgumentParser, names: Iterable[str] = FLAGS) -> None:
    """Have a parser take these settings; one that is not given is None in what it parses."""
    for name in names:
        kind, text = FLAGS[name]
        if kind is bool:
            parser.add_argument(_flag(name), action="store_true", default=None, help=text)
        else:
            parser.add_argument(_flag(name), type=kind, help=text)


def from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that a command line gives, by name; what is not among them is the scene's or the model's."""
    values = {name: getattr(arguments, name, None) for name in FLAGS}
    return {name: value for name, value in values.items() if value is not None}


def to_flags(changes: Mapping[str, Any]) -> list[str]:
    """Settings by name as words of a command line, which ``from_flags`` reads; None is left out."""
    words = []
    for name, value in changes.items():
        if name in FLAGS and value is not None:
            words += ([_flag(name)] if value else []) if FLAGS[name].type is bool else [f"{_flag(name)}={value}"]
    return words


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
