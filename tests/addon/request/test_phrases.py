# SPDX-License-Identifier: MIT
"""Phrases are found in prompts as a person reads them, each word for one region, and written as a person writes."""

import ast
import unicodedata
from pathlib import Path

import pytest

import sg_core.tokens
from addon.messages.errors import PhraseMissing
from addon.request import spelling
from addon.request.phrases import Mark, named_in, occurrence, said, same, spellings, strange, swapped
from addon.request.wording import inserted
from sg_core.tokens import Phrase, claims, occurrences

NFD = "NFD"


@pytest.mark.parametrize(
    ("phrase", "prompt", "found"),
    [
        ("castle", "a Castle on a hill", "Castle"),
        ("red car", "a red  car", "red  car"),
        ("car", "a carpet", None),
        ("car", "a scar, a car.", "car"),
        ("hot-air balloon", "two hot-air balloons", None),
        ("a+b", "an a+b thing", "a+b"),
        ("Café", "le café", "café"),
        ("", "anything", None),
    ],
)
def test_a_phrase_occurs_as_whole_words(phrase, prompt, found):
    assert occurrence(phrase, prompt) == found


@pytest.mark.parametrize(
    ("phrase", "prompt", "found"),
    [
        ("balloon", "two balloons", "balloons"),
        ("balloons", "a Balloon", "Balloon"),
        ("hot-air balloon", "two hot-air balloons", "hot-air balloons"),
        ("bus", "three buses", "buses"),
        ("buses", "a bus", "bus"),
        ("city", "cities", "cities"),
        ("cities", "a city", "city"),
        ("glass", "a gla", None),
        ("snowman", "two snowmen", "snowmen"),
        ("elves", "an elf", "elf"),
        ("quiz", "quizzes", "quizzes"),
        ("human", "two humans", "humans"),
        ("cup of tea", "two cups of tea", "cups of tea"),
        ("mother-in-law", "mothers-in-law", "mothers-in-law"),
        ("the castle", "a castle on a hill", "castle"),
        ("one castle", "a castle", "castle"),
        ("a castle", "two castles", None),
        ("twenty balloons", "20 balloons", "20 balloons"),
        ("a dozen eggs", "12 eggs", "12 eggs"),
        ("3", "three", "three"),
        ("car", "a carpet", None),
        ("", "anything", None),
    ],
)
def test_a_prompt_says_a_phrase_in_the_singular_and_in_the_plural(phrase, prompt, found):
    assert said(phrase, prompt) == found


def test_the_words_of_another_region_are_not_taken_for_a_plural():
    with pytest.raises(PhraseMissing, match="does not say “balloon”"):
        named_in("balloons", [Mark("A", "balloon"), Mark("B", "balloons")])
    assert [mark.phrase for mark in named_in("two balloons", [Mark("A", "balloon")])] == ["balloons"]


def test_what_may_be_unnamed_is_so_where_the_prompt_does_not_say_it():
    rocket, castle = Mark("Cube", "rocket", unnamed=True), Mark("Keep", "castle")
    assert named_in("a castle", [rocket, castle]) == [rocket, castle]
    (said_so,) = named_in("a big Rocket", [rocket])
    assert (said_so.phrase, said_so.unnamed) == ("Rocket", False)
    with pytest.raises(PhraseMissing, match="does not say “castle”") as missing:
        named_in("a meadow", [rocket, castle])
    assert missing.value.subject == "castle"


DECOMPOSED = unicodedata.normalize(NFD, "a café by the sea")


