# SPDX-License-Identifier: MIT
"""A contact sheet as a value: which pictures are alike, what its cells say while they wait, and what a press does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from addon.pictures import history
from addon.pictures.comparison import comparison
from addon.pictures.contact_sheet import (
    CELLS_MAX,
    ContactSheet,
    cell_of_entry,
    cell_of_task,
    chosen,
    common,
    common_of_entry,
    contact_sheet,
    extended,
    followed,
    without,
)
from addon.pictures.history import Entry, Thumb
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump
from addon.request.settings import Settings
from addon.session.state import Session
from addon.session.task import Task
from tests.addon.session.samples import VIEW, blockout, job

REQUEST = blockout()
PICTURE = Path("pictures") / f"{'d' * 64}.png"


def entry(letter: str, request: Blockout = REQUEST) -> Entry:
    return Entry(
        name=letter * 64,
        created=1.8e9,
        request=request,
        settings=Settings(prompt="a castle"),
        pose=(),
        thumb=Thumb(width=1, height=1, data="eJxjYGAAAAADAAE="),
    )


def task(name: str, seed: int, **changes) -> Task:
    """A picture of REQUEST that was asked for with that seed."""
    request = json.dumps(dump(replace(REQUEST, seed=seed)))
    return Task(job=job(name, seed=seed, **changes), view=VIEW, request=request)


def sheet(*cells) -> ContactSheet:
    return contact_sheet(7, common(json.dumps(dump(REQUEST))), cells)


def never(name: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({"seed": 9}, True),
        ({"variation": 0.3, "variation_seed": 4}, True),
        ({"prompt": "a castle at night"}, False),
        ({"steps": 8}, False),
        ({"regions": ()}, False),
    ],
)
def test_pictures_of_one_sheet_differ_in_seed_and_variation_alone(changes: dict, alike: bool) -> None:
    request, other = (history.request(entry("a", each)) for each in (REQUEST, replace(REQUEST, **changes)))
    assert (common(request) == common(other)) == alike
    assert common_of_entry(history.text(entry("a"))) == common(request)


@pytest.mark.parametrize("document", ["", "[]", "null", "{}", '{"request": 3}', '{"request": "x"}'])
def test_an_entry_that_is_none_has_nothing_in_common(document: str) -> None:
    assert common_of_entry(document) == ""


def test_cells_say_what_they_wait_for_and_then_have_their_picture() -> None:
    waits, runs = task("a", 1), task("b", 2, state="running", step=3)
    begun, failed = task("c", 3, state="leased"), task("d", 4, state="failed")
    tasks = (waits, runs, begun, failed)
    first = sheet(*(cell_of_task(each) for each in tasks))
    assert [cell.words for cell in first.cells] == ["Waiting", "Step 3 of 10", "Begun", "Failed"]
    assert [cell.label for cell in first.cells] == ["Seed 1", "Seed 2", "Seed 3", "Seed 4"]
    assert first.names == ()
    done = replace(runs, job=replace(runs.job, state="done"))
    fetched = replace(done, picture=PICTURE)
    for each, name, words in (
        (done, "", "Arriving…"),
        (fetched, "", "Arriving…"),
        (replace(fetched, received=True), "d" * 64, ""),
    ):
        cell = followed(first, Session(tasks=(waits, each, begun, failed)), never).cells[1]
        assert (cell.name, cell.words) == (name, words)


def test_a_picture_stays_when_the_session_forgets_its_job() -> None:
    there = replace(task("a", 1, state="done"), picture=PICTURE, received=True)
    first = followed(sheet(cell_of_task(there), cell_of_task(task("b", 2))), Session(tasks=(there,)), never)
    later = followed(first, Session(), lambda name: name == "d" * 64)
    assert [(cell.name, cell.words, cell.favourite) for cell in later.cells] == [
        ("d" * 64, "", True),
        ("", "Gone", False),
    ]


def test_a_press_selects_and_with_shift_marks_the_other() -> None:
    four = sheet(*(cell_of_entry(entry(letter, replace(REQUEST, seed=ord(letter)))) for letter in "abcd"))
    assert (four.selected, four.second, four.cell.name) == (0, None, "a" * 64)
    two = chosen(chosen(four, 2, second=False), 1, second=True)
    assert (two.selected, two.second) == (2, 1)
    assert chosen(two, 1, second=True).second is None
    assert chosen(two, 2, second=True).second is None
    assert (chosen(two, 3, second=False).selected, chosen(two, 3, second=False).second) == (3, None)


def test_a_full_sheet_takes_more_and_keeps_what_is_selected_where_it_can() -> None:
    cells = [cell_of_task(task(str(seed), seed)) for seed in range(CELLS_MAX)]
    full = replace(sheet(*cells), selected=5, second=1)
    more = extended(full, [cell_of_task(task(str(seed), seed)) for seed in (50, 51, 52)])
    assert [cell.facts.seed for cell in more.cells] == [*range(3, CELLS_MAX), 50, 51, 52]
    assert more.cell.facts.seed == 5 and more.second is None
    assert extended(replace(full, selected=0), [cells[0]]).selected == 0
    assert len(sheet(*cells, *cells).cells) == CELLS_MAX


def test_what_was_taken_stays_the_scene_s_picture_while_others_arrive() -> None:
    cells = tuple(cell_of_task(task(name, seed)) for seed, name in enumerate(("one", "two")))
    assert not sheet(*cells).keeps("two")
    chosen = replace(sheet(*cells), taken=True)
    assert chosen.keeps("two") and not chosen.keeps("three"), "what is not on the sheet becomes the picture as ever"


def test_a_deleted_picture_leaves_the_sheet_and_the_last_one_ends_it() -> None:
    three = sheet(*(cell_of_entry(entry(letter, replace(REQUEST, seed=ord(letter)))) for letter in "abc"))
    two = without(chosen(three, 2, second=False), "a" * 64)
    assert [cell.name[0] for cell in two.cells] == ["b", "c"] and two.cell.name[0] == "c"
    one = without(two, "c" * 64)
    assert one.cell.name[0] == "b" and without(one, "b" * 64) is None


def test_a_comparison_says_what_its_sides_differ_in() -> None:
    varied = entry("b", replace(REQUEST, variation=0.3, variation_seed=4))
    two = comparison(7, entry("a"), varied)
    assert two.names == ("a" * 64, "b" * 64)
    assert two.captions == (f"A  Seed {REQUEST.seed}", f"B  Seed {REQUEST.seed} · 30% to 4")
