# SPDX-License-Identifier: MIT
"""How a refusal, an unknown address or a bug of ours is answered: always as application/problem+json."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from addon.protocol.strict_json import dump

from ..problems import Internal, Invalid, NoRoute, Refusal


def problem_response(refusal: Refusal) -> JSONResponse:
    """The refusal as application/problem+json."""
    document: dict[str, Any] = dump(refusal.problem())
    headers = {**refusal.headers, "X-Content-Type-Options": "nosniff"}
    return JSONResponse(document, refusal.status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    """Teaches the app to answer refusals, unknown addresses and bugs with problem documents."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _bug)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem_response(error)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    return problem_response(Invalid(fault["msg"], path=".".join(map(str, fault["loc"][1:]))))


def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = NoRoute(f"{request.method} {request.url.path}: {error.detail}", headers=dict(error.headers or {}))
    refusal.status = error.status_code
    return problem_response(refusal)


def _gone(request: Request, error: Exception) -> Response:
    """Whoever hangs up in the middle of a request is nobody's error, and reads no answer."""
    return Response(status_code=400)


def _bug(request: Request, error: Exception) -> Response:
    return problem_response(Internal(f"{type(error).__name__} while answering {request.method} {request.url.path}"))
