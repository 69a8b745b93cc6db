# SPDX-License-Identifier: MIT
"""The reducer: every state of server and jobs that a user can meet, reached by the functions for what happens."""

from dataclasses import replace

from addon.messages.fixes import FIXES
from addon.messages.notice import LINKS, Notice
from addon.protocol.answers import Artifact, Problem
from addon.protocol.default_model import TOYBOX
from addon.session import reducer
from addon.session.progress import describe, title
from addon.session.reducer import TASKS_MAX
from addon.session.state import Link, Preview, Session, is_unlisted, offered_model
from addon.session.task import Origin, Task
from tests.addon.session.samples import HEALTH, VIEW, event, job, with_jobs

PROBLEM = Problem(type="out-of-memory", title="Out of memory", status=507, detail="2048 px do not fit.", fix="Less.")


def preview_artifact(name: str) -> Artifact:
    return Artifact(sha256=name * 64, kind="preview", media_type="image/png", bytes=3)


def test_a_server_is_met_and_lost() -> None:
    session = reducer.server_answered(Session(), HEALTH, (TOYBOX,))
    assert (session.link.name, session.link.health, session.busy) == ("online", HEALTH, False)
    absent = Notice(message="No server is running.", fix="Start one.")
    session = reducer.server_lost(session, "absent", absent)
    assert (session.link.name, session.link.notice, session.link.health) == ("absent", absent, None)


def test_a_server_that_starts_is_not_called_absent() -> None:
    session = reducer.server_lost(reducer.server_starting(Session()), "absent", Notice(message="Not yet."))
    assert session.link.name == "starting"
    assert reducer.server_lost(session, "mismatch", Notice(message="Old.")).link.name == "mismatch"


def test_why_our_server_died_outlives_that_it_is_absent() -> None:
    session = reducer.server_died(reducer.server_starting(Session()), Notice(message="No space left on device."))
    assert reducer.server_lost(session, "absent", Notice(message="Gone.")) == session
    assert reducer.server_lost(session, "failed", Notice(message="The connection broke.")) == session
    assert reducer.connection_requested(session).link == Link(name="connecting")
    assert reducer.server_stopped(session).link.name == "absent"


def test_a_server_that_is_met_answers_what_was_wrong_with_the_way_to_it() -> None:
    for code, stays in (("server-absent", False), ("wrong-token", False), ("phrase-missing", True), ("unkept", True)):
        earlier = Notice(message="As it was.", code=code)
        session = reducer.server_answered(reducer.notice_changed(Session(), earlier), HEALTH, (TOYBOX,))
        assert session.notice == (earlier if stays else None), code
    assert set(FIXES) >= LINKS


def test_a_look_for_the_server_does_not_forget_one_that_answers() -> None:
    online = reducer.server_answered(Session(), HEALTH, (TOYBOX,))
    assert reducer.connection_requested(online) == online


def test_a_server_that_is_asked_to_end_is_not_called_well_until_it_has() -> None:
    ending = reducer.server_stopping(reducer.server_answered(Session(), HEALTH, (TOYBOX,)))
    assert (ending.link.name, ending.busy) == ("stopping", True)
    assert reducer.server_answered(ending, HEALTH, (TOYBOX,)) == ending
    assert reducer.server_lost(ending, "absent", Notice(message="Gone.")) == ending
    assert reducer.connection_requested(ending) == ending
    stopped = reducer.server_stopped(ending)
    assert stopped.link.name == "absent"
    assert reducer.server_lost(stopped, "absent", Notice(message="No server answers at http://127.0.0.1:1.")) == stopped


def test_a_picture_without_room_is_not_waited_for_in_haste() -> None:
    ended = reducer.job_recorded(with_jobs(job()), job(state="done", sequence=9), now=60.0)
    assert ended.busy and not reducer.notice_changed(ended, Notice(message="No room.", code="unkept")).busy


def test_a_failure_is_not_over_before_it_is_known_why() -> None:
    session = reducer.event_received(with_jobs(job()), event(kind="state", state="failed"), now=50.0)
    assert session.unfetched and not session.failed
    why = Problem(type="out-of-memory", title="Out of memory", status=507, detail="Too large")
    session = reducer.job_recorded(session, job(state="failed", sequence=2, problem=why), now=51.0)
    assert not session.unfetched
    assert [notice.code for _, notice in session.failed] == ["out-of-memory"]


