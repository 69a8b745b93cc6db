# SPDX-License-Identifier: MIT
"""Messages that leave when what they complain of does, and limits that are said where Generate is."""

import sys

import bpy


def use_messages(scene: bpy.types.Scene, app: object) -> None:
    """Every cause made and mended behind the message's back. Needs a scene that paints: a castle and a rocket."""
    root = type(app).__module__.removesuffix(".runtime.app")
    causes = sys.modules[f"{root}.ui.causes"]
    prompt = scene.maquette_prompt
    tried = {code for code, *_ in complaints(scene, prompt)}
    assert tried | {"unseen", "nothing-selected", "whole-scene"} == set(causes.CAUSES), "each has its turn here"
    for code, subject, spoil, mend in complaints(scene, prompt):
        notice = sys.modules[f"{root}.messages.notice"].Notice(message="So.", code=code, subject=subject)
        spoil()
        assert not causes.outlived(notice, bpy.context), f"{code} leaves while its cause stands"
        mend()
        assert causes.outlived(notice, bpy.context), f"{code} stays though its cause is gone"
    exceed(scene, app, prompt)
    write_in_several_lines(scene, prompt)
    rank(app, root)
    write_nowhere(scene, app)


def complaints(scene: bpy.types.Scene, prompt: str) -> list[tuple]:
    """Code and subject of a message, what gives cause for it, and what takes that away again."""
    castle, camera = scene.objects["castle"], scene.camera
    marked = [item for item in scene.objects if item.get("maquette_region")]

    def say(words: str):
        return lambda: setattr(scene, "maquette_prompt", words)

    def mark(on: bool):
        return lambda: [item.__setitem__("maquette_region", on) for item in marked]

    def call(phrase: str):
        return lambda: setattr(scene.objects["rocket"], "maquette_phrase", phrase)

    def see(through):
        return lambda: setattr(scene, "camera", through)

    def style(name: str):
        return lambda: scene.__setitem__("maquette_style", name)

    return [
        ("phrase-missing", castle.maquette_phrase or "castle", say("a meadow"), say(prompt)),
        ("strange-words", "cursed", say(f"{prompt}, cursed"), say(prompt)),
        ("phrase-shared", "castle", call("castle"), call("rocket")),
        ("nothing-marked", "", mark(False), mark(True)),
        ("no-camera", "", see(None), see(camera)),
        ("style-missing", "gone", style("gone"), style("")),
    ]


def exceed(scene: bpy.types.Scene, app: object, prompt: str) -> None:
    """Too long a prompt is refused in words by the button itself, and nothing is sent."""
    jobs = len(app.session.tasks)
    scene.maquette_prompt = prompt + "!" * 2001
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    notice = app.session.notice
    assert notice.code == "limit-exceeded" and "letters; at most 2,000 are read." in notice.message, notice
    assert len(app.session.tasks) == jobs
    scene.maquette_prompt = prompt
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}


def write_in_several_lines(scene: bpy.types.Scene, prompt: str) -> None:
    """What the popup has in its lines, where Blender has no box of several, is the prompt."""
    assert bpy.ops.maquette.edit_prompt(first="a castle", second=" and a rocket ", last="at night") == {"FINISHED"}
    assert scene.maquette_prompt == "a castle and a rocket at night"
    scene.maquette_prompt = prompt


def rank(app: object, root: str) -> None:
    """A warning hides neither the answer to a press, nor a failure, nor the loss of the server."""
    session = app.session
    modules = {name: sys.modules[f"{root}.{name}"] for name in ("messages.sentences", "session.reducer")}
    sentences, reducer = modules["messages.sentences"], modules["session.reducer"]
    stage = sys.modules[f"{root}.ui.panels.messages"]
    warning = reducer.notice_changed(session, sentences.differs("“castle” (50% alike)"))
    assert stage.message(bpy.context, warning).notice.code == "unlike"
    died = reducer.server_died(warning, sentences.server_died("was killed by signal 9", "", "server.log"))
    died = reducer.notice_changed(died, warning.notice)
    assert stage.message(bpy.context, died).notice.code == "server-died"
    answered = reducer.notice_changed(died, sentences.no_editor())
    assert stage.message(bpy.context, answered).notice.code == "no-editor"


def write_nowhere(scene: bpy.types.Scene, app: object) -> None:
    """Files stand where folders should be: each is said with its path, and costs nothing but what cannot be written."""
    root, name = app.folder, scene.maquette_history[-1].name
    for folder in ("pictures", "styles"):
        (root / folder).rename(root / f"{folder}-aside") if (root / folder).exists() else None
        (root / folder).write_text("in the way")
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    said_with_path(app, "unkept", root / "pictures")
    assert bpy.ops.maquette.save_style(name="Fog", text="in fog") == {"CANCELLED"}
    said_with_path(app, "style-unkept", root / "styles")
    for folder in ("pictures", "styles"):
        (root / folder).unlink()
        if (root / f"{folder}-aside").exists():
            (root / f"{folder}-aside").rename(root / folder)
    blocker = root / "blocker"
    blocker.write_text("in the way")
    assert bpy.ops.maquette.save_entry(name=name, filepath=str(blocker / "x.png")) == {"CANCELLED"}
    said_with_path(app, "history-unreadable", blocker)
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    assert all(task.received for task in app.session.tasks if task.job.state == "done"), "nothing is lost"


def said_with_path(app: object, code: str, path: object) -> None:
    """A sentence that names the path."""
    notice = app.session.notice
    assert notice is not None and notice.code == code and str(path) in notice.message, notice
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}
