# SPDX-License-Identifier: MIT
"""The one door: who gets in, and who does not. Each table is a class of holes that other local servers had."""

import json
import socket
from contextlib import suppress
from hashlib import sha256

import pytest
from starlette.routing import Route

from addon.protocol.strict_json import dump
from server.http.app import create_app
from server.http.routes import router, unversioned
from server.settings import ServerSettings
from tests.server.serving import blockout, encoded, wait_until

BODY = encoded(dump(blockout()))


def routes(job="j", digest="0" * 64):
    """Every method and path that the application answers, with something in place of each parameter."""
    app = create_app(ServerSettings(), "token")
    for route in [*app.router.routes, *router.routes, *unversioned.routes]:
        if isinstance(route, Route):
            for method in route.methods:
                yield method, route.path.format(job=job, digest=digest)


ROUTES = sorted(set(routes()))


def test_the_walk_sees_every_route():
    assert len(ROUTES) >= 10
    assert ("POST", "/v1/jobs") in ROUTES
    assert ("GET", "/v1/events") in ROUTES
    assert ("GET", "/metrics") in ROUTES


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic {}", "{}", "bearer {}", "Bearer \xff"])
def test_no_route_answers_without_the_token(served, token):
    for method, path in ROUTES:
        answer, headers, body = served.request(method, path, BODY, Authorization=token.format(served.connection.token))
        if method != "HEAD":
            assert json.loads(body)["type"] == "unauthorised"
        assert (answer, headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/redoc", "/v1", "/v1/../v1/jobs", "/favicon.ico"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_nothing_else_answers_either(served, path, method):
    assert served.request(method, path, Authorization="")[0] == 401
    assert served.request(method, path)[0] in (404, 405)


def test_the_right_token_opens(served):
    assert served.request("GET", "/v1/health")[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
        "[::]",
        "192.168.0.1",
        "localhost.",
        "",
        "127.0.0.1@evil.example",
    ],
)
def test_a_foreign_host_is_refused(served, host):
    """DNS rebinding: the page's own name, pointed at loopback."""
    status, answer = raw(served, "GET /v1/health", f"Host: {host}")
    assert status == 421
    assert b"foreign-host" in answer


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "LOCALHOST:80", "[::1]:8080", "[::1]"])
def test_loopback_by_any_of_its_names(served, host):
    assert raw(served, "GET /v1/health", f"Host: {host}")[0] == 200


def test_two_hosts_are_none(served):
    assert raw(served, "GET /v1/health", "Host: 127.0.0.1", "Host: evil.example")[0] in (400, 421)


@pytest.mark.parametrize(
    "header",
    [
        "Origin: https://evil.example",
        "Origin: null",
        "Origin: ",
        "Origin: http://127.0.0.1",
        "oRiGiN: http://localhost",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: no-cors",
    ],
)
@pytest.mark.parametrize("request_line", ["GET /v1/health", "GET /v1/events", "POST /v1/jobs", "DELETE /v1/jobs"])
def test_a_web_page_is_refused_whatever_it_says(served, request_line, header):
    status, answer = raw(served, request_line, "Host: 127.0.0.1", header)
    assert status == 403
    assert b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""],
)
def test_a_body_that_is_not_json_is_refused(served, kind):
    """What a page may send without asking first."""
    for path in ("/v1/jobs", "/v1/cancel"):
        assert served.request("POST", path, BODY, Content_Type=kind)[0] == 415


@pytest.mark.parametrize("length", ["8388609", "9" * 15, "9" * 400, "-1", "1e3"])
def test_a_large_body_is_refused_before_it_is_read(served, length):
    assert raw(served, "POST /v1/jobs", "Host: 127.0.0.1", f"Content-Length: {length}")[0] in (400, 413)


def test_a_large_body_without_a_length_is_counted(served):
    chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    head = "POST /v1/jobs", "Host: 127.0.0.1", "Content-Type: application/json", "Transfer-Encoding: chunked"
    assert raw(served, *head, body=chunk * 9)[0] == 413


@pytest.mark.parametrize(
    "digest",
    [
        "..%2f..%2fconnection.json",
        "../connection.json",
        "%2e%2e/connection.json",
        "..%5cconnection.json",
        "%2fetc%2fpasswd",
        "0" * 63 + "%00",
        "0" * 63 + "G",
        "A" * 64,
        "%D9%A0" * 64,
        "",
    ],
)
def test_no_path_leads_out_of_the_shelf(served, digest):
    status, _, body = served.request("GET", f"/v1/artifacts/{digest}")
    assert status == 404
    assert served.connection.token.encode() not in body


def test_a_link_on_the_shelf_is_not_followed_without_a_job_that_made_it(served):
    name = sha256(b"planted").hexdigest()
    (served.home / "shelf").mkdir(exist_ok=True)
    (served.home / "shelf" / name).symlink_to(served.home / "connection.json")
    assert served.request("GET", f"/v1/artifacts/{name}")[0] == 404


def test_pictures_come_as_pictures_only(served):
    job = json.loads(served.request("POST", "/v1/jobs", BODY)[2])
    wait_until(lambda: json.loads(served.request("GET", f"/v1/jobs/{job['id']}")[2])["state"] == "done")
    done = json.loads(served.request("GET", f"/v1/jobs/{job['id']}")[2])
    _, headers, body = served.request("GET", f"/v1/artifacts/{done['artifacts'][0]['sha256']}")
    assert body.startswith(b"\x89PNG")
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "attachment"
    assert headers["Content-Security-Policy"].startswith("sandbox")


def test_reading_changes_nothing(served):
    """Every GET leaves the queue byte for byte as it was."""
    job = json.loads(served.request("POST", "/v1/jobs", BODY)[2])["id"]
    wait_until(lambda: json.loads(served.request("GET", f"/v1/jobs/{job}")[2])["state"] == "done")
    before = contents(served)
    assert before
    for method, path in set(routes(job)):
        if method == "GET" and path != "/v1/events":  # which never ends
            served.request(method, path)
    assert contents(served) == before


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"prompt": ' * 50_000,
        b"\xff\xfe",
        b'{"seed": 1' + b"0" * 100_000 + b"}",
        BODY.replace(b'"seed": 7', b'"seed": NaN'),
        BODY.replace(b'"strength": 0.7', b'"strength": Infinity'),
        BODY.replace(b"a cat", b"a" * 3000),
    ],
)
def test_hostile_json_is_refused_quickly(served, body):
    assert served.request("POST", "/v1/jobs", body)[0] in (413, 422)
    assert served.request("GET", "/v1/health")[0] == 200


def contents(served):
    return {path.name: path.read_bytes() for path in served.home.iterdir() if path.name.startswith("jobs.sqlite")}


def raw(served, request_line, *headers, body=b""):
    """A request as written, with the token: status and the whole answer."""
    token = f"Authorization: Bearer {served.connection.token}"
    head = "\r\n".join([f"{request_line} HTTP/1.1", token, "Connection: close", *headers, "", ""])
    host, port = served.connection.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as link:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may hang up as soon as it has answered
            link.sendall(head.encode("latin-1") + body)
        answer = b""
        while part := received(link):
            answer += part
    return int(answer.split()[1]), answer


def received(link):
    try:
        return link.recv(65536)
    except ConnectionResetError:
        return b""
