# SPDX-License-Identifier: MIT
"""The addresses. Handlers that touch the disk are plain functions, which FastAPI runs off the event loop."""

import secrets
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from addon.protocol.answers import AdapterKind, Scope, Stored
from addon.protocol.blockout import Blockout
from addon.protocol.png import SIGNATURE
from addon.protocol.strict_json import dump

from ..models.weighing import weighed
from ..problems import (
    Invalid,
    NotJson,
    UnknownArtifact,
    UnknownReference,
)
from ..queue.signal import Signal
from ..queue.store import Store
from ..settings import ServerSettings
from ..worker.memory import FACT, from_fact, of_machine, precisions
from ..worker.pool import WorkerPool
from .admission import affordable, is_same_request, refuse_changed, validated
from .event_log import EventLog
from .event_stream import EventResponse, all_events, events_of
from .health import device_memory, health_of
from .metrics import MEDIA_TYPE, ServerFigures, exposition, worker_states
from .offers import Offers

router = APIRouter(prefix="/v1")
unversioned = APIRouter()

_BLOCKOUT = TypeAdapter(Blockout)
_SCOPE = TypeAdapter(Scope)
_NO_SNIFFING = {
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=31536000, immutable",
}


@dataclass(frozen=True)
class Services:
    """What the handlers work with."""

    settings: ServerSettings
    store: Store
    signal: Signal
    events: EventLog
    pool: WorkerPool
    offers: Offers


async def services(request: Request) -> Services:
    """What the application was put together from, for a handler. FastAPI would send a plain function to a thread."""
    attached: Services = request.app.state.services
    return attached


async def json_body(request: Request) -> bytes:
    """The raw body of a request that calls itself JSON. Raises NotJson: a form or plain text may come from any page;
    and ClientDisconnect, which error_responses knows."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson("The body must be sent as application/json")
    return await request.body()


async def png_body(request: Request) -> bytes:
    """The raw body of a request, a PNG file. Raises NotJson for one that does not call itself so, UnknownReference."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "image/png":
        raise NotJson("The picture must be sent as image/png", fix="Send Content-Type: image/png.")
    body = await request.body()
    if not body.startswith(SIGNATURE):
        raise UnknownReference("What was sent is no PNG file", fix="Save the picture as PNG, and send that.")
    return body


In = Annotated[Services, Depends(services)]
Body = Annotated[bytes, Depends(json_body)]
PngBody = Annotated[bytes, Depends(png_body)]


@router.post("/jobs")
def submit(services: In, body: Body, idempotency_key: Annotated[str | None, Header()] = None) -> Response:
    """Queues a blockout: 201 and the job; 200 and the same job when the key was seen before."""
    return _submitted(services, body, idempotency_key)


@router.post("/jobs/{job}/replace")
def replace(services: In, job: str, body: Body, idempotency_key: Annotated[str | None, Header()] = None) -> Response:
    """Queues a blockout in the place of a waiting job, which is cancelled; answers as for a new one."""
    return _submitted(services, body, idempotency_key, instead=job)


def _submitted(services: Services, body: bytes, idempotency_key: str | None, instead: str | None = None) -> Response:
    key = idempotency_key or secrets.token_hex(16)
    if not 1 <= len(key) <= 200:
        raise Invalid("An Idempotency-Key has 1 to 200 characters")
    blockout = validated(_BLOCKOUT, body)
    earlier = services.store.submitted(key) if idempotency_key else None
    if earlier is not None and is_same_request(blockout, earlier[1]):  # whatever is on offer by now
        return JSONResponse(dump(earlier[0]), 200, {"Location": f"/v1/jobs/{earlier[0].id}"})
    model = services.offers.find(blockout.model)
    refuse_changed(blockout, services.offers.fingerprint(model))
    blockout = services.offers.catalogue().pinned(blockout, model)
    services.offers.state(model)
    affordable(blockout, model)
    job, created = services.store.submit(blockout, key, services.settings.max_queued, instead)
    services.pool.wake()
    services.signal.notify()
    return JSONResponse(dump(job), 201 if created else 200, {"Location": f"/v1/jobs/{job.id}"})


@router.post("/references")
def refer(services: In, png: PngBody) -> Response:
    """Keeps a picture for blockouts to refer to, for as long as a job does."""
    return JSONResponse(dump(Stored(sha256=services.store.keep(png))), 201)


@router.get("/jobs")
def jobs(services: In, limit: int = 50) -> Response:
    """The latest jobs, newest first; at most 200."""
    if not 1 <= limit <= 200:
        raise Invalid("limit must lie in 1 to 200", path="limit")
    return JSONResponse([dump(job) for job in services.store.jobs(limit)])


