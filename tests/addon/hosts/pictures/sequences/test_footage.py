# SPDX-License-Identifier: MIT
"""A sequence in this host: behind its cameras frame by frame, and as strips."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.compat import image_strips
from addon.messages.errors import LockedObject, SequenceUnusable
from addon.pictures.camera_background import has_background, remove_background, shows_background
from addon.pictures.sequences.footage import as_strips, behind_cameras
from addon.pictures.sequences.frame_files import keep, name_of_frame
from addon.pictures.sequences.scene_views import _views_of, object_named
from addon.pictures.sequences.views_in_turn import project_first
from addon.projection.keys import PROJECTOR
from addon.projection.projectors import artist_cameras, project, projectors
from addon.protocol.png import plain
from addon.protocol.views import FrameFile, Views
from addon.session.sequence import PictureSequence, SequenceFrame, by_camera
from addon.session.task import NOWHERE, Viewpoint
from tests.addon.hosts.projection.sample_projection import flat, staged
from tests.addon.hosts.sample_scenes import fresh

VIEW = Viewpoint(scene=0, camera=0, pose=(), origin=NOWHERE)


@pytest.fixture
def scene() -> bpy.types.Scene:
    """With two cameras."""
    fresh()
    scene = bpy.context.scene
    for name in ("A", "B"):
        scene.collection.objects.link(bpy.data.objects.new(name, bpy.data.cameras.new(name)))
    return scene


def sequence(tmp_path: Path, **frames: tuple[int, ...]) -> PictureSequence:
    """Painted frames by camera; a picture is as red as its frame's number times ten."""
    done = []
    for camera, numbers in frames.items():
        for number in numbers:
            picture = tmp_path / f"{camera}{number}.png"
            picture.write_bytes(plain(4, 4, bytes([10 * number % 256, 0, 0] * 16)))
            file = name_of_frame(camera, number)
            keep(tmp_path / "s", file, picture, file)
            done.append(SequenceFrame(camera=camera, frame=number, file=file))
    return PictureSequence(
        id="s", title="Frames", view=VIEW, folder=tmp_path / "s", size=len(done), frames=tuple(done), ended=True
    )


def shown_behind(scene: bpy.types.Scene, done: PictureSequence) -> tuple[str, ...]:
    """As the button does it."""
    return behind_cameras(scene, by_camera(done.frames), done.folder)


def shown(scene: bpy.types.Scene, camera: str, frame: int) -> int:
    """The red, of 255, that a camera's background has at a frame, read from the file that Blender plays there."""
    scene.frame_set(frame)
    (layer,) = bpy.data.objects[camera].data.background_images
    user, image = layer.image_user, layer.image
    number = frame - user.frame_start + 1 + user.frame_offset
    path = Path(bpy.path.abspath(image.filepath))
    file = path.with_name(f"{number:04d}.png") if image.source == "SEQUENCE" else path
    loaded = bpy.data.images.load(str(file))
    pixels = np.empty(4 * 4 * 4, np.float32)
    loaded.pixels.foreach_get(pixels)
    bpy.data.images.remove(loaded)
    return round(float(pixels[0]) * 255)


def test_cameras_that_share_a_lens_are_named_and_none_is_changed(scene, tmp_path) -> None:
    done = sequence(tmp_path, A=(1, 2), B=(1, 2))
    bpy.data.objects["B"].data = bpy.data.objects["A"].data
    with pytest.raises(SequenceUnusable, match="A and B share their lens"):
        shown_behind(scene, done)
    assert not shows_background(scene)
    assert shown_behind(scene, sequence(tmp_path, A=(1, 2))) == (), "one of them alone is well"


@pytest.mark.parametrize("numbers", [(5, 6, 7), (1, 3), (0, 1, 2)])
def test_a_camera_shows_each_picture_at_its_frame(scene, tmp_path, numbers) -> None:
    assert shown_behind(scene, sequence(tmp_path, A=numbers)) == ()
    assert [shown(scene, "A", number) for number in numbers] == [10 * number for number in numbers]
    (layer,) = bpy.data.objects["A"].data.background_images
    assert layer.image.source == "SEQUENCE" and layer.image_user.frame_duration == numbers[-1] - numbers[0] + 1
    assert has_background(bpy.data.objects["A"]) and shows_background(scene)
    remove_background(bpy.data.objects["A"])
    assert not shows_background(scene)
    assert not bpy.data.objects["A"].data.background_images


