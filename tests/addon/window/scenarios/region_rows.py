# SPDX-License-Identifier: MIT
"""The list of regions in a window: why a row is red, what is visible, what the picture shows, what a region may have of
its own; then styles with their thumbnails, and the words that the model knows."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import (
    ask,
    desktop,
    operator_context,
    point,
    press,
    rest,
    screenshot,
    scroll,
    sidebar,
    view,
    window,
)

PROMPT = "a castle, a rocket and a ghost"
CUBES = {  # name: middle, half size, phrase
    "ghost": ((3.6, 2.0, 0.9), (0.7, 0.7, 0.9), ""),
    "lighthouse": ((-1.7, 6.0, 0.5), (0.3, 0.3, 0.3), "lighthouse"),
    "far": ((60.0, 0.0, 1.0), (1.0, 1.0, 1.0), "car"),
    "speck": ((0.4, -3.0, 0.2), (0.05, 0.05, 0.05), "apple"),
    "wall": ((-2.6, -1.0, 0.4), (0.7, 0.1, 0.9), "tree"),
}
LITTLE = 8  # steps down the sidebar, to what a region has of its own
RED = ("lighthouse", "far", "speck", "wall")


def region_rows(app, folder: Path, report: dict) -> Iterator:
    """Red rows, numbers, an edit, a rename, what a region has of its own, styles."""
    scene = bpy.context.scene
    yield from desktop()
    for name, (middle, half, phrase) in CUBES.items():
        cube(name, middle, half, phrase)
    press("add_selected")
    scene.maquette_prompt = PROMPT
    yield lambda: len(measures(app)) == 7
    yield from screenshot(folder / "red.png", settle=2.0)
    report["width"] = sidebar().width
    yield from approximate(app, folder, report)
    report["unseen"] = {phrase: (one.block.unseen, one.block.hider) for phrase, one in measures(app).items()}
    for name in RED:
        bpy.data.objects.remove(bpy.data.objects[name])
    yield from numbers(app, folder, report)
    yield from own(app, folder, report)
    yield from unnamed(app, folder, report)
    yield from styles(app, folder, report)


def approximate(app, folder: Path, report: dict) -> Iterator:
    """A region with hair, which the view has not; the list says so, and has a button for Exact."""
    castle = bpy.data.objects["castle"]
    castle.modifiers.new("Hair", "PARTICLE_SYSTEM")
    castle.particle_systems[0].settings.type = "HAIR"
    yield lambda: app.regions.differences.get(castle.session_uid)
    report["approximate"] = list(app.regions.differences[castle.session_uid])
    yield from screenshot(folder / "approximate.png", settle=2.0)
    castle.modifiers.remove(castle.modifiers["Hair"])
    yield lambda: not app.regions.differences.get(castle.session_uid)
    yield from behind(app, folder, report)


def behind(app, folder: Path, report: dict) -> Iterator:
    """A region behind another that lets it through, and one that is marked in the background scene."""
    hidden, scene = bpy.data.objects["lighthouse"], bpy.context.scene
    alpha = bpy.data.objects["castle"].active_material.node_tree.nodes["Principled BSDF"].inputs["Alpha"]
    alpha.default_value = 0.4
    scene.background_set = bpy.data.scenes.new("Set")
    fence = bpy.data.objects.new("fence", bpy.data.objects["wall"].data)
    fence["maquette_region"], fence.location = True, (2.5, 6.0, 1.0)
    scene.background_set.collection.objects.link(fence)
    yield lambda: app.regions.differences.get(hidden.session_uid) and app.regions.in_sets.get(scene.session_uid)
    report["before"] = list(app.regions.differences[hidden.session_uid])
    report["in sets"] = list(app.regions.in_sets[scene.session_uid])
    yield from screenshot(folder / "behind.png", settle=2.0)
    alpha.default_value = 1.0
    bpy.data.scenes.remove(scene.background_set)
    bpy.data.objects.remove(fence)
    yield lambda: not app.regions.differences.get(hidden.session_uid) and not app.regions.in_sets[scene.session_uid]


def cube(name: str, middle: tuple, half: tuple, phrase: str) -> None:
    """A marked block."""
    with operator_context():
        bpy.ops.mesh.primitive_cube_add(size=2.0, location=middle, scale=half)
    item = bpy.context.object
    item.name = name
    item["maquette_region"], item["maquette_phrase"] = True, phrase
    sample_scene.paint(item, (0.3, 0.35, 0.6, 1.0))
    item.select_set(False)
    for solid in sample_scene.SOLIDS:
        bpy.data.objects[solid].select_set(True)


def measures(app) -> dict:
    """By phrase."""
    return app.regions.measures.get(bpy.context.scene.session_uid, {})


def numbers(app, folder: Path, report: dict) -> Iterator:
    """A picture, an edit, a rename."""
    press("start_server")
    yield lambda: app.session.link.name == "online"
    health = app.session.link.health
    report["memory"] = [health.memory, health.memory_free]
    bpy.context.scene.maquette_steps = 5
    yield from painted(app)
    yield lambda: all(one.picture is not None for one in measures(app).values())
    report["achieved"] = {phrase: describe(one) for phrase, one in measures(app).items()}
    bpy.context.view_layer.objects.active = bpy.data.objects["castle"]
    yield from screenshot(folder / "measured.png", settle=2.0)
    castle = bpy.data.objects["castle"]
    castle.location.x -= 0.6
    yield lambda: measures(app)["castle"].picture.outdated
    report["outdated"] = {phrase: one.picture.outdated for phrase, one in measures(app).items()}
    report["same numbers"] = describe(measures(app)["castle"])[:2] == report["achieved"]["castle"][:2]
    yield from screenshot(folder / "outdated.png", settle=2.0)
    castle.location.x += 0.6
    yield lambda: not measures(app)["castle"].picture.outdated
    report["asked anew"] = asked_anew(castle)
    colours = {row.uid: row.colour for row in rows(app)}
    castle.name, castle["maquette_phrase"] = "fort", "castle"
    yield lambda: any(row.name == "fort" for row in rows(app))
    report["colours kept"] = {row.uid: row.colour for row in rows(app)} == colours
    yield lambda: not measures(app)["castle"].picture.outdated
    figure = app.regions.watcher.scenes[bpy.context.scene.session_uid].figure
    report["outlines"] = len({stroke.region for stroke in figure.achieved})


def rows(app) -> tuple:
    """The list's."""
    return app.regions.rows[bpy.context.scene.session_uid]


