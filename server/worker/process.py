# SPDX-License-Identifier: MIT
"""The worker process: claims a job, paints it, reports every step.

``python -m server.worker.process NUMBER COUNT DEVICE``: which of so many workers it is, and "" for any device.

Standard input carries the settings, then an empty line for each piece of news; its end asks the worker to leave. Words
on standard output tell the server that there is news, what is in hand, or that the queue cannot be used. A cancelled
job shows as a stale claim at the next step.
"""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pkgutil import resolve_name

from pydantic import TypeAdapter

from addon.protocol.answers import ModelInfo, Problem
from addon.protocol.blockout import Blockout

from .. import logs
from ..adapters import PLAIN, AdapterCatalogue
from ..errors import CommandError
from ..models.card_files import CardFiles
from ..problems import NoModel, PaintingFailed, QueueUnavailable, Refusal
from ..queue.changes import StaleClaim
from ..queue.sharing import WorkerSlot
from ..queue.store import Claim, JobProgress, Store
from ..safeguards.content_filter import FilterGate
from ..safeguards.digital_source import source_type
from ..safeguards.finishing import Finishing
from ..safeguards.refusals import FilterFailed
from ..settings import VERSION, ServerSettings
from .engine import Engine, Painting
from .memory import FACT, PRECISIONS, lacks_gpu, of_device, to_fact
from .pipe import FREE, HOLDS, UNFIT, Pipe, die_with_parent, first_line, own_output
from .png_files import handed_over
from .reporter import JobReporter, Leaving, WorkerFacts, insist

LOCK_SECONDS = 0.5  # that one try waits for whoever has locked the queue

log = logging.getLogger(__name__)


class LoadedModel:
    """Which model the engine has in memory, and what is on top of it; None before the first, and after a loading that
    failed, which may have cost it or not: ``anything`` says whether there may be something to give back. ``adapters``
    are those that there are."""

    def __init__(self, settings: ServerSettings) -> None:
        self.info: ModelInfo | None = None
        self.setup, self.anything = PLAIN, False
        self.cards = CardFiles(settings.cards)
        self.adapters = AdapterCatalogue(settings.adapters, settings.models, settings.checksums)


@dataclass(frozen=True)
class Equipment:
    """What a worker paints with, and what its owner has it see to."""

    settings: ServerSettings
    engine: Engine
    loaded: LoadedModel
    finishing: Finishing
    gate: FilterGate


class UnfitWorker(Exception):
    """Why this process will never paint."""


def main() -> int:
    """Runs until standard input ends; 1 where it can never paint."""
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
    slot = WorkerSlot(*map(int, sys.argv[1:3]))
    store = insist(lambda: Store(settings.database, LOCK_SECONDS), pipe, settings.drain)
    try:
        equipment = equipment_of(settings, *sys.argv[3:4])
    except UnfitWorker as error:
        pipe.send(UNFIT, " ".join(str(error).split()))
        return 1
    facts = WorkerFacts(store, slot)
    state_facts(equipment, facts, pipe)
    pipe.send()
    work(equipment, facts, pipe)
    store.close()
    return 0


def equipment_of(settings: ServerSettings, device: str = "") -> Equipment:
    """What these settings name, imported, on the device that was asked for. Raises UnfitWorker."""
    name = settings.safeguards.content_filter
    try:
        engine: Engine = resolve_name(settings.engine)()
        computes_on = engine.device
    except (ImportError, AttributeError, ValueError) as error:
        raise UnfitWorker(f"the engine {settings.engine} cannot be loaded ({error})") from error
    if device.startswith("cuda") and lacks_gpu():
        raise UnfitWorker(f"torch finds no GPU {device} here, only {computes_on}: see nvidia-smi and --device")
    try:
        finishing = Finishing.of(settings.safeguards, VERSION)
        gate = FilterGate(name)
    except CommandError as error:
        raise UnfitWorker(str(error)) from error
    except (ImportError, AttributeError, TypeError, ValueError, OSError, RuntimeError) as error:
        raise UnfitWorker(f"the content filter {name} cannot be loaded ({error})") from error
    return Equipment(settings, engine, LoadedModel(settings), finishing, gate)


