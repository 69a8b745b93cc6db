# SPDX-License-Identifier: MIT
"""What an artist does now and then, by operator: files closed and opened again, cameras that are none, toggles."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import bpy
from use_collage import use_collage


def use_edge_cases(scene: bpy.types.Scene, app: object) -> None:
    """From a scene that paints back to one. Needs a server that runs, and two cubes, castle and rocket, selected."""
    come_home(scene, app)
    press_again(scene, app)
    vary(scene, app)
    follow(scene, app)
    order_the_queue(scene, app)
    hover()
    look_through_no_camera(scene, app)
    mark_and_toggle(scene, app)


def ask_unheard(scene: bpy.types.Scene, app: object) -> None:
    """A model that no server has spoken of yet: no other paints instead."""
    scene["maquette_model"] = "dreamer"
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert app.session.notice.code == "model-unlisted", app.session.notice
    del scene["maquette_model"]


def ask_early(scene: bpy.types.Scene, app: object) -> None:
    """Of a server that starts: what is asked for first is asked of the scene's model, and as that one paints."""
    scene["maquette_model"] = "dreamer"
    assert app.session.link.name == "starting" and bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    request = json.loads(app.session.tasks[-1].request)
    assert (request["model"], request["steps"]) == ("dreamer", 5), request
    del scene["maquette_model"]
    bpy.data.images.remove(scene.pop("maquette_picture"))
    assert bpy.ops.maquette.delete_entry(name=scene.maquette_history[-1].name) == {"FINISHED"}


def come_home(scene: bpy.types.Scene, app: object) -> None:
    """A picture whose file was closed and is open again: by its path and names it finds its scene and camera."""
    bpy.ops.wm.save_as_mainfile(filepath=str(app.folder / "home.blend"))
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    pictures = [image for image in bpy.data.images if image.get("maquette_entry") is not None]
    assert all(image.users for image in pictures), "what nothing uses is in the history, and not in the file"
    task = app.session.tasks[-1]
    assert (task.view.origin.file, task.view.origin.scene) == (bpy.data.filepath, scene.name)
    for file, arrives in ((bpy.data.filepath, True), ("/elsewhere.blend", False), ("", False)):
        view = replace(task.view, scene=0, camera=0, origin=replace(task.view.origin, file=file))
        again = replace(task, view=view, received=False)
        tasks = (*app.session.tasks[:-1], again)
        app.dispatcher.apply(partial(replace, tasks=tasks, notice=None))
        scene["maquette_picture"] = None
        assert bpy.ops.maquette.receive(job=task.job.id) == ({"FINISHED"} if arrives else {"CANCELLED"})
        assert (scene["maquette_picture"] is not None) == arrives
        assert (app.session.notice is None) == arrives
    assert app.session.notice.code == "scene-gone"
    assert bpy.ops.maquette.show_entry(name=scene.maquette_history[-1].name) == {"FINISHED"}


def press_again(scene: bpy.types.Scene, app: object) -> None:
    """A second press paints a new picture; with a fixed seed it offers the one that is there, and the next seed."""
    name, seed = scene.maquette_history[-1].name, scene.maquette_seed
    scene.maquette_vary = False
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert (app.session.notice.code, app.session.notice.subject) == ("already-painted", name), app.session.notice
    assert bpy.ops.maquette.show_entry(name=name) == {"FINISHED"} and app.session.notice is None
    assert bpy.ops.maquette.next_seed() == {"FINISHED"}, app.session
    fresh = json.loads(app.session.tasks[-1].request)["seed"]
    assert fresh > seed and scene.maquette_vary and scene.maquette_seed == fresh + 1
    scene.maquette_seed = seed
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    assert json.loads(app.session.tasks[-1].request)["seed"] == fresh + 1, "all up to there are painted"
    scene.maquette_history.clear()  # as the file has it that was saved before
    scene.maquette_seed = seed
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    assert json.loads(app.session.tasks[-1].request)["seed"] == fresh + 2, "what is on disk is painted, too"


def vary(scene: bpy.types.Scene, app: object) -> None:
    """Of a finished picture, near ones: the same request but for its noise, whatever the scene has become."""
    entry, field = app.gallery.entry(scene, scene.maquette_history[-1].name), scene.maquette_seed
    scene.objects["castle"].location.x += 0.5
    assert bpy.ops.maquette.vary_entry(name=entry.name, amount=0.2, count=2) == {"FINISHED"}, app.session
    scene.objects["castle"].location.x -= 0.5
    varied = [app.gallery.entry(scene, item.name) for item in scene.maquette_history][-2:]
    seed = entry.request.seed
    for number, one in enumerate(varied, 1):
        near = one.request.variation
        assert abs(near - 0.2) < 1e-6
        assert one.request == replace(entry.request, variation=near, variation_seed=seed + number), one.request
        assert f"Seed {seed} · 20% towards seed {seed + number}" in one.caption, one.caption
    assert varied[0].name != varied[1].name and scene.maquette_seed == field
    assert bpy.ops.maquette.vary_entry(name=varied[-1].name, amount=0.2) == {"FINISHED"}, app.session
    assert json.loads(app.session.tasks[-1].request)["variation_seed"] == seed + 3
    assert bpy.ops.maquette.reuse(name=varied[0].name, what="EVERYTHING") == {"FINISHED"}
    assert (round(scene.maquette_variation, 6), scene.maquette_variation_seed) == (0.2, seed + 1)
    scene.maquette_variation, scene.maquette_vary = 0.0, True
    assert bpy.ops.maquette.vary_entry(name="0" * 64) == {"CANCELLED"}


