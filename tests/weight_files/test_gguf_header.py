# SPDX-License-Identifier: MIT
"""A GGUF file's header is believed only as far as the file goes; both readers give one verdict."""

import struct
from pathlib import Path

import pytest

from server import gguf_header as of_the_list
from sg_core.models.files import gguf_header
from tests.server.models.model_files import gguf_file, gguf_text

READERS = (gguf_header.gguf_tensors, of_the_list.gguf_tensors)


def test_the_two_readers_are_one() -> None:
    """Neither may import the other's package; what they do is the same text below what they say of each other."""
    texts = [
        Path(str(module.__file__)).read_text("utf-8").partition('"""\n\n')[2] for module in (gguf_header, of_the_list)
    ]
    assert texts[0].replace("_HeaderReader", "_Reader") == texts[1] and "def gguf_tensors" in texts[0]


@pytest.mark.parametrize("read", READERS, ids=("method", "server"))
def test_shapes_are_told_rows_first_and_places_from_the_beginning(read, tmp_path: Path) -> None:
    listed = struct.pack("<IIQ", 9, 8, 2) + gguf_text("a") + gguf_text("b")
    facts = gguf_text("some.words") + listed
    file = gguf_file(tmp_path / "some.gguf", ("a.weight", "b.weight"), (32, 2), 2, size=36, facts=facts)
    tensors = read(file)
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
    assert gguf_header.gguf_tensors(file)["double_blocks.0.img_attn.x"]["data_offsets"][0] % 16 == 0


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


@pytest.mark.parametrize("read", READERS, ids=("method", "server"))
@pytest.mark.parametrize("name", DAMAGED)
def test_a_header_that_lies_is_refused(name: str, read, tmp_path: Path) -> None:
    options, words = DAMAGED[name]
    with pytest.raises(ValueError, match=words):
        read(gguf_file(tmp_path / "some.gguf", **options))


@pytest.mark.parametrize("read", READERS, ids=("method", "server"))
def test_a_header_may_break_off_anywhere(read, tmp_path: Path) -> None:
    whole = gguf_file(tmp_path / "whole.gguf").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "part.gguf").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"broke off|no GGUF file|empty"):
            read(tmp_path / "part.gguf")
