# SPDX-License-Identifier: MIT
"""The server bench, in little; and its rounds of crashes and damaged requests, at length."""

import json

import pytest

from benchmarks.serving.crashes import crash_rounds
from benchmarks.serving.fuzz import fuzzed
from benchmarks.serving.soak import growth, soak
from benchmarks.serving.verb import main

LITTLE = "--json --turns 5 --jobs 20 --listeners 5 --seconds 1 --rounds 2 --fuzz 80 --silent 400"


@pytest.mark.timeout(300)
def test_every_figure_is_there(capsys):
    assert main(LITTLE.split()) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["submit_p95_ms"].keys() == {"new", "kept", "fastapi_new", "fastapi_kept"}
    assert all(value > 0 for value in figures["submit_p95_ms"].values())
    assert min(figures[name] for name in ("jobs_per_s", "sse_p95_ms", "silent_connections_health_ms", "jobs")) > 0
    assert (figures["kill_rounds"], figures["fuzz"]) == (2, sum(figures["codes"].values()))
    assert [figures[name] for name in ("lost", "doubled", "innocent_failures", "five_hundreds")] == [0, 0, 0, 0]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_kills_lose_nothing(tmp_path):
    record = crash_rounds(tmp_path, 100)
    assert (record["lost"], record["doubled"], record["innocent_failures"]) == (0, 0, 0) and record["jobs"] > 100


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_server_that_is_left_running_stays_as_large_as_it_is(tmp_path):
    """By the bench's flag for 10,000 jobs: maquette bench server --soak 10000."""
    samples = soak(tmp_path, 2000)
    assert [sample.jobs for sample in samples][-1] == 2000
    grown = growth(samples)
    assert (grown["rows"], grown["files"]) == (0.0, 0.0), samples
    assert grown["descriptors"] <= 0.1 and grown["memory"] <= 0.1 and grown["disk"] <= 0.25, samples


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_damaged_requests_meet_no_bug(tmp_path):
    assert fuzzed(tmp_path, 10_000)["five_hundreds"] == 0
