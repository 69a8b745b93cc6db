# SPDX-License-Identifier: MIT
"""The shelf: what is replaced, forgotten or torn leaves nothing, and nothing takes a picture that was just stored."""

import os
import threading
import time
from pathlib import Path

import pytest

from addon.protocol.blockout import ReferencePicture
from server.problems import NoRoom
from server.queue.artifacts import UNCLAIMED, ArtifactStore, PictureFile
from server.queue.changes import StaleClaim
from server.queue.store import JobProgress, Store
from tests.server.serving import blockout

PLENTY = 2**40


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "jobs.sqlite")
    yield store
    store.close()


def begun(store: Store, number: int = 0):
    store.submit(blockout(), f"key {number}", 1000)
    claim = store.claim()
    store.start(claim)
    return claim


def done(store: Store, number: int, content: bytes) -> str:
    claim = begun(store, number)
    store.finish(claim, (PictureFile("picture", content),))
    return claim.job


def shelf(store: Store) -> list[str]:
    return sorted(path.name for path in store.artifacts.folder.glob("*"))


def test_a_preview_that_is_replaced_leaves_nothing(store: Store) -> None:
    claim = begun(store)
    for number in range(20):
        store.preview(claim, PictureFile("preview", b"%d" % number))
    (preview,) = store.job(claim.job).artifacts
    assert shelf(store) == [preview.sha256]


def test_a_preview_that_another_job_shows_stays(store: Store) -> None:
    first = done(store, 1, b"same")
    claim = begun(store, 2)
    store.preview(claim, PictureFile("preview", b"same"))
    store.preview(claim, PictureFile("preview", b"other"))
    assert store.artifacts.find(store.job(first).artifacts[0].sha256)


def test_pictures_go_with_the_jobs_that_alone_have_them(store: Store) -> None:
    jobs = [done(store, number, b"shared" if number in (0, 3) else b"%d" % number) for number in range(4)]
    assert store.prune(2, PLENTY) == 2
    kept = {picture.sha256 for job in jobs[2:] for picture in store.job(job).artifacts}
    assert set(shelf(store)) == kept and len(kept) == 2
    assert store.prune(2, PLENTY) == 0


def test_bytes_are_bounded_too_and_the_newest_job_stays(store: Store) -> None:
    jobs = [done(store, number, b"%d" % number * 100) for number in range(5)]
    assert store.prune(1000, 250) == 3
    assert [job.id for job in store.jobs(10)] == [jobs[4], jobs[3]]
    assert store.prune(1000, 10) == 1
    assert [job.id for job in store.jobs(10)] == [jobs[4]]


def test_a_file_counts_once_however_many_have_it(store: Store) -> None:
    """As the whole picture and the artist's part of it, and as what others follow; for as long as any of them stays."""
    followed = store.keep(b"r" * 100)
    reference = ReferencePicture(picture=followed, caption="a cat")
    for number in range(4):
        store.submit(blockout(reference=reference), f"key {number}", 1000)
        claim, content = store.claim(), b"%d" % number * 100
        assert claim is not None
        store.start(claim)
        store.finish(claim, (PictureFile("picture", content), PictureFile("full", content)))
    on_disk = sum(path.stat().st_size for path in store.artifacts.folder.glob("*"))
    assert store.totals()[1] == on_disk == 500
    assert store.prune(1000, 500) == 0
    assert store.prune(1000, 499) == 1
    assert store.prune(1000, 300) == 1
    assert store.totals()[1] == 300


def test_a_file_that_cannot_be_written_whole_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    artifacts = ArtifactStore(tmp_path / "shelf")
    with pytest.raises(NoRoom, match="No space left"):
        artifacts.put(PictureFile("picture", b"png"))
    assert list(artifacts.folder.iterdir()) == []


def test_a_job_whose_picture_finds_no_room_is_not_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = begun(store)
    store.artifacts.folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(NoRoom):
        store.finish(claim, (PictureFile("picture", b"png"),))
    assert store.job(claim.job).state == "running" and store.job(claim.job).artifacts == ()


def test_what_a_crash_left_is_swept(store: Store) -> None:
    job = done(store, 1, b"png")
    for name in ("new-abc", "f" * 64):
        (store.artifacts.folder / name).write_bytes(b"torn")
    store.sweep()
    assert shelf(store) == [store.job(job).artifacts[0].sha256]


def test_a_sweep_cannot_take_a_picture_that_was_just_stored(tmp_path: Path) -> None:
    """One store finishes jobs, with pictures that another job had and lost, while the other sweeps all the time."""
    ours, theirs = Store(tmp_path / "jobs.sqlite"), Store(tmp_path / "jobs.sqlite")
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            theirs.sweep()
            theirs.prune(1, PLENTY)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(60):
            job = done(ours, number, b"the same %d" % (number % 2))
            (picture,) = ours.job(job).artifacts
            assert ours.artifacts.find(picture.sha256), f"job {number} is done, and its picture is gone"
    finally:
        stop.set()
        sweeper.join()
        ours.close()
        theirs.close()


def test_counting_and_claiming_walk_over_no_waiting_job(store: Store) -> None:
    """They are of megabytes, and thousands; an index says whose turn it is, and how many they are."""
    jobs = [store.submit(blockout(), f"key {number}", 10)[0] for number in range(3)]
    statements: list[str] = []
    for db in (store._db, store._reader):
        db.set_trace_callback(statements.append)
    store.counts()
    store.move_to_front(jobs[2].id)
    store.claim()
    plans = {text: plan(store, text) for text in statements if "state = 'queued'" in text}
    assert len(plans) >= 3
    for text, steps in plans.items():
        assert "INDEX" in steps and "B-TREE" not in steps, f"{text}: {steps}"
        assert "blockout" not in text or "LIMIT 1" in text


