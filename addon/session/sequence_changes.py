# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to sequences, as functions from a Session to the next, as those of ``reducer``. No bpy."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from .sequence import PictureSequence, SequenceFrame
from .state import Session, find_sequence


def sequence_begun(session: Session, sequence: PictureSequence) -> Session:
    """A sequence was asked for; the newest stands last."""
    return replace(session, sequences=(*session.sequences, sequence), notice=None)


def view_captured(session: Session, name: str) -> Session:
    """The second Blender has read one more view of it."""
    sequence = find_sequence(session, name)
    return session if sequence is None else _with(session, name, captured=sequence.captured + 1)


def frame_ended(session: Session, name: str, frame: SequenceFrame) -> Session:
    """A picture of it is there, or will never be."""
    sequence = find_sequence(session, name)
    return session if sequence is None else _with(session, name, frames=(*sequence.frames, frame))


def sequences_stopped(session: Session, names: Collection[str]) -> Session:
    """The artist wants no more of them; what is painted stays."""
    return replace(
        session,
        sequences=tuple(
            replace(one, stopping=True) if one.id in names and not one.ended else one for one in session.sequences
        ),
    )


def sequence_ended(session: Session, name: str, note: str) -> Session:
    """Nothing more is done about it; ``note`` says why, where that was too early."""
    return _with(session, name, ended=True, note=note)


def sequence_dismissed(session: Session, name: str) -> Session:
    """The artist needs it on the list no more; its pictures stay where they are."""
    return replace(session, sequences=tuple(one for one in session.sequences if one.id != name or not one.ended))


def _with(session: Session, name: str, **changes: Any) -> Session:
    sequences = tuple(replace(one, **changes) if one.id == name else one for one in session.sequences)
    return replace(session, sequences=sequences)
