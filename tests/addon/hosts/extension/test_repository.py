# SPDX-License-Identifier: MIT
"""The self-hosted repository in this host: added, synchronised, installed from, as files and over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """The folder that a studio puts on its web server."""
    pytest.importorskip("bpy")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "addon", "--out", str(out)], cwd=ROOT, check=True, timeout=120)
    return out / "repository"


@pytest.fixture
def hosted(repository: Path) -> Iterator[str]:
    """That web server, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(repository)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()
    thread.join()
    server.server_close()


def use(url: str, home: Path) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(home), "MAQUETTE_HOME": str(home)}
    script = [sys.executable, str(FOLDER / "use_repository.py"), url]
    finished = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-3000:]
    assert f"installed from {url}" in finished.stdout


def test_installs_over_http(hosted: str, tmp_path: Path) -> None:
    use(hosted, tmp_path)


def test_installs_from_a_shared_folder(repository: Path, tmp_path: Path) -> None:
    use((repository / "index.json").as_uri(), tmp_path)
