# SPDX-License-Identifier: MIT
"""Exact captures by a second Blender: made, refused, cancelled, broken; and nothing left behind in any case."""

import asyncio
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from addon.client import find_connection
from addon.contract import TOYBOX, Blockout, Frame, Region, dump, pack_mask
from addon.courier import Courier
from addon.exposure import Exposure, alike, difference, expose, program
from addon.faults import CaptureError, RegionHidden
from addon.slices import Slices

MEADOW = Path(__file__).parents[2] / "examples" / "meadow.blend"
FLAGS = {"scene-name": "Scene", "camera": "Camera", "model": json.dumps(dump(TOYBOX)), "seed": 5, "layer": None}


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
def copied(tmp_path: Path) -> Exposure:
    """The meadow's copy in a folder of its own."""
    made = Exposure(tmp_path / "exposure", program(""), FLAGS)
    made.folder.mkdir()
    shutil.copyfile(MEADOW, made.copy)
    return made


class Sent(list):
    """What reached the server."""

    async def __call__(self, exact: Blockout) -> None:
        await asyncio.sleep(0)
        self.append(exact)


def view_of(shown: Blockout | CaptureError) -> Slices[Blockout]:
    """What the view gives, as slices."""
    yield
    if isinstance(shown, CaptureError):
        raise shown
    return shown


def told(exposure: Exposure, live: Blockout | CaptureError = LIVE) -> tuple[Courier, Sent]:
    """Expose to the end."""
    sent = Sent()

    async def story() -> Courier:
        courier = Courier(find_connection, exposure.folder.parent)
        await asyncio.wait_for(expose(courier, exposure, view_of(live), asyncio.Lock(), sent), 100)
        return courier

    return asyncio.run(story()), sent


def test_a_copy_is_captured_and_goes(copied: Exposure) -> None:
    courier, (exact,) = told(copied, RegionHidden("castle is hidden.", "Show it."))
    assert (exact.seed, exact.model, exact.prompt) == (5, "toybox", "a castle and a rocket on a meadow")
    assert [item.phrase for item in exact.regions] == ["castle", "rocket"]
    assert courier.session.exposing == 0
    assert courier.session.notice.warning and "castle is hidden" in courier.session.notice.message
    assert not copied.folder.exists()


def test_a_scene_that_is_refused_says_why(copied: Exposure) -> None:
    courier, sent = told(replace(copied, flags={**FLAGS, "camera": "Nowhere"}))
    assert "no object named Nowhere" in courier.session.notice.message
    assert courier.session.notice.fix and not courier.session.notice.warning
    assert (sent, courier.session.exposing, copied.folder.exists()) == ([], 0, False)


def test_a_second_blender_that_breaks_says_so(copied: Exposure) -> None:
    copied.copy.write_bytes(b"no blend")
    courier, sent = told(copied)
    assert courier.session.notice.message.startswith("Blender cannot open the scene: ")
    assert "Exact off" in courier.session.notice.fix
    assert (sent, courier.session.exposing, copied.folder.exists()) == ([], 0, False)


def test_a_program_that_is_none_says_so(copied: Exposure) -> None:
    courier, sent = told(replace(copied, program=("no-such-blender",)))
    assert "no-such-blender" in courier.session.notice.message
    assert (sent, courier.session.exposing, copied.folder.exists()) == ([], 0, False)


def test_a_cancelled_capture_leaves_no_child_and_no_file(copied: Exposure) -> None:
    pids, sent = copied.folder.parent / "pids", Sent()
    child = ("sh", "-c", f"echo $$ >> {pids}; exec sleep 60")
    waiting = replace(copied, folder=copied.folder.with_name("waiting"))
    waiting.folder.mkdir()

    async def story() -> Courier:
        courier, room = Courier(find_connection, copied.folder.parent), asyncio.Lock()
        tasks = [
            asyncio.create_task(expose(courier, replace(each, program=child), view_of(LIVE), room, sent))
            for each in (copied, waiting)
        ]
        while not pids.exists() or not pids.read_text().strip():
            await asyncio.sleep(0.01)
        assert courier.session.exposing == 2 and courier.session.busy
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        return courier

    courier = asyncio.run(story())
    (pid,) = pids.read_text().split()  # the second waited for the first
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert (sent, courier.session.exposing, courier.session.notice) == ([], 0, None)
    assert not copied.folder.exists() and not waiting.folder.exists()


def test_regions_that_a_render_shows_otherwise_are_named() -> None:
    assert difference(LIVE, LIVE) is None
    assert difference(LIVE, blockout(castle=MOST, rocket=LEFT)) is None
    notice = difference(LIVE, blockout(castle=LEFT, rocket=LEFT))
    assert notice.warning and notice.fix
    assert "“castle” (50% alike)" in notice.message and "rocket" not in notice.message
    assert alike(LIVE.regions[0], region("castle", [128] * 16)) == pytest.approx(0.5, abs=0.01)