def plan(store: Store, text: str) -> str:
    return " ".join(row["detail"] for row in store._db.execute(f"EXPLAIN QUERY PLAN {text}").fetchall())


def test_a_long_queue_costs_what_a_short_one_does(tmp_path: Path) -> None:
    times = {}
    for waiting in (10, 10_000):
        store = Store(tmp_path / f"{waiting}.sqlite")
        many(store, waiting)
        times[waiting] = min(timed(lambda store=store: store.counts()) for _ in range(20))
        assert store.counts() == (waiting, 0)
        store.close()
    assert times[10_000] < times[10] + 0.002


def many(store: Store, count: int) -> None:
    """So many waiting jobs, as submit leaves them."""
    store.submit(blockout(), "key", 1)
    copied = [name for (name,) in store._db.execute("SELECT name FROM pragma_table_info('job')").fetchall()]
    columns = ", ".join(name for name in copied if name not in ("number", "id"))
    for number in range(1, count):
        store._db.execute(f"INSERT INTO job (id, {columns}) SELECT ?, {columns} FROM job LIMIT 1", (f"{number}",))


def timed(act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def test_steps_fall_only_where_the_job_says_that_it_began_again(store: Store) -> None:
    claim = begun(store)
    store.report(claim, JobProgress("painting", 24))
    store.put_back("lose")
    waiting = store.job(claim.job)
    assert (waiting.state, waiting.step, waiting.phase, waiting.attempt) == ("queued", 0, "", 1)
    again = store.claim()
    assert store.job(claim.job).attempt == again.fence == 2
    kinds = [(event.kind, event.state, event.attempt) for event in store.events(0, claim.job)]
    assert kinds == [
        ("state", "queued", 1),
        ("state", "leased", 1),
        ("state", "running", 1),
        ("progress", "running", 1),
        ("state", "queued", 1),
        ("restarted", "leased", 2),
    ]


def test_a_file_that_cannot_be_deleted_costs_no_other(store: Store) -> None:
    """As on a system that lets nobody delete what another reads; a folder cannot be unlinked anywhere."""
    other = store.artifacts.put(PictureFile("full", b"png")).sha256
    (store.artifacts.folder / "held").mkdir()
    store.artifacts.remove(["held", other])
    assert shelf(store) == ["held"]


def test_what_is_there_and_right_is_not_written_again(store: Store) -> None:
    picture = PictureFile("full", b"png")
    path = store.artifacts.find(store.artifacts.put(picture).sha256)
    assert path is not None
    before = path.stat().st_ino
    store.artifacts.put(picture)
    assert path.stat().st_ino == before
    path.write_bytes(b"torn")
    assert store.artifacts.content(path.name) is None
    store.artifacts.put(picture)
    assert path.read_bytes() == b"png" == store.artifacts.content(path.name)


def test_a_reference_that_was_just_sent_outlives_the_last_job_that_followed_it(store: Store) -> None:
    digest = store.keep(b"png")
    done(store, 1, b"png")
    done(store, 2, b"other")
    assert store.prune(1, PLENTY) == 1
    assert store.artifacts.find(digest), "its next job may be on its way"
    store.artifacts.sent[digest] -= UNCLAIMED
    store.artifacts.remove([digest])
    assert store.artifacts.find(digest) is None


def test_equal_pictures_of_a_job_are_one_file(store: Store) -> None:
    claim = begun(store)
    store.finish(claim, (PictureFile("picture", b"same"), PictureFile("full", b"same")))
    pictures = store.job(claim.job).artifacts
    assert [picture.kind for picture in pictures] == ["full", "picture"]
    assert shelf(store) == [pictures[0].sha256] == [pictures[1].sha256]


def test_what_was_written_for_a_job_that_is_no_longer_ours_leaves_nothing(store: Store) -> None:
    claim = begun(store)
    store.cancel(claim.job)
    with pytest.raises(StaleClaim):
        store.finish(claim, (PictureFile("picture", b"late"),))
    assert shelf(store) == []


def test_a_picture_that_goes_before_it_is_referred_to_is_written_again(store: Store) -> None:
    """It lay there for another job, which was forgotten between the writing and the lock."""
    digest = store.artifacts.put(PictureFile("picture", b"twice")).sha256
    with store.artifacts.staged([PictureFile("picture", b"twice")]) as placed:
        store.artifacts.remove([digest])
        (artifact,) = placed()
    assert artifact.sha256 == digest and store.artifacts.content(digest) == b"twice"
    assert shelf(store) == [digest]


def test_nobody_waits_for_a_disk_that_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what a job ends with, or a reference of many megabytes: others use the queue meanwhile."""
    store, synchronise = Store(tmp_path / "jobs.sqlite", patience=0.2), os.fsync

    def slow(descriptor: int) -> None:
        store.submit(blockout(), f"key of file {len(meanwhile)}", 1000)
        meanwhile.append(descriptor)
        synchronise(descriptor)

    meanwhile: list[int] = []
    claim = begun(store)
    monkeypatch.setattr(os, "fsync", slow)
    digest = store.keep(b"reference")
    assert store.keep(b"reference") == digest and len(meanwhile) == 2, "written, and there already"
    store.finish(claim, (PictureFile("picture", b"picture"),))
    assert len(meanwhile) == 3 and store.artifacts.content(digest) == b"reference"
    store.close()


def test_a_torn_file_is_replaced_by_the_whole_one(store: Store) -> None:
    digest = store.artifacts.put(PictureFile("picture", b"whole")).sha256
    (store.artifacts.folder / digest).write_bytes(b"wh")
    done(store, 1, b"whole")
    assert store.artifacts.content(digest) == b"whole" and shelf(store) == [digest]
