# SPDX-License-Identifier: MIT
"""Live in a window: a block is moved by hand, and its picture follows over the camera's view, painted by Toybox."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.main_thread_time import timed
from tests.addon.window.driver.user_input import (
    area,
    ask,
    canvas,
    desktop,
    operator_context,
    press,
    rest,
    screenshot,
    undo,
    view,
    window,
)
from tests.addon.window.scenarios.interruptions import ADDON
from tests.addon.window.scenarios.overlay import handlers
from tests.addon.window.scenarios.walkthrough import SEED

PROMPT = "a castle and a rocket on a meadow"
MOVES = 5
STEP, STEPS = 5, 16  # pixels that the pointer goes, and how often, in one move: the rocket stays in the frame
QUIET = 1.5  # seconds in which a picture would have come


def live(app, folder: Path, report: dict) -> Iterator:
    """On, moved by hand, left alone, other words, kept; then all that ends it."""
    scene = bpy.context.scene
    yield from desktop()
    press("add_selected")
    scene.maquette_prompt, scene.maquette_seed = PROMPT, SEED
    report["without a server"] = refused(app)
    press("start_server")
    yield lambda: app.session.link.name == "online"
    watch(app, report)
    untouched = sample_scene.fingerprint()
    press("live")
    yield from settled(app)
    report["untouched"] = sample_scene.changed(untouched)
    yield from screenshot(folder / "live-before.png")
    yield from moves(app, folder, report)
    yield from left_alone(app, report)
    yield from words_and_keeping(app, folder, report)
    yield from ends(app, folder, report)


def refused(app) -> list:
    """What is said where Live cannot be, and whether it is."""
    press("live")
    code = app.session.notice.code
    press("dismiss")
    return [code, app.live.state.scene]


def watch(app, report: dict) -> None:
    """How long Live holds the main thread, and when each of its pictures was first drawn."""
    report["held"] = {}
    backdrop = sys.modules[f"{ADDON}.overlay.backdrop"].Backdrop
    for kind, name in ((type(app.live_view), "look"), (type(app.live_view), "touch"), (backdrop, "draw")):
        setattr(kind, name, timed(getattr(kind, name), report["held"], name))
    changes, apply = report.setdefault("changes", []), app.live.apply

    def noting(change, *facts) -> None:
        changes.append((change.__name__, time.perf_counter()))
        apply(change, *facts)

    app.live.apply = noting
    drawn = report["drawn"] = {}

    def note() -> None:
        picture = app.live_view.pictured
        if picture is not None:
            drawn.setdefault(picture.job.id, time.perf_counter())

    bpy.types.SpaceView3D.draw_handler_add(note, (), "WINDOW", "POST_PIXEL")


def settled(app) -> Iterator:
    """Until the picture of the scene as it stands has been drawn."""
    yield from rest(0.2)
    yield lambda: not app.live.busy and app.live_view.pictured is not None
    yield from rest(0.2)


def moves(app, folder: Path, report: dict) -> Iterator:
    """The rocket up and down by hand; from its release to its picture."""
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    rocket = bpy.data.objects["rocket"]
    rocket.select_set(True)
    bpy.context.view_layer.objects.active = rocket
    report["seconds"], report["while it moved"], report["height"] = [], [], [rocket.location.z]
    report["trace of a release"] = []  # when the scene was captured, its picture arrived, and was drawn
    for number in range(MOVES):
        yield from settled(app)
        before = app.live.state.number
        yield from grab(1 if number % 2 == 0 else -1)
        report["while it moved"].append(app.live.state.number - before)
        released = time.perf_counter()
        yield lambda: not bool(window().modal_operators)
        yield from drawn_since(app, report, released)
        report["height"].append(rocket.location.z)
        if number == 0:
            yield from screenshot(folder / "live.png")
    undo()
    yield from settled(app)
    report["undone"] = [rocket_of(app), bpy.data.objects["rocket"].location.z]


def grab(direction: int) -> Iterator:
    """G, the pointer up or down, a click."""
    middle = canvas(view())
    x, y = middle.x + middle.width // 3, middle.y + middle.height // 2
    window().event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y)
    yield from rest()
    for value in ("PRESS", "RELEASE"):
        window().event_simulate("G", value, x=x, y=y)
    yield from rest()
    for _ in range(STEPS):
        y += direction * STEP
        window().event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y)
        yield from rest(0.1)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate("LEFTMOUSE", value, x=x, y=y)


def drawn_since(app, report: dict, released: float) -> Iterator:
    """Wait for the picture of what was let go; note how long it took to be drawn."""
    changes = report["changes"]

    def there() -> bool:
        picture = app.live_view.pictured
        newest = picture is not None and picture is app.live.state.picture
        return newest and not app.live.busy and picture.job.id in report["drawn"]

    yield from rest(0.15)  # it is heard of
    yield there
    drawn = report["drawn"][app.live_view.pictured.job.id]
    arrived = max(when for name, when in changes if name == "arrived" and when < drawn)
    captured = max(when for name, when in changes if name == "captured" and when < arrived)
    report["seconds"].append(drawn - released)
    report["trace of a release"].append([round(when - released, 3) for when in (captured, arrived, drawn)])


def rocket_of(app) -> list[float]:
    """Where the latest picture was asked to have the rocket."""
    regions = app.live.state.picture.request.blockout.regions
    return list(next(region.centroid for region in regions if region.name == "rocket"))


def left_alone(app, report: dict) -> Iterator:
    """Clicks that select, and playback: neither is painted."""
    yield from settled(app)
    before = app.live.state.number
    for name in ("castle", "rocket"):
        press("select_region", uid=str(bpy.data.objects[name].session_uid))
        yield from rest(0.3)
    yield from rest(QUIET)
    report["after clicks"] = app.live.state.number - before
    with operator_context():
        bpy.ops.screen.animation_play()
    yield from rest(QUIET)
    report["while playing"] = app.live.state.number - before
    with operator_context():
        bpy.ops.screen.animation_cancel()
    yield from settled(app)


def words_and_keeping(app, folder: Path, report: dict) -> Iterator:
    """Other words, a picture of the artist's own meanwhile, and Live's picture kept."""
    scene = bpy.context.scene
    report["history"] = len(scene.maquette_history)
    follows = [app.live.state.picture.request.blockout.reference is not None]
    scene.maquette_prompt = "a castle and a rocket at night"
    yield from rest(0.3)
    yield from settled(app)
    follows.append(app.live.state.picture.request.blockout.reference is not None)
    report["follows"] = follows
    wanted = app.live.state.picture.sha256
    press("keep_live")
    yield lambda: len(scene.maquette_history) == 1
    yield from rest(0.5)
    yield from settled(app)
    report["kept"] = [wanted == scene["maquette_picture"]["maquette_entry"], app.live.state.picture.sha256 == wanted]
    yield from screenshot(folder / "live-kept.png")
    yield from inspected(app, folder, report)
    scene.maquette_steps = 12  # with the steps of Live's it would be the very picture that lies there
    yield from ask(app)
    report["rests"] = app.live.state.number
    yield lambda: len(scene.maquette_history) == 2 and not app.session.waiting
    report["rests"] = app.live.state.number - report["rests"]
    yield lambda: app.live.state.follows == scene["maquette_picture"]["maquette_entry"]
    yield from settled(app)


def inspected(app, folder: Path, report: dict) -> Iterator:
    """The picture that was kept, looked into: grey for what is none of ours, a page for what is."""
    editor = area("IMAGE_EDITOR")
    own, editor.spaces.active.image = editor.spaces.active.image, bpy.data.images.new("mine", 8, 8)
    with bpy.context.temp_override(window=window(), area=editor, region=canvas(editor)):
        report["inspects"] = [bpy.ops.maquette.inspect.poll()]
        editor.spaces.active.image = own
        report["inspects"].append(bpy.ops.maquette.inspect.poll())
        bpy.ops.maquette.inspect("INVOKE_DEFAULT")
    yield lambda: app.inspecting
    yield lambda: not app.inspecting
    report["notice"] = app.session.notice and app.session.notice.message
    opened = folder / "opened"
    yield opened.exists
    report["page"] = Path(opened.read_text().strip().removeprefix("file://")).read_text()[:300]


def ends(app, folder: Path, report: dict) -> Iterator:
    """Its button; a server that is gone; a file that is opened; the add-on disabled in the middle of a picture."""
    ended = report["ended"] = {}
    press("live")
    ended["button"] = state(app)
    press("live")
    yield from settled(app)
    press("stop_server")
    yield lambda: not app.live.state.scene
    ended["server"] = [*state(app), app.session.notice and app.session.notice.code]
    yield from screenshot(folder / "live-off.png")
    yield lambda: app.session.link.name == "absent"
    press("start_server")
    yield lambda: app.session.link.name == "online"
    path = folder / "live.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    press("live")
    yield from settled(app)
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    yield from rest(0.5)
    ended["file"] = state(app)
    press("live")
    yield lambda: app.live.state.painting
    bpy.ops.preferences.addon_disable(module=ADDON)
    ended["add-on"] = [handler for handler in handlers() if ADDON in handler]
    yield from rest(1.0)


def state(app) -> list:
    """Whether it is on, and whether anything lies over the view."""
    return [app.live.state.scene, app.live_view.pictured is not None]
