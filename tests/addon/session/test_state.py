# SPDX-License-Identifier: MIT
"""The session: every state a user can meet, reached by the functions that the courier calls."""

from dataclasses import replace
from pathlib import Path

import pytest

from addon.messages.fixes import FIXES
from addon.messages.notice import LINKS, Notice, complaint
from addon.protocol.default_model import TOYBOX
from addon.protocol.records import VERSION, Artifact, Event, Health, Job, Problem
from addon.session import state as news
from addon.session.progress import describe, progress, title
from addon.session.state import KEPT, Preview, Session
from addon.session.task import Task, Viewpoint

VIEW = Viewpoint(scene=1, camera=2, pose=(0.0,))
HEALTH = Health(version="0.1.0", contract=VERSION, device="CPU", model="toybox", queued=0, running=0)


def job(name: str = "a", **changes) -> Job:
    plain = Job(
        id=name,
        state="queued",
        sequence=1,
        created=100.0,
        phase="",
        step=0,
        steps=10,
        artifacts=(),
        problem=None,
        model="toybox",
        prompt="a castle",
        seed=0,
    )
    return replace(plain, **changes)


def event(name: str = "a", **changes) -> Event:
    plain = Event(
        id=1,
        job=name,
        sequence=2,
        kind="progress",
        state="running",
        phase="sampling",
        step=3,
        steps=10,
        artifact=None,
    )
    return replace(plain, **changes)


def with_jobs(*jobs: Job) -> Session:
    session = news.met(Session(), HEALTH, (TOYBOX,))
    for one in jobs:
        session = news.submitted(session, Task(job=one, view=VIEW, request="{}"))
    return session


def test_a_server_is_met_and_lost() -> None:
    session = news.met(Session(), HEALTH, (TOYBOX,))
    assert (session.link.name, session.link.health, session.busy) == ("online", HEALTH, False)
    gone = Notice(message="No server is running.", fix="Start one.")
    session = news.lost(session, "absent", gone)
    assert (session.link.name, session.link.notice, session.link.models) == ("absent", gone, ())


def test_a_server_that_starts_is_not_called_absent() -> None:
    session = news.lost(news.starting(Session()), "absent", Notice(message="Not yet."))
    assert session.link.name == "starting"
    assert news.lost(session, "mismatch", Notice(message="Old.")).link.name == "mismatch"


def test_why_our_server_died_outlives_that_it_is_absent() -> None:
    session = news.died(news.starting(Session()), Notice(message="No space left on device."))
    assert news.lost(session, "absent", Notice(message="Gone.")) == session
    assert news.connecting(session).link == news.Link(name="connecting")
    assert news.stopped(session).link.name == "absent"


def test_a_server_that_is_met_answers_what_was_wrong_with_the_way_to_it() -> None:
    for code, stays in (("server-absent", False), ("wrong-token", False), ("phrase-missing", True), ("unkept", True)):
        told = Notice(message="As it was.", code=code)
        session = news.met(news.noticed(Session(), told), HEALTH, (TOYBOX,))
        assert session.notice == (told if stays else None), code
    assert set(FIXES) >= LINKS


def test_a_look_for_the_server_does_not_forget_the_one_that_is_there() -> None:
    online = news.met(Session(), HEALTH, (TOYBOX,))
    assert news.connecting(online) == online


def test_a_server_that_is_asked_to_end_is_not_called_well_until_it_has() -> None:
    ending = news.stopping(news.met(Session(), HEALTH, (TOYBOX,)))
    assert (ending.link.name, ending.busy) == ("stopping", True)
    assert news.met(ending, HEALTH, (TOYBOX,)) == ending
    assert news.lost(ending, "absent", Notice(message="Gone.")) == ending
    assert news.connecting(ending) == ending
    stopped = news.stopped(ending)
    assert stopped.link.name == "absent"
    assert news.lost(stopped, "absent", Notice(message="No server answers at http://127.0.0.1:1.")) == stopped


