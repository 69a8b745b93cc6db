# SPDX-License-Identifier: MIT
"""What is finite: memory, disk, history, listeners. Each end is said in words, and the server outlives it."""

import asyncio
from pathlib import Path

import pytest

from addon.client.exceptions import ServerProblem
from addon.protocol.answers import Job
from server.problems import OutOfMemory
from server.queue.store import Store
from server.worker.memory import within_memory
from server.worker.supervisor import Supervisor
from tests.server.serving import at_home, blockout, ended, fake, until

TOO_MUCH = 2**50  # bytes


def test_what_the_processor_cannot_hold_is_out_of_memory() -> None:
    import torch

    with pytest.raises(OutOfMemory, match="A picture does not fit into the memory of"), within_memory("A picture"):
        torch.empty(TOO_MUCH, dtype=torch.uint8)


def test_what_is_no_want_of_memory_keeps_its_name() -> None:
    import torch

    with pytest.raises(RuntimeError, match="size of tensor"), within_memory("A picture"):
        torch.zeros(2) + torch.zeros(3)


def test_old_jobs_are_forgotten_with_their_pictures_and_the_waiting_ones_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    jobs = [store.submit(blockout(), f"key {number}", 100)[0] for number in range(6)]
    for job in jobs[:4]:
        store.cancel(job.id)
    assert store.prune(2, TOO_MUCH) == 2
    assert [job.id for job in reversed(store.jobs(100))] == [job.id for job in jobs[2:]]
    assert {event.job for event in store.events(0)} == {job.id for job in jobs[2:]}
    store.close()


def test_a_server_keeps_as_many_jobs_as_it_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with at_home(fake(tmp_path / "home", max_kept=2)) as client:
            for number in range(5):
                await ended(client, await client.submit(blockout(), str(number)))
            await until(lambda: are_kept(client, 2))

    async def are_kept(client, most: int) -> bool:
        return len(await client.jobs()) == most

    asyncio.run(story())


def test_one_listener_too_many_is_told_so_and_may_come_when_another_goes(tmp_path: Path) -> None:
    async def story() -> None:
        async with at_home(fake(tmp_path / "home", max_streams=1)) as client:
            first = client.events(after=0)
            job = await client.submit(blockout(), "key")
            await anext(first)
            with pytest.raises(ServerProblem) as refused:
                await anext(client.events(after=0))
            assert refused.value.problem.type == "too-many-streams"
            await first.aclose()
            await until(lambda: heard(client))
            await until(lambda: is_done(client, job))

    async def heard(client) -> bool:
        events = client.events(after=0)
        try:
            await anext(events)
        except ServerProblem:
            return False
        finally:
            await events.aclose()
        return True

    async def is_done(client, job: Job) -> bool:
        return (await client.job(job.id)).state == "done"

    asyncio.run(story())


def test_a_full_queue_file_is_said_and_outlived(tmp_path: Path, own_home: Path, monkeypatch) -> None:
    """SQLite itself says that there is no page left; the keeper lost its worker, and goes on when there is room."""
    monkeypatch.setattr("server.worker.supervisor.RESTART_SECONDS", (0.01, 0.05))
    own_home.mkdir()
    stores: list[Store] = []
    monkeypatch.setattr(Supervisor, "__init__", noting(Supervisor.__init__, stores))

    async def story() -> None:
        async with at_home(fake(tmp_path / "home")) as client:
            (store,) = stores
            job = await client.submit(blockout(prompt="a slow cat, die once", steps=50), "key")
            fill(store)
            with pytest.raises(ServerProblem) as refused:
                await client.submit(blockout(prompt="a cat " * 300), "big")
            assert refused.value.problem.type == "no-room"
            assert (await client.health()).queued >= 0
            store._db.execute(f"PRAGMA max_page_count = {2**30}")
            assert (await ended(client, job)).state == "done"
            await until(lambda: well(client))

    async def well(client) -> bool:
        return not (await client.health()).trouble

    asyncio.run(story())


def noting(init, stores: list[Store]):
    """The keeper's own constructor, which also shows us the store it was given."""

    def construct(self, settings, store, *others) -> None:
        stores.append(store)
        init(self, settings, store, *others)

    return construct


def fill(store: Store) -> None:
    """Leave no page to write on."""
    store._db.execute("PRAGMA max_page_count = 1")
