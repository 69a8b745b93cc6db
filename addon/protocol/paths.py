# SPDX-License-Identifier: MIT
"""Where Maquette keeps its state on this machine. Standard library only."""

import os
import sys
from pathlib import Path


def home() -> Path:
    """Where Maquette keeps its state for this user; the environment's MAQUETTE_HOME overrides.

    An empty variable is none, or state would lie wherever a program was started. Raises OSError for a user without a
    home folder, as containers have.
    """
    if own := os.environ.get("MAQUETTE_HOME"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _of_user() / "AppData" / "Local") / "Maquette"
    if sys.platform == "darwin":
        return _of_user() / "Library" / "Application Support" / "Maquette"
    return (_named("XDG_STATE_HOME") or _of_user() / ".local" / "state") / "maquette"


def cards_folder() -> Path:
    """Where this user writes what models like; in MAQUETTE_HOME where that is set. Raises OSError as ``home``."""
    if os.environ.get("MAQUETTE_HOME") or sys.platform in ("win32", "darwin"):
        return home() / "cards"
    return (_named("XDG_CONFIG_HOME") or _of_user() / ".config") / "maquette" / "cards"


def connection_path() -> Path:
    """The file in which a running server leaves its address and token. Raises OSError as ``home``."""
    return home() / "connection.json"


def _named(variable: str) -> Path | None:
    """A folder that the environment names, whole: its standard has relative ones ignored."""
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None


def _of_user() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise OSError("This user has no home folder: set MAQUETTE_HOME to a folder for Maquette") from error
