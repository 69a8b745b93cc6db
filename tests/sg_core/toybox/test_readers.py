# SPDX-License-Identifier: MIT
"""Sheets for readers: nothing on them gives an answer away, and the key knows them all."""

import json

import torch
from PIL import Image

from sg_core.models.cards import CARDS
from sg_core.models.loading import find
from sg_core.toybox import readers
from sg_core.toybox.bench import readers_answers
from sg_core.toybox.readers import LABEL, SIDE, numbered


def test_pictures_stand_in_order_under_their_labels():
    pictures = [torch.full((3, 32, 32), value) for value in (0.0, 0.5, 1.0)]
    sheet = numbered(pictures, 2)
    assert sheet.size == (2 * SIDE, 2 * (SIDE + LABEL))
    middles = [(SIDE // 2 + SIDE * (k % 2), LABEL + SIDE // 2 + (SIDE + LABEL) * (k // 2)) for k in range(3)]
    assert [sheet.getpixel(middle) for middle in middles] == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]


def test_sheets_and_their_key_are_written(tmp_path, monkeypatch):
    for name, count in (("NAMED", 4), ("PAIRS", 2), ("LOOKS", 4)):
        monkeypatch.setattr(readers, name, count)
    monkeypatch.setattr(readers, "paint", lambda subject, captions, seeds: torch.rand(len(captions), 3, 16, 16))
    folder = find(CARDS["toybox"].address)
    flags = ["--folder", str(folder), "--recipe", "sharp", "--against", str(folder), "--out", str(tmp_path)]
    assert readers.main(flags) == 0
    key = json.loads((tmp_path / "key.json").read_text())
    assert len(key["named"]) == 4
    assert set(key["pairs"]) <= {"left", "right"}
    assert len(key["pairs"]) == 2
    for name in ("named", "pairs-1", *(f"looks-{noun}" for noun in key["looks"])):
        with Image.open(tmp_path / f"{name}.png") as sheet:
            assert sheet.width % SIDE == 0


def test_the_lower_reader_counts(tmp_path):
    assert readers_answers(tmp_path) == {}
    (tmp_path / "readers.json").write_text('{"named": [61, 60], "pairs_won": [54, 57]}')
    assert readers_answers(tmp_path) == {"named": 60, "pairs_won": 54}
