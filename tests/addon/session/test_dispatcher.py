# SPDX-License-Identifier: MIT
"""The courier against a real server over a real socket: met, used, lost, met again."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from addon.client.address import loopback
from addon.client.api import Client, find_connection
from addon.client.errors import (
    AddonOlder,
    Garbled,
    OnlineAccessOff,
    ServerAbsent,
    ServerOlder,
    ServerProblem,
    Unkept,
    WrongToken,
)
from addon.messages.fixes import FIXES
from addon.messages.notice import Notice, notice
from addon.protocol.records import SEED_MAX, Artifact, Blockout, Connection, Frame, Job, Problem, pack_mask
from addon.protocol.records import Region as Block
from addon.request.settings import Wish
from addon.session import pending
from addon.session import state as news
from addon.session.dispatcher import Dispatcher, state
from addon.session.progress import describe
from addon.session.state import Session
from addon.session.task import Task, Viewpoint
from server.catalogue import offered
from server.http.host import running
from server.settings import Settings

PICTURE = b"picture"
VIEW = Viewpoint(scene=1, camera=2, pose=(0.0,))
JOB = Job(
    id="a",
    state="queued",
    sequence=1,
    created=0.0,
    phase="",
    step=0,
    steps=3,
    artifacts=(),
    problem=None,
    model="toybox",
    prompt="a castle",
    seed=0,
)


def blockout(steps: int = 3) -> Blockout:
    block = Block(
        name="castle",
        phrase="castle",
        mask=pack_mask(8, 8, bytes([255] * 64)),
        centroid=(0.5, 0.5),
        size=1.0,
        visible=1.0,
        depth=0,
    )
    return Blockout(
        prompt="a castle",
        regions=(block,),
        width=64,
        height=64,
        frame=Frame(left=0, top=0, width=64, height=64),
        seed=1,
        model="toybox",
        steps=steps,
        strength=0.7,
        scale=4.0,
    )


@asynccontextmanager
async def at_work(folder: Path):
    """A courier with its watch running."""
    dispatcher = Dispatcher(find_connection, folder)
    watch = asyncio.create_task(dispatcher.watch())
    try:
        yield dispatcher
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def until(dispatcher: Dispatcher, satisfied) -> Session:
    await asyncio.wait_for(dispatcher.until(satisfied), 20)
    return dispatcher.session


@pytest.fixture
def settings(own_home: Path) -> Settings:
    return Settings(home=own_home, engine="tests.addon.hosts.mask_painter:Painter")


def test_a_picture_comes_home(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "absent")
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: session.link.name == "online")
                assert session.link.models == offered(())
                await asyncio.wait_for(dispatcher.deliver(blockout(), VIEW), 30)
            task = dispatcher.session.tasks[0]
            assert task.job.state == "done" and task.landed
            assert task.picture.read_bytes().startswith(b"\x89PNG")
            assert list(tmp_path.glob("*.part")) == []

    asyncio.run(story())


def test_a_link_that_breaks_ends_no_delivery_and_a_server_that_ends_does(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                sending = asyncio.create_task(dispatcher.deliver(blockout(steps=20), VIEW))
                await until(dispatcher, lambda session: session.active is not None and session.active.job.step > 0)
                dispatcher.move(news.lost, "absent", Notice(message="The connection broke."))
                await asyncio.wait_for(sending, 30)
                assert dispatcher.session.tasks[0].landed
                sending = asyncio.create_task(dispatcher.deliver(blockout(steps=1000), VIEW))
                await until(dispatcher, lambda session: session.active is not None and session.active.job.step > 0)
            await asyncio.wait_for(sending, 30)
            assert dispatcher.session.link.name == "absent" and dispatcher.session.unfetched

    asyncio.run(story())


def test_a_failure_is_delivered_with_its_reason(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher, running(settings):
            dispatcher.nudge()
            await until(dispatcher, lambda session: session.link.name == "online")
            for _ in range(5):
                await asyncio.wait_for(dispatcher.deliver(replace(blockout(), prompt="a cursed castle"), VIEW), 30)
                assert dispatcher.session.tasks[-1].job.problem.type == "painting-failed"

    asyncio.run(story())


def test_the_picture_is_seen_developing(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        seen: list[str] = []
        async with at_work(tmp_path) as dispatcher, running(replace(settings, preview_seconds=0.05)):
            await until(dispatcher, lambda session: session.link.name == "online")
            sending = asyncio.create_task(dispatcher.deliver(blockout(steps=40), VIEW))
            for _ in range(3):
                session = await until(dispatcher, lambda s: s.preview is not None and s.preview.sha256 not in seen)
                assert session.preview.png.startswith(b"\x89PNG") and not session.tasks[0].ended
                seen.append(session.preview.sha256)
            await asyncio.wait_for(sending, 30)
            assert dispatcher.session.preview is not None  # until the scene has the picture
            dispatcher.move(news.received, dispatcher.session.tasks[0].job.id)
            assert dispatcher.session.preview is None

    asyncio.run(story())


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
        dispatcher.move(news.submitted, Task(job=JOB, view=VIEW, request="{}"))
        picture = Artifact(sha256=sha256(PICTURE).hexdigest(), kind="picture", media_type="image/png", bytes=7)
        done = replace(JOB, state="done", sequence=2, artifacts=(picture,))
        fetching = asyncio.create_task(dispatcher._record(client, done))
        await asyncio.sleep(0)
        dispatcher.move(news.submitted, Task(job=replace(JOB, id="b"), view=VIEW, request="{}"))
        client.answers.set()
        await fetching
        assert [task.job.id for task in dispatcher.session.tasks] == ["a", "b"]
        assert dispatcher.session.landed[0].picture.read_bytes() == PICTURE

    asyncio.run(story())


def test_a_cancelled_job_says_so(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            await dispatcher.submit(blockout(steps=1000), VIEW)
            await until(dispatcher, lambda session: session.active.job.step > 0)
            await dispatcher.cancel(dispatcher.session.active.job.id)
            session = await until(dispatcher, lambda session: not session.waiting)
            assert session.tasks[0].job.state == "cancelled"
            assert session.tasks[0].picture is None

    asyncio.run(story())


def test_what_is_not_painted_when_blender_quits_comes_home_the_next_time(settings: Settings, tmp_path: Path) -> None:
    async def first() -> None:
        async with at_work(tmp_path) as dispatcher, running(settings):
            dispatcher.nudge()
            await until(dispatcher, lambda session: session.link.name == "online")
            for steps in (3, 100, 5):
                await dispatcher.submit(blockout(steps), VIEW, Wish(words="mine"))
            await until(dispatcher, lambda session: session.tasks[1].job.step > 0 and session.tasks[0].landed)
            dispatcher.move(news.received, dispatcher.session.tasks[0].job.id)
            await dispatcher.settle(20)
        pending.leave(tmp_path, dispatcher.session)

    async def second() -> None:
        async with at_work(tmp_path) as dispatcher:
            dispatcher.move(pending.resumed, tmp_path)
            assert [(task.job.steps, task.wish.words) for task in dispatcher.session.tasks] == [
                (100, "mine"),
                (5, "mine"),
            ]
            session = await until(dispatcher, lambda session: session.link.name == "absent")
            assert not session.busy  # nothing happens until there is a server
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: len(session.landed) == 2)
        assert all(task.picture.exists() and task.view.scene == pending.NO_ID for task in session.tasks)

    asyncio.run(first())
    asyncio.run(second())
    assert pending.resumed(Session(), tmp_path).tasks == ()


def test_a_page_that_is_no_text_keeps_nobody_from_starting(tmp_path: Path) -> None:
    page = tmp_path / "owed-a.json"
    page.write_bytes(b"\xff\xfe\x00owed")
    assert pending.resumed(Session(), tmp_path) == Session()
    assert page.exists()


def test_what_was_cancelled_without_a_server_is_cancelled_the_next_time(settings: Settings, tmp_path: Path) -> None:
    async def first() -> None:
        async with at_work(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                await dispatcher.submit(blockout(steps=1000), VIEW)
            await until(dispatcher, lambda session: session.link.name == "absent")
            await dispatcher.cancel(dispatcher.session.tasks[0].job.id)
        pending.leave(tmp_path, dispatcher.session)

    async def second() -> None:
        async with at_work(tmp_path) as dispatcher:
            dispatcher.move(pending.resumed, tmp_path)
            assert dispatcher.session.cancelling
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: not session.waiting)
        assert [task.job.state for task in session.tasks] == ["cancelled"]

    asyncio.run(first())
    asyncio.run(second())


def test_another_server_is_dialled_as_soon_as_it_is_set(settings: Settings, tmp_path: Path) -> None:
    """The first one's events number far more than the second's will."""
    elsewhere = replace(settings, home=tmp_path / "elsewhere")

    async def story() -> None:
        dialled: list[Connection] = []
        async with running(settings):
            dialled.append(find_connection())
            dispatcher = Dispatcher(lambda: dialled[-1], tmp_path / "pictures")
            watch = asyncio.create_task(dispatcher.watch())
            await until(dispatcher, lambda session: session.link.name == "online")
            await asyncio.wait_for(dispatcher.deliver(blockout(steps=50), VIEW), 30)
            async with running(elsewhere):
                dialled.append(find_connection(elsewhere.home / "connection.json"))
                dispatcher.nudge()
                await asyncio.wait_for(dispatcher.deliver(blockout(steps=3), VIEW), 30)
                assert [task.job.state for task in dispatcher.session.tasks] == ["done", "done"]
                assert len(dispatcher.session.landed) == 2
                dialled.append(Connection(address="http://127.0.0.1:9", token="", version="unknown"))
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name != "online")
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(story())


def test_a_look_for_the_server_while_it_is_there_loses_none_of_its_models(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            dispatcher.move(news.starting)  # whatever a button made of the link
            dispatcher.nudge()
            session = await until(dispatcher, lambda session: session.link.name == "online")
            assert session.link.models == offered(())

    asyncio.run(story())


def test_a_picture_that_the_server_has_lost_is_said_and_the_others_come(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            lost = Artifact(sha256="0" * 64, kind="picture", media_type="image/png", bytes=7)
            task = Task(job=replace(JOB, state="done", artifacts=(lost,)), view=VIEW, request="{}")
            dispatcher.move(news.submitted, task)
            await dispatcher._record(Client(find_connection()), task.job)
            assert (dispatcher.session.tasks, dispatcher.session.notice.code) == ((), "unreadable")
            await asyncio.wait_for(dispatcher.deliver(blockout(), VIEW), 30)
            assert dispatcher.session.link.name == "online" and dispatcher.session.landed

    asyncio.run(story())


def test_an_answer_that_is_lost_on_the_way_makes_no_second_job(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            swallowed = []

            async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                """Hands everything on but the first answer to a POST."""
                beyond, sender = await asyncio.open_connection("127.0.0.1", urlsplit(find_connection().address).port)
                said = await reader.read(2**20)
                sender.write(said)
                await sender.drain()
                if said.startswith(b"POST /v1/jobs ") and not swallowed:
                    swallowed.append(await beyond.readline())
                    sender.close()
                    writer.close()
                    return
                await asyncio.gather(pour(reader, sender), pour(beyond, writer))

            async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as door:
                near = replace(find_connection(), address=f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}")
                dispatcher.dial = lambda: near
                await dispatcher.submit(blockout(), VIEW)
            assert swallowed == [b"HTTP/1.1 201 Created\r\n"]
            assert len(dispatcher.session.tasks) == len(await Client(find_connection()).jobs()) == 1

    asyncio.run(story())


def test_what_has_not_reached_the_server_can_be_withdrawn(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "absent")
            dispatcher.move(news.starting)
            waiting = asyncio.create_task(dispatcher.submit(blockout(), VIEW))
            await asyncio.sleep(0.05)
            assert dispatcher.session.sending == 1
            dispatcher.withdraw()
            await asyncio.gather(waiting, return_exceptions=True)
            assert waiting.cancelled() and dispatcher.session.sending == 0
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                assert await Client(find_connection()).jobs() == []

    asyncio.run(story())


def test_two_presses_while_the_server_starts_ask_for_two_pictures(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            dispatcher.move(news.starting)
            presses = [asyncio.create_task(dispatcher.submit(blockout(), VIEW, count=2)) for _ in range(2)]
            async with running(settings):
                dispatcher.nudge()
                await asyncio.gather(*presses)
                assert sorted(job.seed for job in await Client(find_connection()).jobs()) == [1, 2, 3, 4]

    asyncio.run(story())


def test_what_is_withdrawn_while_it_is_sent_is_cancelled(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            press = asyncio.create_task(dispatcher.submit(blockout(steps=500), VIEW, count=5))
            await until(dispatcher, lambda session: session.tasks)
            dispatcher.withdraw()
            await press
            await until(dispatcher, lambda session: not session.waiting)
            assert [task.job.state for task in dispatcher.session.tasks] == ["cancelled"]
            assert len(await Client(find_connection()).jobs()) == 1

    asyncio.run(story())


def test_a_token_of_strange_letters_is_a_wrong_one(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings):
            client = Client(replace(find_connection(), token="“secret”"))
            with pytest.raises(WrongToken):
                await client.health()

    asyncio.run(story())


def test_a_job_that_the_server_does_not_know_is_let_go(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            task = Task(job=JOB, view=VIEW, request="")
            dispatcher.move(news.submitted, task)
            await dispatcher._follow(Client(find_connection()), JOB.id)
            assert (dispatcher.session.tasks, dispatcher.session.notice.code) == ((), "unknown-job")
            assert dispatcher.session.link.name == "online"

    asyncio.run(story())


def test_a_page_of_another_version_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "owed-a.json"
    page.write_text('{"owed": [{"debt": 1}]}')
    assert pending.resumed(Session(), tmp_path) == Session()
    assert page.exists()


def test_another_machine_s_server_is_reached_through_a_tunnel(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """What ``ssh -L`` does with a connection."""
            beyond, sender = await asyncio.open_connection("127.0.0.1", urlsplit(find_connection().address).port)
            await asyncio.gather(pour(reader, sender), pour(beyond, writer))

        async with running(settings), await asyncio.start_server(tunnel, "127.0.0.1", 0) as door:
            near = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}"
            token = find_connection().token
            for word, name in ((token, "online"), ("of an earlier start", "refused")):
                dispatcher = Dispatcher(
                    lambda word=word: Connection(address=near, token=word, version="unknown"), tmp_path
                )
                watch = asyncio.create_task(dispatcher.watch())
                session = await until(dispatcher, lambda session: session.link.name != "connecting")
                assert session.link.name == name
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            assert "Address" in session.link.notice.fix and "connection file" not in session.link.notice.fix

    asyncio.run(story())


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(2**16):
        writer.write(part)
        await writer.drain()
    writer.close()


def test_what_is_asked_for_while_the_server_starts_waits_for_it(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "absent")
            dispatcher.move(news.starting)
            sending = asyncio.create_task(dispatcher.submit(blockout(), VIEW))
            await asyncio.sleep(0.1)
            assert (dispatcher.session.sending, dispatcher.session.notice) == (1, None)
            async with running(settings):
                dispatcher.nudge()
                await asyncio.wait_for(sending, 20)
                assert dispatcher.session.tasks and dispatcher.session.notice is None

    asyncio.run(story())


def test_a_cancel_that_no_server_heard_is_said_again_to_the_next(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                await dispatcher.submit(blockout(steps=1000), VIEW)
                await until(dispatcher, lambda session: session.active.job.step > 0)
            session = await until(dispatcher, lambda session: session.link.name == "absent")
            await dispatcher.cancel(session.active.job.id)
            session = dispatcher.session
            assert "when the server is back" in describe(session, session.active, 0.0)
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, lambda session: not session.waiting)
                assert (session.tasks[0].job.state, session.cancelling) == ("cancelled", frozenset())

    asyncio.run(story())


def test_what_the_server_does_not_know_is_not_cancelled_for_ever(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            dispatcher.move(news.submitted, Task(job=JOB, view=VIEW, request="{}"))  # of another server
            await dispatcher.cancel(JOB.id)
            session = dispatcher.session
            assert (session.tasks, session.cancelling, session.notice.code) == ((), frozenset(), "unknown-job")

    asyncio.run(story())


def test_several_at_once_have_seeds_one_after_the_other(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            await asyncio.wait_for(dispatcher.deliver(replace(blockout(), seed=SEED_MAX), VIEW, count=3), 30)
            assert [task.job.seed for task in dispatcher.session.tasks] == [SEED_MAX, 0, 1]
            assert len(dispatcher.session.landed) == 3 and dispatcher.session.sending == 0
            for _ in range(2):  # the same again, while it is waited for: another picture is meant
                await dispatcher.submit(blockout(steps=1000), VIEW)
            assert [task.job.seed for task in dispatcher.session.waiting] == [1, 2]

    asyncio.run(story())


def test_a_refused_blockout_becomes_a_sentence(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), at_work(tmp_path) as dispatcher:
            await until(dispatcher, lambda session: session.link.name == "online")
            await dispatcher.submit(replace(blockout(), model="no-such-model"), VIEW)
            assert "no-such-model" in dispatcher.session.notice.message
            assert (dispatcher.session.sending, dispatcher.session.tasks) == (0, ())

    asyncio.run(story())


def test_a_server_that_comes_back_is_found_with_our_jobs(settings: Settings, tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                await dispatcher.submit(blockout(steps=100), VIEW)
            await until(dispatcher, lambda session: session.link.name != "online")
            assert dispatcher.session.waiting
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name == "online")
                session = await until(dispatcher, lambda session: session.landed)
                assert session.tasks[0].job.state == "done"

    asyncio.run(story())


def test_without_a_server_a_press_has_an_answer(tmp_path: Path) -> None:
    async def story() -> None:
        dispatcher = Dispatcher(find_connection, tmp_path)
        await dispatcher.submit(blockout(), VIEW)
        assert dispatcher.session.notice.fix
        assert dispatcher.session.sending == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ServerAbsent("No server", "Start one."), "absent"),
        (WrongToken("Not known", "Start again."), "refused"),
        (OnlineAccessOff("Off", "Allow it."), "offline"),
        (Garbled("Nonsense", "Look."), "failed"),
        (Unkept("No room in pictures", "Make room."), "failed"),
        (ServerOlder("Old", "Update it."), "mismatch"),
        (AddonOlder("Old", "Update it."), "mismatch"),
    ],
)
def test_every_trouble_is_a_named_state_with_a_sentence(error: Exception, name: str) -> None:
    assert state(error) == name
    assert notice(error).message.endswith(".")
    assert notice(error).code in FIXES


def test_a_problem_speaks_for_itself() -> None:
    problem = Problem(type="full", title="Queue full", status=429, detail="64 jobs wait.", fix="Cancel some.")
    assert notice(ServerProblem(problem)) == Notice(message="64 jobs wait.", fix="Cancel some.", code="full")


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000", True),
        ("http://192.168.0.7:8000", False),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("", False),
    ],
)
def test_loopback_is_only_this_machine(address: str, ours: bool) -> None:
    assert loopback(address) is ours
