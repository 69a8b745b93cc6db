# SPDX-License-Identifier: MIT
"""A safetensors header is believed only where its tensors lie one behind the other, in their own size, to the end."""

import json
import struct
from pathlib import Path

import pytest

from weight_files import safetensors_header
from weight_files.safetensors_header import Unreadable, read_header


def written(file: Path, header: object, held: int) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(held))
    return file


def tensor(begin: int, end: int, shape: object = (2,), dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_what_lies_one_behind_the_other_is_read(tmp_path: Path) -> None:
    """In whichever order it is named; a dtype that is newer than ours is taken at its word."""
    entries = {
        "b": tensor(4, 12, (2, 2)),
        "a": tensor(0, 4),
        "new": tensor(12, 13, (2,), "F4"),
        "v_pred": tensor(13, 13, (0,)),
    }
    header = read_header(written(tmp_path / "x.safetensors", {"__metadata__": {"a": "b"}, **entries}, 13))
    assert set(header.tensors) == set(entries) and header.notes == {"a": "b"} and header.numbers == 8


LIES = {
    "on each other": ({"a": tensor(0, 4), "b": tensor(0, 4)}, 4, "b lies where it cannot"),
    "half on each other": ({"a": tensor(0, 4), "b": tensor(2, 6)}, 6, "b lies where it cannot"),
    "a hole": ({"a": tensor(0, 4), "b": tensor(6, 10)}, 10, "b lies where it cannot"),
    "before the first": ({"a": tensor(2, 6)}, 6, "a lies where it cannot"),
    "backwards": ({"a": tensor(4, 0), "b": tensor(0, 4)}, 4, "lies where it cannot"),
    "smaller than its shape": ({"a": tensor(0, 4, (3,))}, 4, "a lies where it cannot"),
    "larger than its shape": ({"a": tensor(0, 4, (1,))}, 4, "a lies where it cannot"),
    "giant": ({"a": tensor(0, 4, (2**40, 2**40))}, 4, "a lies where it cannot"),
    "negative": ({"a": tensor(0, 4, (-1, -2))}, 4, "its header is damaged"),
    "no shape": ({"a": {"dtype": "F16", "data_offsets": [0, 4]}}, 4, "its header is damaged"),
    "a word for a side": ({"a": tensor(0, 4, ("two",))}, 4, "its header is damaged"),
    "one offset": ({"a": {"dtype": "F16", "shape": [2], "data_offsets": [4]}}, 4, "its header is damaged"),
    "a list": ([1], 4, "its header is damaged"),
    "deep": (b"[" * 200_000, 4, "its header is damaged"),
    "notes alone": ({"__metadata__": {"a": "b"}}, 0, "it holds no weights"),
    "more behind it": ({"a": tensor(0, 4)}, 5, "there is more in it"),
    "less behind it": ({"a": tensor(0, 4)}, 3, "1 bytes of 4 bytes are missing"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    header, held, words = LIES[name]
    with pytest.raises(Unreadable, match=words):
        read_header(written(tmp_path / "x.safetensors", header, held))


def test_a_header_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read, where it says that it is longer than any; and before its names are compared to anything."""
    file = tmp_path / "x.safetensors"
    file.write_bytes(struct.pack("<Q", 2**62) + b"{}" + bytes(100))
    with pytest.raises(Unreadable, match="no safetensors file"):
        read_header(file)
    monkeypatch.setattr(safetensors_header, "COUNT", 3)
    with pytest.raises(Unreadable, match="its header is damaged"):
        read_header(written(file, {str(i): tensor(4 * i, 4 * i + 4) for i in range(4)}, 16))


def test_a_header_may_break_off_anywhere(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.safetensors", {"a": tensor(0, 4), "b": tensor(4, 8)}, 8).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "part.safetensors").write_bytes(whole[:length])
        with pytest.raises(Unreadable, match=r"broke off|no safetensors|empty"):
            read_header(tmp_path / "part.safetensors")
