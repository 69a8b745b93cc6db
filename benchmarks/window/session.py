# SPDX-License-Identifier: MIT
"""What is done in the window, run by Blender: in each scene a picture is asked for, regions are edited while it is
painted, and it is taken in, shown and projected; and in one a block is moved while Live is on.

    blender --factory-startup --python session.py -- ZIP SERVER_COMMAND EXAMPLES TRIANGLES QUIET PROFILING FOLDER

Each step yields what it waits for; a timer looks whether it has come, so that Blender's own loop runs on between the
steps. Writes FOLDER/report.json at the end.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.window import scenes
from benchmarks.window.entries import wrap_addon, wrap_registration
from benchmarks.window.meter import Meter

ADDON = "bl_ext.user_default.maquette"
PATIENCE = 600.0  # seconds for one step
MODEST = 20_000  # triangles of the scene that is left alone
STEPS, LONG = 12, 1000  # of a picture; of one that lasts until it is cancelled
LIVE_MOVES, AWAY = 10, 0.25  # of a block, back and forth, while Live is on; and how far

Steps: TypeAlias = Iterator[Callable[[], bool]]


class WindowSession:
    """The application under measurement, and what was measured so far."""

    def __init__(self, meter: Meter, triangles: int, quiet: float, folder: Path) -> None:
        self.meter, self.triangles, self.quiet, self.folder = meter, triangles, quiet, folder
        self.app: Any = getattr(bpy.types.WindowManager, "maquette")  # noqa: B009  its stub does not know it
        self.report: dict[str, Any] = {"blender": bpy.app.version_string, "stages": {}, "triangles": triangles}
        self.redraws = 0
        self.drawn: dict[str, float] = {}  # when each of Live's pictures was first, by its job
        bpy.types.SpaceView3D.draw_handler_add(self._count, (), "WINDOW", "POST_PIXEL")

    def _count(self) -> None:
        self.redraws += 1
        picture = self.app.live_view.pictured
        if picture is not None:
            self.drawn.setdefault(picture.job.id, time.perf_counter())

    def stages(self, examples: Path) -> Steps:
        """Every scene in its turn."""
        yield from self.online()
        for path in sorted(examples.glob("*.blend")):
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
            yield from self.stage(f"example {path.stem}")
        yield from self.live()
        scenes.many(self.triangles)
        yield from self.stage("many")
        scenes.one(self.triangles)
        yield from self.stage("one")
        scenes.many(MODEST)
        yield from self.idle()

    def online(self) -> Steps:
        """A server of the add-on's own."""
        press("start_server")
        yield lambda: bool(self.app.session.link.name == "online" and self.app.session.link.health.device != "starting")

    def stage(self, name: str) -> Steps:
        """One scene: asked for, edited, received, shown, projected."""
        yield from arrange()
        scene = bpy.context.scene
        scene.maquette_steps = STEPS
        yield from self.settled()
        self.meter.start()
        for _ in range(2):  # the second waits while the first one comes
            yield from self.asked()
        yield from self.edits()
        yield lambda: not self.app.session.waiting and not self.app.session.receivable
        yield lambda: bpy.context.scene.get("maquette_picture") is not None
        press("show")
        yield from self.settled()
        press("project")
        yield lambda: any(item.get("maquette_slots") is not None for item in bpy.context.scene.objects)
        yield from self.settled()
        press("remove_results")
        yield from self.settled()
        self.report["stages"][name] = self.meter.stop()

    def live(self) -> Steps:
        """A block of the scene that is open is let go again and again; how long until its picture has been drawn.

        Once as Blender draws the view by default, many times after a move to smooth its edges, and once where it draws
        it once: software OpenGL takes every core for a second to do what costs a graphics card nothing.
        """
        if not scenes.regions():
            scenes.many(MODEST)
        yield from arrange()
        press("live")
        yield from self.live_settled()
        system = bpy.context.preferences.system
        usual = system.viewport_aa
        self.meter.start()
        self.report["live_antialiased_seconds"] = yield from self.live_moves()
        system.viewport_aa = "OFF"
        self.report["live_seconds"] = yield from self.live_moves()
        self.report["stages"]["live"], system.viewport_aa = self.meter.stop(), usual
        press("live")
        yield from self.settled()

    def live_moves(self) -> Generator[Callable[[], bool], None, list[float]]:
        """Seconds from a block that is let go to its picture drawn, of each move."""
        region, seconds = scenes.regions()[-1], []
        part = region if isinstance(region, bpy.types.Object) else region.all_objects[0]
        for number in range(LIVE_MOVES):
            move(part, -AWAY if number % 2 else AWAY)
            bpy.ops.ed.undo_push(message="move")
            released = time.perf_counter()
            yield lambda since=released: self.shown_since(since)
            seconds.append(self.drawn[self.app.live_view.pictured.job.id] - released)
            yield from self.live_settled()
        return seconds

    def live_settled(self) -> Steps:
        """Until Live has nothing left to paint."""
        yield from rest(0.5)
        yield lambda: not self.app.live.busy and self.app.live_view.pictured is not None
        yield from self.settled()

    def shown_since(self, released: float) -> bool:
        """Whether the picture of what was let go then has been drawn."""
        picture = self.app.live_view.pictured
        if picture is None or self.app.live.busy or picture is not self.app.live.state.picture:
            return False
        return self.drawn.get(picture.job.id, 0.0) > released

    def asked(self) -> Steps:
        """Generate, until the server has it."""
        before = len(self.app.session.tasks)
        press("generate")
        yield lambda: len(self.app.session.tasks) > before

    def edits(self) -> Steps:
        """What an artist does to regions meanwhile; each is followed to its end."""
        region = scenes.regions()[-1]
        part = region if isinstance(region, bpy.types.Object) else region.all_objects[0]
        name, phrase = region.name, "castle" if region.name != "castle" else "rocket"
        changes: tuple[tuple[Callable[[], None], Callable[[], None]], ...] = (
            (lambda: move(part, 0.1), lambda: move(part, -0.1)),
            (lambda: setattr(region, "name", "renamed"), lambda: setattr(region, "name", name)),
            (lambda: setattr(region, "maquette_phrase", phrase), lambda: setattr(region, "maquette_phrase", "")),
            (lambda: setattr(part, "hide_viewport", True), lambda: setattr(part, "hide_viewport", False)),
        )
        for change, back in changes:
            for edit in (change, back):
                edit()
                bpy.ops.ed.undo_push(message="edit")
                yield from self.settled()

    def settled(self) -> Steps:
        """Until the overlay has caught up."""
        yield from rest(0.5)
        watcher = self.app.regions.watcher
        yield lambda: not watcher.working and not watcher.resting
        yield from rest(0.3)

    def idle(self) -> Steps:
        """Redraws of the 3D View while the mouse is still: for a while without a job, then as long while one runs."""
        yield from arrange()
        yield from self.settled()
        self.redraws = 0
        yield from rest(self.quiet)
        self.report["redraws_without"] = self.redraws
        bpy.context.scene.maquette_steps = LONG
        yield from self.asked()
        yield lambda: self.app.session.active is not None and self.app.session.active.job.step > 0
        yield from rest(2.0)
        self.redraws, first = 0, self.app.session.active.job.step
        yield from rest(self.quiet)
        self.report["redraws_idle"] = self.redraws
        self.report["steps_meanwhile"] = self.app.session.active.job.step - first
        press("cancel", scope="ALL")
        yield lambda: not self.app.session.waiting


