# SPDX-License-Identifier: MIT
"""The worker process: claims a job, paints it, reports every step. ``python -m server.worker.process``.

Standard input carries the settings, then doorbells; its end asks the worker to leave. A byte on standard output tells
the server that there is news. A cancelled job shows as a stale claim at the next step.
"""

import logging
import signal
import sys
import threading
import time
from contextlib import suppress
from pkgutil import resolve_name
from typing import BinaryIO, Literal

from pydantic import TypeAdapter

from addon.protocol.records import Artifact, Problem

from ..problems import NoModel, NoRoom, PaintingFailed, Refusal
from ..queue.artifacts import ArtifactStore
from ..queue.store import Claim, Moment, StaleClaim, Store
from ..settings import ServerSettings
from .engine import Engine, Painting, Progress

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

    def ring(self) -> None:
        """There is news. A server that is gone hears nothing, and that means leaving."""
        try:
            self._outgoing.write(b"\n")
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

    def __init__(self, claim: Claim, store: Store, shelf: ArtifactStore, door: Pipe, preview_seconds: float) -> None:
        self._claim, self._store, self._shelf, self._door = claim, store, shelf, door
        self._preview_seconds, self._previewed = preview_seconds, time.monotonic()

    def phase(self, moment: Moment) -> None:
        """Notes a moment. Raises Leaving, and StaleClaim when the job was cancelled."""
        if self._door.leaving:
            raise Leaving
        self._store.report(self._claim, moment)
        self._door.ring()

    def report(self, progress: Progress) -> None:
        """Notes a step or what comes after the last one, and shows a preview now and then."""
        self.phase(Moment(progress.phase, progress.step, progress.energies))
        if progress.preview and time.monotonic() - self._previewed >= self._preview_seconds:
            self._store.preview(self._claim, self._keep("preview", progress.preview()))
            self._previewed = time.monotonic()
            self._door.ring()

    def finish(self, painting: Painting) -> None:
        """Keeps the pictures and ends the job."""
        artifacts = (self._keep("picture", painting.picture), self._keep("full", painting.full))
        self._store.finish(self._claim, artifacts, painting.achieved)

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
    store = Store(settings.database)
    engine: Engine = resolve_name(settings.engine)()
    store.state_fact("device", engine.device)
    store.state_fact("model", "")
    door.ring()
    work(settings, store, engine, door)
    store.close()


def work(settings: ServerSettings, store: Store, engine: Engine, door: Pipe) -> None:
    """Claims jobs, one after another, until it is time to leave."""
    shelf = ArtifactStore(settings.shelf)
    while not door.leaving:
        claim = store.claim()
        if claim is None:
            door.wait()
            continue
        door.ring()
        easel = JobReporter(claim, store, shelf, door, settings.preview_seconds)
        with suppress(StaleClaim):  # cancelled meanwhile: its row already says so
            problem = attempt(settings, store, engine, claim, easel)
            if problem is not None:
                store.fail(claim, problem)
        door.ring()


def attempt(settings: ServerSettings, store: Store, engine: Engine, claim: Claim, easel: JobReporter) -> Problem | None:
    """Paints one job; returns why that failed. Raises StaleClaim."""
    try:
        paint(settings, store, engine, claim, easel)
    except StaleClaim:
        raise
    except Leaving:
        store.release(claim)
    except Refusal as refusal:
        return refusal.problem()
    except Exception as error:  # whatever an engine raises ends its job, never the queue
        log.exception("job %s failed", claim.job)
        return PaintingFailed(f"{type(error).__name__}: {error}").problem()
    return None


def paint(settings: ServerSettings, store: Store, engine: Engine, claim: Claim, easel: JobReporter) -> None:
    """Loads the model, paints, keeps the result."""
    name = claim.blockout.model
    model = settings.model(name)
    if model is None:
        raise NoModel(f"This server no longer offers {name}", fix="Choose one of GET /v1/models.")
    easel.phase(Moment("loading the model"))
    engine.load(model)
    store.state_fact("model", name)
    store.start(claim)
    easel.finish(engine.paint(claim.blockout, easel.report))


if __name__ == "__main__":
    main()
