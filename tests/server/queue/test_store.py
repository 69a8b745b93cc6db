# SPDX-License-Identifier: MIT
"""The queue on disk: races, fences, idempotency, the log."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from addon.protocol.answers import Achieved
from addon.protocol.blockout import pack_mask
from server.problems import KeyReused, NotWaiting, PaintingFailed, QueueFull, UnknownJob
from server.queue.artifacts import PictureFile
from server.queue.changes import StaleClaim
from server.queue.job_state import RESTARTS
from server.queue.store import JobProgress, Store
from tests.server.serving import blockout

PICTURE = PictureFile("picture", b"png")
SKETCH = PictureFile("preview", b"png")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    yield store
    store.close()


def submit(store, number=0, **changes):
    return store.submit(blockout(**changes), f"key {number}", 1000)[0]


def at_once(count, act):
    """Runs ``act(number)`` in as many threads, all leaving one barrier together."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_job_comes_back_as_it_went_in(store):
    job = submit(store, prompt="a café, “quoted”")
    assert (job.state, job.sequence, job.prompt, job.steps, job.artifacts) == ("queued", 1, "a café, “quoted”", 5, ())
    assert store.claim().blockout == blockout(prompt="a café, “quoted”")


def test_oldest_first(store):
    jobs = [submit(store, number).id for number in range(3)]
    assert [store.claim().job for _ in jobs] == jobs
    assert store.claim() is None


def test_no_job_is_claimed_twice(tmp_path, store):
    for number in range(60):
        submit(store, number)
    stores = [Store(tmp_path / "jobs.sqlite") for _ in range(6)]

    def claim_all(number):
        claims = []
        while claim := stores[number].claim():
            claims.append((claim.job, claim.fence))
        return claims

    claims = [claim for some in at_once(6, claim_all) for claim in some]
    for each in stores:
        each.close()
    assert len(claims) == 60
    assert len(set(claims)) == 60


