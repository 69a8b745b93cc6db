# SPDX-License-Identifier: MIT
"""The history on disk: written whole, found again, capped without ever losing a favourite."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from addon.camera.pose import CameraPose
from addon.pictures import history
from addon.pictures.history import Entry, Thumb
from addon.protocol.blockout import Blockout, Frame
from addon.protocol.strict_json import ContractError, dump
from addon.request.settings import DEFAULTS, Settings
from addon.ui.operators.picture.history import file_name

POSE = CameraPose(
    camera="Camera",
    matrix=tuple(float(place) for place in range(16)),
    type="PERSP",
    sensor_fit="AUTO",
    lens=50.0,
    sensor_width=36.0,
    sensor_height=24.0,
    shift_x=0.0,
    shift_y=0.1,
    ortho_scale=6.0,
)
ASKED = Blockout(
    prompt="a castle at sunset",
    regions=(),
    width=64,
    height=48,
    frame=Frame(left=0, top=0, width=64, height=48),
    seed=7,
    model="toybox",
    steps=30,
    strength=0.5,
    scale=5.0,
)


def entry(letter: str = "a") -> Entry:
    return Entry(
        name=letter * 64,
        created=1.8e9,
        request=ASKED,
        settings=Settings(prompt="a castle", style="Sunset", camera=POSE),
        pose=(1.0, 2.0),
        thumb=Thumb(width=1, height=1, data="eJxjYGAAAAADAAE="),
    )


def kept(folder: Path, letter: str, age: float = 0.0) -> Entry:
    """An entry with a picture of 100 bytes, ``age`` seconds old."""
    made = entry(letter)
    folder.mkdir(exist_ok=True)
    (folder / f"{made.name}.png").write_bytes(bytes(100))
    history.keep(folder, made)
    for kind in ("png", "json"):
        os.utime(folder / f"{made.name}.{kind}", (1e9 - age, 1e9 - age))
    return made


def names(folder: Path) -> str:
    return "".join(line.name[0] for line in history.listing(folder))


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    made = kept(tmp_path / "new", "a")
    assert history.find(tmp_path / "new", made.name) == made
    assert history.parse(history.text(made)) == made
    assert json.loads(history.request(made))["prompt"] == "a castle at sunset"
    assert history.picture(tmp_path / "new", made.name).stat().st_size == 100
    assert history.picture(tmp_path / "new", "b" * 64) is None
    assert not list(tmp_path.rglob("*.part"))


def test_a_caption_says_what_it_takes_to_paint_it_again() -> None:
    caption = entry().caption
    assert caption.startswith("Seed 7 · toybox · Sunset · 30 steps · strength 0.50 · ")
    again = replace(entry(), request=replace(entry().request, refinement=0.5))
    assert "30 steps · 50% refined · strength" in again.caption
    assert "Sunset" not in replace(entry(), settings=DEFAULTS).caption


def test_the_newest_comes_first_and_the_same_picture_once(tmp_path: Path) -> None:
    for age, letter in enumerate("abc"):
        kept(tmp_path, letter, age)
    assert names(tmp_path) == "abc"
    kept(tmp_path, "c", -1)
    assert names(tmp_path) == "cab"


def test_favourites_neither_go_nor_count(tmp_path: Path) -> None:
    for age, letter in enumerate("abcdef"):
        kept(tmp_path, letter, age)
    for letter in "bf":
        history.favour(tmp_path, letter * 64, True)
    lines = history.listing(tmp_path)
    assert "".join(line.name[0] for line in lines if line.favourite) == "bf"
    assert "".join(line.name[0] for line in history.surplus(lines, count=2)) == "de"
    room = lines[0].bytes * 3 + 1
    assert "".join(line.name[0] for line in history.surplus(lines, size=room)) == "e"
    assert history.surplus(lines) == []
    history.favour(tmp_path, "f" * 64, False)
    assert history.surplus(history.listing(tmp_path), count=4)[0].name == "f" * 64


def test_pruning_deletes_whole_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path, "a")
    kept(tmp_path, "b", 5)
    monkeypatch.setattr(history.surplus, "__defaults__", (1, history.BYTES))
    history.prune(tmp_path)
    assert sorted(path.name[:1] for path in tmp_path.iterdir()) == ["a", "a"]


def test_a_picture_without_its_json_is_pruned_in_its_time_and_not_shown(tmp_path: Path) -> None:
    kept(tmp_path, "a")
    (tmp_path / f"{'a' * 64}.json").unlink()
    (line,) = history.listing(tmp_path)
    assert (line.entry, line.bytes) == (False, 100)
    assert history.surplus([line], count=0) == [line]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_bytes(b"mine")
    (tmp_path / f"{'a' * 64}.part").write_bytes(b"")
    assert history.listing(tmp_path) == []
    assert history.listing(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["", "../" + "a" * 61, "a" * 63, "A" * 64, "a" * 64 + "/x"])
def test_a_name_out_of_a_file_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    for act in (history.find, history.picture, history.forget):
        with pytest.raises(ContractError):
            act(tmp_path, name)
    with pytest.raises(ContractError):
        history.favour(tmp_path, name, True)
    with pytest.raises(ContractError):
        history.save_as(tmp_path, name, tmp_path / "x.png")


def test_deleting_is_whole_and_twice_is_once(tmp_path: Path) -> None:
    made = kept(tmp_path, "a")
    history.favour(tmp_path, made.name, True)
    history.forget(tmp_path, made.name)
    history.forget(tmp_path, made.name)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_saved_elsewhere(tmp_path: Path) -> None:
    made = kept(tmp_path, "a")
    history.save_as(tmp_path, made.name, tmp_path / "mine.png")
    assert (tmp_path / "mine.png").read_bytes() == bytes(100)
    with pytest.raises(FileNotFoundError):
        history.save_as(tmp_path, "b" * 64, tmp_path / "other.png")


@pytest.mark.parametrize("document", ["", "{}", "[]", '{"name": "a"}'])
def test_a_broken_entry_is_told_from_a_good_one(document: str) -> None:
    with pytest.raises(ContractError):
        history.parse(document)


def test_a_text_tells_what_it_is_a_picture_of() -> None:
    """Without being read, of each of a scene's entries; a prompt that quotes another request fools nobody."""
    document, request = history.text(entry()), history.request(entry())
    assert history.asks_for(document, request)
    assert not history.asks_for(document, json.dumps(dump(replace(ASKED, seed=8))))
    quoting = replace(entry(), settings=Settings(prompt=f'"request": {json.dumps(dump(replace(ASKED, seed=8)))}, '))
    assert not history.asks_for(history.text(quoting), json.dumps(dump(replace(ASKED, seed=8))))


