# SPDX-License-Identifier: MIT
"""A Card that a check writes is one that servers read; one that is there stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.model_check import card_writer
from server.catalogue import described
from server.models.card_files import CardFiles

NAMES = ("dreamer", 'old/"dreamer" [v1.5] *', "Träumer XL")


@pytest.mark.parametrize("name", NAMES)
def test_servers_read_what_is_written(name: str, tmp_path: Path) -> None:
    file = card_writer.card_file(tmp_path / "cards", name)
    text = card_writer.card_text(name, ["mid_block", "up_blocks.1"], ["a remark"])
    assert card_writer.write_card(file, text, overwrite=False) == f"The Card is written: {file}"
    cards = CardFiles(file.parent)
    assert dict(cards.values(replace(described("toybox"), name=name))) == {"layers": ("mid_block", "up_blocks.1")}
    assert cards.values(replace(described("toybox"), name="another")) == () and cards.faults == ()


def test_a_card_that_is_there_stays(tmp_path: Path) -> None:
    file = card_writer.card_file(tmp_path, "dreamer")
    file.write_text("# mine\n")
    text = card_writer.card_text("dreamer", ["mid_block"], [])
    assert "stays as it is" in card_writer.write_card(file, text, overwrite=False)
    assert file.read_text() == "# mine\n"
    card_writer.write_card(file, text, overwrite=True)
    assert 'layers = ["mid_block"]' in file.read_text()


def test_what_the_user_said_before_counts(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[model.toybox]\nlayers = ["mid_block"]\n')
    assert card_writer.users_values("toybox", tmp_path) == {"layers": ("mid_block",)}
    assert card_writer.users_values("owner/name@" + "0" * 40, tmp_path) == {}
