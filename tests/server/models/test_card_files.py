# SPDX-License-Identifier: MIT
"""Cards that artists write: what counts, and what is said of a file that is wrong."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

import sg_core
from addon.protocol.default_model import TOYBOX
from server.adapters import PLAIN
from server.models.card_files import CardFiles
from server.worker.engine import DiffusionEngine
from tests.server.serving import at_home, fake

CARD = """
[family.stable-diffusion-1]
steps = 25
scale = 3

[model."toy*"]
scale = 4.5
layers = ["mid_block"]
licence = "MIT"
"""


def cards(folder: Path, **texts: str) -> CardFiles:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    return CardFiles(folder)


def test_a_model_s_own_word_counts_more_than_its_family_s(tmp_path: Path) -> None:
    files = cards(tmp_path, mine=CARD)
    assert not files.faults
    assert files.applied([TOYBOX])[0] == replace(TOYBOX, steps=25, scale=4.5, licence="MIT")
    another = replace(TOYBOX, name="dreamer")
    assert files.applied([another])[0] == replace(another, steps=25, scale=3.0)
    assert dict(files.values(TOYBOX))["layers"] == ("mid_block",)
    elsewhere = replace(TOYBOX, name="dreamer", family="sana")
    assert files.applied([elsewhere])[0] is elsewhere and CardFiles(tmp_path / "none").applied([TOYBOX])[0] is TOYBOX


def test_clients_are_told_a_fingerprint_that_counts_what_cards_say(tmp_path: Path) -> None:
    (stated,) = cards(tmp_path, mine=CARD).stated([TOYBOX])
    assert stated.scale == 4.5 and stated.fingerprint not in ("", TOYBOX.fingerprint)
    assert CardFiles(tmp_path / "none").stated([TOYBOX]) == (TOYBOX,)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    files = cards(tmp_path, mine=CARD)
    assert files.applied([TOYBOX])[0].steps == 25
    cards(tmp_path, mine="[model.toybox]\nsteps = 7000\n", other="[model.toybox]\nsteps = 12\n")
    assert files.applied([TOYBOX])[0].steps == 12
    assert files.faults == (f"{tmp_path / 'mine.toml'}: line 2: steps must lie in 1 to 1000, is 7000.",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model.toybox]\nsteps = \n", "line 2 is no TOML"),
        ("[model.toybox]\nscale = 2\n\n\ncolour = 3\n", "line 5 says 'colour'; a card may say licence, note"),
        ("[model.toybox]\nsteps = 2.5\n", "line 2: steps must be of the kind integer, and is 2.5"),
        ("[model.toybox]\nsteps = true\n", "line 2: steps must be of the kind integer, and is True"),
        ("[model.toybox]\nscale = 0.5\n", "line 2: scale must lie in 1"),
        ("[model.toybox]\nlayers = [1]\n", "line 2: layers must be a list of names"),
        ("[model.toybox]\nguided_by = 'magic'\n", "line 2: guided_by must be one of pass, input, nothing"),
        ("[model.toybox]\nscheduler = 'heun'\n", "line 2: scheduler must be one of"),
        ("\n[family.midjourney]\nsteps = 2\n", "line 2 names no family 'midjourney'; there is stable-diffusion-1"),
        ("# note\nsteps = 2\n", "line 2 says 'steps'; a card begins with"),
        ("[model]\nsteps = 2\n", "line 2 says 'steps' of no model"),
        ("[model.toybox]\nnote = '''\n", "is no TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_costs_only_itself(tmp_path: Path, text: str, words: str) -> None:
    files = cards(tmp_path, good="[model.toybox]\nsteps = 9\n", wrong=text)
    (fault,) = files.faults
    assert fault.startswith(f"{tmp_path / 'wrong.toml'}: ") and words in fault and fault.endswith(".")
    assert files.applied([TOYBOX])[0] == replace(TOYBOX, steps=9)


def test_a_wrong_card_never_keeps_the_server_from_starting(tmp_path: Path) -> None:
    cards(tmp_path / "cards", mine=CARD, wrong="[")

    async def ask() -> tuple[int, tuple[str, ...]]:
        async with at_home(replace(fake(tmp_path / "home"), cards=tmp_path / "cards")) as client:
            return (await client.models())[0].steps, (await client.library()).card_faults

    steps, faults = asyncio.run(ask())
    assert steps == 25 and len(faults) == 1 and "line 1 is no TOML" in faults[0]


def test_what_only_the_painter_reads_reaches_it() -> None:
    """Which layers are heard is no field of an offer."""
    assert sg_core.load("toybox", changes={"layers": ("mid_block",)}).card.layers == ("mid_block",)
    engine = DiffusionEngine()
    engine.load(TOYBOX, replace(PLAIN, card=(("layers", ("up_blocks.1",)),)))
    first = engine._ready
    assert first is not None and first.fitting.model.card.layers == ("up_blocks.1",)
    engine.load(TOYBOX, replace(PLAIN, card=(("layers", ("mid_block",)),)))
    assert engine._ready is not None and engine._ready.fitting.model.card.layers == ("mid_block",)


def test_lists_in_lists_without_end_are_a_fault_of_their_file_alone(tmp_path: Path) -> None:
    files = cards(tmp_path, deep=f"a = {'[' * 20_000}", mine=CARD)
    assert files.applied([TOYBOX])[0].steps == 25
    (fault,) = files.faults
    assert "deep.toml" in fault
