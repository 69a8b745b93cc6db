# SPDX-License-Identifier: MIT
"""How a server is started: noted by the command line, found by the add-on, and not trusted where others may write."""

import stat
import sys

import pytest

from addon.protocol.server_command import command_of, command_path, note, noted, own_command
from server.cli.main import main


def test_any_verb_notes_the_command_that_runs_it_again(capsys):
    assert noted() is None
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert noted() == own_command()
    assert stat.S_IMODE(command_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(command_path().parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="there the script is a program")
@pytest.mark.parametrize("folder", ["plain", "two words", "o'brien", "cash $HOME", 'quo"ted', "`ticks`", "back\\slash"])
def test_a_script_whose_path_a_shell_misreads_is_walked_around(tmp_path, folder):
    python = tmp_path / folder / "python"
    assert command_of(python) == [str(python), "-m", "server"]
    python.parent.mkdir()
    python.with_name("maquette").touch()
    module = [str(python), "-I", "-m", "server"]
    plain = folder in ("plain", "two words", "o'brien")
    assert command_of(python) == ([str(python.with_name("maquette"))] if plain else module)


def test_a_word_that_is_no_verb_notes_nothing(capsys):
    assert main(["draw"]) == 2
    assert noted() is None


def test_a_home_that_cannot_be_written_stops_no_verb(own_home, capsys):
    own_home.write_text("a file where the folder would be")
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    assert noted() is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '["/no/such/program"]'])
def test_what_is_no_command_is_not_found(text):
    note([sys.executable])
    command_path().write_text(text)
    assert noted() is None


@pytest.mark.skipif(sys.platform == "win32", reason="there an environment has a copy of its Python")
def test_a_command_whose_python_is_gone_is_not_found(tmp_path):
    (tmp_path / "maquette").touch()
    (tmp_path / "python").symlink_to(sys.executable)
    note([str(tmp_path / "maquette")])
    assert noted() is not None
    (tmp_path / "python").unlink()
    (tmp_path / "python").symlink_to(tmp_path / "an earlier Blender" / "python3.11")
    assert noted() is None


def test_a_command_that_others_may_write_is_not_run():
    note([sys.executable, "-m", "server"])
    assert noted() == [sys.executable, "-m", "server"]
    command_path().chmod(0o620)
    assert noted() is None
