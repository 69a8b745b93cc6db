# SPDX-License-Identifier: MIT
"""The .blend's own history in this host: its cap, its favourites, its thumbnails, and what is broken."""

from dataclasses import replace
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from addon import album, history
from addon.contract import Blockout, ContractError, Frame
from addon.history import IN_FILE, NO_WISH, THUMB_SIDE, Entry
from tests.addon.hosts.blocks import fresh

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
    ramp = np.linspace(0.0, 1.0, 300 * 200 * 4, dtype=np.float32).reshape(200, 300, 4)
    thumb = album.thumb(ramp)
    return Entry(name=f"{number:064x}", created=1.8e9, request=ASKED, wish=NO_WISH, pose=(), thumb=thumb)


def test_the_oldest_leave_and_favourites_stay(scene) -> None:
    album.remember(scene, entry(0))
    scene.maquette_history[0].favourite = True
    for number in range(1, IN_FILE + 3):
        album.remember(scene, entry(number))
    kept = [int(item.name, 16) for item in scene.maquette_history]
    assert kept == [0, *range(4, IN_FILE + 3)] and len(kept) == IN_FILE
    album.remember(scene, entry(0))  # painted again: the newest now, and still a favourite
    assert int(scene.maquette_history[-1].name, 16) == 0 and scene.maquette_history[-1].favourite


def test_newest_first_and_favourites_alone(scene, tmp_path) -> None:
    for number in range(3):
        album.remember(scene, entry(number))
    scene.maquette_history[1].favourite = True
    manager = SimpleNamespace(maquette_scope="FILE", maquette_favourites=False)
    gallery = album.Gallery(tmp_path)
    assert [int(tile.name, 16) for tile in album.tiles(scene, manager, gallery)] == [2, 1, 0]
    manager.maquette_favourites = True
    assert [int(tile.name, 16) for tile in album.tiles(scene, manager, gallery)] == [1]
    gallery.close()


def test_a_thumbnail_is_small_and_comes_back(scene) -> None:
    thumb = entry(0).thumb
    assert (thumb.width, thumb.height) == (THUMB_SIDE, round(THUMB_SIDE * 2 / 3))
    back = album.pixels(thumb)
    assert back.shape == (thumb.height, thumb.width, 4) and back[..., 3].min() == 1.0
    assert album.thumb(back) == thumb
    for wrong in (
        replace(thumb, width=1),
        replace(thumb, width=10**6),
        replace(thumb, data="eJw="),
        replace(thumb, data="?"),
    ):
        with pytest.raises(ContractError):
            album.pixels(wrong)


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
    assert [print_.name for print_ in gallery.prints] == [entry(9).name]
    assert gallery.entry(scene, entry(9).name) == entry(9) and gallery.entry(scene, entry(1).name) == entry(1)
    history.forget(tmp_path, entry(9).name)
    gallery.look_again()
    gallery.tick(manager)
    assert gallery.prints == () and entry(9).name not in gallery._icons
    gallery.close()