def test_a_picture_without_room_is_not_waited_for_in_haste() -> None:
    done = news.recorded(with_jobs(job()), job(state="done", sequence=9), now=60.0)
    assert done.busy and not news.noticed(done, Notice(message="No room.", code="unkept")).busy


def test_a_job_runs_to_its_picture() -> None:
    session = with_jobs(job())
    assert session.busy
    assert describe(session, session.active, 0.0) == "Waiting for the server"
    session = news.heard(session, event(), now=50.0)
    session = news.heard(session, event(step=6, sequence=3), now=53.0)
    assert progress(session.active) == pytest.approx(0.6)
    assert describe(session, session.active, now=53.0) == "Sampling, step 6 of 10, 4 s left"
    away = news.stopped(session)
    assert describe(away, away.active, now=54.0) == "Goes on when the server is back"
    session = news.recorded(session, job(state="done", sequence=9, step=10), now=60.0)
    assert session.active is None and session.unfetched and session.busy  # its picture is on the way
    session = news.fetched(session, "a", Path("a.png"))
    assert session.landed and not session.unfetched and session.busy
    session = news.received(session, "a")
    assert not session.landed and not session.busy


def test_a_failure_is_not_over_before_it_is_known_why() -> None:
    session = news.heard(with_jobs(job()), event(kind="state", state="failed"), now=50.0)
    assert session.unfetched and not session.failed
    why = Problem(type="out-of-memory", title="Out of memory", status=507, detail="Too large")
    session = news.recorded(session, job(state="failed", sequence=2, problem=why), now=51.0)
    assert not session.unfetched
    assert [notice.code for _, notice in session.failed] == ["out-of-memory"]


def test_nothing_unfetched_is_forgotten() -> None:
    session = news.heard(with_jobs(job("first")), event("first", kind="state", state="done"), now=50.0)
    for number in range(KEPT + 5):
        one = job(str(number), state="cancelled")
        session = news.submitted(session, Task(job=one, view=VIEW, request="{}"))
    assert len(session.tasks) == KEPT and session.tasks[0].job.id == "first"


def test_the_time_left_is_that_of_the_steps_to_come() -> None:
    session = with_jobs(job(steps=30))
    for step in (1, 2):
        session = news.heard(session, event(step=step, steps=30, sequence=1 + step), now=float(step))
    assert describe(session, session.active, now=2.0).endswith("step 2 of 30, 28 s left")
    assert describe(session, session.active, now=2.6).endswith("27 s left")  # of a step half done, half is left
    session = news.heard(session, event(step=2, steps=30, sequence=4, kind="preview"), now=2.9)
    session = news.heard(session, event(step=4, steps=30, sequence=5), now=4.0)
    assert describe(session, session.active, now=4.0).endswith("step 4 of 30, 26 s left")
    assert describe(session, session.active, now=400.0).endswith("0 s left")


def test_before_its_own_steps_tell_a_picture_takes_as_long_as_the_last_one_like_it() -> None:
    session = with_jobs(job())
    for step in (2, 4):
        session = news.heard(session, event(step=step, sequence=step), now=3.0 * step)
    session = news.recorded(session, job(state="done", sequence=9, step=10), now=40.0)
    session = news.submitted(session, Task(job=job("b"), view=VIEW, request="{}"))
    session = news.heard(session, event("b", phase="loading", step=0), now=50.0)
    assert describe(session, session.active, now=50.0) == "Loading, about 30 s left"
    session = news.heard(session, event("b", step=1, sequence=3), now=60.0)
    assert describe(session, session.active, now=60.0) == "Sampling, step 1 of 10, 27 s left"
    larger = news.submitted(session, Task(job=job("c", created=1.0), view=VIEW, request="{}", area=4096))
    larger = news.heard(larger, event("c", phase="loading", step=0), now=60.0)
    assert describe(larger, larger.tasks[-1], now=60.0) == "Loading…"


def test_a_notice_is_reported_whole() -> None:
    told = Notice(message="It broke.", fix="Mend it.", code="stumbled", subject="a", trace="line 1\nline 2")
    assert told.report == "It broke. Mend it.\nstumbled a\nline 1\nline 2"
    assert Notice(message="It broke.").report == "It broke."


