# SPDX-License-Identifier: GPL-3.0-or-later
"""Live as a frozen value, and what moves it on: when a picture is due, and which one is the newest. No bpy.

Nothing here reads a clock or a scene: edits come with their time, and a timer asks whether something is due. A block
that moves is painted whenever nothing else is being painted; one that was let go is painted at once, and what was under
way for where it stood before is stale.
"""

from dataclasses import dataclass, replace

from ..messages.notice import Notice
from ..protocol.answers import Job
from ..protocol.blockout import Blockout
from ..request.settings import Settings
from .task import Viewpoint

SETTLE = 0.04  # seconds without an edit, after which a block counts as let go
LONGEST = 0.3  # seconds of edits without end, as of a slider that is dragged, after which they are painted all the same


@dataclass(frozen=True, kw_only=True)
class LiveRequest:
    """What Live asks for: a request, where it was seen from, and the settings that are kept should it be.

    ``layout`` is the request as it would be if it followed nothing, ``reference`` the PNG file of the picture that it
    follows, where it follows one.
    """

    blockout: Blockout
    layout: Blockout
    view: Viewpoint
    settings: Settings
    reference: bytes = b""


@dataclass(frozen=True, kw_only=True)
class LivePicture:
    """A finished picture of Live's: its PNG file, the server's record, and what was asked for."""

    sha256: str
    png: bytes
    job: Job
    request: LiveRequest


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """Live for the scene of that session id; 0 while it is off.

    ``first`` and ``latest`` are when edits came that were not captured yet; ``capturing`` while some are. The newest
    request has that ``number``, asks for that ``layout`` and words, and ``follows`` the picture of that sha256, "" for
    none; ``painting`` until its picture has come. ``picture`` is the latest there is, ``fresh`` the latest that
    followed no other; ``trouble`` says why there will be none.
    """

    scene: int = 0
    first: float | None = None
    latest: float | None = None
    capturing: bool = False
    layout: Blockout | None = None
    follows: str = ""
    number: int = 0
    painting: bool = False
    picture: LivePicture | None = None
    fresh: LivePicture | None = None
    trouble: Notice | None = None


def started(state: LiveState, scene: int, now: float) -> LiveState:
    """Live is on for a scene, whose first picture is due. Numbers go on, or an old picture could pass for a new one."""
    return LiveState(scene=scene, first=now - LONGEST, latest=now - SETTLE, number=state.number)


def stopped(state: LiveState) -> LiveState:
    """Live is off; what is still under way has nobody to show it to."""
    return LiveState(number=state.number + 1)


def edited(state: LiveState, now: float) -> LiveState:
    """Something in the scene has changed, or may have."""
    return replace(state, first=now if state.first is None else state.first, latest=now) if state.scene else state


def due(state: LiveState, now: float, moving: bool) -> bool:
    """Whether the scene is to be captured now; ``moving`` while the artist has hold of something."""
    if state.first is None or state.latest is None:
        return False
    let_go = not moving and now - state.latest >= SETTLE
    return let_go or (not state.painting and (moving or now - state.first >= LONGEST))


def capture_begun(state: LiveState) -> LiveState:
    """The scene is captured as it stands: edits up to now are in it."""
    return replace(state, first=None, latest=None, capturing=True)


def capture_ended(state: LiveState) -> LiveState:
    """There is no more to be captured, or no picture to be asked for as the scene stands."""
    return replace(state, capturing=False)


def captured(state: LiveState, layout: Blockout, follows: str) -> LiveState:
    """What the scene asks for now, and which picture that follows. Where it is what was asked for last, and follows the
    picture that came of it, nothing is new: as after a click that selects, or a render that has ended."""
    ours = ("" if state.picture is None else state.picture.sha256, state.follows)
    if not state.scene or (layout == state.layout and follows in ours):
        return capture_ended(state)
    number = state.number + 1
    return replace(state, capturing=False, layout=layout, follows=follows, number=number, painting=True)


def look_dropped(state: LiveState) -> LiveState:
    """The artist wants another picture, as by another seed: what was painted is followed no more."""
    return replace(state, fresh=None)


def arrived(state: LiveState, number: int, picture: LivePicture) -> LiveState:
    """The picture of the request of that number has come. One that was superseded meanwhile is shown to nobody."""
    if number != state.number:
        return state
    fresh = picture if picture.request.blockout.reference is None else state.fresh
    return replace(state, picture=picture, fresh=fresh, painting=False)


def failed(state: LiveState, number: int, notice: Notice) -> LiveState:
    """The request of that number will have no picture; of one that was superseded that is no news."""
    return replace(state, trouble=notice, painting=False) if number == state.number else state


def cancelled(state: LiveState, number: int) -> LiveState:
    """Somebody cancelled the request of that number: as it stands it is not asked for again."""
    return replace(state, painting=False) if number == state.number else state
