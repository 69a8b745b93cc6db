# SPDX-License-Identifier: MIT
"""Records: masks to bytes and back, the connection file, and every Python of Blender."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.protocol import answers, blockout
from addon.protocol.answers import Connection, read_connection
from addon.protocol.blockout import Mask, mask_rows, pack_mask, unpack_mask
from addon.protocol.paths import cards_folder, connection_path
from addon.protocol.strict_json import ContractError, dump

CONNECTION = Connection(address="http://127.0.0.1:1", token="t", version="1")
MASK = pack_mask(2, 2, b"\x00\x80\xff\x01")


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_masks_come_back(width, height, data):
    rows = data.draw(st.binary(min_size=width * height, max_size=width * height))
    mask = pack_mask(width, height, rows)
    assert unpack_mask(mask) == rows
    assert (mask_rows(mask).shape, mask_rows(mask).tobytes()) == ((height, width), rows)


def test_a_mask_that_would_swell_is_refused_early():
    bomb = pack_mask(256, 256, bytes(256 * 256)).data
    with pytest.raises(ContractError, match="exactly 1 x 1 bytes"):
        Mask(width=1, height=1, data=bomb)


@pytest.mark.parametrize("data", ["AAAA", "é", "====", MASK.data[:-4], MASK.data + MASK.data])
def test_damaged_masks(data):
    with pytest.raises(ContractError):
        Mask(width=2, height=2, data=data)


def test_where_the_connection_is(monkeypatch, own_home):
    assert connection_path() == own_home / "connection.json"
    monkeypatch.delenv("MAQUETTE_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    if sys.platform == "linux":
        assert connection_path() == Path("/state/maquette/connection.json")
        monkeypatch.setenv("MAQUETTE_HOME", "")
        assert connection_path() == Path("/state/maquette/connection.json"), "not wherever it was started"
        monkeypatch.setenv("XDG_STATE_HOME", "state")
        assert connection_path() == Path.home() / ".local/state/maquette/connection.json"


def no_home():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("where", [connection_path, cards_folder])
def test_a_user_without_a_home_is_told(monkeypatch, where):
    """As containers have them."""
    for name in ("MAQUETTE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(OSError, match="set MAQUETTE_HOME to a folder"):
        where()


def test_a_connection_is_read_and_must_be_private(tmp_path):
    path = tmp_path / "connection.json"
    path.write_text(json.dumps(dump(CONNECTION)))
    path.chmod(0o600)
    assert read_connection(path) == CONNECTION
    if os.name == "posix":
        path.chmod(0o640)
        with pytest.raises(ContractError, match="readable by others"):
            read_connection(path)


@pytest.mark.parametrize("module", [answers, blockout])
def test_names_are_true(module: ModuleType):
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("python", ["python3.11", "python3.13"])
def test_it_loads_in_every_python_of_blender(python):
    """Blender 4.2 to 5.0 brings 3.11, 5.1 and later 3.13; neither brings pydantic."""
    program = (
        "from addon.protocol.answers import Job; from addon.protocol.blockout import Frame; "
        "from addon.protocol.strict_json import load; "
        "print(load(Frame, {'left': 0, 'top': 0, 'width': 1, 'height': 2}).height)"
    )
    root = Path(blockout.__file__).parents[2]
    if shutil.which(python) is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"there is no {python} here")
    done = subprocess.run([python, "-S", "-c", program], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "2", done.stderr