def test_nothing_unfetched_is_forgotten() -> None:
    session = reducer.event_received(with_jobs(job("first")), event("first", kind="state", state="done"), now=50.0)
    for number in range(TASKS_MAX + 5):
        one = job(str(number), state="cancelled")
        session = reducer.job_submitted(session, Task(job=one, view=VIEW, request="{}"))
    assert len(session.tasks) == TASKS_MAX and session.tasks[0].job.id == "first"


def test_old_news_and_news_of_others_change_nothing() -> None:
    session = reducer.event_received(with_jobs(job()), event(sequence=5, step=5), now=0.0)
    assert reducer.event_received(session, event(sequence=4, step=4), now=0.0) == session
    assert reducer.event_received(session, event("b", sequence=9), now=0.0) == session
    assert reducer.job_recorded(session, job(sequence=2), now=0.0) == session
    ended = reducer.job_recorded(session, job(state="cancelled", sequence=6), now=0.0)
    assert reducer.event_received(ended, event(sequence=7), now=0.0) == ended


def test_every_failed_job_says_why_until_it_is_dismissed() -> None:
    prompt = "a castle\nand a rocket"
    session = with_jobs(job("a"), job("b"))
    for name in "ab":
        failed = job(name, state="failed", sequence=2, problem=PROBLEM, prompt=prompt, seed=7)
        session = reducer.job_recorded(session, failed, now=0.0)
    assert [task.job.id for task, _ in session.failed] == ["b", "a"]
    assert title(session.failed[1][0]) == "seed 7, a castle and a rocket"
    assert describe(session, session.tasks[0], 0.0) == "Failed"
    assert not session.busy
    assert reducer.submission_begun(session).failed == session.failed  # asking for another is no answer
    session = reducer.failures_dismissed(session, ["b", "not ours"])
    assert [task.job.id for task, _ in session.failed] == ["a"]
    again = reducer.job_recorded(session, session.tasks[1].job, now=1.0)
    assert [task.job.id for task, _ in again.failed] == ["a"]


def test_an_unsent_blockout_leaves_nothing_behind() -> None:
    session = reducer.submission_begun(Session())
    assert session.submissions and session.busy
    session = reducer.submission_ended(reducer.notice_changed(session, Notice(message="No server.")))
    assert (session.submissions, session.tasks, session.notice) == (0, (), Notice(message="No server."))


def test_cancelling_shows_at_once_and_ends_with_the_job() -> None:
    session = reducer.cancel_requested(reducer.event_received(with_jobs(job()), event(), 0.0), "a")
    assert describe(session, session.active, 0.0) == "Cancelling…"
    session = reducer.job_recorded(session, job(state="cancelled", sequence=3), now=0.0)
    assert not session.cancelling and session.active is None


def test_a_cancel_that_is_refused_says_why_and_the_job_goes_on() -> None:
    session = reducer.event_received(with_jobs(job()), event(), 0.0)
    refused = reducer.cancel_refused(reducer.cancel_requested(session, "a"), "a", Notice(message="The disk is full."))
    assert refused == reducer.notice_changed(session, Notice(message="The disk is full."))


def test_with_a_job_that_is_let_go_its_preview_goes() -> None:
    session = reducer.event_received(with_jobs(job("a"), job("b")), event("a"), 0.0)
    session = reducer.preview_fetched(session, Preview(job="a", sha256="b" * 64, png=b"png"))
    assert session.preview is not None
    assert [task.job.id for task in session.queued] == ["b"]
    assert reducer.job_forgotten(session, "b", Notice(message="Gone.")).preview == session.preview
    assert reducer.job_forgotten(session, "a", Notice(message="Gone.")).preview is None


def test_only_ended_tasks_are_forgotten() -> None:
    ended = with_jobs(*(job(str(n), state="cancelled") for n in range(TASKS_MAX)), job("waiting"), job("last"))
    assert len(ended.tasks) == TASKS_MAX
    assert {"waiting", "last"} < {task.job.id for task in ended.tasks}
    waiting = with_jobs(*(job(str(n)) for n in range(TASKS_MAX + 5)))
    assert len(waiting.tasks) == TASKS_MAX + 5


