# SPDX-License-Identifier: MIT
"""Styles: what ships, what an artist adds, and what a broken file may not spoil."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from addon.protocol.answers import ModelInfo
from addon.protocol.default_model import TOYBOX
from addon.request.phrases import occurrence
from addon.request.styles import (
    SHIPPED,
    Style,
    StyleLibrary,
    avoided,
    delete,
    own,
    read,
    save,
    save_thumbnail,
    styled,
    summary,
)

ROOT = Path(__file__).parents[3]
OPEN = replace(TOYBOX, name="open", nouns=())  # a model that knows more than a list of nouns


def names(style_library: StyleLibrary, model: ModelInfo) -> list[str]:
    return [style.name for style in style_library.fitting(model)]


def test_every_model_finds_styles_that_suit_it(tmp_path: Path) -> None:
    style_library = read(tmp_path / "none")
    assert style_library.faults == ()
    assert "Sunset" in names(style_library, TOYBOX) and "Concept Art" not in names(style_library, TOYBOX)
    assert "Concept Art" in names(style_library, OPEN) and "Sunset" not in names(style_library, OPEN)


def test_toyboxs_styles_are_words_it_knows() -> None:
    vocabulary = json.loads((ROOT / "sg_core/toybox/weights/tokenizer/vocab.json").read_text("utf-8"))
    said = {word for style in read(Path("none")).fitting(TOYBOX) for word in style.text.split()}
    assert said and {word for word in said if f"{word}</w>" not in vocabulary} == set()


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("at sunset", "a castle at sunset"),
        (", ink", "a castle, ink"),
        (". Ink.", "a castle. Ink."),
        ("ink of {prompt}, framed", "ink of a castle, framed"),
    ],
)
def test_text_follows_the_prompt(text: str, prompt: str) -> None:
    assert styled("a castle ", Style(name="s", text=text)) == prompt
    assert styled("a castle ", None) == "a castle "


def test_what_the_artist_avoids_comes_before_what_the_style_does() -> None:
    ink = Style(name="Ink", text=", ink", negative="colour")
    assert avoided(" fog ", ink) == "fog, colour"
    assert (avoided("", ink), avoided("fog", None), avoided("", None)) == ("colour", "fog", "")


def test_phrases_are_found_in_the_prompt_that_is_sent() -> None:
    for style in read(Path("none")).styles:
        assert occurrence("red castle", styled("a Red  castle", style)) == "Red  castle"


def test_a_style_is_kept_replaced_and_wins_over_ours(tmp_path: Path) -> None:
    style = Style(name="Über-Ink / 2", text=", ink", negative="colour", steps=20, strength=0.5)
    path = save(tmp_path, style)
    assert path.parent == tmp_path and own(tmp_path, style.name) == path
    assert read(tmp_path).find(style.name) == style
    save(tmp_path, replace(style, steps=None))
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
    save(tmp_path, Style(name="Sunset", text="in the evening"))
    found = read(tmp_path)
    assert found.find("Sunset").text == "in the evening"
    assert len(found.styles) == len(json.loads(SHIPPED.read_text("utf-8"))) + 1
    assert own(tmp_path, "Concept Art") is None


@pytest.mark.parametrize(("one", "other"), [("Ink", "ink"), ("Noir (warm)", "noir warm"), ("!", "?")])
def test_styles_whose_names_are_spelled_alike_have_files_apart(tmp_path: Path, one: str, other: str) -> None:
    for name in (one, other):
        save(tmp_path, Style(name=name, text=f", {name}"))
        save_thumbnail(tmp_path, name, name.encode())
    style_library = read(tmp_path)
    for name in (one, other):
        style, thumbnail = style_library.find(name), style_library.thumbnail(name)
        assert style is not None and style.text == f", {name}"
        assert thumbnail is not None and thumbnail.read_bytes() == name.encode()
    assert own(tmp_path, one.swapcase() + "…") is None  # which is spelled alike, and was never saved
    file = own(tmp_path, one)
    assert file is not None
    delete(file)
    assert read(tmp_path).find(one) is None and own(tmp_path, one) is None
    save(tmp_path, Style(name=other, text=", anew"))  # still in its own file, though the shorter name is free
    assert [style.text for style in read(tmp_path).styles if style.name == other] == [", anew"]
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_file_by_hand_is_neither_replaced_nor_deleted_and_what_is_saved_wins(tmp_path: Path) -> None:
    by_hand = tmp_path / "ink.json"
    by_hand.write_text('[{"name": "Ink", "text": ", ink"}, {"name": "Wash", "text": ", wash"}]')
    by_hand.with_suffix(".png").write_bytes(b"a picture")
    assert own(tmp_path, "Ink") is None and read(tmp_path).thumbnail("Ink") == by_hand.with_suffix(".png")
    file, before = save(tmp_path, Style(name="Ink", text=", pen")), by_hand.read_bytes()
    found = read(tmp_path)
    assert [(name, found.find(name).text) for name in ("Ink", "Wash")] == [("Ink", ", pen"), ("Wash", ", wash")]
    assert own(tmp_path, "Ink") == file != by_hand and by_hand.read_bytes() == before
    assert [found.file(name) for name in ("Ink", "Wash", "Sunset", "none")] == [file, by_hand, SHIPPED, None]


def test_bad_files_are_named_and_the_others_read(tmp_path: Path) -> None:
    save(tmp_path, Style(name="Good", text=", good"))
    for name, text in (
        ("cut", '[{"name": "a'),
        ("object", "{}"),
        ("typo", '[{"name": "a", "txt": "b"}]'),
        ("wild", '[{"name": "a", "text": "b", "steps": 0}]'),
    ):
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\xff")
    style_library = read(tmp_path)
    assert [fault.partition(":")[0] for fault in style_library.faults] == [
        "bytes.json",
        "cut.json",
        "object.json",
        "typo.json",
        "wild.json",
    ]
    assert "steps" in style_library.faults[-1]
    assert style_library.find("Good") and style_library.find("Sunset") and not style_library.find("a")


def test_summary_says_what_choosing_does() -> None:
    style = Style(name="s", text=", ink", negative="colour", steps=20, strength=0.5)
    assert summary(style) == "adds “ink”; avoids colour; sets 20 steps and strength 0.50"
    assert summary(Style(name="s", text="at sunset")) == "adds “at sunset”"


def test_every_style_for_toybox_has_a_thumbnail_and_the_artist_s_own_wins(tmp_path: Path) -> None:
    style_library = read(tmp_path)
    for style in style_library.fitting(TOYBOX):
        thumbnail = style_library.thumbnail(style.name)
        assert thumbnail is not None and thumbnail.stat().st_size < 4000
        with Image.open(thumbnail) as picture:
            assert picture.size == (64, 64)
    assert style_library.thumbnail("Ink and Wash") is None  # Toybox cannot paint what that does
    file = save(tmp_path, Style(name="Ink and Wash", text=", ink"))
    save_thumbnail(tmp_path, "Ink and Wash", b"a picture")
    save(tmp_path, Style(name="Sunset", text=", at sunset"))
    assert read(tmp_path).thumbnail("Sunset") is None, "ours is of another style"
    delete(tmp_path / "sunset.json")
    own_thumbnail = read(tmp_path).thumbnail("Ink and Wash")
    assert own_thumbnail is not None and own_thumbnail.read_bytes() == b"a picture"
    delete(file)
    assert list(tmp_path.iterdir()) == []