@pytest.mark.parametrize(
    ("phrase", "prompt", "says"),
    [
        ("café", DECOMPOSED, True),
        (unicodedata.normalize(NFD, "café"), "a café by the sea", True),
        ("resume", unicodedata.normalize(NFD, "a résumé on a desk"), False),
        ("Việt", unicodedata.normalize(NFD, "bản đồ Việt Nam"), True),
        ("城堡", "草地上的一座城堡和火箭", True),
        ("城", "丘の上の城と森", True),
        ("ロケット", "青いﾛｹｯﾄ", True),
        ("ปราสาท", "มีปราสาทอยู่บนเนินเขา", True),
        ("성", "언덕 위의 성이 있다", True),
        ("성", "언덕 위의 성에서", True),
        ("성", "언덕 위의 성냥", False),
        ("성", unicodedata.normalize(NFD, "언덕 위의 성"), True),
        ("किला", "पहाड़ी पर किला", True),
        ("किल", "पहाड़ी पर किला", False),
        ("замок", "ЗАМОК на холме", True),
        ("قلعة", "قلعة على تل", True),
        ("Straße", "EINE STRASSE IM REGEN", True),
        ("λόγος", "ΛΌΓΟΣ", True),
        ("red car", "a red\u00a0car on a meadow", True),
        ("red car", "a red\ncar", True),
        ("red_car", "a red car", True),
        ("hot air balloon", "a hot-air balloon", True),
        ("car", "a carpet in a cart", False),
        ("car", "a car-shaped cake", True),
        ("castle", "the castle's gate", True),
        ("king's castle", "the king’s castle", True),
        ("castle", "a “castle” on a hill", True),
        ("“castle”", "a castle on a hill", True),
        ("red castle", "a red **castle**", True),
        ("castle", "a (castle:1.3)", True),
        ("castle", "a castle🏰", True),
        ("🏰", "a castle 🏰\ufe0f on a hill", True),
        ("soft ball", "a soft\u00ad ball", True),
        ("istanbul", "İstanbul by night", True),
        ("kız", "KIZ", True),
        ("قلعة", "قَلْعَة على تل", True),
        ("شجرة", "قلعة وشجرة", True),
        ("بيت", "في البيت", True),
        ("رد", "يرد", False),
        ("טירה", "הַטִּירָה על הגבעה", True),
        ("집", "집에서는", True),
        ("책", "책입니다", True),
        ("책", "책상", False),
        ("'castle'", "a castle", True),
        ("castle.", "a castle on a hill", True),
        ("‹castle›", "a castle", True),
        ("red 🏰", "a red🏰", True),
        ("👨", "👨\u200d👩\u200d👧 at home", False),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧 at home", True),
        ("👍", "👍🏽", True),
        ("ᬓᬢ", "ᬓᬢᬓ", True),
    ],
)
def test_scripts_accents_and_signs_are_read_as_people_read_them(phrase, prompt, says):
    assert (occurrence(phrase, prompt) is not None) == says
    assert bool(occurrences(prompt, Phrase(phrase))) == says


def test_what_is_found_is_what_the_prompt_spells():
    assert occurrence("café", DECOMPOSED) == unicodedata.normalize(NFD, "café")
    assert occurrence("strasse", "eine Straße im Regen") == "Straße"
    assert occurrence("城堡", "一座城堡和火箭") == "城堡"


@pytest.mark.parametrize(
    ("phrases", "prompt", "spelt"),
    [
        (["castle", "small castle"], "a castle and a small castle", ["castle", "small castle"]),
        (["small castle", "castle"], "a small castle and a Castle", ["small castle", "Castle"]),
        (["castle", "small castle"], "a small castle on a meadow", [None, "small castle"]),
        (["tree", "apple tree", "apple"], "an apple tree, an apple and a tree", ["tree", "apple tree", "apple"]),
        (["城", "城堡"], "城堡と城", ["城", "城堡"]),
        (["城", "城堡"], "一座城堡", [None, "城堡"]),
        (["balloon", "red balloon"], "two red balloons", [None, "red balloons"]),
        (["balloon", "red balloon"], "two red balloons and a balloon", ["balloon", "red balloons"]),
        (["two balloons"], "2 balloons", ["2 balloons"]),
        (["3 children"], "three children", ["three children"]),
        (["child"], "two children", ["children"]),
        (["wolf", "men"], "wolves and a man", ["wolves", "man"]),
    ],
)
def test_each_word_belongs_to_one_phrase(phrases, prompt, spelt):
    assert spellings(phrases, prompt) == spelt


@pytest.mark.parametrize(
    ("phrase", "prompt", "spelt"),
    [
        ("linna", "kissa linnassa", "linnassa"),  # Finnish: in a castle
        ("kale", "kalede bir kedi", "kalede"),  # Turkish, likewise; kaleci is a goalkeeper
        ("கோட்டை", "கோட்டையில் ஒரு பூனை", "கோட்டையில்"),  # Tamil, likewise
        ("vár", "egy macska a várban", "várban"),  # Hungarian, likewise; város is a town
    ],
)
def test_a_case_ending_makes_another_word_and_a_region_takes_it_as_its_phrase(phrase, prompt, spelt):
    """No stem is guessed: another word may begin with the same letters."""
    assert spellings([phrase], prompt) == [None]
    assert spellings([spelt], prompt) == [spelt]


def test_a_castle_that_the_prompt_does_not_say_is_missing():
    marks = [Mark("Keep", "castle"), Mark("Hut", "small castle")]
    with pytest.raises(PhraseMissing) as missing:
        named_in("a small castle on a meadow", marks)
    assert missing.value.subject == "castle"
    cured = inserted("a small castle on a meadow", "castle")
    assert cured == "a small castle and a castle on a meadow"
    assert [mark.phrase for mark in named_in(cured, marks)] == ["castle", "small castle"]