def test_what_is_projected_of_pictures_behind_a_camera_stays_one_picture(tmp_path) -> None:
    scene = staged(64, 36)
    done = sequence(tmp_path, **{scene.camera.name: (1, 2)})
    shown_behind(scene, done)
    files = [FrameFile(camera=one.camera, frame=one.frame, file=str(done.folder / one.file)) for one in done.frames]
    project_first(scene, files)
    (projector,) = projectors(scene)
    assert projector[PROJECTOR]["picture"].source == "FILE"


def test_all_cameras_show_one_picture_each_and_those_that_are_gone_are_named(scene, tmp_path) -> None:
    assert shown_behind(scene, sequence(tmp_path, A=(3,), B=(4,), C=(5,))) == ("C",)
    assert [shown(scene, name, 1) for name in "AB"] == [30, 40]


def test_where_one_camera_cannot_be_changed_none_is(scene, tmp_path) -> None:
    bpy.data.libraries.write(str(tmp_path / "lens.blend"), {bpy.data.cameras["B"]})
    with bpy.data.libraries.load(str(tmp_path / "lens.blend"), link=True) as (_, target):
        target.cameras = ["B"]
    bpy.data.objects["B"].data = target.cameras[0]
    done = sequence(tmp_path, A=(3,), B=(4,))
    with pytest.raises(LockedObject, match="B belongs to another file"):
        shown_behind(scene, done)
    assert not has_background(bpy.data.objects["A"])
    bpy.data.objects["B"].data = bpy.data.objects["A"].data.copy()
    (done.folder / name_of_frame("B", 4)).unlink()
    with pytest.raises(RuntimeError):
        shown_behind(scene, done)
    assert not has_background(bpy.data.objects["A"]) and not bpy.data.objects["A"].data.background_images


def test_strips_lie_above_what_is_there_and_begin_at_their_first_frame(scene, tmp_path) -> None:
    done = sequence(tmp_path, A=(3, 4, 6), B=(3, 4))
    as_strips(scene, done)
    names = as_strips(scene, done)
    strips = image_strips(scene.sequence_editor)
    assert len(strips) == 4 and [strips[name].channel for name in names] == [3, 4]
    (held, other) = (strips[name] for name in names)
    assert (held.frame_final_start, held.frame_final_duration) == (3, 4)
    assert elements(held) == [3, 4, 4, 6], "frame 5 was not painted"
    assert Path(bpy.path.abspath(held.directory)) == done.folder / "A"
    assert elements(other) == [3, 4]


def elements(strip) -> list[int]:
    """The numbers of the pictures that a strip plays."""
    return [int(Path(element.filename).stem) for element in strip.elements]


def test_a_cut_between_cameras_plays_each_frame_from_its_own(scene, tmp_path) -> None:
    cut = {"A": (1, 2, 5, 6, 7), "B": (3, 4, 8, 10)}
    names = as_strips(scene, sequence(tmp_path, **cut))
    strips = [image_strips(scene.sequence_editor)[name] for name in names]
    on_top = {}
    for strip in sorted(strips, key=lambda strip: strip.channel):
        for number, picture in enumerate(elements(strip), round(strip.frame_final_start)):
            on_top[number] = (Path(bpy.path.abspath(strip.directory)).name, picture)
    assert on_top == {frame: (camera, frame) for camera, frames in cut.items() for frame in frames} | {9: ("B", 8)}
    assert len({strip.channel for strip in strips}) == 2


def test_what_projects_a_picture_is_no_camera_to_paint_through():
    scene = staged()
    project(scene, scene.camera, flat((1.0, 0.0, 0.0)))
    assert [name for name, _, _ in _views_of(scene, Views(all_cameras=True))] == ["Camera"]
    assert artist_cameras(scene) == [scene.camera]


def test_cameras_of_one_name_from_several_files_are_a_view_each(tmp_path):
    fresh()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lens.blend"))
    scene = fresh()
    with bpy.data.libraries.load(str(tmp_path / "lens.blend"), link=True) as (_, target):
        target.objects = ["Camera"]
    scene.collection.objects.link(target.objects[0])
    bpy.context.view_layer.update()
    names = [name for name, _, _ in _views_of(scene, Views(all_cameras=True))]
    assert names == ["Camera", "Camera [lens.blend]"]
    assert [object_named(scene, name).library is None for name in names] == [True, False]
