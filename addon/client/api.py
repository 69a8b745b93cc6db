# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's client: HTTP/1.1 and server-sent events over asyncio and the standard library. No thread, no bpy.

    client = await connect(read_connection(connection_path()))
    job = await client.submit(blockout, key)
    async for event in client.events(job=job.id): ...

The command line runs it with ``asyncio.run``; the add-on drives the same coroutines from a timer.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlencode

from ..protocol import home_lock
from ..protocol.answers import (
    ENDED,
    VERSION,
    AdapterInfo,
    AdapterKind,
    Connection,
    Event,
    Health,
    Job,
    ModelInfo,
    Problem,
    Scope,
    Stored,
    read_connection,
)
from ..protocol.blockout import Blockout
from ..protocol.model_files import Library
from ..protocol.paths import connection_path
from ..protocol.strict_json import ContractError, UnknownField, dump, load, loads
from . import http
from .exceptions import (
    AddonOlder,
    ClientError,
    Garbled,
    ServerAbsent,
    ServerOlder,
    ServerProblem,
    VersionMismatch,
    WrongToken,
)

T = TypeVar("T")

DOCUMENT_BYTES = 4 * 2**20
PICTURE_BYTES = 64 * 2**20
RETRY_SECONDS = (0.25, 8.0)
START = "Press Start Server, or run maquette serve in a shell."
THERE = "Start the server there, or correct the Address in the add-on's preferences."
MISMATCH = "Bring add-on and server to the same version."
RENEW = "Bring it to the same version: install the newer zip, or Get Extensions › Update."
READING_SECONDS = 900.0  # for the sha256 of a file of some gigabytes, which is read through once
SILENCE_SECONDS = 45.0  # the server says something every 15 s


@dataclass(frozen=True)
class Client:
    """One server, and the right to use it."""

    connection: Connection

    async def health(self) -> Health:
        """How the server is. Raises VersionMismatch before anything else is asked of it."""
        document = await self._json("GET", "/v1/health")
        contract = document.get("contract") if isinstance(document, dict) else None
        if contract != VERSION:
            raise _mismatch(contract)
        return _read(Health, document)

    async def models(self) -> list[ModelInfo]:
        """What it can paint with; the first is its default."""
        return _read_all(ModelInfo, await self._json("GET", "/v1/models"))

    async def library(self) -> Library:
        """What lies in its folders of models; nothing of a server that knows no such folders."""
        try:
            return _read(Library, await self._json("GET", "/v1/library"))
        except ServerProblem as error:
            if error.code != "no-route":
                raise
            return Library()

    async def adapters(self) -> list[AdapterInfo]:
        """The LoRAs, autoencoders and ControlNets that it has; none of a server that knows no such thing."""
        try:
            return _read_all(AdapterInfo, await self._json("GET", "/v1/adapters"))
        except ServerProblem as error:
            if error.code != "no-route":
                raise
            return []

    async def adapter(self, kind: AdapterKind, name: str) -> AdapterInfo:
        """One of them, with its sha256. Raises ServerProblem where it is not there or of no use."""
        query = urlencode({"kind": kind, "name": name})
        request = replace(self._request("GET", f"/v1/adapter?{query}"), seconds=READING_SECONDS)
        return _read(AdapterInfo, _parsed(await self._answer(request, DOCUMENT_BYTES)))

    async def pinned(self, blockout: Blockout) -> Blockout:
        """A request with the sha256 of each file that it names without one, as the server has it."""
        loras = [
            lora if lora.sha256 else replace(lora, sha256=(await self.adapter("lora", lora.name)).sha256)
            for lora in blockout.loras
        ]
        vae = blockout.vae
        if vae is not None and not vae.sha256:
            vae = replace(vae, sha256=(await self.adapter("vae", vae.name)).sha256)
        control = blockout.control
        if control is not None and not control.sha256:
            control = replace(control, sha256=(await self.adapter("controlnet", control.name)).sha256)
        return replace(blockout, loras=tuple(loras), vae=vae, control=control)

    async def submit(self, blockout: Blockout, key: str) -> Job:
        """Queues a blockout. With the same ``key`` a second call answers the first one's job: safe to retry."""
        body = json.dumps(dump(blockout)).encode()
        return _read(Job, await self._json("POST", "/v1/jobs", body, {"Idempotency-Key": key}))

    async def refer(self, png: bytes) -> str:
        """Has the server keep a picture that blockouts refer to, as a PNG file; its sha256. Safe to repeat."""
        request = replace(self._request("POST", "/v1/references", png), kind="image/png")
        return _read(Stored, _parsed(await self._answer(request, DOCUMENT_BYTES))).sha256

    async def job(self, job: str) -> Job:
        """One job as it is now."""
        return _read(Job, await self._json("GET", f"/v1/jobs/{job}"))

    async def jobs(self) -> list[Job]:
        """The latest jobs, newest first."""
        return _read_all(Job, await self._json("GET", "/v1/jobs"))

    async def cancel(self, job: str) -> Job:
        """Cancels one job; takes effect within one step."""
        return _read(Job, await self._json("POST", f"/v1/jobs/{job}/cancel", b""))

    async def move_to_front(self, job: str) -> Job:
        """Makes a waiting job the next to be painted."""
        return _read(Job, await self._json("POST", f"/v1/jobs/{job}/front", b""))

    async def replace(self, job: str, blockout: Blockout, key: str) -> Job:
        """Queues a blockout in the place of a waiting job, which is cancelled; ``key`` is as for ``submit``."""
        body = json.dumps(dump(blockout)).encode()
        return _read(Job, await self._json("POST", f"/v1/jobs/{job}/replace", body, {"Idempotency-Key": key}))

    async def cancel_many(self, scope: Literal["waiting", "all"]) -> list[Job]:
        """Cancels the waiting jobs, or all; returns those it cancelled."""
        body = json.dumps(dump(Scope(scope=scope))).encode()
        return _read_all(Job, await self._json("POST", "/v1/cancel", body))

    async def artifact(self, sha256: str) -> bytes:
        """A picture's bytes."""
        return await self._answer(self._request("GET", f"/v1/artifacts/{sha256}"), PICTURE_BYTES)

    async def events(
        self, after: int | None = None, job: str | None = None, *, patient: bool = True
    ) -> AsyncGenerator[Event, None]:
        """News of one job until it is over, or of all for ever; after the event of that number, or from now on.

        A lost connection is taken up again where it broke, more slowly each time; a server that stays away for
        about half a minute raises ServerAbsent; at once where its caller is not ``patient``, and looks elsewhere.
        """
        path = f"/v1/jobs/{job}/events" if job else "/v1/events"
        cursor = http.EventCursor(after if after is not None or job is None else 0)
        pause, longest = RETRY_SECONDS
        while True:
            try:
                request = self._request("GET", path, extra=cursor.header())
                async for data in http.listen(request, cursor, SILENCE_SECONDS):
                    pause = RETRY_SECONDS[0]
                    event = _read(Event, _parsed(data))
                    yield event
                    if job and event.kind == "state" and event.state in ENDED:
                        return
                if job and (await self.job(job)).state in ENDED:
                    return
            except http.Refused as refused:
                raise _refusal(refused) from refused
            except http.Malformed as error:
                raise Garbled(f"The server's events make no sense: {error}", MISMATCH) from error
            except http.LOST as error:
                if pause > longest or not patient:
                    raise self._absent() from error
            await asyncio.sleep(pause)
            pause *= 2

    def _request(
        self, method: str, path: str, body: bytes | None = None, extra: dict[str, str] | None = None
    ) -> http.Request:
        headers = {"Authorization": f"Bearer {self.connection.token}", **(extra or {})}
        return http.Request(self.connection.address, method, path, headers, body)

    async def _json(
        self, method: str, path: str, body: bytes | None = None, extra: dict[str, str] | None = None
    ) -> object:
        return _parsed(await self._answer(self._request(method, path, body, extra), DOCUMENT_BYTES))

    async def _answer(self, request: http.Request, limit: int) -> bytes:
        try:
            return await http.fetch(request, limit)
        except http.Refused as refused:
            raise _refusal(refused) from refused
        except http.Malformed as error:
            raise Garbled(f"The server's answer makes no sense: {error}", "Is this Maquette's server?") from error
        except http.LOST as error:
            raise self._absent() from error

    def _absent(self) -> ServerAbsent:
        elsewhere = self.connection.version == "unknown"  # an address that somebody typed
        return ServerAbsent(f"No server answers at {self.connection.address}", THERE if elsewhere else START)