def test_the_method_shares_words_out_likewise():
    whole, part, second = Phrase("small castle"), Phrase("castle"), Phrase("castle", 2)
    prompt = "a castle and a small castle"
    assert claims(prompt, [part, whole]) == {part: [(2, 8)], whole: [(15, 27)]}
    assert claims(prompt, [part]) == {part: [(2, 8), (21, 27)]}
    assert claims(prompt, [second, whole]) == {second: [(21, 27)], whole: [(15, 27)]}
    assert claims("a small castle", [part, whole])[part] == [(8, 14)]  # a phrase with nothing of its own shares


def test_add_on_and_method_read_with_the_same_functions():
    assert len(written(spelling)) > 15
    assert written(spelling) <= written(sg_core.tokens)


def written(module) -> set[str]:
    """The functions and constants of a module as they are written, comments aside."""
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    return {ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.Assign)}


def test_weights_are_no_strange_words():
    assert strange("a (castle:1.3) 🏰", ("a", "castle")) == ()


@pytest.mark.parametrize(
    ("prompt", "phrase", "says"),
    [
        ("", "castle", "a castle"),
        ("a castle", "old tree", "a castle and an old tree"),
        ("a castle", "an old tree", "a castle and an old tree"),
        ("a castle", "The moon", "a castle and The moon"),
        ("a castle", "ant", "a castle and an ant"),
        ("a castle", "theatre", "a castle and a theatre"),
        ("a castle on a meadow", "rocket", "a castle and a rocket on a meadow"),
        ("a castle and a rocket at sunset", "ball", "a castle, a rocket and a ball at sunset"),
        ("a castle, golden light", "ball", "a castle and a ball, golden light"),
        ("a house, a tree and a bus on a meadow", "duck", "a house, a tree, a bus and a duck on a meadow"),
        ("in the sea", "whale", "a whale, in the sea"),
        ("a castle.", "at night", "a castle at night"),
        ("", "in the snow", "in the snow"),
        ("a castle", "hour glass", "a castle and an hour glass"),
        ("a castle", "unicorn", "a castle and a unicorn"),
        ("a castle", "umbrella", "a castle and an umbrella"),
        ("a castle", "UFO", "a castle and a UFO"),
        ("a castle", "two balloons", "a castle and two balloons"),
        ("a castle on a hill", "clouds", "a castle and clouds on a hill"),
        ("a castle", "children", "a castle and children"),
        ("a castle", "bus", "a castle and a bus"),
        ("a castle", "glass", "a castle and a glass"),
        ("a castle", "snow", "a castle and snow"),
        ("a castle", "my dog", "a castle and my dog"),
        ("a castle", "pair of shoes", "a castle and a pair of shoes"),
        ("a castle", "X-ray machine", "a castle and an X-ray machine"),
        ("a castle", "11th knight", "a castle and an 11th knight"),
        ("a castle", "snowmen", "a castle and snowmen"),
        ("a castle,", "duck", "a castle and a duck"),
        ("a castle and", "duck", "a castle and a duck"),
        ("a castle.", "duck", "a castle and a duck"),
        ("A castle. A tree.", "duck", "A castle. A tree. A duck."),
        ("قلعة على تل", "شجرة", "قلعة على تل وشجرة"),
        ("草地上的一座城堡", "火箭", "草地上的一座城堡和火箭"),
        ("丘の上の城", "ロケット", "丘の上の城とロケット"),
        ("замок на холме", "ракета", "замок на холме, ракета"),
        ("언덕 위의 성", "로켓", "언덕 위의 성, 로켓"),
        ("草地上的一座城堡", "rocket", "草地上的一座城堡, rocket"),
        ("a castle on a hill", "火箭", "a castle on a hill, 火箭"),
        ("", "火箭", "火箭"),
    ],
)
def test_a_phrase_is_inserted_with_one_article(prompt, phrase, says):
    assert inserted(prompt, phrase) == says
    assert occurrence(phrase, says) == phrase


@pytest.mark.parametrize(
    ("prompt", "new"),
    [
        ("A castle by a Castle", "A ruin by a ruin"),
        ("castles and a sandcastle", "castles and a sandcastle"),
        ("a meadow", "a meadow"),
    ],
)
def test_a_phrase_is_swapped_as_a_whole_word(prompt: str, new: str) -> None:
    assert swapped(prompt, "castle", "ruin") == new


@pytest.mark.parametrize(
    "plural", ["balloons", "mountains", "lions", "dragons", "pumpkins", "ruins", "cameras", "sofas"]
)
def test_a_plural_has_no_article(plural):
    assert inserted("a castle on a hill", plural) == f"a castle and {plural} on a hill"


@pytest.mark.parametrize(
    ("phrase", "spelt"),
    [("balloon", "balloons"), ("balloon", "Balloon"), ("hot air balloon", "hot-air balloon"), ("two owls", "2 owls")],
)
def test_the_same_words_are_told_otherwise(phrase, spelt):
    assert same(phrase, spelt)
    assert not same(phrase, f"small {spelt}") and not same(phrase, "castle")
