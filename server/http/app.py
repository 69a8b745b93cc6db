# SPDX-License-Identifier: MIT
"""Puts the server together: settings and a token in, an ASGI application out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from ..problems import QueueUnavailable
from ..queue.signal import Signal
from ..queue.store import Store
from ..settings import ServerSettings
from ..worker.pool import WorkerPool
from ..worker.reporter import OF_A_PROCESS
from . import error_responses
from .event_log import EventLog
from .gate import Gate
from .offers import Offers
from .routes import Services, router, unversioned

PRUNE_SECONDS = 1.0  # from news to a look at how much is kept


def create_app(settings: ServerSettings, token: str) -> FastAPI:
    """The application. Its queue, pictures and worker live from its start-up to its shut-down."""
    app = FastAPI(lifespan=_lifespan(settings), openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(router)
    app.include_router(unversioned)
    error_responses.install(app)
    app.add_middleware(Gate, token=token, max_body=settings.max_body)
    return app


def _lifespan(settings: ServerSettings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Queue, pictures and workers, from start-up to shut-down."""
        store, signal, newest = Store(settings.database), Signal(), 0
        with suppress(QueueUnavailable):  # what cannot be cleared now is not needed to start
            newest = store.last_event()
            store.put_back("restart")  # all workers' jobs: no answer shows one in hand of a worker that is gone
            store.forget_facts(OF_A_PROCESS)  # the workers to come may compute on something else
            store.sweep()
        pool, events = WorkerPool(settings, store, signal), EventLog(store, signal, newest)
        offers = Offers.of(settings, store)
        offers.library.start()
        app.state.services = Services(settings, store, signal, events, pool, offers)
        tasks = [asyncio.create_task(task) for task in (pool.keep(), events.follow(), keep_bounds(app))]
        yield
        offers.stop()
        await pool.leave()
        signal.close()
        await asyncio.gather(*tasks)
        store.close()

    return lifespan


async def keep_bounds(app: FastAPI) -> None:
    """Forgets the oldest jobs once there are too many, a while after news of any, until the signal is closed."""
    services: Services = app.state.services
    settings, signal = services.settings, services.signal
    while not signal.closed:
        news = signal.next()
        forgotten = 0
        with suppress(QueueUnavailable, OSError):  # the next piece of news brings it up again
            forgotten = await run_in_threadpool(services.store.prune, settings.max_kept, settings.max_bytes)
        if not forgotten:
            await news.wait()
            await asyncio.sleep(0 if signal.closed else PRUNE_SECONDS)
