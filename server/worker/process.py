# SPDX-License-Identifier: MIT
"""The worker process: claims a job, paints it, reports every step. ``python -m server.worker.process``.

Standard input carries the settings, then an empty line for each piece of news; its end asks the worker to leave. Words
on standard output tell the server that there is news, what is in hand, or that the queue cannot be used. A cancelled
job shows as a stale claim at the next step.

A queue that is locked or full is nothing that a job could help: what must be written is tried until it is, and what
only tells how far the job is, is dropped.
"""

import json
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pkgutil import resolve_name
from typing import Any, TypeVar

from pydantic import TypeAdapter

from addon.protocol.answers import ModelInfo, Problem

from .. import logs
from ..adapters import PLAIN, AdapterCatalogue
from ..models.card_files import CardFiles
from ..models.facts import BESIDE, stated_folders, stated_model
from ..problems import NoModel, NoRoom, PaintingFailed, QueueUnavailable, Refusal, UnknownReference
from ..queue.artifacts import PictureFile
from ..queue.availability import RETRY_SECONDS
from ..queue.changes import StaleClaim
from ..queue.store import Claim, JobProgress, Store
from ..settings import ServerSettings
from .engine import Engine, Painting, Progress
from .memory import FACT, PRECISIONS, of_device, to_fact
from .pipe import FREE, HOLDS, STALLED, UNFIT, Pipe, die_with_parent, first_line, own_output

T = TypeVar("T")
LOCK_SECONDS = 0.5  # that one try waits for whoever has locked the queue
MUTE_SECONDS = 2.0  # without another try to note progress after one that failed: painting must not stand still for it

log = logging.getLogger(__name__)


class Leaving(Exception):
    """The server wants the worker gone: the job in hand goes back."""


class JobReporter:
    """One job being painted: notes every step, and stops the painting when it is no longer wanted."""

    def __init__(self, claim: Claim, store: Store, pipe: Pipe, settings: ServerSettings) -> None:
        self._claim, self._store, self._pipe = claim, store, pipe
        self._settings, self._previewed = settings, time.monotonic()
        self._mute_until = 0.0  # of the monotonic clock

    def phase(self, progress: JobProgress) -> None:
        """Notes how far it is. Raises Leaving, and StaleClaim when the job was cancelled."""
        if self._pipe.leaving:
            raise Leaving
        self._offer(lambda: self._store.report(self._claim, progress))

    def report(self, progress: Progress) -> None:
        """Notes a step or what comes after the last one, and shows a preview now and then."""
        self.phase(JobProgress(progress.phase, progress.step, progress.energies))
        if progress.preview and time.monotonic() - self._previewed >= self._settings.preview_seconds:
            sketch = PictureFile("preview", progress.preview())
            with suppress(NoRoom):  # the picture itself may find some
                self._offer(lambda: self._store.preview(self._claim, sketch))
            self._previewed = time.monotonic()
            self._note_memory()

    def start(self) -> None:
        """The model is ready."""
        self._insist(lambda: self._store.state_fact("model", self._claim.blockout.model))
        self._note_memory()
        self._insist(lambda: self._store.start(self._claim))

    def finish(self, painting: Painting) -> None:
        """Keeps the pictures and ends the job."""
        pictures = (PictureFile("picture", painting.picture), PictureFile("full", painting.full))
        self._note_memory()
        self._insist(lambda: self._store.finish(self._claim, pictures, painting.achieved))

    def pictures(self) -> dict[str, bytes]:
        """The PNG files that the job refers to, by their sha256. Raises UnknownReference when one is gone."""
        files = {}
        for digest in self._claim.blockout.pictures:
            path = self._store.artifacts.find(digest)
            if path is None:
                raise UnknownReference(f"The picture {digest[:12]}… is here no more", path="reference.picture")
            files[digest] = path.read_bytes()
        return files

    def model(self, name: str, adapters: AdapterCatalogue) -> ModelInfo | None:
        """The model of that name, one of a folder as it was offered when the job came; None of an older job.

        ``adapters`` are looked for where the server found them.
        """
        facts = self._store.facts()
        model = self._settings.model(name) or stated_model(facts, name)
        adapters.folders = (*self._settings.adapters, *stated_folders(facts))
        adapters.model_folders = stated_folders(facts, BESIDE)
        adapters.models = (*self._settings.models, *([model] if model is not None else []))
        return model

    def fail(self, problem: Problem) -> None:
        """Ends the job without a picture."""
        self._insist(lambda: self._store.fail(self._claim, problem))

    def release(self) -> None:
        """Gives the job back."""
        self._insist(lambda: self._store.release(self._claim))

    def _note_memory(self) -> None:
        memory = of_device()
        if memory:
            self._offer(lambda: self._store.state_fact(FACT, to_fact(memory)))

    def _offer(self, write: Callable[[], None]) -> None:
        """What need not be written, for the next of its kind will say it too."""
        if time.monotonic() < self._mute_until:
            self._pipe.send(STALLED)  # not a word would look like a worker that is stuck
            return
        try:
            write()
        except QueueUnavailable as error:
            log.warning("progress is not noted: %s", error.detail)
            self._mute_until = time.monotonic() + MUTE_SECONDS
            self._pipe.send(STALLED)
        else:
            self._pipe.send()

    def _insist(self, write: Callable[[], None]) -> None:
        insist(write, self._pipe, self._settings.drain)


class LoadedModel:
    """Which model the engine has in memory, and what is on top of it; None before the first, and after a failure, which
    may have cost it. ``adapters`` are those that there are."""

    def __init__(self, settings: ServerSettings) -> None:
        self.info: ModelInfo | None = None
        self.setup = PLAIN
        self.cards = CardFiles(settings.cards)
        self.adapters = AdapterCatalogue(settings.adapters, settings.models, settings.checksums)


