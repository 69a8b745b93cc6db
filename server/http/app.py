# SPDX-License-Identifier: MIT
"""Puts the server together: settings and a token in, an ASGI application out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI

from ..adapters import AdapterCatalogue
from ..problems import QueueUnavailable
from ..queue.artifacts import ArtifactStore
from ..queue.signal import Signal
from ..queue.store import Store
from ..settings import ServerSettings
from ..worker.supervisor import Supervisor
from . import error_responses
from .gate import Gate
from .routes import Services, router


def create_app(settings: ServerSettings, token: str) -> FastAPI:
    """The application. Its queue, pictures and worker live from its start-up to its shut-down."""
    app = FastAPI(lifespan=_lifespan(settings), openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(router)
    error_responses.install(app)
    app.add_middleware(Gate, token=token, max_body=settings.max_body)
    return app


def _lifespan(settings: ServerSettings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store, artifacts, signal = Store(settings.database), ArtifactStore(settings.artifacts), Signal()
        with suppress(QueueUnavailable):  # housekeeping; what cannot be written now is not needed to start
            store.prune(settings.max_kept)
        artifacts.sweep(store.digests())
        supervisor = Supervisor(settings, store, signal)
        adapters = AdapterCatalogue(settings.adapters, settings.models, settings.checksums)
        app.state.services = Services(settings, store, artifacts, signal, supervisor, adapters)
        keeping = asyncio.create_task(supervisor.keep())
        yield
        await supervisor.leave()
        await keeping
        store.close()

    return lifespan
