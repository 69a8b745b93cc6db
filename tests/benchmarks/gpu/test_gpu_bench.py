# SPDX-License-Identifier: MIT
"""A rehearsal of the bench of GPUs on tiny networks and a CPU: all rows, in order, within its time."""

import json

import pytest
import torch

from benchmarks.gpu import gpu_bench, real_networks, step_timing
from benchmarks.gpu.real_networks import REAL_NETWORKS

BILLIONS = {"sdxl": 2.57, "klein": 3.88, "flux": 11.9, "sd15": 0.86, "z-image": 6.15, "sd35": 2.24}  # as published


def test_all_rows_are_rehearsed_in_order(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_timing, "TURNS", 1)
    assert gpu_bench.main(["--tiny", "--json", "--seconds", "900", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["left_out"] == {}
    assert [row["name"] for row in document["rows"]] == [real.name for real in REAL_NETWORKS.values()]
    for row in document["rows"]:
        steps = row["steps"]
        assert row["dtype"] == "bfloat16" and row["layers"] > 0
        assert set(steps) == {"plain", "guided", "checkpointed"}
        assert all(step["ms"] > 0 and step["turns"] >= 1 for step in steps.values())
        assert steps["guided"]["peak_gib"] > steps["plain"]["peak_gib"] >= row["weights_gib"]
        assert row["name"] in printed.err  # as soon as it is there


@pytest.mark.parametrize("key", REAL_NETWORKS)
def test_networks_are_as_large_as_they_are_published(key: str) -> None:
    size = real_networks.size_in_bytes(REAL_NETWORKS[key], torch.bfloat16, tiny=False)
    assert size / 2 / 1e9 == pytest.approx(BILLIONS[key], rel=0.06)


def test_a_guided_step_is_the_plain_one_and_a_push() -> None:
    real = REAL_NETWORKS["sdxl"]
    model = real_networks.build(real, "cpu", torch.float32, tiny=True)
    step = step_timing.timed_step(real, model, 64)
    plain, guided = step.plain(), step.guided()
    assert plain.shape == step.latent.shape
    assert torch.equal(plain, step.plain()) and not torch.equal(plain, guided)


def test_it_stops_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_bench.main(["--tiny", "--json", "--seconds", "1"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["rows"] == []
    assert set(document["left_out"].values()) == {"left out, no time"}


def test_what_does_not_fit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_bench, "free_bytes", lambda device: 1000)
    row = gpu_bench.measured(REAL_NETWORKS["klein"], "cpu", torch.bfloat16, 60.0, tiny=True)
    assert isinstance(row, gpu_bench.Leftover)
    assert "GiB of weights" in row.reason
