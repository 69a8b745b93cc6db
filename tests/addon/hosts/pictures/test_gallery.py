# SPDX-License-Identifier: MIT
"""The .blend's own history in this host: its cap, its favourites, its thumbnails, and what is broken."""

import gc
import os
import time
from dataclasses import replace
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from addon.pictures import gallery as album
from addon.pictures import history
from addon.pictures.gallery import PAGE
from addon.pictures.history import IN_FILE, THUMB_SIDE, Entry
from addon.protocol.blockout import Blockout, Frame
from addon.protocol.strict_json import ContractError
from addon.request.settings import DEFAULTS
from tests.addon.hosts.sample_scenes import fresh

FRAME = Frame(left=0, top=0, width=64, height=48)
ASKED = Blockout(
    prompt="a castle",
    regions=(),
    width=64,
    height=48,
    frame=FRAME,
    seed=7,
    model="toybox",
    steps=30,
    strength=0.5,
    scale=5.0,
)


@pytest.fixture
def scene():
    fresh()
    album.register()
    yield bpy.context.scene
    album.unregister()


def entry(number: int) -> Entry:
    ramp = np.linspace(0.0, 1.0, THUMB_SIDE * 85 * 4, dtype=np.float32).reshape(85, THUMB_SIDE, 4)
    thumb = history.thumb(ramp)
    return Entry(name=f"{number:064x}", created=1.8e9, request=ASKED, settings=DEFAULTS, pose=(), thumb=thumb)


def test_the_oldest_leave_and_favourites_stay(scene) -> None:
    album.remember(scene, entry(0))
    scene.maquette_history[0].favourite = True
    for number in range(1, IN_FILE + 3):
        album.remember(scene, entry(number))
    kept = [int(item.name, 16) for item in scene.maquette_history]
    assert kept == [0, *range(3, IN_FILE + 3)]  # the favourite, and as many as there may be beside it
    album.remember(scene, entry(0))  # painted again: the newest now, and still a favourite
    assert int(scene.maquette_history[-1].name, 16) == 0 and scene.maquette_history[-1].favourite


def test_any_number_of_favourites_leaves_room_for_new_pictures(scene) -> None:
    for number in range(IN_FILE + 2):
        album.remember(scene, entry(number))
        scene.maquette_history[-1].favourite = True
    for number in range(100, 102):
        album.remember(scene, entry(number))
    assert [int(item.name, 16) for item in scene.maquette_history] == [*range(IN_FILE + 2), 100, 101]


def test_newest_first_and_favourites_alone(scene, tmp_path) -> None:
    for number in range(3):
        album.remember(scene, entry(number))
    scene.maquette_history[1].favourite = True
    manager = SimpleNamespace(maquette_scope="FILE", maquette_favourites=False)
    gallery = album.Gallery(tmp_path)
    assert [int(tile.name, 16) for tile in album.page(scene, manager, gallery).tiles] == [2, 1, 0]
    manager.maquette_favourites = True
    assert [int(tile.name, 16) for tile in album.page(scene, manager, gallery).tiles] == [1]
    gallery.close()


def test_a_thumbnail_is_small_and_comes_back(scene) -> None:
    thumb = entry(0).thumb
    assert (thumb.width, thumb.height) == (THUMB_SIDE, 85)
    back = history.thumb_pixels(thumb)
    assert back.shape == (thumb.height, thumb.width, 4) and back[..., 3].min() == 1.0
    assert history.thumb(back) == thumb
    for wrong in (
        replace(thumb, width=1),
        replace(thumb, width=10**6),
        replace(thumb, data="eJw="),
        replace(thumb, data="?"),
    ):
        with pytest.raises(ContractError):
            history.thumb_pixels(wrong)


def test_the_gallery_reads_scene_and_disk(scene, tmp_path) -> None:
    gallery, manager = album.Gallery(tmp_path), bpy.context.window_manager
    for number in range(3):
        album.remember(scene, entry(number))
    scene.maquette_history[0].text = "a newer Maquette's"
    gallery.keep(entry(9))
    (tmp_path / f"{'b' * 64}.json").write_text("cut short")
    assert gallery.tick(manager) and gallery.tick(manager) and not gallery.tick(manager)
    assert all(item.name in gallery._icons for item in scene.maquette_history)
    manager.maquette_scope = "DISK"
    assert gallery.tick(manager)
    assert [tile.name for tile in gallery.disk_tiles] == [entry(9).name]
    assert gallery.entry(scene, entry(9).name) == entry(9) and gallery.entry(scene, entry(1).name) == entry(1)
    history.forget(tmp_path, entry(9).name)
    gallery.reread()
    gallery.tick(manager)
    assert gallery.disk_tiles == () and entry(9).name not in gallery._icons
    gallery.close()


