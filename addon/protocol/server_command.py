# SPDX-License-Identifier: MIT
"""How this machine's server is started: ``maquette`` notes its own command here, and the add-on finds it.

So that no path is typed: whoever installed the server has run some verb of it. Standard library only.
"""

import json
import os
import re
import stat
import sys
from pathlib import Path

from .paths import home

SHELL = re.compile(r'["$`\\]')  # where its path has a blank, pip makes the script one of a shell's, which reads these


def command_path() -> Path:
    """The file that has the command, as a JSON list of words."""
    return home() / "command.json"


def own_command() -> list[str]:
    """The words that run this program again."""
    return command_of(Path(sys.executable))


def command_of(python: Path) -> list[str]:
    """The words that run the program of an environment by its Python: the script beside that, or the module."""
    script = python.with_name("maquette.exe" if sys.platform == "win32" else "maquette")
    if not script.exists():
        return [str(python), "-m", "server"]
    misread = sys.platform != "win32" and SHELL.search(str(script))
    return [str(python), "-I", "-m", "server"] if misread else [str(script)]


def note(words: list[str]) -> None:
    """Write the command down, for its user alone to change. Raises OSError where there is no place to write."""
    path = command_path()
    if noted() == words:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(words, file)
    part.replace(path)


def noted() -> list[str] | None:
    """The command that was noted; None where there is none, its program is gone, or others may write the file.

    Gone is also the program of an environment whose Python is, as after an update of Blender whose Python it was.
    """
    path = command_path()
    try:
        others = path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        words = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return None
    trusted = not others or sys.platform == "win32"
    python = Path(words[0]).with_name("python")
    runs = Path(words[0]).is_file() and (python.exists() or not python.is_symlink())
    return [str(word) for word in words] if trusted and runs else None