def follow(scene: bpy.types.Scene, app: object) -> None:
    """A look that is kept of the latest picture, one region of it anew, its layout with other words."""
    castle, camera = scene.objects["castle"], scene.camera

    def asked(act: Callable[[], set[str]]) -> tuple[dict, dict, str]:
        latest = scene["maquette_picture"]["maquette_entry"]
        assert act() == {"FINISHED"}, app.session
        document = json.loads(app.session.tasks[-1].request)
        looks = {region["name"]: region.get("look", "free") for region in document["regions"]}
        assert document["reference"]["picture"] == latest
        assert {region["name"] for region in document["reference"]["regions"]} == set(looks)
        return document, looks, document["reference"].get("keeps", "picture")

    castle.maquette_keep_look = True
    castle.location.x += 0.5
    document, looks, keeps = asked(bpy.ops.maquette.generate)
    assert (looks["castle"], looks["rocket"], keeps) == ("keep", "free", "picture")
    seed = document["seed"]
    document, looks, _ = asked(partial(bpy.ops.maquette.repaint_region, uid=str(castle.session_uid)))
    assert (looks["castle"], looks["rocket"]) == ("repaint", "free") and document["seed"] > seed
    camera.location.x += 0.2
    assert asked(bpy.ops.maquette.generate)[2] == "look"
    camera.location.x -= 0.2
    castle.location.x -= 0.5
    castle.maquette_keep_look = False
    assert asked(partial(bpy.ops.maquette.generate, restyle=True))[1:] == (
        {"castle": "free", "rocket": "free"},
        "layout",
    )
    answer = partial(bpy.ops.maquette.generate, answers=app.session.tasks[-1].job.id)
    assert asked(answer)[2] == "layout", "who asks again asks for the same"
    follow_files(scene, app)


def follow_files(scene: bpy.types.Scene, app: object) -> None:
    """A picture that is gone, one of the artist's own, and what is none."""
    picture = app.gallery.folder / f"{scene['maquette_picture']['maquette_entry']}.png"
    hidden = picture.rename(picture.with_suffix(".hidden"))
    assert bpy.ops.maquette.generate(restyle=True) == {"CANCELLED"}
    assert app.session.notice.code == "reference-gone"
    hidden.rename(picture)
    assert bpy.ops.maquette.follow_picture(filepath=str(picture)) == {"FINISHED"}, app.session
    sent = json.loads(app.session.tasks[-1].request)
    assert sent["reference"]["caption"] == sent["prompt"] and not sent["reference"].get("regions")
    assert bpy.ops.maquette.generate(answers=app.session.tasks[-1].job.id) == {"FINISHED"}, app.session
    assert json.loads(app.session.tasks[-1].request)["reference"]["picture"] == sent["reference"]["picture"]
    assert bpy.ops.maquette.follow_picture(filepath="/nowhere.png") == {"CANCELLED"}
    assert app.session.notice.code == "history-unreadable"
    assert bpy.ops.maquette.repaint_region(uid="1") == {"CANCELLED"}
    assert app.session.notice.code == "region-gone"
    use_collage(scene, app)


def order_the_queue(scene: bpy.types.Scene, app: object) -> None:
    """Three wait behind one: the last is moved to the front, the first removed, the second replaced by the scene."""
    view, request = app.session.tasks[-1].view, app.gallery.entry(scene, scene.maquette_history[-1].name).request
    long = replace(request, steps=400, variation=0.0)
    for number in range(4):
        app.event_loop.wait(app.dispatcher.submit(replace(long, seed=900 + number), view))
    until(app, lambda: app.session.active.job.state == "running")
    begun, first, second, third = (task.job.id for task in app.session.tasks[-4:])
    assert [task.job.id for task in app.session.queued] == [first, second, third]
    assert bpy.ops.maquette.move_to_front(job=third) == {"FINISHED"}
    until(app, lambda: app.session.queued[0].job.id == third)
    assert bpy.ops.maquette.remove_waiting(job=first) == {"FINISHED"}
    until(app, lambda: len(app.session.queued) == 2)
    for job in (begun, third):
        app.event_loop.wait(app.dispatcher.cancel(job))
    app.event_loop.wait(app.dispatcher.submit(replace(long, seed=904), view))
    until(app, lambda: app.session.active.job.id == second)
    fourth = app.session.queued[-1].job.id
    app.event_loop.start(cancel_after(app, second, fourth))
    assert bpy.ops.maquette.replace_waiting(job=fourth) == {"FINISHED"}, app.session.notice
    ends = {task.job.id: task.job.state for task in app.session.tasks}
    assert [ends[job] for job in (begun, first, second, third, fourth)] == ["cancelled"] * 5, ends
    assert app.session.tasks[-1].received and json.loads(app.session.tasks[-1].request)["steps"] < 400


