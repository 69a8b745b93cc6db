# SPDX-License-Identifier: MIT
"""What an artist does with models and styles, by operator."""

import bpy


def choose(scene: bpy.types.Scene, app: object) -> None:
    """Model and style: a style of one's own, one that is not here, one of ours."""
    assert bpy.ops.maquette.choose_model(name="toybox") == {"FINISHED"}
    assert bpy.ops.maquette.save_style(name="", text=", ink") == {"CANCELLED"}
    assert bpy.ops.maquette.save_style(name="Mine", text=", ink", negative="colour", keeps=True) == {"FINISHED"}
    assert (scene.maquette_style, app.style_library.find("Mine").steps, app.style_library.faults) == ("Mine", 5, ())
    scene.maquette_steps = 9
    assert bpy.ops.maquette.choose_style(name="Mine") == {"FINISHED"}
    assert scene.maquette_steps == 5
    assert bpy.ops.maquette.delete_style() == {"FINISHED"}
    assert scene.maquette_style == "" and app.style_library.find("Mine") is None
    scene.maquette_style = "Somebody's"
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert app.session.notice.code == "style-missing", app.session.notice
    assert bpy.ops.maquette.choose_style(name="Sunset") == {"FINISHED"}
    assert app.style_library.thumbnail("Sunset").exists() and app.style_icon("Somebody's") == 0
    assert bpy.ops.maquette.delete_style() == {"CANCELLED"}
    assert app.session.notice.code == "style-shipped", app.session.notice
    by_hand = app.style_folder / "ink.json"
    by_hand.write_text('[{"name": "Ink", "text": ", ink"}, {"name": "Wash", "text": ", wash"}]')
    assert bpy.ops.maquette.read_styles() == {"FINISHED"} and bpy.ops.maquette.choose_style(name="Ink") == {"FINISHED"}
    assert bpy.ops.maquette.delete_style() == {"CANCELLED"}
    assert app.session.notice.code == "style-by-hand" and by_hand.name in app.session.notice.message
    by_hand.unlink()
    assert bpy.ops.maquette.read_styles() == {"FINISHED"} and bpy.ops.maquette.choose_style(name="Sunset") == {
        "FINISHED"
    }
