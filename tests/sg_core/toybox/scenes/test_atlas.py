# SPDX-License-Identifier: MIT
"""The atlas and the places: 400 nouns and 24 places for the full recipe, the fallback's unmoved before them."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from sg_core.toybox.components import build_tokenizer
from sg_core.toybox.recipe import FALLBACK, FULL, all_nouns
from sg_core.toybox.scenes.atlas import ASLANT, FOLDER, Atlas, build_atlas, load_atlas
from sg_core.toybox.scenes.backdrops import OUTLINES, paint
from sg_core.toybox.scenes.looks import COLOURS
from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import OPENINGS, Scene, draw_scene, held_out

FIRST_NOUNS = (
    "castle rocket car tree house whale apple cactus robot elephant penguin sailboat "
    "mushroom pumpkin bus rabbit bear duck airplane balloon snowman burger cake guitar"
)
EVERYTHING = replace(FULL, nouns=all_nouns(), places=tuple(PLACES))
FIRST_PLACES = "meadow desert sea snow night sunset"
PHRASES = [phrase for place in PLACES.values() for phrase in place.phrases]
FALLBACK_SCENES = "eab9184dc8592e36109b8bdf9123586a982d69627e915b3831cee63edde3943a"


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas()


def test_there_are_400_nouns_and_24_places_and_the_fallbacks_come_first():
    assert len(EVERYTHING.nouns) == len(set(EVERYTHING.nouns)) == 400
    assert list(EVERYTHING.nouns[:24]) == list(FALLBACK.nouns) == FIRST_NOUNS.split()
    assert len(EVERYTHING.places) == 24
    assert list(EVERYTHING.places[:6]) == list(FALLBACK.places) == FIRST_PLACES.split()


def test_the_committed_atlas_fits_its_budget_and_is_the_one_nouns_json_names(atlas):
    assert (FOLDER / "atlas.webp").stat().st_size < 12_000_000
    named = json.loads((FOLDER / "nouns.json").read_text())
    drawn = [tile.noun for tile in atlas.tiles if not tile.turned]
    assert drawn == [noun for noun, codes in named.items() for _ in codes]
    assert len(atlas.pixels) == len(atlas.tiles)


def test_every_tile_shows_something_and_only_inside_its_box(atlas):
    for tile, alpha in zip(atlas.tiles, atlas.pixels[:, 3], strict=True):
        left, top, right, bottom = (round(edge * 256) for edge in tile.box)
        inside = alpha[top:bottom, left:right].sum()
        assert inside > 256 * 256 * 0.05, tile.noun
        assert alpha.sum() - inside < 0.02 * inside, tile.noun


def test_the_fallbacks_tiles_loaded_alone_are_the_first_tiles(atlas):
    few = load_atlas(FALLBACK.nouns)
    drawn = sum(not tile.turned for tile in few.tiles)
    assert few.tiles[:drawn] == atlas.tiles[:drawn]
    assert torch.equal(few.pixels[:drawn], atlas.pixels[:drawn])
    assert {noun: few.of(noun) for noun in FALLBACK.nouns} == {noun: atlas.of(noun) for noun in FALLBACK.nouns}


def test_what_is_drawn_aslant_is_there_upright_too(atlas):
    for noun in ASLANT:
        (drawn,), (upright,) = atlas.of(noun), atlas.upright(noun)
        assert atlas.tiles[upright].turned and not atlas.tiles[drawn].turned
    for noun in ("rocket", "guitar"):
        assert atlas.tiles[atlas.of(noun)[0]].aspect > 0.8
        assert atlas.tiles[atlas.upright(noun)[0]].aspect < 0.55, "high and narrow"
    top, bottom = atlas.pixels[atlas.upright("rocket")[0], 3].sum(1).chunk(2)
    assert bottom.sum() > top.sum(), "its nose is above, its fins are below"
    assert atlas.upright("castle") == ()


def digest(scene: Scene) -> tuple[object, ...]:
    objects = [(t.noun, t.tile, *(round(v, 4) for v in (t.x, t.y, t.width, t.angle))) for t in scene.objects]
    return scene.caption, scene.place, round(scene.horizon, 4), objects


def test_the_fallbacks_seeds_still_draw_the_scenes_it_was_trained_on(atlas):
    scenes = [digest(draw_scene(seed, atlas, FALLBACK.vocabulary)) for seed in range(64)]
    assert hashlib.sha256(repr(scenes).encode()).hexdigest() == FALLBACK_SCENES


def test_no_noun_is_a_word_of_another_nor_of_a_colour_or_place():
    words = [word for noun in EVERYTHING.nouns for word in noun.split() if word != noun]
    assert not set(EVERYTHING.nouns) & {*words, *COLOURS}
    said_of_places = {word for phrase in PHRASES for word in phrase.split()}
    assert not said_of_places & {word for noun in EVERYTHING.nouns for word in noun.split()}


def test_every_word_is_one_token_and_the_longest_caption_fits(tmp_path):
    tokenizer = build_tokenizer(EVERYTHING.vocabulary.words, EVERYTHING.tokens, tmp_path)
    for word in EVERYTHING.vocabulary.words:
        assert len(tokenizer(word).input_ids) == 3, word
    longest = max(EVERYTHING.nouns, key=lambda noun: len(noun.split()))
    objects = ", ".join([f"a purple {longest}"] * 3) + f" and a purple {longest}"
    where, opening = max(PHRASES, key=lambda p: len(p.split())), max(OPENINGS, key=lambda o: len(o.split()))
    assert len(tokenizer(f"{where} , {opening} {objects}").input_ids) <= EVERYTHING.tokens


def test_captions_of_four_things_fit(atlas, tmp_path):
    tokenizer = build_tokenizer(EVERYTHING.vocabulary.words, EVERYTHING.tokens, tmp_path)
    captions = [draw_scene(seed, atlas, EVERYTHING.vocabulary, count=4).caption for seed in range(200)]
    assert max(map(len, tokenizer(captions).input_ids)) <= EVERYTHING.tokens


def test_every_noun_is_trained_with_some_nouns_and_measured_with_others():
    for noun in EVERYTHING.nouns:
        kept = sum(held_out((noun, other)) for other in EVERYTHING.nouns if other != noun) / (len(EVERYTHING.nouns) - 1)
        assert 0.08 < kept < 0.18, noun


def test_each_place_has_phrases_of_its_own_and_an_outline_that_exists():
    assert len(set(PHRASES)) == len(PHRASES)
    assert all(2 <= len(place.phrases) <= 4 for place in PLACES.values())
    assert {place.outline for place in PLACES.values()} == set(OUTLINES)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (80, 48), (48, 80)])
def test_places_can_be_told_apart_whatever_varies(width, height):
    names, generator = list(PLACES), torch.Generator().manual_seed(0)
    horizon = torch.tensor([sum(PLACES[name].horizon) / 2 for name in names])
    for _ in range(4):
        phase = torch.rand(1, 8, generator=generator).expand(len(names), 8)
        pictures = paint(names, horizon, phase, width, height)
        assert pictures.shape == (len(names), 3, height, width)
        assert torch.isfinite(pictures).all()
        flat = pictures.flatten(1)
        apart = torch.cdist(flat, flat, p=1) / flat.shape[1] + torch.eye(len(names))
        assert apart.min() > 0.05


def test_no_ground_shows_in_space(monkeypatch):
    horizon, phase = torch.tensor(PLACES["space"].horizon), torch.full((2, 8), 0.5)
    dark = paint(["space", "space"], horizon, phase, 48, 48)
    monkeypatch.setitem(PLACES, "space", replace(PLACES["space"], ground=((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))))
    assert torch.equal(paint(["space", "space"], horizon, phase, 48, 48), dark)


def paste(path, colour: tuple[int, int, int, int], box: tuple[int, int, int, int]) -> None:
    picture = Image.new("RGBA", (256, 256))
    picture.paste(colour, box)
    picture.save(path, lossless=True)


def test_an_atlas_is_built_in_the_order_of_its_nouns(tmp_path):
    (tmp_path / "nouns.json").write_text(json.dumps({"brick": ["2b"], "leaf": ["1a", "1b"]}))
    paste(tmp_path / "2b.webp", (255, 0, 0, 255), (0, 128, 256, 256))
    paste(tmp_path / "1a.webp", (0, 255, 0, 255), (64, 0, 128, 256))
    paste(tmp_path / "1b.webp", (0, 0, 255, 255), (0, 0, 64, 64))
    assert build_atlas(tmp_path, tmp_path) == (tmp_path / "atlas.webp").stat().st_size
    atlas = load_atlas(folder=tmp_path)
    assert [tile.noun for tile in atlas.tiles if not tile.turned] == ["brick", "leaf", "leaf"]
    assert [tile.box for tile in atlas.tiles] == [(0, 0.5, 1, 1), (0.25, 0, 0.5, 1), (0, 0, 0.25, 0.25)]
    assert atlas.pixels.mean((2, 3)).argmax(1).tolist() == [3, 3, 3]
    assert atlas.pixels[:, :3].mean((2, 3)).argmax(1).tolist() == [0, 1, 2]
    assert [tile.noun for tile in load_atlas(["leaf"], tmp_path).tiles] == ["leaf", "leaf"]


def test_an_empty_picture_is_refused_by_name(tmp_path):
    (tmp_path / "nouns.json").write_text(json.dumps({"ghost": ["0"]}))
    paste(tmp_path / "0.webp", (0, 0, 0, 0), (0, 0, 256, 256))
    with pytest.raises(ValueError, match="ghost"):
        build_atlas(tmp_path, tmp_path)
