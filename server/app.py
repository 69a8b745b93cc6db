# SPDX-License-Identifier: MIT
"""Puts the server together: settings and a token in, an ASGI application out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI

from . import answers
from .events import Bell
from .gate import Gate
from .keeper import Keeper
from .problems import QueueUnavailable
from .routes import House, router
from .settings import Settings
from .shelf import Shelf
from .store import Store


def create_app(settings: Settings, token: str) -> FastAPI:
    """The application. Its queue, pictures and worker live from its start-up to its shut-down."""
    app = FastAPI(lifespan=_lifespan(settings), openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(router)
    answers.install(app)
    app.add_middleware(Gate, token=token, max_body=settings.max_body)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store, shelf, bell = Store(settings.database), Shelf(settings.shelf), Bell()
        with suppress(QueueUnavailable):  # housekeeping; what cannot be written now is not needed to start
            store.prune(settings.max_kept)
        shelf.sweep(store.digests())
        keeper = Keeper(settings, store, bell)
        app.state.house = House(settings, store, shelf, bell, keeper)
        keeping = asyncio.create_task(keeper.keep())
        yield
        await keeper.leave()
        await keeping
        store.close()

    return lifespan
