# SPDX-License-Identifier: MIT
"""Exact captures by a second Blender: made, refused, cancelled, broken; and nothing left behind in any case."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from addon.blender_process import CaptureCommand, SceneFile, program
from addon.client.api import find_connection
from addon.cooperative import Slices
from addon.exact.second_blender import ExactCapture, alike, difference, expose
from addon.messages.errors import RegionHidden, UserError
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.session.dispatcher import Dispatcher
from tests.server.processes import runs, workers_of
from tests.server.serving import wait_until

MEADOW = Path(__file__).parents[3] / "examples" / "meadow.blend"


def region(phrase: str, rows: list[int]) -> Region:
    mask = pack_mask(4, 4, bytes(rows))
    return Region(name=phrase, phrase=phrase, mask=mask, centroid=(0.5, 0.5), size=0.5, visible=1.0, depth=0)


def blockout(**rows: list[int]) -> Blockout:
    return Blockout(
        prompt=" and ".join(rows),
        regions=tuple(region(phrase, mask) for phrase, mask in rows.items()),
        width=64,
        height=64,
        frame=Frame(left=0, top=0, width=64, height=64),
        seed=1,
        model="toybox",
        steps=3,
        strength=0.7,
        scale=4.0,
    )


LEFT, MOST, ALL = [255, 255, 0, 0] * 4, [255] * 15 + [0], [255] * 16
LIVE = blockout(castle=ALL, rocket=LEFT)


@pytest.fixture
def copied(tmp_path: Path) -> ExactCapture:
    """The meadow's copy in a folder of its own."""
    made = ExactCapture(program(""), command(tmp_path / "exposure"))
    made.folder.mkdir()
    shutil.copyfile(MEADOW, made.command.source.path)
    return made


def command(folder: Path, camera: str = "Camera") -> CaptureCommand:
    source = SceneFile(path=folder / "copy.blend", camera=camera)
    settings = {"seed": 5, "exact": True}
    return CaptureCommand(source=source, out=folder / "blockout.json", settings=settings, scene_name="Scene")


class Sent(list):
    """What reached the server."""

    async def __call__(self, exact: Blockout) -> None:
        await asyncio.sleep(0)
        self.append(exact)


def view_of(shown: Blockout | UserError) -> Slices[Blockout]:
    """What the view gives, as slices."""
    yield
    if isinstance(shown, UserError):
        raise shown
    return shown


def told(exposure: ExactCapture, live: Blockout | UserError = LIVE) -> tuple[Dispatcher, Sent]:
    """Expose to the end."""
    sent = Sent()

    async def story() -> Dispatcher:
        dispatcher = Dispatcher(find_connection, exposure.folder.parent)
        await asyncio.wait_for(expose(dispatcher, exposure, view_of(live), asyncio.Lock(), sent), 100)
        return dispatcher

    return asyncio.run(story()), sent


def test_a_copy_is_captured_and_goes(copied: ExactCapture) -> None:
    dispatcher, (exact,) = told(copied, RegionHidden("castle is hidden.", "Show it."))
    assert (exact.seed, exact.model, exact.prompt) == (5, "toybox", "a castle and a rocket on a meadow")
    assert [item.phrase for item in exact.regions] == ["castle", "rocket"]
    assert dispatcher.session.exact_captures == 0
    assert dispatcher.session.notice.warning and "castle is hidden" in dispatcher.session.notice.message
    assert not copied.folder.exists()


def test_a_scene_that_is_refused_says_why(copied: ExactCapture) -> None:
    dispatcher, sent = told(replace(copied, command=command(copied.folder, "Nowhere")))
    assert "no object named Nowhere" in dispatcher.session.notice.message
    assert dispatcher.session.notice.fix and not dispatcher.session.notice.warning
    assert (sent, dispatcher.session.exact_captures, copied.folder.exists()) == ([], 0, False)


def test_a_second_blender_that_breaks_says_so(copied: ExactCapture) -> None:
    copied.command.source.path.write_bytes(b"no blend")
    dispatcher, sent = told(copied)
    assert dispatcher.session.notice.message.startswith("Blender cannot open the scene: ")
    assert "Exact off" in dispatcher.session.notice.fix
    assert (sent, dispatcher.session.exact_captures, copied.folder.exists()) == ([], 0, False)


def test_a_program_that_is_none_says_so(copied: ExactCapture) -> None:
    dispatcher, sent = told(replace(copied, program=("no-such-blender",)))
    assert "no-such-blender" in dispatcher.session.notice.message
    assert (sent, dispatcher.session.exact_captures, copied.folder.exists()) == ([], 0, False)


def test_a_cancelled_capture_leaves_no_child_and_no_file(copied: ExactCapture) -> None:
    pids, sent = copied.folder.parent / "pids", Sent()
    child = ("sh", "-c", f"echo $$ >> {pids}; exec sleep 60")
    waiting = replace(copied, command=command(copied.folder.with_name("waiting")))
    waiting.folder.mkdir()

    async def story() -> Dispatcher:
        dispatcher, room = Dispatcher(find_connection, copied.folder.parent), asyncio.Lock()
        tasks = [
            asyncio.create_task(expose(dispatcher, replace(each, program=child), view_of(LIVE), room, sent))
            for each in (copied, waiting)
        ]
        while not pids.exists() or not pids.read_text().strip():
            await asyncio.sleep(0.01)
        assert dispatcher.session.exact_captures == 2 and dispatcher.session.busy
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        return dispatcher

    dispatcher = asyncio.run(story())
    (pid,) = pids.read_text().split()  # the second waited for the first
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert (sent, dispatcher.session.exact_captures, dispatcher.session.notice) == ([], 0, None)
    assert not copied.folder.exists() and not waiting.folder.exists()


def test_regions_that_a_render_shows_otherwise_are_named() -> None:
    assert difference(LIVE, LIVE) is None
    assert difference(LIVE, blockout(castle=MOST, rocket=LEFT)) is None
    notice = difference(LIVE, blockout(castle=LEFT, rocket=LEFT))
    assert notice.warning and notice.fix
    assert "“castle” (50% alike)" in notice.message and "rocket" not in notice.message
    assert alike(LIVE.regions[0], region("castle", [128] * 16)) == pytest.approx(0.5, abs=0.01)


ARTIST = """
import asyncio
from pathlib import Path
from tests.addon.exact.test_second_blender import ExactCapture, command, program
asyncio.run(ExactCapture(program(""), command(Path({folder!r}))).develop())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGIO: there the second Blender finishes alone")
def test_it_ends_with_a_blender_that_is_killed(copied: ExactCapture) -> None:
    """Amid a render, which knows nothing of it."""
    artist = subprocess.Popen([sys.executable, "-c", ARTIST.format(folder=str(copied.folder))])
    wait_until(lambda: workers_of(artist.pid) != [])
    (second,) = workers_of(artist.pid)
    wait_until(lambda: "Fra:" in (copied.folder / "log").read_text(errors="replace") or not runs(second), 60.0)
    assert runs(second), "it renders"
    artist.kill()
    artist.wait()
    wait_until(lambda: not runs(second), 5.0)
