# SPDX-License-Identifier: MIT
"""No two names are the same, and none is longer than it must be."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from server.unique_names import LETTERS, unique_names

WORDS = st.sampled_from(["a", "b", "toybox", "x" * 120])
PATHS = st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6, unique_by=tuple)


def named(*paths: str) -> list[str]:
    return unique_names([Path(path) for path in paths], [Path(path).stem for path in paths], {"toybox"})


def test_namesakes_get_as_much_of_their_paths_as_tells_them_apart() -> None:
    assert named("/m/a/one", "/m/b/two") == ["one", "two"]
    assert named("/m/a/one", "/m/b/one") == ["a/one", "b/one"]
    assert named("/x/a/one", "/y/a/one", "/y/b/one") == ["x/a/one", "y/a/one", "b/one"]
    assert named("/m/toybox") == ["m/toybox"]
    assert named("/m/one.safetensors", "/m/one") == ["one.safetensors", "m/one"]


@given(PATHS)
def test_whatever_the_paths(parts: list[list[str]]) -> None:
    paths = [Path("/", *words) for words in parts]
    names = unique_names(paths, [path.stem for path in paths], {"toybox"})
    assert len(set(names)) == len(paths) and "toybox" not in names
    assert all(0 < len(name) <= LETTERS for name in names)