def test_an_absence_is_no_part_of_a_step() -> None:
    session = with_jobs(job(steps=30))
    for step in (1, 2):
        session = news.heard(session, event(step=step, steps=30, sequence=1 + step), now=float(step))
    session = news.met(news.lost(session, "absent", Notice(message="Gone.")), HEALTH, (TOYBOX,))
    session = news.heard(session, event(step=3, steps=30, sequence=4), now=603.0)
    assert describe(session, session.active, now=603.0).endswith("step 3 of 30")
    session = news.heard(news.met(session, HEALTH, (TOYBOX,)), event(step=4, steps=30, sequence=5), now=604.0)
    assert describe(session, session.active, now=604.0).endswith("step 4 of 30, 26 s left")


def test_what_comes_before_and_after_the_steps_is_said_without_them() -> None:
    session = with_jobs(job())
    told = []
    for place, (phase, step) in enumerate(
        (("loading the model", 0), ("painting", 9), ("decoding", 10), ("measuring", 10))
    ):
        session = news.heard(session, event(phase=phase, step=step, sequence=2 + place), now=0.0)
        told.append(describe(session, session.active, now=0.0))
    assert told == ["Loading the model…", "Painting, step 9 of 10", "Decoding…", "Measuring…"]


def test_a_job_begun_anew_has_a_new_pace() -> None:
    session = with_jobs(job())
    for step in (5, 8):
        session = news.heard(session, event(step=step, sequence=1 + step), now=float(step))
    session = news.heard(session, event(state="queued", kind="state", step=8, sequence=20), now=9.0)
    session = news.heard(session, event(step=8, sequence=21), now=30.0)
    assert describe(session, session.active, now=30.0).endswith("step 8 of 10")
    session = news.heard(session, event(step=1, sequence=22), now=40.0)
    session = news.heard(session, event(step=2, sequence=23), now=42.0)
    assert describe(session, session.active, now=42.0).endswith("step 2 of 10, 16 s left")


def test_old_news_and_news_of_others_change_nothing() -> None:
    session = news.heard(with_jobs(job()), event(sequence=5, step=5), now=0.0)
    assert news.heard(session, event(sequence=4, step=4), now=0.0) == session
    assert news.heard(session, event("b", sequence=9), now=0.0) == session
    assert news.recorded(session, job(sequence=2), now=0.0) == session
    ended = news.recorded(session, job(state="cancelled", sequence=6), now=0.0)
    assert news.heard(ended, event(sequence=7), now=0.0) == ended


PROBLEM = Problem(type="out-of-memory", title="Out of memory", status=507, detail="2048 px do not fit.", fix="Less.")


def test_a_problem_in_the_panel_s_words() -> None:
    told = Notice(message="2048 px do not fit.", fix="Less.", code="out-of-memory", subject="a")
    assert complaint(PROBLEM, "a") == told
    assert complaint(replace(PROBLEM, detail="", path="prompt")).message == "Out of memory (prompt)"


def test_every_failed_job_says_why_until_it_is_dismissed() -> None:
    prompt = "a castle\nand a rocket"
    session = with_jobs(job("a"), job("b"))
    for name in "ab":
        failed = job(name, state="failed", sequence=2, problem=PROBLEM, prompt=prompt, seed=7)
        session = news.recorded(session, failed, now=0.0)
    assert [task.job.id for task, _ in session.failed] == ["b", "a"]
    assert title(session.failed[1][0]) == "seed 7, a castle and a rocket"
    assert describe(session, session.tasks[0], 0.0) == "Failed"
    assert not session.busy
    assert news.sending(session).failed == session.failed  # asking for another is no answer
    session = news.dismissed(session, ["b", "not ours"])
    assert [task.job.id for task, _ in session.failed] == ["a"]
    again = news.recorded(session, session.tasks[1].job, now=1.0)
    assert [task.job.id for task, _ in again.failed] == ["a"]


