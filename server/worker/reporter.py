# SPDX-License-Identifier: MIT
"""What a worker writes into the queue while it paints.

A queue that is locked or full is nothing that a job could help: what must be written is tried until it is, and what
only tells how far the job is, is dropped.
"""

import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeVar

from addon.protocol.answers import ModelInfo, Problem

from ..adapters import AdapterCatalogue
from ..models.facts import BESIDE, stated_folders, stated_model
from ..problems import NoRoom, QueueUnavailable, UnknownReference
from ..queue.artifacts import PictureFile
from ..queue.availability import RETRY_SECONDS
from ..queue.sharing import WorkerSlot
from ..queue.store import Claim, JobProgress, Store
from ..settings import ServerSettings
from .engine import Painting, Progress
from .memory import FACT, PRECISIONS, of_device, to_fact
from .pipe import STALLED, Pipe, saying

T = TypeVar("T")
MUTE_SECONDS = 2.0  # without another try to note progress after one that failed: painting must not stand still for it

OF_A_PROCESS = ("device", "model", PRECISIONS)  # facts that the next worker may not share

log = logging.getLogger(__name__)


class Leaving(Exception):
    """The server wants the worker gone: the job in hand goes back."""


class WorkerFacts:
    """What a worker says of itself in the queue; the same is said once."""

    def __init__(self, store: Store, slot: WorkerSlot) -> None:
        self.store, self.slot = store, slot
        self._stated: dict[str, str] = {}

    def state(self, name: str, value: str) -> None:
        """Notes a fact about this worker. Raises QueueUnavailable."""
        if self._stated.get(name) != value:
            self.store.state_fact(self.slot.fact(name), value)
            self._stated[name] = value


class JobReporter:
    """One job being painted: notes every step, and stops the painting when it is no longer wanted."""

    def __init__(self, claim: Claim, facts: WorkerFacts, pipe: Pipe, settings: ServerSettings) -> None:
        self._claim, self._facts, self._store, self._pipe = claim, facts, facts.store, pipe
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
        hidden = self._settings.safeguards.content_filter  # which has not seen it yet
        if progress.preview and not hidden and time.monotonic() - self._previewed >= self._settings.preview_seconds:
            sketch = PictureFile("preview", progress.preview())
            with suppress(NoRoom):  # the picture itself may find some
                self._offer(lambda: self._store.preview(self._claim, sketch))
            self._previewed = time.monotonic()
            self._note_memory()

    def busy(self) -> AbstractContextManager[None]:
        """Meanwhile the server hears now and then that something goes on, as long as it does."""
        return saying(self._pipe.send, self._settings.patience / 4)

    def start(self, phase: str) -> None:
        """The model is ready, and this phase begins. Raises StaleClaim."""
        self._insist(lambda: self._facts.state("model", self._claim.blockout.model))
        self._note_memory()
        self._insist(lambda: self._store.start(self._claim, phase))
        self._pipe.send()

    def finish(self, painting: Painting) -> None:
        """Keeps the pictures and ends the job."""
        pictures = (PictureFile("picture", painting.picture), PictureFile("full", painting.full))
        self._note_memory()
        self._insist(lambda: self._store.finish(self._claim, pictures, painting.achieved))

    def pictures(self) -> dict[str, bytes]:
        """The PNG files that the job refers to, by their sha256. Raises UnknownReference when one is gone."""
        files, blockout = {}, self._claim.blockout
        for digest in blockout.pictures:
            path = self._store.artifacts.find(digest)
            if path is None:
                raise UnknownReference(f"The picture {digest[:12]}… is here no more", path=blockout.field_of(digest))
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
            self._offer(lambda: self._facts.state(FACT, to_fact(memory)))

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
