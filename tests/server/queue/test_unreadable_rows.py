# SPDX-License-Identifier: MIT
"""Rows of another version, or damaged: each fails alone, and hides no other."""

import json
import sqlite3
from contextlib import closing

import pytest

from addon.protocol.strict_json import dump
from tests.server.processes import attempts
from tests.server.serving import blockout, serving


def put(database, job, column, value):
    """Change a row as no server of this version would."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute(f"UPDATE job SET {column} = CAST(? AS TEXT) WHERE id = ?", (value, job))


BODY = json.dumps(dump(blockout())).encode()
UNREADABLE = {
    "of a later version": (
        "blockout",
        json.dumps({**dump(blockout()), "guides": []}),
        "guides: is unknown in Blockout",
    ),
    "of another form": ("blockout", json.dumps({**dump(blockout()), "version": 2}), "version: must lie in 1 to 1"),
    "cut short": ("blockout", "{", "is not JSON"),
    "damaged by a disk": (
        "blockout",
        BODY.replace(b"a cat", b"a \xffat"),
        "is no text",
    ),
    "with a name damaged by a disk": (
        "blockout",
        BODY.replace(b'"prompt"', b'"prom\xfft"'),
        "prom?t: is unknown in Blockout",
    ),
    "of a model damaged by a disk": ("model", b"toy\xff", "model: holds a lone surrogate"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_a_waiting_row_that_cannot_be_read_fails_alone(tmp_path, how):
    home, (column, value, reason) = tmp_path / "home", UNREADABLE[how]
    with serving(home) as served:
        running = served.submit(prompt="a cat ms=100", steps=1000)
        served.reaches(running, "running")
        bad, good = served.submit(seed=1), served.submit(seed=2)
        put(home / "jobs.sqlite", bad, column, value)
        served.json("POST", f"/v1/jobs/{running}/cancel")
        assert served.reaches(good)["state"] == "done"
        failed = served.job(bad)
        assert (failed["state"], failed["problem"]["type"]) == ("failed", "unreadable-job")
        assert reason in failed["problem"]["detail"]
        assert attempts(home, good) == (0, 0) and served.json("GET", "/v1/health")[1]["trouble"] == ""
    assert "Traceback" not in served.output.read_text()


EYE = [{"name": "cat", "by": "eye", "mask": None, "centroid": None, "size": 0.0}]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("achieved", json.dumps(EYE), "achieved.0.by"),
        ("achieved", "[", "achieved: is not JSON"),
        ("problem", '{"type": "new"}', "problem."),
        ("state", "paused", "state: must be one of"),
        ("model", "", "model: length"),
        ("prompt", b"a \xffat", "prompt: holds a lone surrogate"),
        ("problem", b'"\xff', "problem: is not JSON"),
    ],
)
def test_a_finished_row_that_cannot_be_read_hides_no_other(served, column, value, reason):
    bad, good = served.submit(seed=1), served.submit(seed=2)
    assert served.reaches(good)["state"] == "done"
    put(served.home / "jobs.sqlite", bad, column, value)
    listed = {job["id"]: job for job in served.json("GET", "/v1/jobs")[1]}
    assert listed[good]["state"] == "done"
    assert (listed[bad]["state"], listed[bad]["problem"]["type"]) == ("failed", "unreadable-job")
    assert reason in listed[bad]["problem"]["detail"]
    assert listed[bad] == served.job(bad)
    assert {artifact["kind"] for artifact in listed[bad]["artifacts"]} >= {"picture", "full"}
    assert served.json("POST", f"/v1/jobs/{bad}/cancel")[0] == 200


def test_an_event_that_cannot_be_read_silences_no_stream(served):
    job = served.submit(seed=3)
    served.reaches(job)
    with closing(sqlite3.connect(served.home / "jobs.sqlite", isolation_level=None)) as db:
        (first,) = db.execute("SELECT min(id) FROM event WHERE job = ?", (job,)).fetchone()
        for number, body in enumerate(("{", "[]", '{"kind": "aside"}', b'{"kind": "\xff"}')):
            db.execute("UPDATE event SET body = CAST(? AS TEXT) WHERE id = ?", (body, first + number))
    status, _, text = served.request("GET", f"/v1/jobs/{job}/events")
    events = [json.loads(line.removeprefix(b"data: ")) for line in text.splitlines() if line.startswith(b"data: ")]
    assert status == 200 and events[0]["state"] == events[-1]["state"] == "done"
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})
