# SPDX-License-Identifier: MIT
"""What a submit is compared with: a FastAPI route that validates the same record and commits one row.

``python -m benchmarks.serving.comparison FOLDER`` serves it until it is killed, and writes its port to the folder.
"""

import json
import sqlite3
import sys
import threading
from pathlib import Path
from socket import create_server

import uvicorn
from fastapi import FastAPI, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from addon.protocol.blockout import Blockout
from benchmarks.serving.server_process import send_at_once


def application(database: Path) -> FastAPI:
    """One route."""
    app, records, lock = FastAPI(), TypeAdapter(Blockout), threading.Lock()
    db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE job (id TEXT, body TEXT)")

    def commit(body: bytes) -> None:
        blockout = records.validate_json(body)
        with lock:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO job VALUES (?, ?)", (blockout.prompt, body.decode()))
            db.execute("COMMIT")

    async def read(request: Request) -> bytes:
        return await request.body()

    def answer(body: bytes) -> Response:
        commit(body)
        return JSONResponse({"id": "a" * 32}, 201)

    async def submit(request: Request) -> Response:
        return await run_in_threadpool(answer, await read(request))

    app.add_api_route("/jobs", submit, methods=["POST"])
    return app


def main(folder: Path) -> None:
    """Serves until it is killed."""
    listener = send_at_once(create_server(("127.0.0.1", 0)))
    config = uvicorn.Config(application(folder / "rows.sqlite"), access_log=False, log_level="warning")
    port = folder / "new-port"
    port.write_text(json.dumps(listener.getsockname()[1]))
    port.replace(folder / "port")
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
