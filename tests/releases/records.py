# SPDX-License-Identifier: MIT
"""What the records that leave a process consist of, as plain values, and how far a later list may differ.

A record is known here by what it is, never by its class: names of classes are not written anywhere and may change.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from addon.camera import pose
from addon.pictures import history
from addon.pictures.sequences import frame_files
from addon.protocol import answers, blockout, model_files, views
from addon.protocol.strict_json import Added, Key, Length, Range, dump
from addon.request import settings, styles
from addon.session import pending, task

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASES = tuple(sorted(FIXTURES.glob("release-*")))

RECORDS: Mapping[str, type] = types.MappingProxyType(
    {
        "achieved": answers.Achieved,
        "adapter": answers.AdapterInfo,
        "adapter file": blockout.AdapterFile,
        "artifact": answers.Artifact,
        "blocking": blockout.Blocking,
        "blockout": blockout.Blockout,
        "captured view": views.CapturedView,
        "collage part": blockout.CollagePart,
        "controlnet": blockout.ControlNet,
        "connection": answers.Connection,
        "event": answers.Event,
        "flat colour": blockout.FlatColour,
        "frame": blockout.Frame,
        "health": answers.Health,
        "worker-state": answers.WorkerState,
        "job": answers.Job,
        "library": model_files.Library,
        "likeness": blockout.Likeness,
        "lora file": blockout.LoraFile,
        "mask": blockout.Mask,
        "model": answers.ModelInfo,
        "model file": model_files.ModelFile,
        "model folder": model_files.ModelFolder,
        "word group": answers.WordGroup,
        "problem": answers.Problem,
        "region": blockout.Region,
        "region change": views.RegionChange,
        "reference": blockout.ReferencePicture,
        "reference region": blockout.ReferenceRegion,
        "stored": answers.Stored,
        "scope": answers.Scope,
        "style": styles.Style,
        "views": views.Views,
        "frame file": views.FrameFile,
        "turn picture": views.TurnPicture,
        "painted frame": frame_files.PaintedFrame,
        "history entry": history.Entry,
        "history camera": pose.CameraPose,
        "history thumbnail": history.Thumb,
        "history wish": settings.Settings,
        "pending jobs": pending.PendingFile,
        "pending job": pending.PendingJob,
        "pending job's file": task.Origin,
    }
)


def record_fields() -> dict[str, Any]:
    """Every record: its fields by name, each with the kind of its value and, where it may be absent, its default."""
    return {name: fields_of(kind) for name, kind in RECORDS.items()}


def fields_of(kind: type) -> dict[str, Any]:
    """The fields of one record."""
    hints = typing.get_type_hints(kind, include_extras=True)
    described: dict[str, Any] = {}
    for field in fields(kind):
        entry = {"value": spelled(hints[field.name])}
        if field.default is not MISSING:
            entry["default"] = dump(field.default)
        described[key_of(field.name, hints[field.name])] = entry
    return described


def spelled(kind: Any) -> dict[str, Any]:
    """A type of the contract as JSON values."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        bounds = {type(mark): [mark.low, mark.high] for mark in arguments[1:] if isinstance(mark, Range | Length)}
        named = {"range": bounds.get(Range), "length": bounds.get(Length)}
        return spelled(arguments[0]) | {name: ends for name, ends in named.items() if ends}
    if origin is Literal:
        return {"one of": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"list": spelled(arguments[0])}
    if origin is tuple:
        return {"items": [spelled(argument) for argument in arguments]}
    if origin in (Union, types.UnionType):
        return {"optional": spelled(arguments[0])}
    if is_dataclass(kind):
        return {"record": next(name for name, known in RECORDS.items() if known is kind)}
    return {"type": kind.__name__}


def breaches(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a reader of ``now`` would refuse, or read otherwise, of what a writer of ``then`` wrote."""
    gone = [f"{record} is gone" for record in then.keys() - now.keys()]
    return sorted(
        gone + [line for name in then.keys() & now.keys() for line in _of_record(name, then[name], now[name])]
    )


def additions(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (record, field) pairs that a later list has and the earlier one does not; of records that both have."""
    return [(name, field) for name in then.keys() & now.keys() for field in now[name].keys() - then[name].keys()]


def key_of(name: str, hint: Any) -> str:
    """What a field is called in JSON, which may be another name than in Python."""
    return next((mark.name for mark in typing.get_args(hint)[1:] if isinstance(mark, Key)), name)


def is_added(record: str, key: str) -> bool:
    """Whether a field is marked as one that came after the first release."""
    hints = typing.get_type_hints(RECORDS[record], include_extras=True)
    hint = next(hint for name, hint in hints.items() if key_of(name, hint) == key)
    return any(isinstance(marker, Added) for marker in typing.get_args(hint))


def _of_record(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for field in then.keys() - now.keys():
        yield f"{name}.{field} is gone"
    for field in now.keys() - then.keys():
        if "default" not in now[field]:
            yield f"{name}.{field} is new and has no default"
    for field in then.keys() & now.keys():
        before, after = then[field], now[field]
        if not admits(after["value"], before["value"]):
            yield f"{name}.{field} was {before['value']}, is {after['value']}"
        if "default" in before and ("default" not in after or before["default"] != after["default"]):
            yield f"{name}.{field} no longer means {before['default']!r} where it is absent"


def admits(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    """Whether every value that was good ``then`` is good ``now``: bounds may widen and choices join."""
    if "optional" in now:
        return admits(now["optional"], then.get("optional", then))
    plain = all(now.get(key) == then.get(key) for key in ("type", "record"))
    choices = ("one of" in now) == ("one of" in then) and set(now.get("one of", ())) >= set(then.get("one of", ()))
    return plain and choices and _bounds_admit(now, then) and _parts_admit(now, then)


def _bounds_admit(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    return all(
        key in then and now[key][0] <= then[key][0] and now[key][1] >= then[key][1]
        for key in ("range", "length")
        if key in now
    )


def _parts_admit(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    if ("list" in now, "items" in now, False) != ("list" in then, "items" in then, "optional" in then):
        return False
    ours, theirs = now.get("items", ()), then.get("items", ())
    same = len(ours) == len(theirs) and all(map(admits, ours, theirs))
    return same and ("list" not in now or admits(now["list"], then["list"]))