async def connect(connection: Connection) -> Client:
    """A client of a server that answers and speaks our version. Raises ServerAbsent, WrongToken, VersionMismatch."""
    client = Client(connection)
    await client.health()
    return client


def find_connection(path: Path | None = None) -> Connection:
    """The running server's connection. Raises ServerAbsent when there is none, Garbled for a file not to be trusted.

    A file whose server died is none, whoever listens at its address now: nobody is asked, nor shown the token.
    """
    path = path or connection_path()
    try:
        connection = read_connection(path)
    except FileNotFoundError as error:
        raise ServerAbsent("No server is running", START) from error
    except OSError as error:
        raise Garbled(f"The connection file cannot be read: {error}", "Stop the server, and start it again.") from error
    except ContractError as error:
        raise Garbled(f"The connection file {error}", "Stop the server, remove the file, start the server.") from error
    if home_lock.is_free(path.parent):
        raise ServerAbsent("No server is running; the last one ended without a word", START)
    return connection


def _mismatch(contract: object) -> VersionMismatch:
    """Which of the two is the older, and how it comes to the same version."""
    if not isinstance(contract, int):
        return VersionMismatch(f"What answers does not speak contract {VERSION}", MISMATCH)
    if contract < VERSION:
        message = f"The server is older than the add-on: it speaks contract {contract}, not {VERSION}"
        fix = "Bring it to the same version: stop it, then Install the Server… (in a clone: git pull, then make demo)."
        return ServerOlder(message, fix)
    return AddonOlder(f"The add-on is older than the server: it speaks contract {VERSION}, not {contract}", RENEW)


def _refusal(refused: http.Refused) -> ClientError:
    if refused.status == 401:
        fix = "It was started anew: try again, or type its new token where an Address is set."
        return WrongToken("The server does not know our token", fix)
    try:
        return ServerProblem(loads(Problem, refused.body), refused.retry_after)
    except ContractError:
        return Garbled(f"The server answered {refused.status} without saying why", "Is this Maquette's server?")


def _parsed(text: str | bytes) -> object:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter for brackets in brackets without end
        raise Garbled(f"The server's answer is no JSON: {error}", "Is this Maquette's server?") from error
    return document


def _read(kind: type[T], document: object) -> T:
    try:
        return load(kind, document)
    except UnknownField as error:
        message = f"The add-on is older than the server: it does not know {error.path} of {error.record}"
        raise AddonOlder(message, RENEW) from error
    except ContractError as error:
        raise Garbled(f"The server's {kind.__name__} is not as agreed: {error}", MISMATCH) from error


def _read_all(kind: type[T], documents: object) -> list[T]:
    if not isinstance(documents, list):
        raise Garbled(f"The server sent no list of {kind.__name__}", MISMATCH)
    return [_read(kind, document) for document in documents]
