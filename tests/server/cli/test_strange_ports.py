# SPDX-License-Identifier: MIT
"""``maquette`` where its port is another program's by now, or where the environment sends HTTP elsewhere."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from addon.protocol.answers import Connection
from addon.protocol.strict_json import dump
from server.cli.main import main
from server.cli.render import server
from tests.server.serving import blockout, environment, serving
from tests.server.strangers import STRANGERS, stranger

PROXIES = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
PROXIES |= dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9")


def leave_connection(home, port):
    """A connection file of before, and no word of whether its server lives."""
    home.mkdir(exist_ok=True)
    path = home / "connection.json"
    path.write_text(json.dumps(dump(Connection(address=f"http://127.0.0.1:{port}", token="old", version="0.1.0"))))
    path.chmod(0o600)
    return path


async def _address_used():
    async with server(None) as client:
        return client.connection.address


KINDS = [
    pytest.param(kind, marks=[] if kind == "a Maquette with another token" else pytest.mark.long) for kind in STRANGERS
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_stops_nobody(own_home, capsys, kind):
    with stranger(STRANGERS[kind]) as (port, _):
        leave_connection(own_home, port)
        assert str(port) not in asyncio.run(_address_used())
    silent = kind in ("closes at once", "cut off", "TLS")  # which is as if nobody were there
    assert silent or capsys.readouterr().err.endswith("; a server of our own paints instead\n")


def test_a_server_that_is_asked_for_is_the_only_one(tmp_path, own_home, capsys):
    request = tmp_path / "cat.blockout.json"
    request.write_text(json.dumps(dump(blockout())))
    with stranger(STRANGERS["a page"]) as (port, _):
        path = leave_connection(own_home, port)
        assert main(["render", str(request), "--out", str(tmp_path / "out"), "--server", str(path)]) == 1
    assert "Is this Maquette's server?" in capsys.readouterr().err
    assert not (tmp_path / "out" / "picture.png").exists()


def test_proxies_in_the_environment_are_not_asked(tmp_path, monkeypatch):
    """Neither by the server, nor by its worker, nor by who asks for a picture."""
    request = tmp_path / "cat.blockout.json"
    request.write_text(json.dumps(dump(blockout())))
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    with serving(tmp_path / "home") as served:
        assert served.reaches(served.submit())["state"] == "done"
        words = [sys.executable, "-m", "server", "render", str(request), "--out", str(tmp_path / "out")]
        done = subprocess.run(words, env={**os.environ, **environment(served.home)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_killed_server_is_replaced_on_the_same_port(tmp_path):
    """Its file and its lock are still there, and stop nobody."""
    home = tmp_path / "home"
    with serving(home) as served:
        port = served.connection.address.rpartition(":")[2]
        served.kill(with_worker=True)
    assert (home / "connection.json").exists()
    with serving(home, "--port", port) as served:
        assert served.request("GET", "/v1/health")[0] == 200
