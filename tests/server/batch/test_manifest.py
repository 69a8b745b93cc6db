# SPDX-License-Identifier: MIT
"""The manifest: what a killed batch leaves of it is read."""

from dataclasses import replace

import pytest

from server.batch.manifest import FILE, ManifestRow, RegionScore, append, digest_of, read_rows, write_durably

MEASURE = RegionScore(name="cat", phrase="cat", by="judge", overlap=0.5, offset=None)
ROW = ManifestRow(name="a/b", key="k", sha256="s", model="toybox", job="1", regions=(MEASURE,))


def test_the_last_row_of_a_name_counts(tmp_path):
    assert read_rows(tmp_path) == {}
    for row in (ROW, replace(ROW, name="c"), replace(ROW, key="other")):
        append(tmp_path, row)
    assert read_rows(tmp_path) == {"a/b": replace(ROW, key="other"), "c": replace(ROW, name="c")}


@pytest.mark.parametrize("kept", [1, 10, 100])
def test_a_torn_line_is_no_row_and_harms_no_other(tmp_path, kept):
    append(tmp_path, ROW)
    line = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(line + line[:kept])
    assert read_rows(tmp_path) == {"a/b": ROW}
    append(tmp_path, replace(ROW, name="c"))
    assert read_rows(tmp_path) == {"a/b": ROW, "c": replace(ROW, name="c")}


def test_a_file_is_whole(tmp_path):
    path = tmp_path / "x" / "y.png"
    assert digest_of(path) is None
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "y.png").mkdir()
    with pytest.raises(IsADirectoryError):
        write_durably(tmp_path / "y.png", b"one")
    assert list(tmp_path.iterdir()) == [tmp_path / "y.png"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\0b"])
def test_a_row_of_elsewhere_leads_nowhere(tmp_path, name):
    """A manifest may be somebody else's, and maquette join writes what it names."""
    append(tmp_path, replace(ROW, name=name))
    append(tmp_path, ROW)
    assert list(read_rows(tmp_path)) == ["a/b"]


def test_overlap_is_the_mean():
    assert replace(ROW, regions=(MEASURE, replace(MEASURE, overlap=1.0))).overlap == 0.75
    assert replace(ROW, regions=()).overlap is None