def test_pictures_of_one_prompt_are_told_apart(scene, tmp_path) -> None:
    gallery, manager = album.Gallery(tmp_path), bpy.context.window_manager
    plain = entry(1)
    album.remember(scene, plain)
    album.remember(scene, replace(plain, name=entry(2).name, request=replace(ASKED, steps=8)))
    album.remember(scene, replace(plain, name=entry(3).name, request=replace(ASKED, seed=9)))
    album.remember(scene, entry(4))
    scene.maquette_history[3].text = "a newer Maquette's"
    tiles = album.page(scene, SimpleNamespace(maquette_scope="FILE", maquette_favourites=False), gallery).tiles
    assert gallery.labels(tiles) == ("", "", "", "")  # before they are read
    ticks(gallery, manager)
    assert gallery.labels(tiles) == ("", "9", "7 · 8 steps", "7 · 30 steps")
    assert gallery.facts(plain.name).steps == 30 and gallery.facts(entry(4).name) is None
    gallery.close()


def test_what_is_painted_is_in_the_scene_or_on_disk(scene, tmp_path) -> None:
    """A picture that came when its file was closed is on disk alone; its request is painted all the same."""
    gallery, own, other = album.Gallery(tmp_path), entry(1), replace(entry(2), request=replace(ASKED, seed=8))
    album.remember(scene, own)
    history.keep(tmp_path, other)  # by another Blender
    assert [gallery.painted(scene)(history.request(one)) for one in (own, other)] == ["", ""]  # no picture is there
    for one in (own, other):
        (tmp_path / f"{one.name}.png").write_bytes(b"a picture")
    assert [gallery.painted(scene)(history.request(one)) for one in (own, other)] == [own.name, other.name]
    history.forget(tmp_path, other.name)
    assert gallery.painted(scene)(history.request(other)) == ""
    gallery.close()


def test_what_is_painted_by_the_time_it_is_asked_counts(scene, tmp_path) -> None:
    """An exact capture takes its time: what was pressed before it may have come meanwhile."""
    gallery, own = album.Gallery(tmp_path), entry(1)
    painted = gallery.painted(scene)
    assert painted(history.request(own)) == ""
    history.keep(tmp_path, own)
    (tmp_path / f"{own.name}.png").write_bytes(b"a picture")
    assert painted(history.request(own)) == own.name
    gallery.close()


def test_pages_of_the_file(scene, tmp_path) -> None:
    for number in range(IN_FILE):
        album.remember(scene, entry(number))
    manager, gallery = SimpleNamespace(maquette_scope="FILE", maquette_favourites=False), album.Gallery(tmp_path)
    newest = album.page(scene, manager, gallery)
    assert (newest.first, newest.last, newest.total) == (0, PAGE, IN_FILE)
    gallery.turn(newest, older=True)
    older = album.page(scene, manager, gallery)
    assert [int(tile.name, 16) for tile in older.tiles] == list(range(IN_FILE - PAGE - 1, -1, -1))
    gallery.turn(older, older=True)  # no button offers it
    assert album.page(scene, manager, gallery) == older
    for number in range(IN_FILE - PAGE):
        album.forget(scene, entry(number).name)
    assert album.page(scene, manager, gallery).first == 0
    gallery.close()


def test_the_disks_hundreds_are_read_a_page_at_a_time(scene, tmp_path) -> None:
    gallery, manager = album.Gallery(tmp_path), bpy.context.window_manager
    text = history.text(entry(0))
    for number in range(500):
        path = tmp_path / f"{number:064x}.json"
        path.write_text(text.replace(f"{0:064x}", path.stem))
        os.utime(path, (1.8e9, 1.8e9 + number))
    history.favour(tmp_path, entry(7).name, True)
    manager.maquette_scope = "DISK"
    longest, seen = 0.0, []
    gc.collect()  # what earlier tests left is not this one's to sweep
    for _ in range(3):
        longest = max(longest, *ticks(gallery, manager))
        shown = album.page(scene, manager, gallery)
        seen += [int(tile.name, 16) for tile in shown.tiles]
        gallery.turn(shown, older=True)
    assert seen == list(range(499, 499 - 3 * PAGE, -1)) and shown.total == 500
    assert longest < 0.05, "a tick holds the window"
    assert len(list(gallery._icons.names())) <= 2 * PAGE
    manager.maquette_favourites = True
    ticks(gallery, manager)
    shown = album.page(scene, manager, gallery)
    assert [int(tile.name, 16) for tile in shown.tiles] == [7] and (shown.first, shown.total) == (0, 1)
    gallery.close()


def test_what_is_pruned_is_not_shown(scene, tmp_path) -> None:
    gallery, manager = album.Gallery(tmp_path), bpy.context.window_manager
    text = history.text(entry(0))
    for number in range(history.COUNT + 2):
        path = tmp_path / f"{number:064x}.json"
        path.write_text(text.replace(f"{0:064x}", path.stem))
        os.utime(path, (1.8e9, 1.8e9 + number))
    manager.maquette_scope = "DISK"
    ticks(gallery, manager)  # the last of them has nothing to show, and prunes
    ticks(gallery, manager)
    assert len(list(tmp_path.glob("*.json"))) == gallery.total == history.COUNT
    gallery.close()


def ticks(gallery: album.Gallery, manager) -> list[float]:
    """The gallery's ticks until nothing is new, each in seconds of this thread."""
    lasted, fresh = [], True
    while fresh:
        begun = time.thread_time()
        fresh = gallery.tick(manager)
        lasted.append(time.thread_time() - begun)
    return lasted
