# SPDX-License-Identifier: MIT
"""What the tests of a host share. The server runs in the project's own environment, whichever Python runs the host."""

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]


@pytest.fixture
def server_command() -> str:
    """How the add-on starts a server that paints flat colours; with the project's own Python, whichever runs this."""
    has_server = importlib.util.find_spec("uvicorn") is not None
    python = Path(sys.executable) if has_server else ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no server without {python}: run make test first")
    serve = [str(python), "-m", "server", "serve", "--engine", "tests.addon.hosts.mask_painter:Painter"]
    return shlex.join(["env", f"PYTHONPATH={ROOT}", *serve])
