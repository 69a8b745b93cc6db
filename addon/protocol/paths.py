# SPDX-License-Identifier: MIT
"""Where Maquette keeps its state on this machine. Standard library only."""

import os
import sys
from pathlib import Path


def home() -> Path:
    """Where Maquette keeps its state for this user; the environment's MAQUETTE_HOME overrides."""
    if "MAQUETTE_HOME" in os.environ:
        return Path(os.environ["MAQUETTE_HOME"])
    if sys.platform == "win32":
        return Path(os.environ["LOCALAPPDATA"]) / "Maquette"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Maquette"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "maquette"


def cards_folder() -> Path:
    """Where this user writes what models like; in MAQUETTE_HOME where that is set."""
    if "MAQUETTE_HOME" in os.environ or sys.platform in ("win32", "darwin"):
        return home() / "cards"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "maquette" / "cards"


def connection_path() -> Path:
    """The file in which a running server leaves its address and token."""
    return home() / "connection.json"
