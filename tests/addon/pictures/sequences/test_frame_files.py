# SPDX-License-Identifier: MIT
"""Sequences on disk: folders of their own, a list that survives a kill, files without gaps."""

import pytest

from addon.pictures.sequences.frame_files import (
    LIST,
    consecutive,
    duplicate,
    keep,
    name_of_frame,
    new_folder,
    painted_before,
)
from addon.protocol.file_names import portable
from addon.session.sequence import SequenceFrame


@pytest.fixture
def picture(tmp_path):
    """Files that stand for pictures, by their words."""

    def write(words: str):
        path = tmp_path / f"{words}.png"
        path.write_text(words)
        return path

    return write


def frames(*numbers: int) -> list[SequenceFrame]:
    return [SequenceFrame(camera="Camera", frame=n, file=name_of_frame("Camera", n)) for n in numbers]


def test_each_sequence_has_a_folder_of_its_own(tmp_path) -> None:
    made = [new_folder(tmp_path / "all", "my scene/1") for _ in range(2)]
    assert [path.name for path in made] == [f"{portable('my scene/1')}-{number:03d}" for number in (1, 2)]


def test_what_was_painted_is_known_again_even_after_a_torn_line(tmp_path, picture) -> None:
    one, two = (new_folder(tmp_path / "all", "meadow") for _ in range(2))
    keep(one, name_of_frame("Camera", 1), picture("a"), "key a")
    keep(one, name_of_frame("Camera", 2), picture("b"), "key b")
    kept = keep(two, name_of_frame("Camera.001", -3), picture("c"), "key c")
    with (one / LIST).open("ab") as lines:
        lines.write(b'{"key": "key d", "fi')
    (one / name_of_frame("Camera", 2)).unlink()
    (tmp_path / "all" / "unreadable" / "painted.jsonl").mkdir(parents=True)
    there = painted_before(tmp_path / "all")
    assert {key: path.read_text() for key, path in there.items()} == {"key a": "a", "key c": "c"}
    assert kept.name == "-003.png"


def test_a_picture_kept_is_none_of_the_history_s(tmp_path, picture) -> None:
    source = picture("a")
    path = keep(new_folder(tmp_path / "all", "meadow"), name_of_frame("Camera", 1), source, "key")
    source.unlink()
    assert path.read_text() == "a"


def test_a_file_that_is_there_already_leaves_nothing_beside_it(tmp_path, picture) -> None:
    source = picture("a")
    for _ in range(2):
        duplicate(source, tmp_path / "0001.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001.png", "a.png"]


def test_frames_without_a_gap_play_as_they_are(tmp_path, picture) -> None:
    for frame in frames(4, 5, 6):
        keep(tmp_path / "x", frame.file, picture(str(frame.frame)), "")
    files = consecutive(tmp_path / "x", frames(4, 5, 6))
    assert [file.relative_to(tmp_path / "x").as_posix() for file in files] == [f.file for f in frames(4, 5, 6)]


@pytest.mark.parametrize(
    ("numbers", "shown"), [((1, 3, 4), ["1", "1", "3", "4"]), ((-1, 0, 1), ["-1", "0", "1"]), ((2,), ["2"])]
)
def test_a_gap_holds_the_picture_before(tmp_path, picture, numbers, shown) -> None:
    for frame in frames(*numbers):
        keep(tmp_path / "x", frame.file, picture(str(frame.frame)), "")
    files = consecutive(tmp_path / "x", frames(*numbers))
    assert [file.read_text() for file in files] == shown
    assert [int(file.stem) for file in files] == list(range(int(files[0].stem), int(files[0].stem) + len(files)))
