# SPDX-License-Identifier: MIT
"""Folders, files, scenes and objects as people name them: Blender gives #, {} and // meanings of their own."""

import os
import shutil
import unicodedata

import bpy
import numpy as np
import pytest

from addon.blender_process import REFUSED, ApplyCommand, CaptureCommand, LookCommand, SceneFile, refusal
from addon.compat import temporary_folder
from addon.headless import run
from addon.protocol.blockout import Blockout, Region
from addon.protocol.strict_json import loads
from addon.regions.marks import mark
from addon.request.settings import PROMPT
from tests.addon.hosts.sample_scenes import box, fresh

SIGNS, APART = "Shot #3 {done}% {blend_name} }{ a'b\"c`", unicodedata.normalize("NFD", "Mülléß 場面の城堡🏰\n\t")
EACH = {
    "blanks": "Shot 3  final ",
    "hashes": "v##_#final",
    "braces": "50% {done}",
    "a template": "{blend_name} {nothing} }{",
    "per cent": "%04d %s %",
    "quotes": "a'b\"c`d",
    "newlines": "two\nlines\tand a tab",
    "umlauts": unicodedata.normalize("NFC", "Entwürfe & Müll é"),
    "other scripts": "🏰👨‍👩‍👧 rtl עברית",
    "an ending": "ends.blend.json",
    "dots": "ViewLayer.Combined.R",
    "a shell": "$HOME ~ ; | *",
}
EACH |= {"a dash": "--exact"}
NAMES = [pytest.param(SIGNS, id="signs"), pytest.param(APART, id="scripts")]
NAMES += [pytest.param(name, id=kind, marks=pytest.mark.long) for kind, name in EACH.items()]
LONG = "n" * 200


def painted(path):
    """A picture on disk, of 16 by 16 pixels."""
    image = bpy.data.images.new("p", 16, 16)
    image.pixels.foreach_set(np.ones(16 * 16 * 4, dtype=np.float32))
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()


def saved_scene(folder, name="scene"):
    """A small scene with one region, in a file of that name."""
    scene = fresh(64, 64)
    mark(box("castle", size=(4, 4, 4)), "castle")
    scene[PROMPT] = "a castle"
    path = folder / f"{name}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return SceneFile(path=path)


def all_ways(source, folder):
    """Capture, exact capture, look and apply: what each leaves in ``folder``."""
    request, exact, look, applied = (folder / f"{name}" for name in ("r.json", "e.json", "blocking.png", "out.blend"))
    assert run(CaptureCommand(source=source, out=request).words()) == 0
    assert run(CaptureCommand(source=source, out=exact, settings={"exact": True}).words()) == 0
    assert run(LookCommand(source=source, out=look).words()) == 0
    painted(folder / "p.png")
    (folder / "a.json").write_text("[]")
    files = {"picture": folder / "p.png", "request": request, "achieved": folder / "a.json"}
    assert run(ApplyCommand(source=source, out=applied, **files).words()) == 0
    return request, exact, look, applied


@pytest.mark.parametrize("name", NAMES)
def test_folders_and_files(tmp_path, name, monkeypatch):
    """The temporary folder, into which an exact capture is rendered, is called so too."""
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    source = saved_scene(folder, name)
    assert all(path.stat().st_size for path in all_ways(source, folder))
    left = {path.name for path in folder.iterdir()}
    assert left == {source.path.name, "r.json", "e.json", "blocking.png", "out.blend", "p.png", "a.json"}


@pytest.mark.skipif(os.name == "nt", reason="where a backslash parts folders")
def test_a_backslash_is_walked_around_or_said(tmp_path, monkeypatch):
    """In the temporary folder it hinders nobody; where a scene or a result is to be, it is said."""
    folder = tmp_path / "a\\b"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    source, exact = saved_scene(tmp_path), folder / "exact.json"
    assert run(CaptureCommand(source=source, out=exact, settings={"exact": True}).words()) == 0
    assert len(regions_of(exact)) == 1 and [path.name for path in folder.iterdir()] == ["exact.json"]
    asked = LookCommand(source=source, out=folder / "look.png")
    assert run(asked.words()) == REFUSED
    assert str(asked.out) in refusal(REFUSED, asked.out).detail
    moved = folder / source.path.name
    shutil.copyfile(source.path, moved)
    assert run(CaptureCommand(source=SceneFile(path=moved), out=exact).words()) == REFUSED
    assert "Rename what has one" in refusal(REFUSED, exact).fix


def test_another_temporary_folder_is_taken_only_where_it_has_to_be(tmp_path):
    assert temporary_folder(str(tmp_path)) == str(tmp_path)
    taken = temporary_folder(str(tmp_path / "a\\b"))
    assert os.access(taken, os.W_OK) and "\\" not in taken


@pytest.mark.long
def test_a_path_near_the_longest(tmp_path):
    folder = tmp_path
    for _ in range(3):
        folder = folder / LONG
    folder.mkdir(parents=True)
    source = saved_scene(folder, LONG)
    assert all(path.stat().st_size for path in all_ways(source, folder))


def regions_of(path) -> tuple[Region, ...]:
    return loads(Blockout, path.read_bytes()).regions


@pytest.mark.parametrize("name", NAMES[1:])
def test_scenes_layers_and_objects(tmp_path, name):
    """What Cryptomatte calls them is read by the names that Blender gave."""
    scene = fresh(64, 64)
    scene.name = scene.view_layers[0].name = name
    item = box(name, size=(4, 4, 4))
    scene.camera.name = f"{name} camera"
    mark(item, "castle")
    box("before it", (0, -2, 0), (1, 1, 1))
    scene[PROMPT] = "a castle"
    path = tmp_path / "scene.blend"
    name, source = item.name, SceneFile(path=path, camera=scene.camera.name)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    request, exact, _, applied = all_ways(source, tmp_path)
    (viewed,), (rendered,) = regions_of(request), regions_of(exact)
    assert viewed.name == rendered.name == name
    assert rendered.size == pytest.approx(viewed.size, abs=0.02)
    bpy.ops.wm.open_mainfile(filepath=str(applied))
    assert bpy.data.objects[name].material_slots[0].material is not None
