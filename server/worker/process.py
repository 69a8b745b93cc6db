# SPDX-License-Identifier: MIT
"""The worker process: claims a job, paints it, reports every step. ``python -m server.worker.process``.

Standard input carries the settings, then doorbells; its end asks the worker to leave. A byte on standard output tells
the server that there is news, or that the queue cannot be used. A cancelled job shows as a stale claim at the next
step.

A queue that is locked or full is nothing that a job could help: what must be written is tried until it is, and what
only tells how far the job is, is dropped.
"""

import logging
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pkgutil import resolve_name
from typing import BinaryIO, Literal, TypeVar

from pydantic import TypeAdapter

from addon.protocol.records import Artifact, Problem

from ..problems import NoModel, NoRoom, PaintingFailed, QueueUnavailable, Refusal
from ..queue.artifacts import ArtifactStore
from ..queue.availability import NEWS, RETRY_SECONDS, STALLED
from ..queue.changes import StaleClaim
from ..queue.store import Claim, Moment, Store
from ..settings import ServerSettings
from .engine import Engine, Painting, Progress

T = TypeVar("T")
LOCK_SECONDS = 0.5  # that one try waits for whoever has locked the queue
MUTE_SECONDS = 2.0  # without another try to note progress after one that failed: painting must not stand still for it

log = logging.getLogger(__name__)


class Leaving(Exception):
    """The server wants the worker gone: the job in hand goes back."""


class Pipe:
    """The pipes to the server."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._bell = threading.Event()
        self.leaving = False
        threading.Thread(target=self._listen, daemon=True).start()

    def ring(self, word: bytes = NEWS) -> None:
        """There is news, or another of the words. A server that is gone hears nothing, and that means leaving."""
        try:
            self._outgoing.write(word)
            self._outgoing.flush()
        except BrokenPipeError:
            self.leave()

    def wait(self) -> None:
        """Until the bell rings or it is time to leave."""
        self._bell.wait()
        self._bell.clear()

    def leave(self) -> None:
        """It is time to go."""
        self.leaving = True
        self._bell.set()

    def _listen(self) -> None:
        while self._incoming.readline():
            self._bell.set()
        self.leave()


class JobReporter:
    """One job being painted: hears every step, writes it down, and stops the painting when it is no longer wanted."""

    def __init__(self, claim: Claim, store: Store, shelf: ArtifactStore, door: Pipe, settings: ServerSettings) -> None:
        self._claim, self._store, self._shelf, self._door = claim, store, shelf, door
        self._settings, self._previewed = settings, time.monotonic()
        self._mute_until = 0.0  # of the monotonic clock

    def phase(self, moment: Moment) -> None:
        """Notes a moment. Raises Leaving, and StaleClaim when the job was cancelled."""
        if self._door.leaving:
            raise Leaving
        self._offer(lambda: self._store.report(self._claim, moment))

    def report(self, progress: Progress) -> None:
        """Notes a step or what comes after the last one, and shows a preview now and then."""
        self.phase(Moment(progress.phase, progress.step, progress.energies))
        if progress.preview and time.monotonic() - self._previewed >= self._settings.preview_seconds:
            sketch = self._keep("preview", progress.preview())
            self._offer(lambda: self._store.preview(self._claim, sketch))
            self._previewed = time.monotonic()

    def start(self) -> None:
        """The model is ready."""
        self._insist(lambda: self._store.state_fact("model", self._claim.blockout.model))
        self._insist(lambda: self._store.start(self._claim))

    def finish(self, painting: Painting) -> None:
        """Keeps the pictures and ends the job."""
        artifacts = (self._keep("picture", painting.picture), self._keep("full", painting.full))
        self._insist(lambda: self._store.finish(self._claim, artifacts, painting.achieved))

    def fail(self, problem: Problem) -> None:
        """Ends the job without a picture."""
        self._insist(lambda: self._store.fail(self._claim, problem))

    def release(self) -> None:
        """Gives the job back."""
        self._insist(lambda: self._store.release(self._claim))

    def _offer(self, write: Callable[[], None]) -> None:
        """What need not be written, for the next of its kind will say it too."""
        if time.monotonic() < self._mute_until:
            self._door.ring(STALLED)  # not a word would look like a worker that is stuck
            return
        try:
            write()
        except QueueUnavailable as error:
            log.warning("progress is not noted: %s", error.detail)
            self._mute_until = time.monotonic() + MUTE_SECONDS
            self._door.ring(STALLED)
        else:
            self._door.ring()

    def _insist(self, write: Callable[[], None]) -> None:
        insist(write, self._door, self._settings.drain)

    def _keep(self, kind: Literal["picture", "full", "preview"], png: bytes) -> Artifact:
        try:
            digest = self._shelf.put(png)
        except OSError as error:
            raise NoRoom(f"The picture cannot be kept: {error.strerror}") from error
        return Artifact(sha256=digest, kind=kind, media_type="image/png", bytes=len(png))


def main() -> None:
    """Runs until standard input ends."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = TypeAdapter(ServerSettings).validate_json(sys.stdin.buffer.readline())
    door = Pipe(sys.stdin.buffer, sys.stdout.buffer)
    for meant_for_the_server in (signal.SIGINT, signal.SIGTERM):  # a group gets them all; the server closes the door
        signal.signal(meant_for_the_server, signal.SIG_IGN)
    store = insist(lambda: Store(settings.database, LOCK_SECONDS), door, settings.drain)
    engine: Engine = resolve_name(settings.engine)()
    insist(lambda: store.state_fact("device", engine.device), door, settings.drain)
    insist(lambda: store.state_fact("model", ""), door, settings.drain)
    door.ring()
    work(settings, store, engine, door)
    store.close()


