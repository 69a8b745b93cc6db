# SPDX-License-Identifier: MIT
"""An installation gone through with real children, a real pip and small wheels: whole, stopped, gone on with, gone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from addon.installation.installer import Installer, own_pythons
from addon.installation.plan import STEPS, InstallPlan, environ
from addon.protocol.server_command import noted
from tests.addon.installation.little_wheels import little_plan

SIGNS = "user's `folder`; 100% #1 $HOME [x] @y"  # which a shell or pip may read in ways of their own

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests read /proc")


@pytest.fixture
def plan(tmp_path: Path) -> InstallPlan:
    return replace(little_plan(tmp_path / SIGNS / "installation", tmp_path / "wheels"), python=sys.executable)


def installed(plan: InstallPlan) -> Installer:
    """The installer after it has done all that it could."""
    installer = Installer(plan.folder)
    asyncio.run(installer.install(plan))
    return installer


def children(folder: Path) -> list[bytes]:
    """The processes that run out of a folder."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return [line for line in lines if os.fsencode(folder) in line]


def test_from_nothing_to_a_command_that_is_found(plan: InstallPlan, tmp_path: Path) -> None:
    installer = Installer(plan.folder)
    assert installer.state.stage == "absent" and noted() is None
    steps = []

    async def watched() -> None:
        work = asyncio.ensure_future(installer.install(plan))
        while not work.done():
            steps.append((installer.state.step, installer.state.factor))
            await asyncio.sleep(0.02)

    asyncio.run(watched())
    assert installer.state.stage == "installed", installer.state.notice
    assert list(dict.fromkeys(step for step, _ in steps)) == [step.label for step in STEPS]
    factors = [factor for _, factor in steps]
    assert factors == sorted(factors) and installer.state.factor == 1.0
    words = noted()
    assert words is not None and str(plan.environment) in words[0]
    subprocess.run(words, env=environ(plan), check=True)
    assert sorted(path.name for path in plan.folder.iterdir()) == [
        "constraints.txt",
        "environment",
        "installation.log",
        "record.json",
    ]
    assert Installer(plan.folder).state.stage == "installed"
    plan.interpreter.unlink()
    plan.interpreter.symlink_to(tmp_path / "python of an earlier Blender")
    assert Installer(plan.folder).state.stage == "interrupted" and noted() is None, "it is offered to go on"


def test_stopped_it_leaves_no_process_and_goes_on_where_it_was(plan: InstallPlan) -> None:
    installer = Installer(plan.folder)

    async def stopped() -> None:
        work = asyncio.ensure_future(installer.install(plan))
        while installer.state.step != STEPS[2].label:
            await asyncio.sleep(0.02)
        installer.cancel()
        await work

    asyncio.run(stopped())
    assert installer.state.stage == "interrupted" and installer.state.notice is None
    assert children(plan.folder) == []
    again = Installer(plan.folder)
    assert again.state.stage == "interrupted"
    assert json.loads((plan.folder / "record.json").read_text())["done"] == ["environment", "wheel"]
    before = plan.interpreter.lstat().st_mtime_ns
    asyncio.run(again.install(plan))
    assert again.state.stage == "installed", again.state.notice
    assert plan.interpreter.lstat().st_mtime_ns == before


def test_repaired_it_is_made_anew(plan: InstallPlan) -> None:
    installer = installed(plan)
    (broken,) = plan.environment.glob("lib/python*/site-packages/torch/__init__.py")
    broken.write_text("raise ImportError")
    asyncio.run(installer.install(plan, anew=True))
    assert installer.state.stage == "installed", installer.state.notice
    assert broken.read_text() != "raise ImportError"


def test_removed_nothing_is_left_of_it(plan: InstallPlan, tmp_path: Path) -> None:
    (tmp_path / SIGNS / "pictures").mkdir(parents=True)
    installer = installed(plan)
    asyncio.run(installer.remove())
    assert installer.state.stage == "absent" and noted() is None
    assert [path.name for path in plan.folder.parent.iterdir()] == ["pictures"]


def test_it_ends_with_whoever_began_it(plan: InstallPlan) -> None:
    """Blender killed in the middle: nothing goes on."""
    script = f"""
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from addon.installation.installer import Installer
from tests.addon.installation.little_wheels import little_plan
plan = replace(little_plan(Path({str(plan.folder)!r}), Path({plan.wheels!r})), python=sys.executable)
asyncio.run(Installer(plan.folder).install(plan))
"""
    blender = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
    end = time.monotonic() + 30
    while not any(b"ensurepip" in line for line in children(plan.folder)):
        assert time.monotonic() < end and blender.poll() is None
        time.sleep(0.02)
    blender.send_signal(signal.SIGKILL)
    blender.wait()
    while children(plan.folder):
        assert time.monotonic() < end, children(plan.folder)
        time.sleep(0.05)


def test_the_python_of_this_process_is_looked_for_where_it_says_and_where_it_is() -> None:
    assert own_pythons()[0] == sys.executable
    assert len(own_pythons()) >= 2
