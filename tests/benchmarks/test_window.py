# SPDX-License-Identifier: MIT
"""The window bench: its meter and its figures; in little in a real window, where $BLENDER is set."""

import ast
import json
import time
from pathlib import Path

import pytest

from benchmarks.window.measurement import main
from benchmarks.window.meter import Meter
from benchmarks.window.own_calls import OWN
from benchmarks.window.summary import figures, table
from server.errors import CommandError

ROOT = Path(__file__).parents[2]
WORK = 0.01  # seconds of the processor


def busy() -> None:
    """Work for so long."""
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass


def call(held: float, **blender: float) -> dict:
    """One call, as a report has it."""
    return {"held": held, "wall": held, "cpu": held, "blender": blender, "profile": ""}


def entry(longest: dict, above: dict) -> dict:
    """An entry of such calls."""
    return {"calls": 2, "longest": longest, "held": longest, "above": above}


REPORT = {
    "blender": "5.2",
    "redraws_idle": 3,
    "steps_meanwhile": 40,
    "live_seconds": [0.9, 1.3, 1.1],
    "live_antialiased_seconds": [1.9, 2.1, 2.0],
    "stages": {
        "example sea": {"tick": entry(call(0.004), call(0.004)), "press": entry(call(0.006), call(0.006))},
        "example desert": {"tick": entry(call(0.009), call(0.009))},
        "many": {"tick": entry(call(0.03, fetch=0.02), call(0.03, fetch=0.02))},
        "live": {"look": entry(call(0.005), call(0.005))},
        "one": {"tick": entry(call(0.08, fetch=0.075), call(0.012)), "press": entry(call(0.011), call(0.011))},
    },
}


def test_the_figures_are_the_longest_calls_and_only_one_mesh_is_spared_blenders_own():
    assert figures(REPORT, "held")["one_mesh_ms"] == 11.0
    longest = {"examples_ms": 9.0, "many_ms": 30.0, "one_mesh_ms": 12.0, "live_held_ms": 5.0}
    assert figures(REPORT) == {**longest, "redraws_idle": 3, "live_ms": 1100.0, "live_antialiased_ms": 2000.0}


def test_the_table_names_every_stage_its_entries_and_what_is_subtracted():
    lines = list(table(REPORT))
    assert [line for line in lines if line in REPORT["stages"]] == list(REPORT["stages"])
    assert sum("press" in line for line in lines) == 2
    assert any("20.0 Blender's own fetch" in line for line in lines)


def test_an_entry_inside_another_is_part_of_it_and_not_of_blenders_own_call():
    meter = Meter(profiling=False)
    inner = meter.entry("inner", busy)

    def fetch() -> None:
        busy()
        inner()

    own = meter.own("fetch", fetch)
    outer = meter.entry("outer", lambda: (busy(), own()))
    outer()
    assert meter.entries == {}  # it is off
    meter.start()
    outer()
    inner()
    report = json.loads(json.dumps(meter.stop()))
    assert {name: entry["calls"] for name, entry in report.items()} == {"outer": 1, "inner": 1}
    longest = report["outer"]["longest"]
    assert longest["cpu"] >= 3 * WORK
    assert WORK <= longest["blender"]["fetch"] <= longest["cpu"] - 2 * WORK
    assert longest["wall"] >= longest["held"]


def test_an_error_leaves_the_meter_at_work():
    meter = Meter(profiling=True)
    meter.start()
    failing, working = meter.entry("failing", lambda: 1 / 0), meter.entry("working", lambda: sorted([2, 1]))
    with pytest.raises(ZeroDivisionError):
        failing()
    assert working() == [1, 2]
    report = meter.stop()
    assert set(report) == {"failing", "working"}
    assert "sorted" in report["working"]["longest"]["profile"]


@pytest.mark.parametrize("name", sorted(OWN))
def test_blenders_own_calls_are_one_call(name: str):
    module, _, function = name.partition(":")
    tree = ast.parse((ROOT / "addon" / f"{module.replace('.', '/')}.py").read_text())
    (definition,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    _, statement = definition.body  # after what it says of itself
    assert isinstance(statement, ast.Return | ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert sum(isinstance(node, ast.Call) for node in ast.walk(statement)) == 1


def test_without_a_window_it_says_what_is_missing(monkeypatch):
    with pytest.raises(CommandError, match="BLENDER"):
        main(["--blender", ""])


@pytest.mark.timeout(1800)
def test_it_runs_in_a_window(blender: str, tmp_path, capsys, record_property):
    (tmp_path / "examples").mkdir()
    words = ["--json", "--triangles", "20000", "--examples", str(tmp_path / "examples"), "--quiet", "2"]
    engine = "tests.addon.hosts.mask_painter:Painter"
    assert main([*words, "--engine", engine, "--out", str(tmp_path / "out")]) == 0
    measured = json.loads(capsys.readouterr().out.splitlines()[-1])
    record_property("figures", measured)
    live = ["live_ms", "live_antialiased_ms", "live_held_ms"]
    assert list(measured) == ["examples_ms", "many_ms", "one_mesh_ms", "redraws_idle", *live]
    assert measured["many_ms"] > 0.0 and measured["one_mesh_ms"] > 0.0 and measured["live_ms"] > 0.0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    for stage in ("many", "one"):
        assert {"Generate.execute", "Project.modal"} <= set(report["stages"][stage])
