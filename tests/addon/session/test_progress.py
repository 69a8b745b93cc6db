# SPDX-License-Identifier: MIT
"""How far a task is, in words: its steps, the time left, and what comes before and after them."""

from datetime import datetime
from pathlib import Path

import pytest

from addon.messages.notice import Notice
from addon.protocol.default_model import TOYBOX
from addon.session import reducer
from addon.session.progress import describe, duration, progress, waits
from addon.session.task import Task
from tests.addon.session.samples import HEALTH, VIEW, event, job, with_jobs


def test_a_job_runs_to_its_picture() -> None:
    session = with_jobs(job())
    assert session.busy
    assert describe(session, session.active, 0.0) == "Waiting for the server"
    session = reducer.event_received(session, event(), now=50.0)
    session = reducer.event_received(session, event(step=6, sequence=3), now=53.0)
    assert progress(session.active) == pytest.approx(0.6)
    assert describe(session, session.active, now=53.0) == "Sampling, step 6 of 10, 4 s left"
    away = reducer.server_stopped(session)
    assert describe(away, away.active, now=54.0) == "Goes on when the server is back"
    session = reducer.job_recorded(session, job(state="done", sequence=9, step=10), now=60.0)
    assert session.active is None and session.unfetched and session.busy  # its picture is on the way
    session = reducer.picture_fetched(session, "a", Path("a.png"))
    assert session.receivable and not session.unfetched and session.busy
    session = reducer.picture_received(session, "a")
    assert not session.receivable and not session.busy


def test_the_time_left_is_that_of_the_steps_to_come() -> None:
    session = with_jobs(job(steps=30))
    for step in (1, 2):
        session = reducer.event_received(session, event(step=step, steps=30, sequence=1 + step), now=float(step))
    assert describe(session, session.active, now=2.0).endswith("step 2 of 30, 28 s left")
    assert describe(session, session.active, now=2.6).endswith("27 s left")  # of a step half done, half is left
    session = reducer.event_received(session, event(step=2, steps=30, sequence=4, kind="preview"), now=2.9)
    session = reducer.event_received(session, event(step=4, steps=30, sequence=5), now=4.0)
    assert describe(session, session.active, now=4.0).endswith("step 4 of 30, 26 s left")
    assert describe(session, session.active, now=400.0).endswith("0 s left")


def test_before_its_own_steps_tell_a_picture_takes_as_long_as_the_last_one_like_it() -> None:
    session = with_jobs(job())
    for step in (2, 4):
        session = reducer.event_received(session, event(step=step, sequence=step), now=3.0 * step)
    session = reducer.job_recorded(session, job(state="done", sequence=9, step=10), now=40.0)
    session = reducer.job_submitted(session, Task(job=job("b"), view=VIEW, request="{}"))
    session = reducer.event_received(session, event("b", phase="loading", step=0), now=50.0)
    assert describe(session, session.active, now=50.0) == "Loading, about 30 s left"
    session = reducer.event_received(session, event("b", step=1, sequence=3), now=60.0)
    assert describe(session, session.active, now=60.0) == "Sampling, step 1 of 10, 27 s left"
    larger = reducer.job_submitted(session, Task(job=job("c", created=1.0), view=VIEW, request="{}", area=4096))
    larger = reducer.event_received(larger, event("c", phase="loading", step=0), now=60.0)
    assert describe(larger, larger.tasks[-1], now=60.0) == "Loading…"


def test_an_absence_is_no_part_of_a_step() -> None:
    session = with_jobs(job(steps=30))
    for step in (1, 2):
        session = reducer.event_received(session, event(step=step, steps=30, sequence=1 + step), now=float(step))
    session = reducer.server_answered(
        reducer.server_lost(session, "absent", Notice(message="Gone.")), HEALTH, (TOYBOX,)
    )
    session = reducer.event_received(session, event(step=3, steps=30, sequence=4), now=603.0)
    assert describe(session, session.active, now=603.0).endswith("step 3 of 30")
    session = reducer.event_received(
        reducer.server_answered(session, HEALTH, (TOYBOX,)), event(step=4, steps=30, sequence=5), now=604.0
    )
    assert describe(session, session.active, now=604.0).endswith("step 4 of 30, 26 s left")


def test_what_comes_before_and_after_the_steps_is_said_without_them() -> None:
    session = with_jobs(job())
    sentences = []
    for count, (phase, step) in enumerate(
        (("loading the model", 0), ("painting", 9), ("decoding", 10), ("measuring", 10))
    ):
        session = reducer.event_received(session, event(phase=phase, step=step, sequence=2 + count), now=0.0)
        sentences.append(describe(session, session.active, now=0.0))
    assert sentences == ["Loading the model…", "Painting, step 9 of 10", "Decoding…", "Measuring…"]


def test_a_job_begun_anew_has_a_new_pace() -> None:
    session = with_jobs(job())
    for step in (5, 8):
        session = reducer.event_received(session, event(step=step, sequence=1 + step), now=float(step))
    session = reducer.event_received(session, event(state="queued", kind="state", step=8, sequence=20), now=9.0)
    session = reducer.event_received(session, event(step=8, sequence=21), now=30.0)
    assert describe(session, session.active, now=30.0).endswith("step 8 of 10")
    session = reducer.event_received(session, event(step=1, sequence=22), now=40.0)
    session = reducer.event_received(session, event(step=2, sequence=23), now=42.0)
    assert describe(session, session.active, now=42.0).endswith("step 2 of 10, 16 s left")


def test_the_running_job_is_shown_before_the_waiting_ones() -> None:
    session = with_jobs(job("a"), job("b", created=101.0), job("c", created=102.0))
    assert session.active.job.id == "a"
    assert describe(session, session.tasks[2], 0.0) == "Waiting, 2 ahead"
    session = reducer.event_received(session, event("b"), now=0.0)
    assert session.active.job.id == "b"


def test_what_waits_is_in_the_order_in_which_it_is_painted() -> None:
    session = with_jobs(job("a", state="running"), *(job(name, created=101.0 + n) for n, name in enumerate("bcd")))
    session = reducer.job_recorded(session, job("d", created=103.0, position=-1, sequence=2), now=1.0)
    assert [task.job.id for task in session.queued] == ["d", "b", "c"] and session.active.job.id == "a"
    assert [describe(session, task, 1.0) for task in session.queued] == [
        f"Waiting, {ahead} ahead" for ahead in (1, 2, 3)
    ]
    session = reducer.job_recorded(session, job("a", state="cancelled", sequence=2), now=1.0)
    assert session.active.job.id == "d" and describe(session, session.active, 1.0) == "Waiting for the server"


def test_what_waits_says_since_when_and_how_long_it_takes() -> None:
    session = with_jobs(job(state="running"), job("b", created=1.8e9, steps=30), job("c", created=1.8e9, steps=300))
    asked = f"asked at {datetime.fromtimestamp(1.8e9):%H:%M}, "
    assert waits(session, session.queued[0]) == f"{asked}30 steps"
    for step in (2, 4):
        session = reducer.event_received(session, event(step=step, sequence=step), now=1.0 * step)
    session = reducer.job_recorded(session, job(state="done", sequence=9, step=10), now=40.0)
    assert [waits(session, task) for task in session.queued] == [
        f"{asked}takes about {span}" for span in ("30 s", "5 min")
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (89, "89 s"), (90, "2 min"), (825, "14 min"), (7140, "119 min"), (7260, "2 h 1 min")],
)
def test_a_time_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words
