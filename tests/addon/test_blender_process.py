# SPDX-License-Identifier: MIT
"""The command line of a second Blender: what one end writes the other reads, and refusals are told."""

import subprocess
import sys
from pathlib import Path

import pytest

from addon.blender_process import (
    REFUSED,
    ApplyCommand,
    CaptureCommand,
    Command,
    FootageCommand,
    LookCommand,
    SceneFile,
    ViewsCommand,
    parse,
    program,
    refusal,
    refuse,
    settings_of,
)
from addon.protocol.answers import Problem
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import ContractError, dump, load
from addon.protocol.views import RegionChange, Views

SCENE = Path("/scenes/castle -- with words.blend").resolve()
OUT = Path("/out/result").resolve()
PROBLEM = Problem(type="no-camera", title="No", status=422, detail="The scene has no camera.", fix="Add one.")

COMMANDS = [
    CaptureCommand(source=SceneFile(path=SCENE), out=OUT),
    CaptureCommand(
        source=SceneFile(path=SCENE, camera="Camera.001", frame=-3, scripts=True),
        out=OUT,
        model=TOYBOX,
        settings={"prompt": "", "negative": "fog, 'rain' --seed=3", "seed": 0, "strength": 0.1 + 0.2, "exact": True},
        scene_name="Scene = 2",
        layer="ViewLayer",
    ),
    ApplyCommand(source=SceneFile(path=SCENE, frame=0), picture=OUT, request=OUT, achieved=SCENE, out=OUT),
    LookCommand(source=SceneFile(path=SCENE, camera="-side"), out=OUT),
    FootageCommand(source=SceneFile(path=SCENE), frames=SCENE, out=OUT, project=True),
]


@pytest.mark.parametrize("command", COMMANDS, ids=["capture", "exact", "apply", "look", "footage"])
def test_what_is_asked_is_what_is_understood(command: Command) -> None:
    assert parse(command.words()) == command


def test_paths_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    command = parse(LookCommand(source=SceneFile(path=Path("a.blend")), out=Path("b.png")).words())
    assert (command.source.path, command.out) == (tmp_path.resolve() / "a.blend", tmp_path.resolve() / "b.png")


@pytest.mark.parametrize("words", [[], ["paint"], ["look", "a.blend"], ["capture", "a", "b", "--model={}"]])
def test_words_that_are_no_command_end_the_program(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(words)
    assert "usage: maquette in Blender" in capsys.readouterr().err


def test_a_refusal_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code = refuse(PROBLEM, out)
    assert code == REFUSED
    assert refusal(code, out) == PROBLEM
    assert refusal(0, out) is None and refusal(1, out) is None and refusal(None, out) is None
    out.write_text("{}")
    with pytest.raises(ContractError):
        refusal(REFUSED, out)


def test_a_python_with_bpy_is_started_from_anywhere(tmp_path: Path) -> None:
    """It imports the add-on from where that lies, and not from where the program runs."""
    look = LookCommand(source=SceneFile(path=tmp_path / "none.blend"), out=tmp_path / "out.png")
    words = [*program(""), *look.words()]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == REFUSED, done.stderr
    problem = refusal(done.returncode, look.out)
    assert problem is not None and problem.detail.startswith("Blender cannot open the scene: ")


def test_a_blender_is_started_in_the_background() -> None:
    binary, *words = program("/opt/blender")
    assert (binary, words[-1], program("")[0]) == ("/opt/blender", "--", sys.executable)
    assert {"--background", "--factory-startup", "--python-exit-code"} <= set(words)


def test_views_are_what_was_asked_for(tmp_path: Path) -> None:
    """The command's words, the record in its file, and the settings in that."""
    command = ViewsCommand(source=SceneFile(path=tmp_path / "x.blend"), views=tmp_path / "v", out=tmp_path)
    assert parse(command.words()) == command
    change = RegionChange(region="castle", field="colour", value="1,0,0")
    views = Views(frames=(-1, 2), cameras=("A B",), regions=(change,), flags=("--strength=0.5", "--exact"))
    assert load(Views, dump(views)) == views
    assert settings_of(views.flags) == {"strength": 0.5, "exact": True}
    with pytest.raises(ContractError):
        load(RegionChange, {"region": "castle", "field": "mask", "value": ""})
