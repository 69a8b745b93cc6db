# SPDX-License-Identifier: MIT
"""A batch's pictures painted by actors of a Ray cluster, one model each.

A row is a request with the key of its content: it is painted by whoever is free, its picture is written by the batch
alone, and only then is it on the manifest. So a row may be painted twice and never harms another. An actor that dies,
with its node or alone, costs the row that it had in hand: another paints that, and a new actor takes its place where
there is room.
"""

import asyncio
import io
import json
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, TextIO

from pydantic import TypeAdapter

from addon.protocol.answers import Achieved, ModelInfo, Problem
from addon.protocol.blockout import Blockout
from addon.protocol.step_counts import all_steps
from addon.protocol.strict_json import dump, loads

from ...adapters import AdapterCatalogue, files_of
from ...cli.following import NotPainted, PaintedPicture, ServerLost
from ...errors import CommandError
from ...http.admission import refuse_changed
from ...models.card_files import CardFiles
from ...problems import Refusal
from ...settings import ServerSettings
from .paint_actor import ActorAnswer, PaintActor

LOCAL = "local"
LOOPBACK = ("127.0.0.1", "localhost")
TRIES = 3  # of a row, each with another actor
FAULT = 500  # a status below it says that the request is wrong, wherever it is painted
QUEUED_ROWS = 1  # rows that wait beside those being painted, so that no actor does
PATIENCE = 300.0  # seconds without any actor
ENVIRONMENT: Mapping[str, str] = MappingProxyType(  # before Ray is imported, which reads it then
    {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_DEDUP_LOGS": "0",  # what it sums up at its end it says on standard output, amid lines of JSON
    }
)
# Ray 2.60 takes 127.0.0.1 for the machine's own address, and listens on all of them, unless clusters are off.
LOOPBACK_ENVIRONMENT: Mapping[str, str] = MappingProxyType({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"})


class NoRay(CommandError):
    """Ray is not installed here."""

    def __init__(self) -> None:
        super().__init__("Ray is not installed here: pip install 'maquette[cluster]', on every machine of the cluster")


class NoCluster(ServerLost):
    """No cluster answers at the address, or none that knows our token."""


class OwnOutput(io.TextIOBase):
    """Standard output for the main thread alone. Ray prints from one of its own what becomes of actors, amid what
    programs read; that goes to standard error."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, text: str) -> int:
        """How many letters were written."""
        return self._stream().write(text)

    def flush(self) -> None:
        """What was written is there."""
        self._stream().flush()

    def isatty(self) -> bool:
        """Whether people read it."""
        return self._output.isatty()

    def _stream(self) -> TextIO:
        return self._output if threading.current_thread() is threading.main_thread() else sys.stderr


@dataclass
class RayCluster:
    """Actors and whoever is free of them. ``settings`` say which engine and models they have."""

    settings: ServerSettings
    size: int
    ray: Any
    waiting: Callable[[str], None] = lambda reason: None
    free: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    alive: int = 0
    hiring: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        files, models = CardFiles(self.settings.cards), self.settings.models
        self._stated = files.stated(models)
        self._cards = {model.name: files.values(model) for model in models}

    @property
    def ahead(self) -> int:
        """One row for each actor, and some that wait."""
        return self.size + QUEUED_ROWS

    def on_waiting(self, hear: Callable[[str], None]) -> None:
        """Have ``hear`` told why nothing goes on, and "" once it does."""
        self.waiting = hear

    def models(self) -> Coroutine[Any, Any, Sequence[ModelInfo]]:
        """Those that the actors have."""
        return asyncio.sleep(0, self._stated)  # known already

    async def pinned(self, blockout: Blockout) -> Blockout:
        """As the files that are here say it. Raises NotPainted."""
        return await asyncio.to_thread(self._pinned, blockout)  # it reads them, and they are large

    def _pinned(self, blockout: Blockout) -> Blockout:
        model = next((model for model in self._stated if model.name == blockout.model), None)
        if model is None:
            return blockout
        try:
            refuse_changed(blockout, model.fingerprint)
            if not files_of(blockout):
                return blockout
            catalogue = AdapterCatalogue(self.settings.adapters, self.settings.models, self.settings.checksums)
            return catalogue.pinned(blockout, model)
        except Refusal as refusal:
            raise NotPainted(_sentence(refusal.problem())) from refusal

    async def picture_of(
        self, blockout: Blockout, key: str, watch: Callable[[int], None], references: Sequence[bytes] = ()
    ) -> PaintedPicture:
        """By any actor; by another where one dies or fails. Raises NotPainted, ServerLost."""
        reason = ""
        for _ in range(TRIES):
            actor = await self._free_actor(reason)
            answer = await self._answer(actor, json.dumps(dump(blockout)), references)
            problem = loads(Problem, answer.problem) if answer.problem else None
            if problem is None:
                watch(all_steps(blockout))
                return PaintedPicture(answer.png, key, loads(tuple[Achieved, ...], answer.achieved))
            reason = _sentence(problem)
            if problem.status < FAULT:
                break
        raise NotPainted(reason)

    async def _answer(self, actor: Any, request: str, references: Sequence[bytes]) -> ActorAnswer:
        """What an actor says; one that dies is replaced."""
        try:
            answer: ActorAnswer = await actor.paint.remote(request, tuple(references))
        except self.ray.exceptions.RayTaskError as error:  # what the engine raised; the actor lives
            answer = _failed("painting-failed", "Painting failed", error)
        except self.ray.exceptions.RayError as error:
            self.alive -= 1
            self.hire()
            return _failed("worker-lost", "A machine was lost", error)
        except asyncio.CancelledError:
            self.ray.kill(actor)  # nobody waits for its picture
            raise
        self.free.put_nowait(actor)
        return answer

    async def _free_actor(self, reason: str) -> Any:
        """An actor that has nothing to do. Raises ServerLost where there is none for long."""
        if not self.alive:
            self.waiting(reason or "no machine of the cluster is ready yet")
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    actor = await self.free.get()
            except TimeoutError:
                if self.alive:
                    continue  # all of them are busy
                words = f"No machine of the cluster took the work for {PATIENCE:.0f} seconds. {reason}"
                raise NoCluster(words) from None
            if isinstance(actor, BaseException):
                raise actor
            self.waiting("")
            return actor

    def hire(self) -> None:
        """One more actor, as soon as the cluster has room for it."""
        task = asyncio.ensure_future(self._hire())
        self.hiring.add(task)
        task.add_done_callback(self._hired)

    def _hired(self, task: "asyncio.Task[None]") -> None:
        self.hiring.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.free.put_nowait(error)  # a bug of ours, which whoever waits for an actor is to meet

    async def _hire(self) -> None:
        gpus = 1 if self.ray.cluster_resources().get("GPU") else 0
        kind = self.ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(PaintActor)
        actor = kind.remote(TypeAdapter(ServerSettings).dump_json(self.settings).decode(), self._cards)
        try:
            await actor.ready.remote()
        except self.ray.exceptions.RayError as error:
            self.waiting(f"an actor does not start: {_words(error)}")
            await asyncio.sleep(1.0)
            self.hire()
            return
        self.alive += 1
        self.free.put_nowait(actor)

    async def dismiss(self) -> None:
        """Start no more of them."""
        for task in self.hiring:
            task.cancel()
        await asyncio.gather(*self.hiring, return_exceptions=True)


@asynccontextmanager
async def ray_cluster(address: str, settings: ServerSettings, actors: int = 0) -> AsyncIterator[RayCluster]:
    """A cluster's actors, for as long as the block lasts: so many, else one a GPU, else one a machine.

    ``address`` is a running cluster's, or "local" for one of this machine's own, on loopback, with a token of its own.
    Raises NoRay, NoCluster.
    """
    ray = _connected(address, actors)
    output = sys.stdout
    try:
        sys.stdout = OwnOutput(output)
        cluster = RayCluster(settings, actors or _machines(ray), ray)
        for _ in range(cluster.size):
            cluster.hire()
        try:
            yield cluster
        finally:
            await cluster.dismiss()
    finally:
        sys.stdout = output
        ray.shutdown()


def _connected(address: str, actors: int) -> Any:
    """Ray, connected. Raises NoRay, NoCluster."""
    if find_spec("ray") is None:
        raise NoRay
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if address.partition(":")[0] in (LOCAL, *LOOPBACK):
        os.environ |= LOOPBACK_ENVIRONMENT
    if address == LOCAL:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    own: dict[str, Any] = {}
    if address == LOCAL:
        own = {"include_dashboard": False, "num_cpus": max(actors, os.cpu_count() or 1)}
    try:
        ray.init(address=address, **quiet, **own)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise NoCluster(f"No cluster can be used at {address}: {_words(error)}") from error
    return ray


def _machines(ray: Any) -> int:
    gpus = int(ray.cluster_resources().get("GPU", 0))
    return gpus or max(1, sum(bool(node["Alive"]) for node in ray.nodes()))


def _failed(code: str, title: str, error: Exception) -> ActorAnswer:
    """As if the actor had said so."""
    problem = Problem(type=code, title=title, status=FAULT, detail=f"{_words(error)}.", fix="")
    return ActorAnswer(problem=json.dumps(dump(problem)))


def _words(error: Exception) -> str:
    """The cause of an error in a line, around which Ray has pages."""
    cause = getattr(error, "cause", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")


def _sentence(problem: Problem) -> str:
    return f"{problem.title}: {problem.detail} {problem.fix}".strip()
