# SPDX-License-Identifier: MIT
"""The figures for Prometheus, and a log for programs: neither tells what was asked for."""

import json
import time

from prometheus_client.parser import text_string_to_metric_families

from tests.server.serving import serving, wait_until


def read(served):
    status, headers, body = served.request("GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = list(text_string_to_metric_families(body.decode()))
    assert all(family.documentation and family.name.startswith("maquette_") for family in families)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_the_figures_follow_the_queue(tmp_path):
    with serving(tmp_path / "home") as served:
        assert read(served)["maquette_jobs", "queued"] == 0
        served.reaches(served.submit(prompt="a secret cat"))
        served.reaches(served.submit(prompt="a cat, raise"))
        figures = read(served)
        assert (figures["maquette_jobs", "done"], figures["maquette_jobs", "failed"]) == (1, 1)
        assert (figures["maquette_workers", "free"], figures["maquette_workers", "busy"]) == (1, 0)
        assert 5 < figures["maquette_process_open_fds",] < 200 and figures["maquette_process_cpu_seconds_total",] > 0
        shelf = sum(path.stat().st_size for path in (served.home / "shelf").iterdir())
        assert figures["maquette_picture_bytes",] == shelf > 0
        assert b"secret" not in served.request("GET", "/metrics")[2]


def test_a_log_for_programs_has_no_word_of_the_prompt(tmp_path):
    with serving(tmp_path / "home", "--log-json") as served:
        served.reaches(served.submit(prompt="a secret cat, raise"))
        served.reaches(served.submit(prompt="a secret cat, die"))
        wait_until(lambda: "a new one starts" in served.output.read_text())
        lines = [json.loads(line) for line in served.output.read_text().splitlines() if line.startswith("{")]
        text = served.output.read_text()
    (failed,) = [line for line in lines if line.get("error") == "ZeroDivisionError"]
    assert failed["logger"] == "__main__" and failed["trace"] and abs(failed["time"] - time.time()) < 600
    assert len(lines) >= 2 and "secret" not in text and "Traceback" not in text
    assert served.connection.token not in text