def test_the_model_asked_for_or_the_first_offered() -> None:
    big = replace(TOYBOX, name="big")
    online = reducer.server_answered(Session(), HEALTH, (big, TOYBOX))
    assert offered_model(online, "toybox") == TOYBOX
    assert offered_model(online, "absent") == big
    assert offered_model(Session(), "big") == TOYBOX


def test_what_was_offered_is_known_until_a_server_offers_something_else() -> None:
    big, why = replace(TOYBOX, name="big"), Notice(message="Gone.")
    assert is_unlisted(Session(), "big") and not is_unlisted(Session(), "") and not is_unlisted(Session(), "toybox")
    session = reducer.server_answered(Session(), HEALTH, (TOYBOX, big))
    for away in (
        reducer.server_lost(session, "failed", why),
        reducer.server_died(session, why),
        reducer.server_stopped(reducer.server_stopping(session)),
    ):
        for meanwhile in (away, reducer.server_starting(away), reducer.connection_requested(away)):
            assert offered_model(meanwhile, "big") == big and not is_unlisted(meanwhile, "big")
    again = reducer.server_answered(reducer.server_starting(session), HEALTH, (TOYBOX,))
    assert offered_model(again, "big") == TOYBOX


def test_only_the_newest_preview_is_wanted_and_only_while_there_is_no_picture() -> None:
    session = reducer.event_received(with_jobs(job()), event(), 0.0)
    assert session.preview_due is None
    for count, name in enumerate("bc"):
        session = reducer.event_received(
            session, event(kind="preview", sequence=3 + count, artifact=preview_artifact(name)), 0.0
        )
    assert session.preview_due.preview == preview_artifact("c")
    latest = Preview(job="a", sha256="c" * 64, png=b"so far")
    session = reducer.preview_fetched(session, latest)
    assert session.preview_due is None and session.preview == latest
    session = reducer.event_received(session, event(kind="preview", sequence=5, artifact=preview_artifact("d")), 0.0)
    session = reducer.preview_fetched(
        session, Preview(job="a", sha256="d" * 64, png=b"")
    )  # replaced before it was fetched
    assert session.preview_due is None and session.preview.png == b"so far"
    ended = reducer.job_recorded(session, job(state="done", sequence=6), 0.0)
    assert ended.preview is not None  # the picture is on its way
    assert reducer.picture_received(ended, "a").preview is None
    assert reducer.job_recorded(session, job(state="cancelled", sequence=6), 0.0).preview is None
    late = reducer.job_recorded(session, job(state="failed", sequence=6), 0.0)
    assert reducer.preview_fetched(late, latest).preview is None
    assert reducer.preview_fetched(session, replace(latest, job="not ours")) == session


def test_what_is_said_of_a_scene_is_over_with_its_file():
    for code, stays in (("unseen", False), ("style-bare", False), ("scene-gone", False), ("server-absent", True)):
        session = reducer.file_opened(reducer.notice_changed(Session(), Notice(message="So.", code=code)))
        assert (session.notice is not None) == stays, code
    assert reducer.file_opened(Session()) == Session()


def test_what_was_asked_for_in_a_file_is_of_it_as_it_was_saved_last():
    saved = Origin(file="castle.blend", scene="Scene", camera="Camera")
    there, elsewhere = with_jobs(job("a")).tasks[0], replace(with_jobs(job("b")).tasks[0], view=replace(VIEW, scene=7))
    session = replace(Session(), tasks=(there, elsewhere))
    after = reducer.file_saved(session, lambda view: replace(view, origin=saved) if view.scene == VIEW.scene else view)
    assert [task.view.origin for task in after.tasks] == [saved, elsewhere.view.origin]
    assert after.tasks[1] is elsewhere


def test_free_memory_is_news_only_where_it_has_changed_much():
    roomy = replace(HEALTH, memory=24 * 10**9, memory_free=18 * 10**9)
    session = reducer.server_answered(Session(), roomy, ())
    again = reducer.server_answered(session, replace(roomy, memory_free=roomy.memory_free - 10**8), ())
    assert again == session
    full = reducer.server_answered(again, replace(roomy, memory_free=2 * 10**9), ())
    assert full.link.health.memory_free == 2 * 10**9
    silent = reducer.server_answered(full, HEALTH, ())
    assert silent.link.health.memory == 0
