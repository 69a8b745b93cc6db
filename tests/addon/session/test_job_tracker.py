# SPDX-License-Identifier: MIT
"""What becomes of our jobs: recorded, fetched, cancelled, and forgotten when the server does not know them."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from addon.client.api import Client, find_connection
from addon.protocol.answers import Artifact
from addon.session import reducer
from addon.session.dispatcher import Dispatcher
from addon.session.progress import describe
from addon.session.task import Task
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_absent, is_online, online, until
from tests.addon.session.samples import JOB, VIEW, blockout

PICTURE = b"picture"


def test_what_happens_while_a_picture_is_fetched_is_not_forgotten(tmp_path: Path) -> None:
    class SlowClient:
        """Answers when the test says so."""

        def __init__(self) -> None:
            self.answers = asyncio.Event()

        async def artifact(self, sha256: str) -> bytes:
            await self.answers.wait()
            return PICTURE

    async def story() -> None:
        dispatcher, client = Dispatcher(find_connection, tmp_path), SlowClient()
        dispatcher.apply(reducer.job_submitted, Task(job=JOB, view=VIEW, request="{}"))
        picture = Artifact(sha256=sha256(PICTURE).hexdigest(), kind="picture", media_type="image/png", bytes=7)
        ended = replace(JOB, state="ended", sequence=2, artifacts=(picture,))
        fetching = asyncio.create_task(dispatcher.tracker.record(client, ended))
        await asyncio.sleep(0)
        dispatcher.apply(reducer.job_submitted, Task(job=replace(JOB, id="b"), view=VIEW, request="{}"))
        client.answers.set()
        await fetching
        assert [task.job.id for task in dispatcher.session.tasks] == ["a", "b"]
        assert dispatcher.session.receivable[0].picture.read_bytes() == PICTURE

    asyncio.run(story())


def test_a_picture_that_the_server_has_lost_is_said_and_the_others_come(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            lost = Artifact(sha256="0" * 64, kind="picture", media_type="image/png", bytes=7)
            task = Task(job=replace(JOB, state="ended", artifacts=(lost,)), view=VIEW, request="{}")
            dispatcher.apply(reducer.job_submitted, task)
            await dispatcher.tracker.record(Client(find_connection()), task.job)
            assert (dispatcher.session.tasks, dispatcher.session.notice.code) == ((), "unreadable")
            await asyncio.wait_for(dispatcher.deliver(blockout(), VIEW), 30)
            assert dispatcher.session.link.name == "online" and dispatcher.session.receivable

    asyncio.run(story())


def test_a_job_that_the_server_does_not_know_is_forgotten(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            task = Task(job=JOB, view=VIEW, request="")
            dispatcher.apply(reducer.job_submitted, task)
            await dispatcher.tracker.follow(Client(find_connection()), JOB.id)
            assert (dispatcher.session.tasks, dispatcher.session.notice.code) == ((), "unknown-job")
            assert dispatcher.session.link.name == "online"

    asyncio.run(story())


def test_a_cancelled_job_says_so(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            await dispatcher.submit(blockout(steps=1000), VIEW)
            await until(dispatcher, lambda session: session.active.job.step > 0)
            await dispatcher.cancel(dispatcher.session.active.job.id)
            session = await until(dispatcher, lambda session: not session.waiting)
            assert session.tasks[0].job.state == "cancelled"
            assert session.tasks[0].picture is None

    asyncio.run(story())


def test_a_cancel_that_no_server_heard_is_said_again_to_the_next(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                await dispatcher.submit(blockout(steps=1000), VIEW)
                await until(dispatcher, lambda session: session.active.job.step > 0)
            session = await until(dispatcher, is_absent)
            await dispatcher.cancel(session.active.job.id)
            session = dispatcher.session
            assert "when the server is back" in describe(session, session.active, 0.0)
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: not session.waiting)
                assert (session.tasks[0].job.state, session.cancelling) == ("cancelled", frozenset())

    asyncio.run(story())


def test_what_the_server_does_not_know_is_not_cancelled_for_ever(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            dispatcher.apply(reducer.job_submitted, Task(job=JOB, view=VIEW, request="{}"))  # of another server
            await dispatcher.cancel(JOB.id)
            session = dispatcher.session
            assert (session.tasks, session.cancelling, session.notice.code) == ((), frozenset(), "unknown-job")

    asyncio.run(story())