def insist(act: Callable[[], T], door: Pipe, drain: float) -> T:
    """What ``act`` returns, as soon as the queue can be used. Raises what else it raises.

    Raises QueueUnavailable only when it has been time to go for ``drain`` seconds: the server then puts the job back.
    """
    end, said = math.inf, False
    while True:
        try:
            return act()
        except QueueUnavailable as error:
            log.log(logging.DEBUG if said else logging.WARNING, "tried until it works: %s", error.detail)
            said = True
            end = min(end, time.monotonic() + drain) if door.leaving else math.inf
            if time.monotonic() >= end:
                raise
            door.ring(STALLED)
        time.sleep(RETRY_SECONDS)


def work(settings: ServerSettings, store: Store, engine: Engine, door: Pipe) -> None:
    """Claims jobs, one after another, until it is time to leave."""
    shelf = ArtifactStore(settings.shelf)
    while not door.leaving:
        claim = insist(store.claim, door, settings.drain)
        door.ring()
        if claim is None:
            door.wait()
            continue
        easel = JobReporter(claim, store, shelf, door, settings)
        with suppress(StaleClaim):  # cancelled meanwhile: its row already says so
            problem = attempt(settings, engine, claim, easel)
            if problem is not None:
                easel.fail(problem)
        door.ring()


def attempt(settings: ServerSettings, engine: Engine, claim: Claim, easel: JobReporter) -> Problem | None:
    """Paints one job; returns why that failed. Raises StaleClaim, and QueueUnavailable as ``insist`` does."""
    try:
        paint(settings, engine, claim, easel)
    except (StaleClaim, QueueUnavailable):
        raise
    except Leaving:
        easel.release()
    except Refusal as refusal:
        return refusal.problem()
    except Exception as error:  # whatever an engine raises ends its job, never the queue
        log.exception("job %s failed", claim.job)
        return PaintingFailed(f"{type(error).__name__}: {error}").problem()
    return None


def paint(settings: ServerSettings, engine: Engine, claim: Claim, easel: JobReporter) -> None:
    """Loads the model, paints, keeps the result."""
    name = claim.blockout.model
    model = settings.model(name)
    if model is None:
        raise NoModel(f"This server no longer offers {name}", fix="Choose one of GET /v1/models.")
    easel.phase(Moment("loading the model"))
    engine.load(model)
    easel.start()
    easel.finish(engine.paint(claim.blockout, easel.report))


if __name__ == "__main__":
    main()
