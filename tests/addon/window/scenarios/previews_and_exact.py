# SPDX-License-Identifier: MIT
"""While one waits, in a window: a picture is seen to develop, and an exact capture says that it is being made."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import (
    area,
    canvas,
    desktop,
    operator_context,
    press,
    rest,
    screenshot,
    sidebar,
    view,
    window,
)
from tests.addon.window.scenarios.walkthrough import PROMPT, finished

STEPS = 20


def previews_and_exact(app, folder: Path, report: dict) -> Iterator:
    """Previews, then Exact: begun, stopped, and done with."""
    yield from desktop()
    press("add_selected")
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_steps = PROMPT, STEPS
    press("start_server")
    yield lambda: app.session.link.name == "online"
    yield from previews(app, folder, report)
    with_flags_that_only_a_render_has()
    bpy.context.scene.maquette_exact = True
    yield from rest(0.5)
    yield from stop(app, folder, report)
    yield from exact(app, folder, report)
    yield from again(app, report)
    yield from maximised(app, report)


def previews(app, folder: Path, report: dict) -> Iterator:
    """Seen in editor and panel while nothing is in the file; then the picture, and no preview any more."""
    report["places"] = {"editor": rectangle(canvas(area("IMAGE_EDITOR"))), "panel": rectangle(sidebar())}
    report["height"] = window().height
    yield from screenshot(folder / "before.png")
    before = sample_scene.fingerprint()
    press("generate")
    yield lambda: app.preview_image.icon and app.session.active.job.step > STEPS // 2
    report["preview touched"] = sample_scene.changed(before)
    yield from screenshot(folder / "developing.png", settle=0.3)
    yield from finished(app)
    yield lambda: not app.preview_image.icon
    report["images by a picture"] = sample_scene.fingerprint()["file", "images"] - before["file", "images"]
    report["texture kept"] = app.preview_image.texture is not None


def rectangle(region: bpy.types.Region) -> list[int]:
    """A region's left, bottom, width and height in the window."""
    return [region.x, region.y, region.width, region.height]


def with_flags_that_only_a_render_has() -> None:
    """The rocket is fat in a render; the view shows it as it was."""
    fat = bpy.data.objects["rocket"].modifiers.new("fat", "DISPLACE")
    fat.strength, fat.show_viewport = 0.35, False


def stop(app, folder: Path, report: dict) -> Iterator:
    """Cancelled while it captures: no child, no copy, no job."""
    jobs, before = len(app.session.tasks), sample_scene.fingerprint()
    press("generate")
    yield lambda: app.session.exact_captures and children()
    report["exact touched"] = sample_scene.changed(before)
    yield from screenshot(folder / "capturing.png", settle=0.6)
    report["capturing when shot"] = app.session.exact_captures
    press("cancel", scope="UNSENT")
    yield lambda: not app.session.exact_captures
    report["after the stop"] = [len(app.session.tasks) - jobs, children(), copies()]


def exact(app, folder: Path, report: dict) -> Iterator:
    """To its end: the picture follows the render, and the panel says where that differs."""
    views, before = sizes(), bpy.context.scene["maquette_picture"].session_uid
    closer = yield from look_closer()
    press("generate")
    yield lambda: app.session.exact_captures
    yield lambda: bpy.context.scene["maquette_picture"].session_uid != before
    yield from finished(app)
    renders = sizes()
    report["grown"] = {name: renders[name] / views[name] for name in views}
    report["looked at"] = [closer, zoom_and_middle()]
    report["said"] = app.session.notice.message
    report["left by exact"] = [children(), copies()]
    yield from screenshot(folder / "exact.png")


def again(app, report: dict) -> Iterator:
    """Picture after picture is seen as the first one was looked at."""
    bpy.context.scene.maquette_exact, bpy.context.scene.maquette_count = False, 4
    press("generate")
    yield lambda: len(app.session.waiting) > 1
    yield from finished(app)
    yield from rest(0.5)
    report["looked at after more"] = zoom_and_middle()
    report["seeds"] = [task.job.seed for task in app.session.tasks[-4:]]


def maximised(app, report: dict) -> Iterator:
    """Ctrl Space over the view: an Image Editor has no room, which is said; the button brings all editors back."""
    with bpy.context.temp_override(window=window(), area=view(), region=canvas(view())):
        bpy.ops.screen.screen_full_area()
    yield from rest(0.5)
    press("show")
    report["maximised"] = app.session.notice.code
    with operator_context():
        bpy.ops.screen.back_to_previous("INVOKE_DEFAULT")
    yield from rest(0.5)
    press("show")
    report["all editors again"] = area("IMAGE_EDITOR").spaces.active.image == bpy.context.scene["maquette_picture"]


def look_closer() -> Iterator:
    """Zoom into the Image Editor's picture, and move it; sends back how it is seen then."""
    editor = area("IMAGE_EDITOR")
    with bpy.context.temp_override(window=window(), area=editor, region=canvas(editor)):
        bpy.ops.image.view_zoom_ratio(ratio=6.0)
        bpy.ops.image.view_pan(offset=(12.0, 8.0))
    yield from rest(0.5)
    return zoom_and_middle()


def zoom_and_middle() -> list[float]:
    """The Image Editor's zoom, and the point of the picture at its middle."""
    region = canvas(area("IMAGE_EDITOR"))
    middle = region.view2d.region_to_view(region.width / 2, region.height / 2)
    return [area("IMAGE_EDITOR").spaces.active.zoom[0], *middle]


def sizes() -> dict:
    """Of each region in the picture's request, the fraction of the frame."""
    request = json.loads(bpy.context.scene["maquette_picture"]["maquette_request"])
    return {region["name"]: region["size"] for region in request["regions"]}


def copies() -> list[str]:
    """Copies of the file that are still there."""
    return [str(path) for path in Path(bpy.app.tempdir).glob("maquette-*/copy.blend")]


def children() -> int:
    """Second Blenders of ours that run."""
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, status = (path / "cmdline").read_bytes(), (path / "stat").read_text()
        except OSError:  # it has just ended
            continue
        count += b"--exact" in words and int(status.rpartition(")")[2].split()[1]) == os.getpid()
    return count