def test_a_saved_picture_is_called_by_its_prompt_and_seed():
    assert file_name(Settings(prompt="A castle, and a rocket: on a meadow", seed=7)).startswith("a-castle-and-a-rocket")
    assert file_name(Settings(prompt="a cat", seed=7)) == "a-cat-7.png"
    assert file_name(Settings(prompt="../?", seed=0)) == "maquette-0.png"


def test_what_is_on_disk_is_known_by_its_request(tmp_path: Path) -> None:
    index, kept = history.RequestIndex(tmp_path / "none yet"), entry()
    assert index.refresh() and index.find(history.request(kept)) == ""
    index = history.RequestIndex(tmp_path)
    (tmp_path / f"{'c' * 64}.json").write_text('{"request": {"prompt": "cut sh')
    (tmp_path / "notes.json").write_text("not ours")
    history.keep(tmp_path, kept)
    (tmp_path / f"{kept.name}.png").write_bytes(b"a picture")
    assert not index.refresh(1) and index.refresh()
    assert index.find(history.request(kept)) == kept.name
    other = replace(kept, name="d" * 64, request=replace(kept.request, seed=kept.request.seed + 1))
    assert index.find(history.request(other)) == ""
    history.keep(tmp_path, other)  # by another Blender
    assert index.refresh() and index.find(history.request(other)) == "", "its picture is not there"
    history.forget(tmp_path, kept.name)
    assert index.refresh() and index.find(history.request(kept)) == ""
