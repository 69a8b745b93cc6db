# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist sets for a picture: one record, its keys in a .blend, its flags, and its part of a blockout. No bpy.

A setting is a field here, and from there on is read from a scene and written back, passed on a command line, kept with
the picture, and sent where the blockout has a field of the same name.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from ..camera.pose import CameraPose
from ..protocol.answers import ModelInfo
from ..protocol.blockout import (
    DENOISING,
    ENLARGEMENT,
    LORAS,
    SEED_MAX,
    AdapterFile,
    Blockout,
    ControlKind,
    ControlNet,
    Emphasis,
    Fraction,
    LoraFile,
    Scheduler,
    Text,
)
from ..protocol.strict_json import Added, Key, Length, Range, dump, load, loads
from .references import is_unrefined

AskedFile = LoraFile | AdapterFile | ControlNet
LARGEST = round(100 * ENLARGEMENT)  # percent of a side


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the artist sets for a picture; None leaves a number to the model, and "" the model to the server.

    ``prompt`` and ``negative`` are the artist's own words, before those of the style of that name. ``size`` is in
    percent of the sides of the model's own pictures, above 100 painted in passes, the last of which walks the
    part ``denoising`` of the steps; ``exact`` asks for what a render shows; ``camera`` is where it
    stood, once a picture was asked for. Histories keep this for ever: fields are only added, with defaults.
    """

    prompt: Annotated[str, Length(0, 2000), Key("words")] = ""
    negative: Text = ""
    style: Annotated[str, Length(0, 200)] = ""
    size: Annotated[int, Range(1, LARGEST)] = 100
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
    scheduler: Annotated[Scheduler | None, Added("0.2.0")] = None
    loras: Annotated[tuple[LoraFile, ...], Length(0, LORAS), Added("0.2.0")] = ()
    vae: Annotated[AdapterFile | None, Added("0.2.0")] = None
    denoising: Annotated[Fraction, Added("0.2.0")] = DENOISING
    refinement: Annotated[Fraction | None, Added("0.2.0")] = None
    control: Annotated[ControlNet | None, Added("0.2.0")] = None


class Flag(NamedTuple):
    """A setting on a command line: its type, and its help; "" for one that no person types."""

    type: Callable[[str], Any]
    help: str = ""


def loras_from(text: str) -> tuple[LoraFile, ...]:
    """LoRAs out of JSON, as a flag and a .blend hold them. Raises ContractError."""
    return loads(tuple[LoraFile, ...], text)


def vae_from(text: str) -> AdapterFile:
    """An autoencoder out of JSON, as a flag and a .blend hold it. Raises ContractError."""
    return loads(AdapterFile, text)


def control_from(text: str) -> ControlNet:
    """A ControlNet out of JSON, or of ``NAME=SCALE; kind=edges; until=0.6``. Raises ContractError, ValueError."""
    if text.lstrip().startswith("{"):
        return loads(ControlNet, text)
    first, *rest = (part.strip() for part in text.split(";"))
    name, _, scale = first.partition("=")
    said = dict(part.split("=", 1) for part in rest)
    numbers = {"scale": float(scale or 1.0), "until": float(said.pop("until", 1.0))}
    return load(ControlNet, {"name": name, "kind": control_kind(name), **numbers, **said})


def control_kind(name: str) -> ControlKind:
    """What a ControlNet of that name looks at, as they are usually called."""
    return "edges" if any(word in name.lower() for word in EDGES) else "depth"


def as_text(value: Any) -> str:
    """A setting as a flag holds it: records as JSON, and of a ControlNet not what it looks at."""
    value = replace(value, depth=None) if isinstance(value, ControlNet) else value
    return json.dumps(dump(value)) if isinstance(value, tuple | AdapterFile | ControlNet) else str(value)


DEFAULTS = Settings()
MASKS = 0.7  # where nobody says otherwise
NOISE, FEW_NOISE = 0, 3  # beside emphasis it places nothing better, and brings things that nobody asked for
EDGES = ("canny", "edge", "line", "scribble", "sketch", "hed")  # in names of ControlNets
OWN = {"masks": MASKS, "vae": None, "control": None}  # defaults that no model says
RECORDS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {"loras": loras_from, "vae": vae_from, "control": control_from}
)
SEEDS = {"seed", "variation", "variation_seed"}
UNKEPT = {"camera", "scale"}  # no property of a scene
KEYS = {field.name: f"maquette_{field.name}" for field in fields(Settings) if field.name not in UNKEPT}
PROMPT, NEGATIVE, STYLE, MODEL = KEYS["prompt"], KEYS["negative"], KEYS["style"], KEYS["model"]
SEED, STEPS, STRENGTH, SIZE, EXACT = KEYS["seed"], KEYS["steps"], KEYS["strength"], KEYS["size"], KEYS["exact"]
MASKED, EMPHASIS, SHAPED = KEYS["masks"], KEYS["emphasis"], KEYS["noise"]
VARIATION, VARIATION_SEED = KEYS["variation"], KEYS["variation_seed"]
REFINEMENT = KEYS["refinement"]
SCHEDULER, ADDED, DECODER, CONTROL = KEYS["scheduler"], KEYS["loras"], KEYS["vae"], KEYS["control"]

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
    "refinement": Flag(float, "the last part of the steps to paint again, clearer, 0 to 1; the model's own by default"),
    "scale": Flag(float),
    "size": Flag(int, f"percent of the model's own sides, up to {LARGEST}; above 100 in two passes"),
    "denoising": Flag(float, "the part of the steps that the pass at the full size walks again, 0 to 1"),
    "scheduler": Flag(str),
    "loras": Flag(loras_from),
    "vae": Flag(vae_from),
    "control": Flag(control_from, "a ControlNet beside the layout: NAME=SCALE; kind=depth or edges; until=0 to 1"),
    "exact": Flag(bool, "capture what a render shows: hair, displacement, …"),
}


def part(settings: Settings | Blockout, names: Iterable[str]) -> dict[str, Any]:
    """Some of the settings, by name; or of what was sent of them."""
    return {name: getattr(settings, name) for name in names}


def sent(settings: Settings, model: ModelInfo) -> dict[str, Any]:
    """The settings as fields of a Blockout for ``model``, whose defaults stand in for what is None."""
    of_model = {"model": model.name, "precision": model.precision, "fingerprint": model.fingerprint}
    values = part(settings, SENT) | of_model
    values["enlargement"] = max(settings.size, 100) / 100
    if settings.size <= 100:
        values["denoising"] = DENOISING
    steps = model.steps if settings.steps is None else settings.steps
    return {name: default(name, model, steps) if value is None else value for name, value in values.items()}


def stated(request: Blockout, names: Iterable[str]) -> dict[str, Any]:
    """What a request says of these settings, by name: nothing of refinement, where it never has any."""
    unstated = {"refinement"} if is_unrefined(request) else set()
    return {name: getattr(request, name) for name in names if name not in unstated}


def asks_alike(settings: Settings, model: ModelInfo, request: Blockout) -> bool:
    """Whether a request was made with these settings, whatever its seed."""
    asked, apart = sent(settings, model), SEEDS | {"loras", "vae", "control", "precision"}
    same = all(asked[name] == value for name, value in stated(request, asked.keys() - apart).items())
    return same and same_files(files(settings), files(request))


def files(asked: Settings | Blockout) -> tuple[AskedFile | None, ...]:
    """What is asked for beside the model, whatever it looks at."""
    return (*asked.loras, asked.vae, asked.control and replace(asked.control, depth=None))


def same_files(chosen: Sequence[AskedFile | None], sent: Sequence[AskedFile | None]) -> bool:
    """Whether files are the same; one that was chosen without its sha256 is whichever it is by now."""
    pairs = zip(chosen, sent, strict=False)
    then = [file and replace(file, sha256="") if now and not now.sha256 else file for now, file in pairs]
    return len(chosen) == len(sent) and list(chosen) == then


def default(name: str, model: ModelInfo, steps: int) -> Any:
    """What a setting is where the artist says nothing, of a picture of so many steps."""
    if name == "noise":
        return FEW_NOISE if steps < model.few else NOISE
    if name in ("emphasis", "refinement") and steps < model.few:
        return 0.0
    if name == "strength" and steps < model.few:  # a slope serves for a short way, and few steps are long
        return model.strength * steps / model.few
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
        if name in FLAGS and value not in (None, ()):
            words += (
                ([_flag(name)] if value else []) if FLAGS[name].type is bool else [f"{_flag(name)}={as_text(value)}"]
            )
    return words


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
