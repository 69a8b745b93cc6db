# SPDX-License-Identifier: MIT
"""Streams of events: how many, for how long, from where; and a long log that is read once for all who listen."""

import asyncio
import http.client
import json
import os
import signal
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise

from server.http import event_log
from server.http.event_log import CHUNK, EventLog
from server.queue.artifacts import PictureFile
from server.queue.signal import Signal
from server.queue.store import JobProgress, Store
from tests.server.processes import workers_of
from tests.server.serving import blockout, serving, until, wait_until


@contextmanager
def listening(served, path="/v1/events", **headers):
    """An open stream of events: its answer."""
    link = http.client.HTTPConnection(served.connection.address.removeprefix("http://"), timeout=20)
    sent = {"Authorization": f"Bearer {served.connection.token}"} | headers
    with closing(link):
        link.request("GET", path, headers=sent)
        yield link.getresponse()


def events(answer, last):
    """The events that come, up to the first for which ``last`` holds."""
    while line := answer.readline():
        if line.startswith(b"data: "):
            event = json.loads(line.removeprefix(b"data: "))
            yield event
            if last(event):
                return


def test_no_more_listeners_come_in_than_may_however_many_come_at_once(tmp_path):
    with serving(tmp_path / "home", settings={"max_streams": 10}) as served, ExitStack() as stack:
        barrier, statuses = threading.Barrier(40), []

        def listen() -> None:
            barrier.wait()
            statuses.append(stack.enter_context(listening(served)).status)

        threads = [threading.Thread(target=listen) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (statuses.count(200), statuses.count(429)) == (10, 30)


def test_a_number_of_another_queue_s_log_hears_of_new_jobs(served):
    with listening(served, **{"Last-Event-ID": "999999999"}) as answer:
        assert answer.readline().startswith(b"id: ")
        job = served.submit()
        assert next(events(answer, lambda event: True))["job"] == job
    with listening(served, f"/v1/jobs/{job}/events", **{"Last-Event-ID": "999999999"}) as answer:
        assert [event["state"] for event in events(answer, lambda event: event["state"] == "done")][-1] == "done"


def test_a_job_that_is_forgotten_ends_its_stream(tmp_path):
    with serving(tmp_path / "home", settings={"max_kept": 1}) as served:
        job = served.submit(prompt="a cat ms=50", steps=10)
        with listening(served, f"/v1/jobs/{job}/events") as answer:
            served.json("POST", f"/v1/jobs/{job}/cancel", {})
            for number in range(3):
                served.submit(seed=number)
            wait_until(lambda: served.json("GET", f"/v1/jobs/{job}")[0] == 404)
            assert list(events(answer, lambda event: False))[-1]["state"] == "cancelled"
        assert "Traceback" not in served.output.read_text()


def test_a_listener_is_told_that_a_job_begins_again(tmp_path):
    with serving(tmp_path / "home") as served:
        job = served.submit(prompt="a cat ms=100", steps=10)
        with listening(served, f"/v1/jobs/{job}/events") as answer:
            wait_until(lambda: served.job(job)["step"] >= 3)
            os.kill(workers_of(served.process.pid)[0], signal.SIGKILL)
            news = list(events(answer, lambda event: event["state"] == "done"))
        (again,) = [event for event in news if event["kind"] == "restarted"]
        assert (again["attempt"], again["step"]) == (2, 0)
        assert served.job(job)["attempt"] == 2
        falls = [one["id"] for one, following in pairwise(news) if following["step"] < one["step"]]
        assert len(falls) == 1 and falls[0] < again["id"]


def test_a_picture_that_the_disk_has_torn_is_not_sent(served):
    picture = served.reaches(served.submit(seed=4711))["artifacts"][-1]
    path = served.home / "shelf" / picture["sha256"]
    assert served.request("GET", f"/v1/artifacts/{picture['sha256']}")[0] == 200
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    status, problem = served.json("GET", f"/v1/artifacts/{picture['sha256']}")
    assert (status, problem["type"]) == (404, "unknown-artifact") and "damaged" in problem["detail"]


class CountingStore(Store):
    """The queue, which counts how often its log is read."""

    reads = 0

    def events(self, after, job=None, limit=100):
        self.reads += 1
        return super().events(after, job, limit)


def logged(store, jobs):
    for number in range(jobs):
        store.submit(blockout(), f"key {number}", jobs + 1)
        claim = store.claim()
        store.start(claim)
        store.report(claim, JobProgress("painting", 1))
        store.finish(claim, (PictureFile("picture", b"%d" % number),))
    return store.last_event()


def test_a_long_log_is_read_once_for_all_who_ask(tmp_path):
    async def replay(log, newest):
        after = 0
        while after < newest:
            frames = await log.after(after)
            after = frames[-1].id
        return after

    async def story():
        store = CountingStore(tmp_path / "jobs.sqlite")
        newest = logged(store, 300)
        log = EventLog(store, Signal(), newest)
        store.reads = 0
        assert await asyncio.gather(*(replay(log, newest) for _ in range(20))) == [newest] * 20
        chunks = -(-len(store.events(0, limit=10**6)) // CHUNK)
        assert store.reads <= chunks + 2
        store.close()

    asyncio.run(story())


def test_a_log_that_is_closed_between_two_looks_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "PACE", 0.3)

    async def story():
        store, notices = CountingStore(tmp_path / "jobs.sqlite"), Signal()
        logged(store, 1)
        log = EventLog(store, notices)
        told, following = log.next(), asyncio.create_task(log.follow())
        async with asyncio.timeout(10):
            await told.wait()  # the log has looked, and pauses before it looks again
            ending = log.next()
            notices.close()
            await following
        assert log.closed and ending.is_set()
        store.close()

    asyncio.run(story())


def test_news_is_read_once_and_the_memory_of_it_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "RECENT", 64)

    async def story():
        store, notices = CountingStore(tmp_path / "jobs.sqlite"), Signal()
        log = EventLog(store, notices)
        following = asyncio.create_task(log.follow())
        newest = await asyncio.to_thread(logged, store, 60)
        notices.notify()
        await until(lambda: reached(log, newest))
        before = store.reads
        for _ in range(50):
            assert (await log.after(newest - 10))[-1].id == newest
        assert store.reads == before
        assert len(log._recent) == 64 and (await log.after(0))[0].id == 1
        notices.close()
        await following
        store.close()

    async def reached(log, number):
        frames = await log.after(number - 1)
        return bool(frames) and frames[-1].id == number

    began = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - began < 30.0