def test_one_key_is_one_job_however_many_send_it(store):
    answers = at_once(8, lambda _: store.submit(blockout(), "the key", 100))
    assert len({job.id for job, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1


def test_a_key_with_another_body_is_refused(store):
    submit(store, seed=1)
    with pytest.raises(KeyReused):
        submit(store, seed=2)


def test_a_full_queue_refuses_new_jobs_and_answers_old_keys(store):
    store.submit(blockout(), "first", 1)
    with pytest.raises(QueueFull):
        store.submit(blockout(), "second", 1)
    assert store.submit(blockout(), "first", 1)[1] is False


def test_cancel_before_at_and_after_claim(store):
    before, at, after = (submit(store, number) for number in range(3))
    assert store.cancel(before.id).state == "cancelled"
    claim = store.claim()
    assert claim.job == at.id
    assert store.cancel(at.id).state == "cancelled"
    with pytest.raises(StaleClaim):
        store.start(claim)
    claim = store.claim()
    store.start(claim)
    store.cancel(after.id)
    for write in (
        lambda: store.report(claim, JobProgress("painting", 1)),
        lambda: store.finish(claim, (PICTURE,)),
        lambda: store.fail(claim, PaintingFailed("no").problem()),
        lambda: store.release(claim),
    ):
        with pytest.raises(StaleClaim):
            write()
    assert store.job(after.id).artifacts == ()


def test_cancel_races_claim(tmp_path, store):
    """Whoever wins, the job ends cancelled, and a claimer that won finds out at its next word."""
    other = Store(tmp_path / "jobs.sqlite")
    for number in range(20):
        job = submit(store, number)
        claim, _ = at_once(2, lambda who, job=job: other.claim() if who == 0 else store.cancel(job.id))
        assert store.job(job.id).state == "cancelled"
        if claim is not None:
            with pytest.raises(StaleClaim):
                other.report(claim, JobProgress("painting", 1))
    other.close()


def test_cancelling_what_is_over_changes_nothing(store):
    job = submit(store)
    store.cancel(job.id)
    assert store.cancel(job.id).sequence == store.job(job.id).sequence == 2


def test_cancel_many(store):
    held, waiting = submit(store, 1), submit(store, 2)
    store.claim()
    assert [job.id for job in store.cancel_many(waiting_only=True)] == [waiting.id]
    assert [job.id for job in store.cancel_many(waiting_only=False)] == [held.id]
    assert store.cancel_many(waiting_only=False) == []


def test_a_ghost_cannot_write(store):
    """A worker that lost its job, while another has it."""
    submit(store)
    ghost = store.claim()
    store.put_back("lose")
    claim = store.claim()
    assert claim.job == ghost.job
    with pytest.raises(StaleClaim):
        store.finish(ghost, (PICTURE,))
    store.start(claim)
    store.finish(claim, (PICTURE,))
    assert store.job(claim.job).artifacts == (store.artifacts.put(PICTURE),)


def test_restarts_fail_a_job_only_at_the_eleventh(store):
    job = submit(store)
    for _ in range(RESTARTS):
        store.claim()
        store.put_back("restart")
        assert store.job(job.id).state == "queued"
    store.claim()
    store.put_back("restart")
    stopped = store.job(job.id)
    assert (stopped.state, stopped.problem.type) == ("failed", "interrupted")


def test_lost_twice_is_failed(store):
    job = submit(store)
    for _ in range(2):
        store.claim()
        store.put_back("lose")
    lost = store.job(job.id)
    assert (lost.state, lost.problem.type) == ("failed", "worker-lost")


def test_sequence_and_events_only_grow_and_survive_a_restart(tmp_path):
    path = tmp_path / "jobs.sqlite"
    store = Store(path)
    job = submit(store)
    claim = store.claim()
    store.start(claim)
    store.close()
    store = Store(path)
    store.report(claim, JobProgress("painting", 1))
    store.finish(claim, ())
    events = store.events(0, job.id)
    store.close()
    assert [event.state for event in events] == ["queued", "leased", "running", "running", "done"]
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert [event.id for event in events] == sorted({event.id for event in events})


def test_the_log_keeps_states_and_the_newest_progress(store):
    job = submit(store)
    claim = store.claim()
    store.start(claim)
    for step in range(1, 51):
        store.report(claim, JobProgress("painting", step, (("shape of cat", 0.5),)))
        store.preview(claim, SKETCH)
    events = store.events(0, job.id)
    assert [event.kind for event in events] == ["state"] * 3 + ["progress", "preview"]
    assert events[3].step == 50
    assert events[3].energies == (("shape of cat", 0.5),)
    assert events[4].artifact == store.job(job.id).artifacts[0] == store.artifacts.put(SKETCH)


def test_events_after(store):
    first, second = submit(store, 1), submit(store, 2)
    everything = store.events(0)
    assert [event.job for event in everything] == [first.id, second.id]
    assert store.events(everything[0].id) == everything[1:]
    assert store.events(0, second.id) == everything[1:]
    assert store.events(store.last_event()) == []


def test_unknown_job(store):
    with pytest.raises(UnknownJob):
        store.job("nobody")


def test_what_the_picture_shows_is_kept_with_the_job(store):
    submit(store)
    claim = store.claim()
    store.start(claim)
    absent = Achieved(name="castle", by="judge", mask=None, centroid=None, size=0.0)
    there = Achieved(name="rocket", by="attention", mask=pack_mask(2, 1, b"\x00\xff"), centroid=(0.75, 0.5), size=0.5)
    store.finish(claim, (PICTURE,), (absent, there))
    assert store.job(claim.job).achieved == (absent, there)


def test_what_is_moved_to_the_front_is_next_and_what_comes_later_is_behind_it(tmp_path):
    path = tmp_path / "jobs.sqlite"
    store = Store(path)
    first, second, third = (submit(store, number).id for number in range(3))
    moved = [store.move_to_front(job) for job in (second, third)]
    assert [(job.position, job.sequence, job.state) for job in moved] == [(-1, 2, "queued"), (-2, 2, "queued")]
    assert [event.sequence for event in store.events(0, third)] == [1, 2]
    store.close()
    store = Store(path)
    late = submit(store, 3).id
    claim = store.claim()
    assert claim.job == third
    store.release(claim)  # put back, it is still the next
    assert [store.claim().job for _ in range(4)] == [third, second, first, late]
    store.close()


def test_what_replaces_a_waiting_job_stands_where_it_stood(store):
    first, second, third = (submit(store, number).id for number in range(3))
    store.move_to_front(third)
    other, new = store.submit(blockout(seed=9), "other", 3, second)
    assert new and (other.state, other.seed, other.position) == ("queued", 9, 0), "though as many wait as may"
    assert store.job(second).state == "cancelled"
    assert store.submit(blockout(seed=9), "other", 3, second) == (other, False), "an answer that was lost"
    front, _ = store.submit(blockout(seed=10), "front", 3, third)
    again, _ = store.submit(blockout(seed=11), "again", 3, other.id)
    assert [store.claim().job for _ in range(3)] == [front.id, first, again.id]


@pytest.mark.parametrize("verbs", [(), ("start",), ("start", "finish")])
def test_what_was_begun_is_neither_moved_nor_replaced(store, verbs):
    job = submit(store)
    claim = store.claim()
    for verb in verbs:
        getattr(store, verb)(claim, *([()] if verb == "finish" else []))
    before = store.job(job.id)
    for act in (store.move_to_front, lambda job: store.submit(blockout(seed=9), "other", 9, job)):
        with pytest.raises(NotWaiting):
            act(job.id)
        with pytest.raises(UnknownJob):
            act("nobody")
    assert store.job(job.id) == before and len(store.jobs(9)) == 1


def test_a_move_races_the_claim(tmp_path, store):
    """Either it waits and is moved, or it was claimed and is not."""
    other = Store(tmp_path / "jobs.sqlite")
    for number in range(20):
        job = submit(store, number).id
        claimed, moved = at_once(2, lambda who, job=job: other.claim() if who == 0 else attempt(store, job))
        assert claimed.job == job and moved in ("moved", "refused")
        assert store.job(job).sequence == (3 if moved == "moved" else 2)
    other.close()


def attempt(store, job):
    try:
        store.move_to_front(job)
    except NotWaiting:
        return "refused"
    return "moved"
