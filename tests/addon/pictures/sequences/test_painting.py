# SPDX-License-Identifier: MIT
"""Sequences with a real server and a real second Blender: painted, gone on with, stopped, and refused in part."""

import asyncio
from dataclasses import replace

import pytest

from addon.client.api import Client, find_connection
from addon.session import reducer
from addon.session.pending import save
from addon.session.sequence import PictureSequence, SequenceFrame, by_camera
from addon.session.state import Session, find_sequence
from tests.addon.pictures.sequences.samples import VIEW, painter, sequence_of
from tests.addon.session.dispatching import online, until


def ended(session: Session, name: str = "s") -> PictureSequence:
    sequence = find_sequence(session, name)
    assert sequence is not None
    return sequence


def test_every_view_becomes_a_numbered_picture_and_nothing_of_it_reaches_scene_or_history(
    settings, tmp_path, capture
) -> None:
    async def story() -> None:
        async with online(settings, tmp_path / "pictures") as dispatcher:
            made = capture(1, 2, 3)
            await painter(dispatcher, sequence_of(tmp_path / "sequences", 3)).paint(made)
            done = ended(dispatcher.session)
            assert done.failed == (), [f.trouble for f in done.failed]
            assert (done.painted, done.failed, done.captured, done.ended, done.note) == (3, (), 3, True, "")
            assert all((done.folder / frame.file).read_bytes().startswith(b"\x89PNG") for frame in done.frames)
            assert sorted(frame.file for frame in done.frames) == [f"Camera/000{n}.png" for n in (1, 2, 3)]
            assert dispatcher.session.receivable == () and not made.folder.exists()
            assert list((tmp_path / "pictures").glob("*.png")) == []
            assert len(await Client(find_connection()).jobs()) == 1  # nothing moves there: one picture of all three

    asyncio.run(story())


def test_a_sequence_goes_on_with_what_an_earlier_one_has_painted(settings, tmp_path, capture) -> None:
    async def story() -> None:
        async with online(settings, tmp_path / "pictures") as dispatcher:
            root = tmp_path / "sequences"
            await painter(dispatcher, sequence_of(root, 1)).paint(capture(1))
            await painter(dispatcher, sequence_of(root, 2, "again")).paint(capture(1, 2))
            assert ended(dispatcher.session, "again").painted == 2
            assert len(await Client(find_connection()).jobs()) == 1

    asyncio.run(story())


def test_a_sequence_that_is_stopped_cancels_its_jobs_and_keeps_what_it_has(settings, tmp_path, capture) -> None:
    async def story() -> None:
        async with online(settings, tmp_path / "pictures") as dispatcher:
            made = capture(1, steps=500)
            painting = asyncio.create_task(painter(dispatcher, sequence_of(tmp_path / "sequences", 1)).paint(made))
            await until(dispatcher, lambda session: session.active and session.active.job.step > 1)
            save(tmp_path, dispatcher.session)
            dispatcher.apply(reducer.sequences_stopped, {"s"})
            await asyncio.wait_for(painting, 10)
            await until(dispatcher, lambda session: not session.waiting)
            done = ended(dispatcher.session)
            assert (done.painted, done.ended, done.note) == (0, True, "Stopped")
            assert [job.state for job in await Client(find_connection()).jobs()] == ["cancelled"]
            assert not made.folder.exists() and list(tmp_path.glob("owed-*")) == []

    asyncio.run(story())


def test_a_view_that_cannot_be_captured_hinders_no_other(settings, tmp_path, capture) -> None:
    async def story() -> None:
        async with online(settings, tmp_path / "pictures") as dispatcher:
            made = capture(1, cameras=("Camera", "Nowhere"))
            await painter(dispatcher, sequence_of(tmp_path / "sequences", 2)).paint(made)
            done = ended(dispatcher.session)
            assert done.painted == 1 and [frame.camera for frame in done.failed] == ["Nowhere"]
            assert "no object named Nowhere" in done.failed[0].trouble
            assert "1 of 2 painted, 1 failed" in done.words

    asyncio.run(story())


@pytest.mark.parametrize("broken", ["file", "program"])
def test_a_second_blender_that_breaks_ends_the_sequence_and_says_why(settings, tmp_path, capture, broken) -> None:
    async def story() -> None:
        async with online(settings, tmp_path / "pictures") as dispatcher:
            made = capture(1)
            if broken == "file":
                made.command.source.path.write_bytes(b"no blend")
            else:
                made = replace(made, program=("no-such-blender",))
            await painter(dispatcher, sequence_of(tmp_path / "sequences", 1)).paint(made)
            done = ended(dispatcher.session)
            assert done.ended and dispatcher.session.notice.message == done.note != ""
            assert not made.folder.exists()

    asyncio.run(story())


def test_a_sequence_says_which_of_its_cameras_have_several_frames() -> None:
    session = Session()
    sequence = PictureSequence(id="s", title="", view=VIEW, folder=None, size=3)
    session = reducer.sequence_begun(session, sequence)
    frame = {"camera": "A", "file": "A/0002.png"}

    for number in (2, 1):
        session = reducer.frame_ended(session, "s", SequenceFrame(frame=number, **frame))
    sequence = ended(session)
    assert [item.frame for item in by_camera(sequence.frames)["A"]] == [1, 2] and sequence.long
    assert reducer.sequence_dismissed(session, "s").sequences == (sequence,)  # it still runs
    over = reducer.sequence_ended(session, "s", "")
    assert reducer.sequence_dismissed(over, "s").sequences == ()
