# SPDX-License-Identifier: MIT
"""Names of folders that every system takes."""

import pytest

from addon.protocol.file_names import portable


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b", "C:\\x", "Kamera 1", "ü", "x" * 300, "..", "\udcff", "Aux", "com1"]
)
def test_a_name_becomes_one_that_every_system_takes_and_is_told_apart(name):
    assert "/" not in portable(name) and "\\" not in portable(name) and ".." not in portable(name)
    assert 1 <= len(portable(name)) < 100
    assert portable(name) != portable(f"{name}!")
    assert portable(name).upper() not in ("CON", "AUX", "COM1"), "Windows takes those for devices"


def test_a_plain_name_stays_as_it_is():
    assert [portable(name) for name in ("Camera", "Console", "shot-2")] == ["Camera", "Console", "shot-2"]