def main() -> int:
    """Runs until standard input ends; 1 where the engine is none."""
    die_with_parent()
    os.umask(0o077)  # prompts and pictures are their owner's alone
    first = first_line(sys.stdin.fileno())
    if not first:  # the server ended before it could say a word
        return 0
    settings = TypeAdapter(ServerSettings).validate_json(first)
    logs.configure(as_json=settings.log_json)
    pipe = Pipe(sys.stdin.fileno(), own_output(), settings.drain)
    for meant_for_the_server in (signal.SIGINT, signal.SIGTERM):  # whoever sends them to all; it closes the pipe
        signal.signal(meant_for_the_server, signal.SIG_IGN)
    store = insist(lambda: Store(settings.database, LOCK_SECONDS), pipe, settings.drain)
    try:
        engine: Engine = resolve_name(settings.engine)()
    except (ImportError, AttributeError, ValueError) as error:
        pipe.send(UNFIT, " ".join(f"the engine {settings.engine} cannot be loaded ({error})".split()))
        return 1
    insist(lambda: store.state_fact("device", engine.device), pipe, settings.drain)
    insist(lambda: store.state_fact("model", ""), pipe, settings.drain)
    stated = json.dumps({model.name: engine.precision(model) for model in settings.models})
    insist(lambda: store.state_fact(PRECISIONS, stated), pipe, settings.drain)
    memory = of_device()
    insist(lambda: store.state_fact(FACT, to_fact(memory) if memory else ""), pipe, settings.drain)
    pipe.send()
    work(settings, store, engine, pipe)
    store.close()
    return 0


def insist(act: Callable[[], T], pipe: Pipe, drain: float) -> T:
    """What ``act`` returns, as soon as the queue can be used. Raises what else it raises.

    Raises QueueUnavailable only when it has been time to go for ``drain`` seconds: the server then puts the job back.
    """
    end, warned = math.inf, False
    while True:
        try:
            return act()
        except QueueUnavailable as error:
            log.log(logging.DEBUG if warned else logging.WARNING, "tried until it works: %s", error.detail)
            warned = True
            end = min(end, time.monotonic() + drain) if pipe.leaving else math.inf
            if time.monotonic() >= end:
                raise
            pipe.send(STALLED)
        time.sleep(RETRY_SECONDS)


def work(settings: ServerSettings, store: Store, engine: Engine, pipe: Pipe) -> None:
    """Claims jobs, one after another, until it is time to leave."""
    loaded = LoadedModel(settings)
    while not pipe.leaving:
        claim = insist(store.claim, pipe, settings.drain)
        if claim is None:
            pipe.send()  # of those that could not be read
            idle = settings.idle_unload if settings.idle_unload and loaded.info is not None else None
            if not pipe.wait(idle):
                unload(store, engine, loaded)
                pipe.send()
            continue
        pipe.send(HOLDS, claim.job)
        reporter = JobReporter(claim, store, pipe, settings)
        with suppress(StaleClaim):  # cancelled meanwhile: its row already says so
            problem = attempt(settings, engine, claim, reporter, loaded)
            if problem is not None:
                loaded.info = None
                reporter.fail(problem)
        pipe.send(FREE)


def unload(store: Store, engine: Engine, loaded: LoadedModel) -> None:
    """Nobody has asked for a picture for long: others may want the memory."""
    engine.unload()
    loaded.info, memory = None, of_device()
    with suppress(QueueUnavailable):  # it only says how things are
        store.state_fact("model", "")
        store.state_fact(FACT, to_fact(memory) if memory else "")


def attempt(
    settings: ServerSettings, engine: Engine, claim: Claim, reporter: JobReporter, loaded: LoadedModel
) -> Problem | None:
    """Paints one job; returns why that failed. Raises StaleClaim, and QueueUnavailable as ``insist`` does."""
    try:
        paint(settings, engine, claim, reporter, loaded)
    except (StaleClaim, QueueUnavailable):
        raise
    except Leaving:
        reporter.release()
    except Refusal as refusal:
        return refusal.problem()
    except Exception as error:  # whatever an engine raises ends its job, never the queue
        log.exception("job %s failed", claim.job)
        return PaintingFailed(f"{type(error).__name__}: {error}").problem()
    return None


def paint(settings: ServerSettings, engine: Engine, claim: Claim, reporter: JobReporter, loaded: LoadedModel) -> None:
    """Loads the model where another or none is in memory, paints, keeps the result."""
    name = claim.blockout.model
    model = reporter.model(name, loaded.adapters)
    if model is None:
        raise NoModel(f"This server no longer offers {name}", fix="Choose one of GET /v1/models.")
    setup = replace(loaded.adapters.setup(claim.blockout), card=loaded.cards.values(model))
    if (loaded.info, loaded.setup) != (model, setup):
        loaded.info = None
        reporter.phase(JobProgress("loading the model"))
    engine.load(model, setup)
    loaded.info, loaded.setup = model, setup
    reporter.start()
    reporter.phase(JobProgress("painting"))  # the first step may be long in coming, and nothing loads any more
    blockout, files = claim.blockout, reporter.pictures()
    arguments: list[Any] = [] if blockout.reference is None else [files[blockout.reference.picture]]
    if blockout.collage:
        arguments = [*(arguments or [None]), [files[part.picture] for part in blockout.collage]]
    reporter.finish(engine.paint(blockout, reporter.report, *arguments))


if __name__ == "__main__":
    sys.exit(main())