def state_facts(equipment: Equipment, facts: WorkerFacts, pipe: Pipe) -> None:
    """Say what computes, and in what; and that nothing is in memory."""
    engine, memory = equipment.engine, of_device()
    values = {
        "device": engine.device,
        "model": "",
        PRECISIONS: json.dumps({model.name: engine.precision(model) for model in equipment.settings.models}),
        FACT: to_fact(memory) if memory else "",
    }
    for fact, value in values.items():
        insist(partial(facts.state, fact, value), pipe, equipment.settings.drain)


def work(equipment: Equipment, facts: WorkerFacts, pipe: Pipe) -> None:
    """Claims jobs, one after another, until it is time to leave."""
    settings, loaded, store = equipment.settings, equipment.loaded, facts.store
    since = time.monotonic()  # when it last had a job in hand
    while not pipe.leaving:
        name = loaded.info.name if loaded.info is not None else ""
        claim = insist(partial(store.claim, facts.slot, name), pipe, settings.drain)
        if claim is None:
            pipe.send(FREE)  # and there may be news of those that could not be read
            unloads = settings.idle_unload and loaded.anything
            idle = max(0.0, since + settings.idle_unload - time.monotonic()) if unloads else None
            if not pipe.wait(idle):
                unload(facts, equipment.engine, loaded)
                pipe.send()
            continue
        pipe.send(HOLDS, claim.job)
        reporter = JobReporter(claim, facts, pipe, settings)
        with suppress(StaleClaim):  # cancelled meanwhile: its row already says so
            problem = attempt(equipment, claim, reporter)
            if problem is not None:
                reporter.fail(problem)
        since = time.monotonic()  # the next claim's word is the news of this one's end


def unload(facts: WorkerFacts, engine: Engine, loaded: LoadedModel) -> None:
    """Nobody has asked for a picture for long: others may want the memory."""
    engine.unload()
    loaded.info, loaded.anything, memory = None, False, of_device()
    with suppress(QueueUnavailable):  # it only says how things are
        facts.state("model", "")
        facts.state(FACT, to_fact(memory) if memory else "")


def attempt(equipment: Equipment, claim: Claim, reporter: JobReporter) -> Problem | None:
    """Paints one job; returns why that failed. Raises StaleClaim, and QueueUnavailable as ``insist`` does."""
    try:
        paint(equipment, claim.blockout, reporter)
    except (StaleClaim, QueueUnavailable):
        raise
    except Leaving:
        reporter.release()
    except Refusal as refusal:
        return refusal.problem()
    except Exception as error:  # whatever an engine raises ends its job, never the queue
        log.exception("job %s failed", claim.job)
        if equipment.gate.asking:  # nobody has said yes
            detail = f"The content filter raised {type(error).__name__}; nothing is kept without it"
            return FilterFailed(detail).problem()
        return PaintingFailed(f"{type(error).__name__}: {error}").problem()
    return None


def paint(equipment: Equipment, blockout: Blockout, reporter: JobReporter) -> None:
    """Loads the model where another or none is in memory, paints, keeps the result."""
    name, loaded = blockout.model, equipment.loaded
    model = reporter.model(name, loaded.adapters)
    if model is None:
        raise NoModel(f"This server no longer offers {name}", fix="Choose one of GET /v1/models.")
    equipment.gate.request(blockout)
    setup = replace(loaded.adapters.setup(blockout), card=loaded.cards.values(model))
    if (loaded.info, loaded.setup) != (model, setup):
        reporter.phase(JobProgress("loading the model"))
    loaded.info, loaded.anything = None, True
    with reporter.busy():  # a download may take longer than a worker is waited for
        equipment.engine.load(model, setup)
    loaded.info, loaded.setup = model, setup
    reporter.start("painting")  # the first step may be long in coming, and nothing loads any more
    files = reporter.pictures()
    painting = equipment.engine.paint(blockout, reporter.report, *handed_over(blockout, files))
    equipment.gate.picture(painting.full, blockout)
    reporter.finish(finished(equipment.finishing, painting, blockout, files.values()))


def finished(finishing: Finishing, painting: Painting, blockout: Blockout, references: Iterable[bytes]) -> Painting:
    """Both files as they are kept. Raises NotSigned."""
    source = source_type(references)
    full = finishing.finished(painting.full, blockout, source)
    same = painting.picture == painting.full
    return replace(
        painting, picture=full if same else finishing.finished(painting.picture, blockout, source), full=full
    )


if __name__ == "__main__":
    sys.exit(main())