def test_an_unsent_blockout_leaves_nothing_behind() -> None:
    session = news.sending(Session())
    assert session.sending and session.busy
    session = news.sent(news.noticed(session, Notice(message="No server.")))
    assert (session.sending, session.tasks, session.notice) == (0, (), Notice(message="No server."))


def test_cancelling_shows_at_once_and_ends_with_the_job() -> None:
    session = news.asked_to_cancel(news.heard(with_jobs(job()), event(), 0.0), "a")
    assert describe(session, session.active, 0.0) == "Cancelling…"
    session = news.recorded(session, job(state="cancelled", sequence=3), now=0.0)
    assert not session.cancelling and session.active is None


def test_a_cancel_that_is_refused_says_why_and_the_job_goes_on() -> None:
    session = news.heard(with_jobs(job()), event(), 0.0)
    refused = news.uncancelled(news.asked_to_cancel(session, "a"), "a", Notice(message="The disk is full."))
    assert refused == news.noticed(session, Notice(message="The disk is full."))


def test_with_a_job_that_is_let_go_its_preview_goes() -> None:
    session = news.heard(with_jobs(job("a"), job("b")), event("a"), 0.0)
    session = news.previewed(session, Preview(job="a", sha256="b" * 64, png=b"png"))
    assert session.preview is not None
    assert [task.job.id for task in session.queued] == ["b"]
    assert news.disowned(session, "b", Notice(message="Gone.")).preview == session.preview
    assert news.disowned(session, "a", Notice(message="Gone.")).preview is None


def test_the_running_job_is_shown_before_the_waiting_ones() -> None:
    session = with_jobs(job("a"), job("b", created=101.0), job("c", created=102.0))
    assert session.active.job.id == "a"
    assert describe(session, session.tasks[2], 0.0) == "Waiting, 2 ahead"
    session = news.heard(session, event("b"), now=0.0)
    assert session.active.job.id == "b"


def test_only_ended_tasks_are_forgotten() -> None:
    done = with_jobs(*(job(str(n), state="cancelled") for n in range(KEPT)), job("waiting"), job("last"))
    assert len(done.tasks) == KEPT
    assert {"waiting", "last"} < {task.job.id for task in done.tasks}
    waiting = with_jobs(*(job(str(n)) for n in range(KEPT + 5)))
    assert len(waiting.tasks) == KEPT + 5


def test_the_model_asked_for_or_the_first_offered() -> None:
    big = replace(TOYBOX, name="big")
    online = news.met(Session(), HEALTH, (big, TOYBOX))
    assert news.model(online, "toybox") == TOYBOX
    assert news.model(online, "gone") == big
    assert news.model(Session(), "big") == TOYBOX


def sketch(name: str) -> Artifact:
    return Artifact(sha256=name * 64, kind="preview", media_type="image/png", bytes=3)


def test_only_the_newest_preview_is_wanted_and_only_while_there_is_no_picture() -> None:
    session = news.heard(with_jobs(job()), event(), 0.0)
    assert session.undeveloped is None
    for place, name in enumerate("bc"):
        session = news.heard(session, event(kind="preview", sequence=3 + place, artifact=sketch(name)), 0.0)
    assert session.undeveloped.sketch == sketch("c")
    seen = Preview(job="a", sha256="c" * 64, png=b"so far")
    session = news.previewed(session, seen)
    assert session.undeveloped is None and session.preview == seen
    session = news.heard(session, event(kind="preview", sequence=5, artifact=sketch("d")), 0.0)
    session = news.previewed(session, Preview(job="a", sha256="d" * 64, png=b""))  # replaced before it was fetched
    assert session.undeveloped is None and session.preview.png == b"so far"
    done = news.recorded(session, job(state="done", sequence=6), 0.0)
    assert done.preview is not None  # the picture is on its way
    assert news.received(done, "a").preview is None
    assert news.recorded(session, job(state="cancelled", sequence=6), 0.0).preview is None
    late = news.recorded(session, job(state="failed", sequence=6), 0.0)
    assert news.previewed(late, seen).preview is None
    assert news.previewed(session, replace(seen, job="not ours")) == session
