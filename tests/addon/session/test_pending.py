# SPDX-License-Identifier: MIT
"""What one Blender leaves behind when it quits, and the next one receives."""

import asyncio
from dataclasses import replace
from pathlib import Path

from addon.request.settings import DEFAULTS
from addon.session import pending, reducer
from addon.session.state import Session
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_absent, is_online, until
from tests.addon.session.samples import VIEW, blockout

VARIED = replace(VIEW, entry="1" * 64)  # of that picture of the history


def test_what_is_not_painted_when_blender_quits_is_received_by_the_next(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def first() -> None:
        async with dispatching(tmp_path) as dispatcher, running(settings):
            dispatcher.nudge()
            await until(dispatcher, is_online)
            for steps in (3, 100, 5):
                await dispatcher.submit(blockout(steps), VARIED, replace(DEFAULTS, prompt="mine"))
            await until(dispatcher, lambda session: session.tasks[1].job.step > 0 and session.tasks[0].receivable)
            dispatcher.apply(reducer.picture_received, dispatcher.session.tasks[0].job.id)
            await dispatcher.settle(20)
        pending.save(tmp_path, dispatcher.session)

    async def second() -> None:
        async with dispatching(tmp_path) as dispatcher:
            dispatcher.apply(pending.resumed, tmp_path)
            assert [(task.job.steps, task.settings.prompt) for task in dispatcher.session.tasks] == [
                (100, "mine"),
                (5, "mine"),
            ]
            session = await until(dispatcher, is_absent)
            assert not session.busy  # nothing happens until there is a server
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: len(session.receivable) == 2)
        assert all(task.picture.exists() and task.view.scene == pending.NO_ID for task in session.tasks)
        assert {task.view.entry for task in session.tasks} == {VARIED.entry}, "as it was asked for"

    asyncio.run(first())
    asyncio.run(second())
    assert pending.resumed(Session(), tmp_path).tasks == ()


def test_what_was_cancelled_without_a_server_is_cancelled_the_next_time(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def first() -> None:
        async with dispatching(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                await dispatcher.submit(blockout(steps=1000), VIEW)
            await until(dispatcher, is_absent)
            await dispatcher.cancel(dispatcher.session.tasks[0].job.id)
        pending.save(tmp_path, dispatcher.session)

    async def second() -> None:
        async with dispatching(tmp_path) as dispatcher:
            dispatcher.apply(pending.resumed, tmp_path)
            assert dispatcher.session.cancelling
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: not session.waiting)
        assert [task.job.state for task in session.tasks] == ["cancelled"]

    asyncio.run(first())
    asyncio.run(second())


def test_a_file_that_is_no_text_keeps_no_blender_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "owed-a.json"
    path.write_bytes(b"\xff\xfe\x00owed")
    assert pending.resumed(Session(), tmp_path) == Session()
    assert path.exists()


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "owed-a.json"
    path.write_text('{"owed": [{"debt": 1}]}')
    assert pending.resumed(Session(), tmp_path) == Session()
    assert path.exists()