def describe(one) -> list:
    """What the picture shows."""
    return [one.picture.offset, one.picture.overlap, one.picture.outdated, one.block.visible]


def painted(app) -> Iterator:
    """One more picture."""
    yield from ask(app)
    yield lambda: "maquette_picture" in bpy.context.scene and not app.session.waiting and not app.session.receivable


def asked_anew(castle) -> dict:
    """Which numbers are of what is asked for no more: after a change of one region, of all, and after neither."""

    def outdated() -> list:
        listed = panel.listed_regions(bpy.context)
        return sorted(one.row.phrase for one in listed if one.measure.picture.outdated)

    panel = importlib.import_module("bl_ext.user_default.maquette.ui.listed_regions")
    scene, seen = bpy.context.scene, {"before": outdated()}
    castle.maquette_strength = 0.5
    seen["one"] = outdated()
    castle.maquette_strength, scene.maquette_strength = 1.0, 0.1
    seen["all"] = outdated()
    scene.property_unset("maquette_strength")
    scene.pop("maquette_strength", None)
    seen["after"] = outdated()
    return seen


def own(app, folder: Path, report: dict) -> Iterator:
    """Loose, a strength, words and a colour of its own, and what is asked for then."""
    fort, uid = bpy.data.objects["fort"], str(bpy.data.objects["fort"].session_uid)
    press("enforce", uid=uid, what="loose")
    press("colour_region", uid=uid)
    fort.maquette_strength, fort.maquette_description = 0.5, "with small windows"
    bpy.context.scene.maquette_seed = 40
    before = bpy.context.scene["maquette_picture"].session_uid
    yield from painted(app)
    yield lambda: bpy.context.scene["maquette_picture"].session_uid != before
    request = json.loads(bpy.context.scene["maquette_picture"]["maquette_request"])
    region = next(region for region in request["regions"] if region["phrase"] == "castle")
    report["asked"] = {key: region.get(key) for key in ("enforce", "strength", "description", "colour")}
    yield from point(sidebar().x + 60, sidebar().y + sidebar().height - 330)
    yield from screenshot(folder / "own.png", settle=2.0)


def unnamed(app, folder: Path, report: dict) -> Iterator:
    """The prompt does not say the fort's phrase any more: its row is red, until it need not."""
    scene, fort = bpy.context.scene, bpy.data.objects["fort"]
    panel = importlib.import_module("bl_ext.user_default.maquette.ui.listed_regions")

    def missing() -> list:
        listed = panel.listed_regions(bpy.context)
        return [one.row.name for one in listed for fault in one.faults if fault.code == "phrase-missing"]

    bpy.context.view_layer.objects.active, scene.maquette_prompt = fort, "a rocket and a ghost"
    report["unsaid"] = missing()
    yield from screenshot(folder / "unsaid.png", settle=2.0)
    fort.maquette_unnamed = True
    report["need not"] = missing()
    before = scene["maquette_picture"].session_uid
    yield from painted(app)
    yield lambda: scene["maquette_picture"].session_uid != before
    request = json.loads(scene["maquette_picture"]["maquette_request"])
    report["unnamed"] = {region["phrase"]: region.get("unnamed", False) for region in request["regions"]}
    yield from point(sidebar().x + 60, sidebar().y + sidebar().height - 330)
    yield from scroll("down", LITTLE)
    yield from screenshot(folder / "unnamed.png", settle=2.0)
    yield from scroll("up")
    scene.maquette_prompt = PROMPT


def styles(app, folder: Path, report: dict) -> Iterator:
    """The popover with thumbnails, a style of one's own with the latest picture, and the words of the model."""
    press("choose_style", name="Sunset")
    with operator_context():
        bpy.ops.maquette.save_style(name="Mine", text="at night", pictured=True)
    report["thumbnail"] = app.style_library.thumbnail("Mine").read_bytes()[:4].decode("latin-1")
    for kind, name in (("call_panel", "MAQUETTE_PT_styles"), ("call_menu", "MAQUETTE_MT_words")):
        with bpy.context.temp_override(window=window(), area=view()):
            getattr(bpy.ops.wm, kind)("INVOKE_DEFAULT", name=name)
        yield from rest(1.0)
        yield from screenshot(folder / f"{name}.png", settle=2.0)
        window().event_simulate("ESC", "PRESS", x=800, y=400)
        window().event_simulate("ESC", "RELEASE", x=800, y=400)
        yield from rest(0.5)
    with operator_context():
        bpy.ops.maquette.delete_style()
    report["deleted"] = app.style_library.thumbnail("Mine") is None
    press("choose_style", name="Sunset")
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    yield from screenshot(folder / "style.png", settle=2.0)
