# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a second Blender: how it is started, what it is asked, and what it leaves. No bpy.

    blender --background --factory-startup --python-expr BOOT -- capture SCENE.blend OUT.json
    python -c BOOT apply SCENE.blend PICTURE.png REQUEST.json ACHIEVED.json OUT.blend
    python -c BOOT look SCENE.blend OUT.png
    python -c BOOT views SCENE.blend VIEWS.json OUT/
    python -c BOOT footage SCENE.blend FRAMES.json OUT.blend

BOOT imports ``headless``, which does as it is asked and ends with code 0; or with REFUSED, and a Problem in the place
of the result. Both ends take their words from here: ``parse`` makes of ``command.words()`` the command again, with
absolute paths.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .protocol.answers import ModelInfo, Problem
from .protocol.default_model import TOYBOX
from .protocol.strict_json import dump, loads
from .request.settings import add_flags, from_flags, to_flags

LEASH = "MAQUETTE_LEASH"  # set where standard input is a pipe from whoever started the process, and ends it
ANNOUNCED = "maquette: view "  # begins the line that says of a view that it is captured
REFUSED = 3  # the exit code of a scene that cannot be opened or captured
# An extension is not enabled in a factory-fresh Blender: this imports it from its folder, under a name of its own.
BOOT = (
    "import importlib.util as u, sys; "
    f"s = u.spec_from_file_location('maquette', {str(Path(__file__).with_name('__init__.py'))!r}); "
    "m = sys.modules['maquette'] = u.module_from_spec(s); s.loader.exec_module(m); "
    "from maquette.headless import main; main()"
)


@dataclass(frozen=True, kw_only=True)
class SceneFile:
    """A .blend to open: its own camera and frame, unless named; ``scripts`` lets the scripts in it run; ``origin`` is
    the file that it is a copy of, whose baked simulations lie beside that."""

    path: Path
    camera: str | None = None
    frame: int | None = None
    scripts: bool = False
    origin: Path | None = None

    def flags(self) -> list[str]:
        """As words of the command line."""
        return _flags(camera=self.camera, frame=self.frame, scripts=int(self.scripts), origin=self.origin)


@dataclass(frozen=True, kw_only=True)
class CaptureCommand:
    """Capture a blockout into the JSON file ``out``. ``settings``, by name, count before the scene's own prompt and
    seed; ``scene_name`` is instead of the file's active scene, ``layer`` the view layer that an exact capture renders.
    """

    source: SceneFile
    out: Path
    model: ModelInfo = TOYBOX
    settings: Mapping[str, Any] = field(default_factory=dict)
    scene_name: str | None = None
    layer: str | None = None

    def words(self) -> list[str]:
        """The command line."""
        own = _flags(model=json.dumps(dump(self.model)), scene_name=self.scene_name, layer=self.layer)
        files = _absolute(self.source.path, self.out)
        return ["capture", *files, *self.source.flags(), *own, *to_flags(self.settings)]


@dataclass(frozen=True, kw_only=True)
class ApplyCommand:
    """Put ``picture`` behind the camera and onto the regions of a copy of the scene, the .blend ``out``.

    ``request`` is its blockout and ``achieved`` a list of Achieved, both as JSON files.
    """

    source: SceneFile
    picture: Path
    request: Path
    achieved: Path
    out: Path

    def words(self) -> list[str]:
        """The command line."""
        files = _absolute(self.source.path, self.picture, self.request, self.achieved, self.out)
        return ["apply", *files, *self.source.flags()]


@dataclass(frozen=True, kw_only=True)
class LookCommand:
    """Render the scene quickly, as it stands, to the PNG file ``out``."""

    source: SceneFile
    out: Path

    def words(self) -> list[str]:
        """The command line."""
        return ["look", *_absolute(self.source.path, self.out), *self.source.flags()]


@dataclass(frozen=True, kw_only=True)
class ViewsCommand:
    """Capture all ``views`` (a JSON file of Views) of a scene, each into a file 0.json, 1.json … of the folder ``out``;
    each is announced by a line on standard output that begins with ANNOUNCED."""

    source: SceneFile
    views: Path
    out: Path

    @property
    def problem_file(self) -> Path:
        """Where a scene's problem is left, that hinders all of its views."""
        return self.out / "problem.json"

    def words(self) -> list[str]:
        """The command line."""
        return ["views", *_absolute(self.source.path, self.views, self.out), *self.source.flags()]


