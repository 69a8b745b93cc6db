# SPDX-License-Identifier: MIT
"""Full disks, folders that nobody may write, networks that are not there, downloads that break off: the real ones."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from addon.installation.installer import Installer
from addon.installation.plan import STEPS, InstallPlan, note_done
from addon.installation.stages import Installation
from addon.installation.torch_builds import TorchBuild
from tests.addon.installation.little_wheels import little_plan

MEGABYTE = 1_000_000
ROOM = 40 * MEGABYTE  # of the small disk: the environment and its pip fit, and a torch of the same size does not
MORTAL = "-dac_override,-dac_read_search,-fowner"  # root may write anywhere; without these rights it is like anybody
TRIAL = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from addon.installation.installer import Installer
from tests.addon.installation.little_wheels import little_plan
plan = replace(little_plan(Path(sys.argv[1]), Path(sys.argv[2])), python=sys.executable)
installer = Installer(plan.folder)
asyncio.run(installer.install(plan))
print(installer.state.notice.code, installer.state.notice.subject)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs, setpriv and the like")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as the first step makes it, to be copied: making it takes longest of all."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=100)
    return folder


@pytest.fixture
def plan(tmp_path: Path, environment: Path) -> InstallPlan:
    """An installation whose first step is done."""
    plan = replace(little_plan(tmp_path / "installation", tmp_path / "wheels"), python=sys.executable)
    shutil.copytree(environment, plan.environment, symlinks=True)
    note_done(plan, (STEPS[0].name,))
    return plan


def attempt(plan: InstallPlan) -> Installation:
    """How an attempt ends."""
    installer = Installer(plan.folder)
    asyncio.run(installer.install(plan))
    return installer.state


def code(state: Installation) -> str:
    assert state.stage == "interrupted" and state.notice is not None, state
    return state.notice.code


@contextmanager
def serving(content: bytes, cut: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server of one file that breaks off its first answer after ``cut`` bytes; its address, and the ranges asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Range", ""))
            start = int(asked[-1].removeprefix("bytes=").removesuffix("-") or 0)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : cut if cut and len(asked) == 1 else None])

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own with little room."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up_on_the_way(plan: InstallPlan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        filling = little_plan(tmp_path / "disk" / "installation", Path(plan.wheels), padding=ROOM)
        filling = replace(filling, python=sys.executable)
        state = attempt(filling)
        assert code(state) == "disk-full", state.notice
        assert state.step == STEPS[2].label
        assert state.notice is not None and str(filling.folder) in state.notice.message


def test_a_disk_that_is_too_small_is_said_before_anything_is_done(plan: InstallPlan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        large = TorchBuild(name="CPU", label="CPU", download=300, disk=1300)
        state = attempt(replace(plan, folder=tmp_path / "disk" / "installation", build=large))
        assert code(state) == "disk-full" and "1.3 GB needed" in state.notice.message
        assert not (tmp_path / "disk" / "installation" / "environment").exists()


def test_a_disk_without_any_room(plan: InstallPlan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        with pytest.raises(OSError, match="No space"):
            (tmp_path / "disk" / "everything").write_bytes(bytes(ROOM + MEGABYTE))
        assert code(attempt(replace(plan, folder=tmp_path / "disk" / "installation"))) == "disk-full"


def test_a_folder_that_may_not_be_written(plan: InstallPlan, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root without setpriv may write anywhere")
    mortal = ["setpriv", f"--bounding-set={MORTAL}", f"--inh-caps={MORTAL}"] if os.getuid() == 0 else []
    words = [*mortal, sys.executable, "-c", TRIAL, str(locked / "installation"), plan.wheels]
    told = subprocess.run(words, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["folder-unwritable", str(locked / "installation")]


def test_a_file_where_the_folder_would_be(plan: InstallPlan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert code(attempt(replace(plan, folder=tmp_path / "file"))) == "folder-unwritable"


def test_a_download_that_breaks_off_goes_on_where_it_was(plan: InstallPlan) -> None:
    wheel = Path(plan.wheels, plan.release.name)
    content = wheel.read_bytes()
    wheel.unlink()
    with serving(content, cut=len(content) // 2) as (address, asked):
        remote = replace(plan, release=replace(plan.release, address=address))
        assert code(attempt(remote)) == "network-absent"
        assert attempt(remote).stage == "installed"
    assert asked == ["", f"bytes={len(content) // 2}-"]


def test_a_download_of_other_bytes_is_not_kept(plan: InstallPlan) -> None:
    wheel = Path(plan.wheels, plan.release.name)
    content = wheel.read_bytes()
    wheel.unlink()
    with serving(content[:-1] + b"?") as (address, asked):
        remote = replace(plan, release=replace(plan.release, address=address))
        assert code(attempt(remote)) == "wheel-damaged"
        assert list(remote.target.parent.iterdir()) == []
        assert code(attempt(remote)) == "wheel-damaged"
    assert asked == ["", ""]


def test_a_chosen_file_that_is_not_the_add_on_s(plan: InstallPlan, tmp_path: Path) -> None:
    other = tmp_path / "maquette-0.0.9-py3-none-any.whl"
    other.write_bytes(Path(plan.wheels, plan.release.name).read_bytes() + b" ")
    assert code(attempt(replace(plan, wheel=str(other)))) == "wheel-damaged"
    assert code(attempt(replace(plan, wheel=str(tmp_path / "absent.whl")))) == "package-missing"


def test_nobody_answers(plan: InstallPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:  # bound and never listening: its port refuses
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        wheel = Path(plan.wheels, plan.release.name).rename(plan.folder.parent / plan.release.name)
        assert code(attempt(replace(plan, release=replace(plan.release, address=address)))) == "network-absent"
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", address)
        monkeypatch.setenv("PIP_RETRIES", "1")  # without any, pip does not say what hindered it
        assert code(attempt(replace(plan, wheel=str(wheel), wheels=""))) == "network-absent"


def test_a_folder_of_wheels_without_torch(plan: InstallPlan) -> None:
    next(Path(plan.wheels).glob("torch-*")).unlink()
    state = attempt(plan)
    assert code(state) == "package-missing" and "torch" in state.notice.message and plan.wheels in state.notice.message


@pytest.mark.parametrize("python", ["/no/such/python", os.devnull, "/bin/sh"])
def test_a_python_that_is_none(plan: InstallPlan, python: str) -> None:
    assert code(attempt(replace(plan, python=python))) == "python-unsuitable"  # which the finished step was not for


def test_no_wheel_is_chosen(plan: InstallPlan) -> None:
    assert code(attempt(replace(plan, wheels="/elsewhere"))) == "wheel-unchosen"
    unchecked = replace(plan.release, sha256="", address="http://127.0.0.1:9")
    assert code(attempt(replace(plan, wheels="/elsewhere", release=unchecked))) == "wheel-unchosen"