async def cancel_after(app: object, job: str, other: str) -> None:
    """Cancel a job once another does not wait any more."""
    await app.dispatcher.until(lambda session: other not in [task.job.id for task in session.queued])
    await app.dispatcher.cancel(job)


def until(app: object, satisfied: Callable[[], bool]) -> None:
    """Run the event loop as a window's timer does, until that is so."""
    end = time.monotonic() + 30
    while not satisfied():
        assert time.monotonic() < end, app.session
        app.event_loop.once()
        time.sleep(0.01)


def hover() -> None:
    """The tooltips of buttons that say more than their class does."""
    words = {
        "reuse": [{"what": what} for what in ("PROMPT", "SEED", "EVERYTHING")],
        "enforce": [{"what": what} for what in ("shape", "centroid", "size", "loose", "silhouette")],
        "select_region": [{"words": "34% of it is visible."}, {"words": ""}],
        "switch_part": [{"part": part} for part in ("TARGETS", "ACHIEVED", "WORDS")],
        "turn_page": [{"older": True}, {"older": False}],
        "choose_model": [{"name": "toybox"}, {"name": "gone"}],
        "copy": [{"text": "all of a message"}],
        "choose_style": [{"name": "Sunset"}, {"name": ""}, {"name": "gone"}],
    }
    ours = [name for name in dir(bpy.types) if name.startswith("MAQUETTE_OT_")]
    described = {name for name in ours if "description" in vars(getattr(bpy.types, name))}
    assert described == {f"MAQUETTE_OT_{name}" for name in words}, described
    for name, handed in words.items():
        operator = getattr(bpy.types, f"MAQUETTE_OT_{name}")
        descriptions = [operator.description(bpy.context, SimpleNamespace(**one)) for one in handed]
        assert all(descriptions), (name, descriptions)


def look_through_no_camera(scene: bpy.types.Scene, app: object) -> None:
    """Blender lets a scene look through anything; what needs a camera says so."""
    camera, name = scene.camera, scene.maquette_history[-1].name
    scene.camera = scene.objects["castle"]
    for act in (bpy.ops.maquette.generate, bpy.ops.maquette.fit_camera, bpy.ops.maquette.flatten_camera):
        assert act() == {"CANCELLED"}
        assert app.session.notice.code == "no-camera", app.session.notice
    assert bpy.ops.maquette.reuse(name=name, what="EVERYTHING") == {"FINISHED"}
    assert app.session.notice.code == "camera-elsewhere"
    assert bpy.ops.maquette.show_entry(name=name) == {"FINISHED"}
    assert bpy.ops.maquette.restore_camera(name=name) == {"FINISHED"}
    assert scene.camera == camera
    other = bpy.data.objects.new("Other", camera.data.copy())
    scene.collection.objects.link(other)
    scene.camera, camera.location.x = other, camera.location.x + 1.0
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.project() == {"CANCELLED"}
    assert app.session.notice.code == "displaced"
    assert bpy.ops.maquette.restore_camera(name=app.session.notice.subject) == {"FINISHED"}
    assert scene.camera == camera and not any(other.location)
    bpy.data.objects.remove(other)


def mark_and_toggle(scene: bpy.types.Scene, app: object) -> None:
    """What to keep is switched one by one; what is marked stays as it is; what another file owns cannot be marked."""
    castle = scene.objects["castle"]
    uid = str(castle.session_uid)
    assert bpy.ops.maquette.enforce(uid=uid, what="size") == {"FINISHED"}
    assert castle["maquette_enforce"] == "shape size"
    assert bpy.ops.maquette.enforce(uid=uid, what="shape") == {"FINISHED"}
    assert castle["maquette_enforce"] == "size"
    assert bpy.ops.maquette.add_selected() == {"FINISHED"}
    assert castle["maquette_enforce"] == "size"
    castle["maquette_enforce"] = "shape"
    assert bpy.ops.maquette.enforce(uid="1", what="size") == {"CANCELLED"}
    bpy.ops.maquette.switch_part(part="WORDS")
    assert bpy.context.window_manager.maquette_overlay_parts == {"TARGETS", "ACHIEVED"}
    bpy.ops.maquette.switch_part(part="WORDS")
    other = str(app.folder / "other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=other, copy=True)
    with bpy.data.libraries.load(other, link=True) as (_, data_to):
        data_to.objects = ["Plane"]
    scene.collection.objects.link(data_to.objects[0])
    data_to.objects[0].select_set(True)
    assert bpy.ops.maquette.add_selected() == {"CANCELLED"}
    assert app.session.notice.code == "locked-object"
    bpy.data.libraries.remove(bpy.data.libraries[-1])
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}
