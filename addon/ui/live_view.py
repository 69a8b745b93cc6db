# SPDX-License-Identifier: GPL-3.0-or-later
"""Live: follows the edits of one scene, captures it in slices, and lays each picture over the camera's view.

Handlers note when something changed and nothing else; a timer does the work. Nothing of it is in the file, be it a
data-block, a property or an undo step; it is off in every file that is opened.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import bpy

from ..camera.reader import camera_of
from ..capture.gathering import SceneKey
from ..cooperative import Slices, frame_share, one_slice
from ..data_blocks import of_session
from ..messages import sentences
from ..messages.errors import UserError
from ..messages.notice import Notice, notice
from ..overlay.edits import listen, unlisten
from ..pictures import history
from ..pictures.history import Entry
from ..pictures.image import ENTRY
from ..pictures.origin import viewpoint
from ..pictures.pixels import decoded
from ..protocol.views import unmoved
from ..regions import marks
from ..request.anchors import Anchor, anchored, layout_of, seeded, suitable
from ..request.settings import SEEDS, part
from ..runtime.app import app
from ..runtime.timers import guarded
from ..runtime.windows import moving, playing, redraw, rendering
from ..session import live_state
from ..session.live_state import LivePicture, LiveRequest, LiveState
from ..session.reducer import notice_changed
from .image_editor import current
from .live_settings import following_few, live_changes, live_settings, seeds_of
from .operators.request.generate import developing, kept_settings, panel_snapshot
from .operators.request.references import latest_entry

QUICK, PACE, CALM = 0.004, 0.02, 0.05  # seconds to the next look: at work, while a picture is painted, and else


class LiveView:
    """What Live does in a window. Blender's references die on undo: it holds session ids and values alone."""

    def __init__(self) -> None:
        self.handlers = listen(self)
        self.timer = self._tick  # kept, for Blender knows a timer by its identity
        self._slices: Slices[LiveRequest] | None = None
        self.pictured: LivePicture | None = None  # what lies over the view
        self._settings: tuple[object, ...] = ()  # of which the depsgraph does not tell, at the last look
        self._seeds: tuple[object, ...] = ()
        self._unfollowed = ""  # the scene's picture, while another look than that is wanted
        self._entry: tuple[str, Entry | None] = ("", None)  # the scene's picture, by its name
        self._resting = False
        self._complaint: Notice | None = None  # what the scene lacks for a picture, as it was said
        self._ended = time.perf_counter()  # the last look: what was moved makes Blender draw between two

    def touch(self, scene: int, reshaped: bool, moved: frozenset[int] | None = None) -> None:
        """Something in the scene of that session id has changed."""
        if scene == app().live.state.scene:
            app().live.apply(live_state.edited, time.monotonic())

    def forget(self) -> None:
        """Everything may have changed: after undo and redo."""
        app().live.apply(live_state.edited, time.monotonic())

    def leave(self) -> None:
        """Another file is open."""
        self.stop()

    def start(self, scene: bpy.types.Scene) -> None:
        """Live is on for a scene."""
        self._settings, self._seeds, self._unfollowed, self._entry = (), seeds_of(scene), "", ("", None)
        app().live.apply(live_state.started, scene.session_uid, time.monotonic())
        if not bpy.app.timers.is_registered(self.timer):
            bpy.app.timers.register(self.timer, first_interval=QUICK, persistent=True)

    def stop(self, reason: Notice | None = None) -> None:
        """Live is off, for that reason; its picture is gone from the view."""
        live = app().live
        if live.state.scene:
            app().event_loop.start(live.cancel())
        live.apply(live_state.stopped)
        self._slices = self.pictured = None
        app().regions.paused = False
        app().regions.lift()
        self._take_back()
        if reason is not None:
            app().dispatcher.apply(notice_changed, reason)
        redraw()

    def _tick(self) -> float | None:
        """None while Live is off: Blender then drops the timer."""
        return guarded(self.look) if app().live.state.scene else None

    def look(self) -> float:
        """Take the work a slice further; answers when to look again. What goes wrong here turns Live off."""
        whole = False
        try:
            pace = self._step()
            whole = True
        finally:
            self._ended = time.perf_counter()
            if not whole:
                self.stop()
        return pace

    def _step(self) -> float:
        live = app().live
        scene = of_session(bpy.data.scenes, live.state.scene)
        if scene is None:
            self.stop()
            return CALM
        if (reason := _trouble(live.state)) is not None:
            self.stop(reason)
            return CALM
        if self._show(live.state.picture):
            return QUICK  # what is long in itself has a slice to itself
        if _is_away():
            live.apply(live_state.capture_ended)
            self._slices, self._resting, app().regions.paused = None, True, False
            return CALM
        self._look_at_settings(scene)
        now, hand = time.monotonic(), moving()
        replaceable = self._slices is None or not hand  # what was let go is what counts
        if replaceable and live_state.due(live.state, now, hand):
            self._begin(scene)
        elif self._slices is not None:
            self._go_on()
        # The picture before the outlines: side by side both would take twice as long.
        app().regions.paused = self._slices is not None
        if live.exchanging:
            app().event_loop.once()
        return QUICK if self._slices is not None or live.exchanging else PACE if live.busy else CALM

    def _look_at_settings(self, scene: bpy.types.Scene) -> None:
        """What the depsgraph does not tell of: settings, seeds, and which picture is the scene's."""
        picture, seeds = current(scene), seeds_of(scene)
        name = "" if picture is None else str(picture.get(ENTRY, ""))
        settings = (live_settings(scene), name, app().regions.rows.get(scene.session_uid))
        if self._resting or settings != self._settings:
            app().live.apply(live_state.edited, time.monotonic())
        if seeds != self._seeds and not self._resting:
            app().live.apply(live_state.look_dropped)
            app().live.apply(live_state.edited, time.monotonic())
            self._unfollowed = name
        self._settings, self._seeds, self._resting = settings, seeds, False

    def _begin(self, scene: bpy.types.Scene) -> None:
        app().live.apply(live_state.capture_begun)
        try:
            self._slices = self._requesting(scene)
        except UserError as error:
            self._complain(error)

    def _requesting(self, scene: bpy.types.Scene) -> Slices[LiveRequest]:
        """What the scene asks for as it stands. Raises UserError."""
        marks.check_apart(scene)
        camera = camera_of(scene)
        key = SceneKey(scene.session_uid, camera.session_uid)
        _, _, depsgraph = key.find()
        changes = live_changes(scene)
        snapshot = panel_snapshot(scene, depsgraph, changes)
        view, settings = viewpoint(scene, camera, depsgraph), replace(kept_settings(scene), **changes)
        anchors = self._anchors(scene)

        def slices() -> Slices[LiveRequest]:
            layout = layout_of((yield from developing(key, snapshot, lambda blockout, _: blockout)))
            anchor, request = suitable(anchors, layout), layout
            if anchor is not None:
                layout = seeded(layout, anchor.request)
                request = following_few(scene, anchored(layout, anchor, not unmoved(view.pose, anchor.pose)))
            own = replace(settings, steps=request.steps, **part(request, SEEDS))
            return LiveRequest(blockout=request, layout=layout, view=view, settings=own)

        return slices()

    def _go_on(self) -> None:
        assert self._slices is not None, "whoever calls looked"
        try:
            request = one_slice(self._slices, frame_share(time.perf_counter() - self._ended))
        except UserError as error:
            self._complain(error)
            return
        if request is None:
            return
        self._slices = None
        self._take_back()
        live, before = app().live, app().live.state.number
        reference = request.blockout.reference
        live.apply(live_state.captured, request.layout, "" if reference is None else reference.picture)
        if live.state.number == before:
            return
        if reference is not None:
            request = replace(request, reference=self._png(reference.picture))
        app().event_loop.start(live.paint(request, live.state.number))

    def _complain(self, error: UserError) -> None:
        """Say what the scene lacks, unless the sentence stands there; Live goes on, for the next edit may cure it."""
        app().live.apply(live_state.capture_ended)
        self._slices, self._complaint = None, notice(error)
        if app().session.notice != self._complaint:
            app().dispatcher.apply(notice_changed, self._complaint)

    def _take_back(self) -> None:
        """Nothing is lacking any more, or nobody looks: what was said of it goes, where it still stands."""
        if self._complaint is not None and app().session.notice == self._complaint:
            app().dispatcher.apply(notice_changed, None)
        self._complaint = None

    def _anchors(self, scene: bpy.types.Scene) -> Sequence[Anchor]:
        """The pictures that may be followed: the scene's own, then the latest of ours that followed none."""
        picture, fresh = current(scene), app().live.state.fresh
        name = "" if picture is None else str(picture.get(ENTRY, ""))
        if name != self._entry[0]:  # reading it takes milliseconds
            self._entry = name, latest_entry(scene)
        entry = self._entry[1]
        anchors = []
        if entry is not None and entry.name != self._unfollowed:
            anchors.append(Anchor(picture=entry.name, request=entry.request, achieved=entry.achieved, pose=entry.pose))
        if fresh is not None:
            anchors.append(
                Anchor(
                    picture=fresh.sha256,
                    request=fresh.request.blockout,
                    achieved=fresh.job.achieved,
                    pose=fresh.request.view.pose,
                )
            )
        return anchors

    def _png(self, picture: str) -> bytes:
        """The PNG file of a picture to follow, by its sha256."""
        fresh, file = app().live.state.fresh, history.picture(app().gallery.folder, picture)
        if fresh is not None and fresh.sha256 == picture:
            return fresh.png
        return b"" if file is None else file.read_bytes()

    def _show(self, picture: LivePicture | None) -> bool:
        """Lay a picture over what its camera sees; whether one has come."""
        if picture is None or picture is self.pictured:
            return False
        self.pictured, view = picture, picture.request.view
        app().regions.lay(view.scene, view.camera, decoded(picture.png))
        return True


def live_view() -> LiveView:
    """The one of this Blender."""
    view = app().live_view
    assert isinstance(view, LiveView), "it is registered"
    return view


def _trouble(state: LiveState) -> Notice | None:
    """Why Live cannot go on."""
    if app().session.link.name != "online":
        return sentences.live_offline()
    return state.trouble and sentences.live_failed(state.trouble.message, state.trouble.fix)


def _is_away() -> bool:
    """While an animation plays, a render runs, or the artist's own pictures are under way, the machine is theirs."""
    session = app().session
    own = session.submissions or session.exact_captures or session.waiting or session.receivable
    return playing() or rendering() or bool(own)


def register() -> None:
    """Follow edits from now on. In the background there is nobody to show a picture to."""
    app().live_view = None if bpy.app.background else LiveView()


def unregister() -> None:
    """Stop, and follow none any more."""
    view = app().live_view
    if isinstance(view, LiveView):
        view.stop()
        unlisten(view.handlers)
        if bpy.app.timers.is_registered(view.timer):
            bpy.app.timers.unregister(view.timer)