def move(item: bpy.types.Object, step: float) -> None:
    """Move an object to the right."""
    item.location.x += step


def area(kind: str) -> bpy.types.Area:
    """The window's first area of that type."""
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == kind)


def press(button: str, **arguments: object) -> None:
    """A button of the panel, with the context that it has there."""
    window, view = bpy.context.window_manager.windows[0], area("VIEW_3D")
    sidebar = next(region for region in view.regions if region.type == "UI")
    with bpy.context.temp_override(window=window, area=view, region=sidebar):
        operators: Any = bpy.ops  # its stub does not know ours
        getattr(operators.maquette, button)("INVOKE_DEFAULT", True, **arguments)


def arrange() -> Steps:
    """The view through the camera, its sidebar open at our tab."""
    yield from rest(0.5)
    space = area("VIEW_3D").spaces.active
    assert isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None
    space.show_region_ui, space.region_3d.view_perspective, space.shading.type = True, "CAMERA", "SOLID"
    yield from rest(0.5)
    sidebar: Any = next(region for region in area("VIEW_3D").regions if region.type == "UI")
    sidebar.active_panel_category = "Maquette"
    yield from rest(0.5)


def rest(seconds: float) -> Steps:
    """Let the window go on for so long."""
    until = time.monotonic() + seconds
    yield lambda: time.monotonic() > until


def install(zipped: str, command: str) -> None:
    """The add-on as an artist has it; ``command`` starts its server."""
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    setattr(bpy.context.preferences.addons[ADDON].preferences, "command", command)  # noqa: B010


def timer(bench: WindowSession, steps: Steps, put_back: Callable[[], None]) -> Callable[[], float | None]:
    """A timer that goes a step further whenever what the last one waits for has come."""
    waiting: dict[str, Any] = {"for": lambda: True, "since": time.monotonic()}

    def going_on() -> bool:
        try:
            while waiting["for"]():
                waiting.update({"for": next(steps), "since": time.monotonic()})
        except StopIteration:
            bench.report["ok"] = True
            return False
        if time.monotonic() - waiting["since"] > PATIENCE:
            line, done = waiting["for"].__code__.co_firstlineno, ", ".join(bench.report["stages"]) or "none"
            raise TimeoutError(f"waited in vain at line {line}; stages done: {done}; {bench.app.session}")
        return True

    def tick() -> float | None:
        going = False
        try:
            going = going_on()
        finally:  # whatever went wrong belongs in the report, and Blender must end
            if not going:
                bench.report["trace"] = traceback.format_exc()
                (bench.folder / "report.json").write_text(json.dumps(bench.report))
                put_back()
                bpy.ops.wm.quit_blender()
        return 0.05 if going else None

    return tick


def begin() -> None:
    """Wait for the window, then start."""
    bpy.context.preferences.view.show_splash = False
    zipped, command, examples, triangles, quiet, profiling, folder = sys.argv[sys.argv.index("--") + 1 :]
    meter = Meter(profiling == "profiling")

    def first() -> None:
        wrap_registration(meter, ADDON)
        install(zipped, command)
        put_back = wrap_addon(meter, ADDON)
        bench = WindowSession(meter, int(triangles), float(quiet), Path(folder))
        bpy.app.timers.register(timer(bench, bench.stages(Path(examples)), put_back), persistent=True)

    bpy.app.timers.register(first, first_interval=1.0)


if __name__ == "__main__":
    begin()