@dataclass(frozen=True, kw_only=True)
class FootageCommand:
    """Put many pictures behind their cameras in a copy of the scene, the .blend ``out``, each at its frame.

    ``frames`` is a JSON file: a list of FrameFile. With ``project`` those of the first frame are projected too.
    """

    source: SceneFile
    frames: Path
    out: Path
    project: bool = False

    def words(self) -> list[str]:
        """The command line."""
        files = _absolute(self.source.path, self.frames, self.out)
        return ["footage", *files, *self.source.flags(), *_flags(project=int(self.project))]


Command = CaptureCommand | ApplyCommand | LookCommand | ViewsCommand | FootageCommand


def program(binary: str) -> tuple[str, ...]:
    """What starts a second Blender; ``binary`` is "" for Blender as a module of this Python."""
    if not binary:
        return sys.executable, "-c", BOOT
    return binary, "--background", "--factory-startup", "--python-exit-code", "1", "--python-expr", BOOT, "--"


def settings_of(flags: Sequence[str]) -> dict[str, Any]:
    """Settings by name out of words of a command line, as ``to_flags`` makes them."""
    parser = argparse.ArgumentParser(prog="views")
    add_flags(parser)
    return from_flags(parser.parse_args(list(flags)))


def parse(words: Sequence[str]) -> Command:
    """The command of a command line. Ends the program with code 2 and a usage for words that are none."""
    arguments = _parser().parse_args(words)
    command: Command = arguments.command(arguments)
    return command


def refuse(problem: Problem, out: Path) -> int:
    """Leave ``problem`` instead of the result; the exit code."""
    out.write_text(json.dumps(dump(problem)))
    return REFUSED


def refusal(code: int | None, out: Path) -> Problem | None:
    """Why a Blender that ended with ``code`` has no result; None where it does not say. Raises ContractError."""
    return loads(Problem, out.read_bytes()) if code == REFUSED else None


def _absolute(*paths: Path) -> list[str]:
    return [str(path.resolve()) for path in paths]


def _flags(**values: object) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items() if value is not None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="maquette in Blender")
    verbs = parser.add_subparsers(required=True)
    names = ("capture", "apply", "look", "views", "footage")
    capture, apply, look, views, footage = (verbs.add_parser(name) for name in names)
    capture.set_defaults(command=_capture_command)
    apply.set_defaults(command=_apply_command)
    look.set_defaults(command=_look_command)
    views.set_defaults(command=_views_command)
    footage.set_defaults(command=_footage_command)
    _add_files(capture, "scene", "out")
    _add_files(apply, "scene", "picture", "request", "achieved", "out")
    _add_files(look, "scene", "out")
    _add_files(views, "scene", "views", "out")
    _add_files(footage, "scene", "frames", "out")
    add_flags(capture)
    capture.add_argument("--model", type=lambda text: loads(ModelInfo, text), default=TOYBOX)
    capture.add_argument("--scene-name", help="instead of the file's active scene")
    capture.add_argument("--layer", help="the view layer to render, with --exact")
    footage.add_argument("--project", type=int, default=0, help="1 projects the first frame's pictures")
    for verb in (capture, apply, look, views, footage):
        verb.add_argument("--camera")
        verb.add_argument("--frame", type=int)
        verb.add_argument("--scripts", type=int, default=0, help="1 lets the file's own scripts run")
        verb.add_argument("--origin", type=Path, help="the file of which this one is a copy")
    return parser


def _add_files(parser: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        parser.add_argument(name, type=Path)


def _source(arguments: argparse.Namespace) -> SceneFile:
    scripts = bool(arguments.scripts)
    return SceneFile(
        path=arguments.scene,
        camera=arguments.camera,
        frame=arguments.frame,
        scripts=scripts,
        origin=arguments.origin,
    )


def _capture_command(arguments: argparse.Namespace) -> CaptureCommand:
    return CaptureCommand(
        source=_source(arguments),
        out=arguments.out,
        model=arguments.model,
        settings=from_flags(arguments),
        scene_name=arguments.scene_name,
        layer=arguments.layer,
    )


def _apply_command(arguments: argparse.Namespace) -> ApplyCommand:
    return ApplyCommand(
        source=_source(arguments),
        picture=arguments.picture,
        request=arguments.request,
        achieved=arguments.achieved,
        out=arguments.out,
    )


def _look_command(arguments: argparse.Namespace) -> LookCommand:
    return LookCommand(source=_source(arguments), out=arguments.out)


def _views_command(arguments: argparse.Namespace) -> ViewsCommand:
    return ViewsCommand(source=_source(arguments), views=arguments.views, out=arguments.out)


def _footage_command(arguments: argparse.Namespace) -> FootageCommand:
    return FootageCommand(
        source=_source(arguments), frames=arguments.frames, out=arguments.out, project=bool(arguments.project)
    )
