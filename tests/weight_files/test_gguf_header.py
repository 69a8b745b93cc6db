# SPDX-License-Identifier: MIT
"""A GGUF file's header is believed only as far as the file goes."""

import struct
from pathlib import Path

import pytest

from tests.server.models.model_files import gguf_file, gguf_text
from weight_files.gguf_header import gguf_tensors


def test_shapes_are_told_rows_first_and_places_from_the_beginning(tmp_path: Path) -> None:
    listed = struct.pack("<IIQ", 9, 8, 2) + gguf_text("a") + gguf_text("b")
    facts = gguf_text("some.words") + listed
    file = gguf_file(tmp_path / "some.gguf", ("a.weight", "b.weight"), (32, 2), 2, size=36, facts=facts)
    tensors = gguf_tensors(file)
    start = tensors["a.weight"]["data_offsets"][0]
    assert start % 32 == 0 and tensors["a.weight"] == {
        "dtype": "Q4_0",
        "shape": [2, 32],
        "data_offsets": [start, start + 36],
    }
    assert tensors["b.weight"]["data_offsets"] == [start + 32, file.stat().st_size]


def test_another_alignment_is_heeded(tmp_path: Path) -> None:
    facts = gguf_text("general.alignment") + struct.pack("<II", 4, 16)
    file = gguf_file(tmp_path / "some.gguf", facts=facts, size=64)
    assert gguf_tensors(file)["double_blocks.0.img_attn.x"]["data_offsets"][0] % 16 == 0


LONG, DEEP = struct.pack("<Q", 2**60), struct.pack("<IQ", 9, 1) * 20
DAMAGED = {
    "missing": ({"missing": 1}, "1 bytes of double_blocks.0.img_attn.x are missing"),
    "kind": ({"kind": 16}, "of the kind 16, which is not read"),
    "shape": ({"shape": (7,), "kind": 2}, r"cannot be \[7\] of Q4_0"),
    "giant": ({"shape": (2**62, 2**62)}, "are missing: the download broke off"),
    "none": ({"shape": (0,)}, r"cannot be \[0\] of F16"),
    "flat": ({"shape": ()}, r"cannot be \[\] of F16"),
    "many": ({"shape": (1,) * 9}, "its header is damaged"),
    "version": ({"version": 1}, "of another version"),
    "empty": ({"names": ()}, "it holds no weights"),
    "long text": ({"facts": LONG}, "ends within its header"),
    "long list": ({"facts": gguf_text("x") + struct.pack("<II", 9, 4) + LONG}, "ends within its header"),
    "deep": ({"facts": gguf_text("x") + struct.pack("<I", 9) + DEEP}, "a value of the kind 9"),
    "strange": ({"facts": gguf_text("x") + struct.pack("<I", 77)}, "a value of the kind 77"),
    "alignment": ({"facts": gguf_text("general.alignment") + struct.pack("<II", 4, 0)}, "its header is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_header_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    options, words = DAMAGED[name]
    with pytest.raises(ValueError, match=words):
        gguf_tensors(gguf_file(tmp_path / "some.gguf", **options))


def test_a_header_may_break_off_anywhere(tmp_path: Path) -> None:
    whole = gguf_file(tmp_path / "whole.gguf").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "part.gguf").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"broke off|no GGUF file|empty"):
            gguf_tensors(tmp_path / "part.gguf")
