# SPDX-License-Identifier: MIT
"""What the window bench prints of a report. No bpy."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

WORST = 6  # entries of a stage that the table names

WindowReport = Mapping[str, Any]


def figures(report: WindowReport, clock: str = "cpu") -> dict[str, float]:
    """Milliseconds of the longest call: on the examples, on many objects, and on one mesh above Blender's own calls;
    the redraws of an idle 3D View while a picture was painted; of Live, the median by the wall from a block that is let
    go to its picture drawn, with and without Blender's anti-aliasing of the view; and the longest call meanwhile.

    ``clock`` is "cpu", the processor's time, which other processes do not disturb; or "held", the wall's without that
    in which the thread waited for the processor.
    """
    stages, kind = report["stages"], "longest" if clock == "cpu" else "held"
    examples = [entries for name, entries in stages.items() if name.startswith("example ")]
    one = "above" if clock == "cpu" else "held"
    return {
        "examples_ms": max((_longest(entries, kind, clock) for entries in examples), default=0.0),
        "many_ms": _longest(stages["many"], kind, clock),
        "one_mesh_ms": _milliseconds(max(above(entry[one], clock) for entry in stages["one"].values())),
        "redraws_idle": report["redraws_idle"],
        "live_ms": _milliseconds(median(report["live_seconds"])),
        "live_antialiased_ms": _milliseconds(median(report["live_antialiased_seconds"])),
        "live_held_ms": _longest(stages["live"], kind, clock),
    }


def above(call: WindowReport, clock: str = "cpu") -> float:
    """Seconds of a call that are not Blender's own."""
    return float(call[clock] - sum(call["blender"].values()))


def table(report: WindowReport) -> Iterator[str]:
    """The longest entries of each stage, and what is in them."""
    yield f"Blender {report['blender']}; ms: processor, held (wall without waiting for the processor), wall, Blender's"
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
    for view, key in (("", "live_seconds"), (", the view antialiased", "live_antialiased_seconds")):
        seconds = " ".join(f"{_milliseconds(each):.0f}" for each in report[key])
        yield f"Live, ms from a block that is let go to its picture drawn{view}: {seconds}"
    yield f"redraws of the view while idle: {report['redraws_idle']} in {report['steps_meanwhile']} steps of a picture"


def _weight(call: WindowReport, kind: str) -> float:
    return above(call) if kind == "above" else float(call["cpu"])


def _row(call: WindowReport) -> str:
    columns = (call["cpu"], call["held"], call["wall"], sum(call["blender"].values()))
    return " ".join(f"{_milliseconds(seconds):7.1f}" for seconds in columns)


def _longest(entries: WindowReport, kind: str, clock: str) -> float:
    return _milliseconds(max(entry[kind][clock] for entry in entries.values()))


def _milliseconds(seconds: float) -> float:
    return round(1000.0 * seconds, 1)