@router.get("/jobs/{job}")
def one_job(services: In, job: str) -> Response:
    """One job: always the truth, where events are only hints."""
    return JSONResponse(dump(services.store.job(job)))


@router.post("/jobs/{job}/cancel")
def cancel(services: In, job: str) -> Response:
    """Cancels one job; a job that is over stays as it is."""
    cancelled = services.store.cancel(job)
    services.pool.cancelled(job)
    services.signal.notify()
    return JSONResponse(dump(cancelled))


@router.post("/jobs/{job}/front")
def move_to_front(services: In, job: str) -> Response:
    """Makes a waiting job the next to be painted."""
    moved = services.store.move_to_front(job)
    services.signal.notify()
    return JSONResponse(dump(moved))


@router.post("/cancel")
def cancel_many(services: In, body: Body) -> Response:
    """Cancels the waiting jobs, or all; answers those it cancelled."""
    scope = validated(_SCOPE, body)
    cancelled = services.store.cancel_many(waiting_only=scope.scope == "waiting")
    for job in cancelled:
        services.pool.cancelled(job.id)
    services.signal.notify()
    return JSONResponse([dump(job) for job in cancelled])


@router.get("/events")
async def events(services: In, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """News of every job, after Last-Event-ID or from now on; a number that is not reached yet is another queue's."""
    newest = await run_in_threadpool(services.store.last_event)
    after = newest if last_event_id is None else min(newest, _number(last_event_id))
    return EventResponse(services.signal, services.settings.max_streams, all_events(services.events, after))


@router.get("/jobs/{job}/events")
async def job_events(services: In, job: str, last_event_id: Annotated[str, Header()] = "0") -> Response:
    """News of one job, from its beginning or after Last-Event-ID, until it is over."""
    await run_in_threadpool(services.store.job, job)
    newest = await run_in_threadpool(services.store.last_event)
    after = number if (number := _number(last_event_id)) <= newest else 0
    text = events_of(services.store, services.events, after, job)
    return EventResponse(services.signal, services.settings.max_streams, text)


@router.get("/artifacts/{digest}")
def artifact(services: In, digest: str) -> Response:
    """A picture by its sha256."""
    media_type = services.store.media_type(digest)
    if media_type is None or services.store.artifacts.find(digest) is None:
        raise UnknownArtifact("There is no picture of that digest")
    content = services.store.artifacts.content(digest)  # read here: it may be deleted before an answer begins
    if content is None:
        raise UnknownArtifact("The picture of that digest was damaged on the server's disk, or has just gone")
    return Response(content, headers=_NO_SNIFFING, media_type=media_type)


@router.get("/models")
def models(services: In) -> Response:
    """The models this server offers; the first is its default."""
    precision = precisions(services.store.facts())
    stated = (replace_fields(model, precision=precision.get(model.name, "")) for model in services.offers.all())
    return JSONResponse([dump(model) for model in stated])


@router.get("/library")
def library(services: In) -> Response:
    """What lies in the folders of models, what of it fits the device, and why the rest cannot be painted with."""
    memory = from_fact(services.store.facts().get(FACT, ""))
    offers, total = services.offers, (memory or of_machine()).total
    named, on_gpu = offers.settings.models, bool(memory)
    return JSONResponse(dump(weighed(offers.library, named, offers.needs, offers.cards, total, on_gpu=on_gpu)))


@router.get("/adapters")
def adapters(services: In) -> Response:
    """The LoRAs and autoencoders that are there now; the sha256 of those that were asked for before."""
    return JSONResponse([dump(adapter.info) for adapter in services.offers.catalogue().all()])


@router.get("/adapter")
def one_adapter(services: In, kind: AdapterKind, name: str) -> Response:
    """One of them, with its sha256, which may take a second where nobody asked before."""
    catalogue = services.offers.catalogue()
    return JSONResponse(dump(catalogue.described(catalogue.find(kind, name))))


@router.get("/health")
def health(services: In) -> Response:
    """How the server is."""
    return JSONResponse(dump(health_of(services.store, services.pool)))


@unversioned.get("/metrics")
def metrics(services: In) -> Response:
    """The same for Prometheus."""
    (jobs, picture_bytes), memory = services.store.totals(), device_memory(services.store.facts())
    figures = ServerFigures(
        jobs=jobs,
        workers=worker_states(services.pool.supervisors),
        listeners=services.signal.listeners,
        trouble=bool(services.pool.trouble),
        memory=memory.total,
        memory_free=memory.free,
        picture_bytes=picture_bytes,
    )
    return Response(exposition(figures), headers={"X-Content-Type-Options": "nosniff"}, media_type=MEDIA_TYPE)


def _number(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 16):
        raise Invalid("Last-Event-ID must be the number of an event", path="Last-Event-ID")
    return int(last_event_id)
