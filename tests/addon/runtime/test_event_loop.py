# SPDX-License-Identifier: MIT
"""The asyncio loop inside Blender: work that fails is reported and begun anew; long work goes in slices."""

import asyncio
import gc
import socket
import time

import pytest

from addon.cooperative import SLICE, finish, gradually
from addon.runtime.event_loop import GAP, EventLoop
from addon.runtime.timers import freeze_heap


@pytest.fixture
def event_loop():
    event_loop = EventLoop()
    yield event_loop
    event_loop.close()


def test_work_without_end_begins_anew_after_a_failure(event_loop: EventLoop, monkeypatch) -> None:
    monkeypatch.setattr("addon.runtime.event_loop.RESTART", 0.01)
    begun = []

    async def endless() -> None:
        begun.append(time.monotonic())
        await asyncio.sleep(0)
        if len(begun) < 3:
            raise ZeroDivisionError("as asked")
        await asyncio.sleep(60)

    event_loop.keep(endless)
    complaints = 0
    end = time.monotonic() + 5
    while len(begun) < 3 and time.monotonic() < end:
        try:
            event_loop.once()
        except ZeroDivisionError:
            complaints += 1
    assert (len(begun), complaints) == (3, 2)


def test_an_answer_that_came_while_blender_was_held_came_in_time(event_loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    answers: list[bytes] = []

    async def ask() -> None:
        async with asyncio.timeout(1.5 * GAP):
            answers.append(await event_loop.loop.sock_recv(ours, 16))

    with ours, theirs:
        event_loop.start(ask())
        event_loop.once()
        theirs.send(b"here")
        time.sleep(2 * GAP)  # a render, a bake, a file that is opened
        event_loop.once()
    assert answers == [b"here"]


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_was_said(event_loop: EventLoop) -> None:
    async def ask() -> None:
        async with asyncio.timeout(0.2):
            await asyncio.Event().wait()

    asked, begun = event_loop.start(ask()), time.monotonic()
    with pytest.raises(TimeoutError):
        while not asked.done() and time.monotonic() - begun < 5:
            event_loop.once()
            time.sleep(0.01)
    assert 0.2 <= time.monotonic() - begun < 2


def test_where_slices_are_far_between_pauses_still_end(event_loop: EventLoop) -> None:
    resting = event_loop.start(asyncio.sleep(GAP / 2))
    event_loop.once()
    time.sleep(1.5 * GAP)  # a heavy scene is redrawn
    event_loop.once()
    assert resting.done()


def work(count: int, seconds: float):
    """So many steps of so long."""
    for _ in range(count):
        time.sleep(seconds)
        yield
    return "done"


def test_long_work_leaves_room_between_its_slices(event_loop: EventLoop) -> None:
    results, longest, rounds = [], 0.0, 0

    async def sliced() -> None:
        results.append(await gradually(work(40, SLICE / 4)))

    event_loop.start(sliced())
    while not results:
        begun = time.thread_time()
        event_loop.once()
        longest, rounds = max(longest, time.thread_time() - begun), rounds + 1
    assert results == ["done"]
    assert rounds >= 5
    assert longest < 5 * SLICE


def test_the_same_work_can_be_done_at_once() -> None:
    assert finish(work(3, 0.0)) == "done"


def test_the_host_s_own_objects_are_collected_again_once_nothing_is_painted() -> None:
    freeze_heap(True)
    assert gc.get_freeze_count() > 0
    freeze_heap(False)
    assert gc.get_freeze_count() == 0
