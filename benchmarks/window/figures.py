# SPDX-License-Identifier: MIT
"""What the window bench prints of a report. No bpy."""

from collections.abc import Iterator, Mapping
from typing import Any

WORST = 6  # entries of a stage that the table names

Report = Mapping[str, Any]


def figures(report: Report) -> dict[str, float]:
    """Milliseconds of the longest call: on the examples, on many objects, and on one mesh above Blender's own calls;
    and the redraws of an idle 3D View while a picture was painted."""
    stages = report["stages"]
    examples = [entries for name, entries in stages.items() if name.startswith("example ")]
    return {
        "examples_ms": max(map(_held, examples), default=0.0),
        "many_ms": _held(stages["many"]),
        "one_mesh_ms": _milliseconds(max(above(entry["above"]) for entry in stages["one"].values())),
        "redraws_idle": report["redraws_idle"],
    }


def above(call: Report) -> float:
    """Seconds of a call that are not Blender's own."""
    return float(call["held"] - sum(call["blender"].values()))


def table(report: Report) -> Iterator[str]:
    """The longest entries of each stage, and what is in them."""
    yield f"Blender {report['blender']}; ms: held (wall without waiting for the processor), wall, processor, Blender's"
    for stage, entries in report["stages"].items():
        kind = "above" if stage == "one" else "longest"
        worst = sorted(entries.items(), key=lambda item: -_weight(item[1][kind], kind))[:WORST]
        yield ""
        yield stage
        for name, entry in worst:
            call = entry[kind]
            yield f"  {name:64} {_row(call)}  of {entry['calls']} calls"
            yield from (
                f"{_milliseconds(seconds):14.1f} Blender's own {own}" for own, seconds in call["blender"].items()
            )
            yield from (f"      {line}" for line in call["profile"].splitlines())
    yield ""
    yield f"redraws of the view while idle: {report['redraws_idle']} in {report['steps_meanwhile']} steps of a picture"


def _weight(call: Report, kind: str) -> float:
    return above(call) if kind == "above" else float(call["held"])


def _row(call: Report) -> str:
    columns = (call["held"], call["wall"], call["cpu"], sum(call["blender"].values()))
    return " ".join(f"{_milliseconds(seconds):7.1f}" for seconds in columns)


def _held(entries: Report) -> float:
    return _milliseconds(max(entry["longest"]["held"] for entry in entries.values()))


def _milliseconds(seconds: float) -> float:
    return round(1000.0 * seconds, 1)
