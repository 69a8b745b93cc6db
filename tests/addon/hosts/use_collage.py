# SPDX-License-Identifier: MIT
"""A region out of an earlier picture, and a picture that begins as the blocks' colours, by operator."""

import json
from pathlib import Path

import bpy

RED = (0.8, 0.1, 0.05, 1.0)
WHITE = (1.0, 1.0, 1.0)


def use_collage(scene: bpy.types.Scene, app: object) -> None:
    """Taken from what is shown, and from what is chosen; taken up again, refused, and let go."""
    castle, earlier = scene.objects["castle"], scene["maquette_picture"]["maquette_entry"]
    uid = str(castle.session_uid)
    assert bpy.ops.maquette.take_region(uid=uid) == {"FINISHED"}, app.session.notice
    assert castle["maquette_taken_from"] == earlier
    castle["maquette_phrase"], prompt = "castle", scene.maquette_prompt
    (part,) = painted(app)["collage"]
    assert (part["region"], part["picture"], part["phrase"]) == ("castle", earlier, "castle")
    assert part["outline"] and prompt in part["caption"]
    castle.maquette_keep_look = True
    looks = {region["name"]: region.get("look", "free") for region in painted(app)["regions"]}
    assert looks["castle"] == "repaint", "it is of that picture, not of the latest"
    castle.maquette_keep_look = False
    assert bpy.ops.maquette.take_region(uid=uid) == {"FINISHED"} and "maquette_taken_from" not in castle
    assert "collage" not in painted(app)
    assert bpy.ops.maquette.take_region(uid=uid, name=earlier) == {"FINISHED"}
    refuse_what_is_gone(app, castle, earlier)
    begin_as_colours(scene, app)


def refuse_what_is_gone(app: object, castle: bpy.types.Object, earlier: str) -> None:
    """A picture that is not there any more, and a region that it does not show."""
    picture = app.gallery.folder / f"{earlier}.png"
    hidden = picture.rename(picture.with_suffix(".hidden"))
    assert bpy.ops.maquette.generate() == {"CANCELLED"} and app.session.notice.code == "taken-gone"
    sequences = sorted((app.folder / "sequences").iterdir())
    assert bpy.ops.maquette.all_cameras() == {"CANCELLED"} and app.session.notice.code == "taken-gone"
    assert sorted((app.folder / "sequences").iterdir()) == sequences
    assert not list(Path(bpy.app.tempdir).glob("maquette-*")), "no copy of the file stays"
    hidden.rename(picture)
    uid = str(castle.session_uid)
    assert "“castle”" in app.session.notice.message and app.session.notice.subject == uid
    assert bpy.ops.maquette.take_region(uid=uid) == {"FINISHED"}
    castle["maquette_phrase"], castle.name = "cactus", "cactus"
    assert bpy.ops.maquette.take_region(uid=uid) == {"CANCELLED"} and app.session.notice.code == "region-gone"
    castle["maquette_phrase"], castle.name = "castle", "castle"


def begin_as_colours(scene: bpy.types.Scene, app: object) -> None:
    """Its material's colour, or its own; what is taken up again has both as they were."""
    castle, rocket = scene.objects["castle"], scene.objects["rocket"]
    material = bpy.data.materials.new("red")
    material.diffuse_color = RED
    castle.data.materials.append(material)
    rocket["maquette_colour"], scene.maquette_blocking = WHITE, 0.5
    assert bpy.ops.maquette.take_region(uid=str(castle.session_uid)) == {"FINISHED"}
    taken = castle["maquette_taken_from"]
    blocking = painted(app)["blocking"]
    colours = {flat["region"]: flat["colour"] for flat in blocking["colours"]}
    assert blocking["amount"] == 0.5 and colours["rocket"] == list(WHITE)
    assert colours["castle"][0] > 0.85 and colours["castle"][1] < 0.4, "as the Solid view shows it, in sRGB"
    name = scene["maquette_picture"]["maquette_entry"]
    assert bpy.ops.maquette.take_region(uid=str(castle.session_uid)) == {"FINISHED"}
    castle.data.materials.clear()
    del rocket["maquette_colour"], scene["maquette_blocking"]
    assert "blocking" not in painted(app)
    assert bpy.ops.maquette.reuse(name=name, what="EVERYTHING") == {"FINISHED"}
    assert (scene.maquette_blocking, castle["maquette_taken_from"]) == (0.5, taken)
    del scene["maquette_blocking"], castle["maquette_taken_from"]
    rocket.pop("maquette_colour", None)
    scene.maquette_vary = True


def painted(app: object) -> dict:
    """What was asked for, once it is painted."""
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    return json.loads(app.session.tasks[-1].request)
