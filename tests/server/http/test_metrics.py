# SPDX-License-Identifier: MIT
"""The figures for Prometheus, and a log for programs: neither tells what was asked for."""

import json
import re
import time

from tests.server.serving import serving, wait_until

LINE = re.compile(r'maquette_[a-z_]+(\{state="[a-z]+"\})? \d+')


def read(served):
    status, headers, body = served.request("GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = [line for line in body.decode().splitlines() if not line.startswith("# ")]
    assert all(LINE.fullmatch(line) for line in lines)
    return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_the_figures_follow_the_queue(tmp_path):
    with serving(tmp_path / "home") as served:
        assert set(read(served).values()) >= {0}
        served.reaches(served.submit(prompt="a secret cat"))
        served.reaches(served.submit(prompt="a cat, raise"))
        figures = read(served)
        assert (figures['maquette_jobs{state="done"}'], figures['maquette_jobs{state="failed"}']) == (1, 1)
        shelf = sum(path.stat().st_size for path in (served.home / "shelf").iterdir())
        assert figures["maquette_picture_bytes"] == shelf > 0
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
