# SPDX-License-Identifier: MIT
"""What a command line says of the layout and of what is on top of the model, in place of what the blockout says."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, get_args

from addon.protocol.blockout import ENLARGEMENT, Blockout, Scheduler
from addon.protocol.strict_json import ContractError, dump, load

from ..errors import CommandError

BLOCKING = 0.6  # where colours alone are named
HELP = (
    "what holds for one region: NAME: strength=0.5; start=0.2; until=0.6; description=…; colour=0.8,0.1,0.1; "
    "phrase=ruin; enforce=centroid,size; unnamed=yes"
)


def numbers(text: str) -> list[float]:
    """Numbers with commas between."""
    return [float(part) for part in text.split(",")]


def enlargement(text: str) -> float:
    """How many times as large. Raises ArgumentTypeError for what no picture can be, ValueError for no number."""
    times = float(text)
    if not 1.0 <= times <= ENLARGEMENT:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {ENLARGEMENT:g}")
    return times


def names(text: str) -> list[str]:
    """Names with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]


def switch(text: str) -> bool:
    """Yes or no. Raises ValueError for another word."""
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text == "yes"


CHANGES: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "strength": float,
        "start": float,
        "until": float,
        "description": str,
        "colour": numbers,
        "phrase": str,
        "enforce": names,
        "unnamed": switch,
    }
)


class WrongLayout(CommandError):
    """A region that the blockout does not have, or a value that it cannot have."""


def add_layout_flags(parser: argparse.ArgumentParser) -> None:
    """Have a parser take what ``changed`` reads."""
    parser.add_argument("--scheduler", choices=get_args(Scheduler), help="how the model walks from noise to picture")
    parser.add_argument("--lora", dest="lora_words", action="append", metavar="NAME=WEIGHT", help="add a LoRA")
    parser.add_argument("--vae", dest="vae_name", metavar="NAME", help="decode with this autoencoder")
    larger = "sides so much larger, by a second pass, 1 to 4"
    parser.add_argument("--enlarge", type=enlargement, metavar="TIMES", help=larger)
    parser.add_argument("--leakage", type=float, help="weight of keeping words out of other regions' places")
    parser.add_argument("--confined", action="store_true", default=None, help="pull in and around the regions only")
    parser.add_argument("--blocking", type=float, metavar="AMOUNT", help="begin as flat blocks, 0 to 1")
    parser.add_argument("--flat", action="append", default=[], metavar="REGION=R,G,B", help="its colour in a blocking")
    parser.add_argument("--ground", type=numbers, metavar="R,G,B", help="the colour behind a blocking")
    parser.add_argument("--region", action="append", default=[], metavar="CHANGES", help=HELP)


def changed(blockout: Blockout, words: argparse.Namespace, multiples: Mapping[str, int]) -> Blockout:
    """The blockout as the command line wants it; ``multiples`` are those of the sides of each model's pictures, by its
    name. Raises WrongLayout."""
    document = dump(blockout)
    for name in ("scheduler", "leakage", "confined"):
        if (value := getattr(words, name)) is not None:
            document[name] = value
    if words.enlarge is not None:
        document |= _enlarged(blockout, words.enlarge, multiples.get(blockout.model, 1))
    if words.lora_words is not None:
        document["loras"] = [_lora(text) for text in words.lora_words]
    if words.vae_name is not None:
        document["vae"] = {"name": words.vae_name}
    if words.blocking is not None or words.flat or words.ground is not None:
        document["blocking"] = _blocking(document, words)
    for text in words.region:
        name, _, changes = text.partition(":")
        chosen = [region for region in document["regions"] if name.strip() in (region["name"], region["phrase"])]
        if not chosen:
            names = ", ".join(region["name"] for region in document["regions"])
            raise WrongLayout(f"--region {text!r}: the scene has no region {name.strip()!r}; it has {names or 'none'}")
        for region in chosen:
            region.update(_changes(text, changes))
    try:
        return load(Blockout, document)
    except ContractError as error:
        raise WrongLayout(f"The layout cannot be like that: {error}") from error


def _blocking(document: dict[str, Any], words: argparse.Namespace) -> dict[str, Any]:
    """The blocking of a document as the command line wants it. Raises WrongLayout."""
    before: dict[str, Any] = document.get("blocking") or {"amount": BLOCKING, "colours": []}
    colours = {colour["region"]: colour["colour"] for colour in before["colours"]}
    for text in words.flat:
        name, _, colour = text.partition("=")
        chosen = [r["name"] for r in document["regions"] if name.strip() in (r["name"], r["phrase"])]
        if not chosen:
            raise WrongLayout(f"--flat {text!r}: the scene has no region {name.strip()!r}")
        try:
            colours |= dict.fromkeys(chosen, numbers(colour))
        except ValueError as error:
            raise WrongLayout(f"--flat {text!r}: say red, green and blue, such as castle=0.8,0.1,0.1") from error
    return {
        "amount": before["amount"] if words.blocking is None else words.blocking,
        "colours": [{"region": name, "colour": colour} for name, colour in colours.items()],
        "ground": before.get("ground") if words.ground is None else words.ground,
    }


def _enlarged(blockout: Blockout, times: float, multiple: int) -> dict[str, Any]:
    """What a blockout says of its size, so much larger than what it is or would first be painted in.

    Sides are the nearest ones of that multiple. All that lies in the picture goes along, x and y each by its own scale.
    """
    more, frame = times / blockout.enlargement, blockout.frame
    width, height = (max(1, round(side * more / multiple)) * multiple for side in (blockout.width, blockout.height))
    left, right = (round(x * width / blockout.width) for x in (frame.left, frame.left + frame.width))
    top, bottom = (round(y * height / blockout.height) for y in (frame.top, frame.top + frame.height))
    box = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {"width": width, "height": height, "frame": box, "enlargement": times}


def _lora(text: str) -> dict[str, Any]:
    """A LoRA's name and its weight; all of what is said is its name where it ends with no number."""
    name, _, weight = text.rpartition("=")
    with suppress(ValueError):
        return {"name": name or text, "weight": float(weight) if name else 1.0}
    return {"name": text}


def _changes(text: str, changes: str) -> dict[str, Any]:
    pairs = [change.partition("=") for change in changes.split(";") if change.strip()]
    try:
        return {name.strip(): CHANGES[name.strip()](value.strip()) for name, _, value in pairs}
    except (KeyError, ValueError) as error:
        raise WrongLayout(f"--region {text!r}: say {', '.join(CHANGES)}, each with = and a value") from error
