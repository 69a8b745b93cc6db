# SPDX-License-Identifier: MIT
"""Batches on Ray: this machine's own cluster, and one of two nodes, of which one is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from server.batch.cluster.ray_cluster import RayCluster
from server.batch.manifest import read_rows
from server.catalogue import offered
from server.cli.following import NotPainted
from server.cli.main import main
from server.settings import ServerSettings
from tests.server.batch.batches import requests
from tests.server.batch.cluster.listeners import descendants, environment, listening
from tests.server.serving import ROOT, blockout, wait_until

ENGINE = "tests.server.batch.cluster.engines:WaitingEngine"
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'maquette[cluster]'")
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """The rows that any actor has begun so far: (process, seed)."""
    log = tmp_path / "begun"
    monkeypatch.setenv("MAQUETTE_TEST_LOG", str(log))

    def read() -> list[tuple[int, int]]:
        lines = log.read_text().splitlines() if log.exists() else []
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]

    return read


def painting(out: Path, folders: list[Path], *words: str) -> "subprocess.Popen[str]":
    """A batch of its own process, which ends its cluster with itself."""
    line = [
        sys.executable,
        "-m",
        "server",
        "paint",
        *map(str, folders),
        "--out",
        str(out),
        "--engine",
        ENGINE,
        "--json",
    ]
    return subprocess.Popen([*line, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]", seconds: float = 400) -> tuple[int, list[dict], str]:
    """Its exit code, its news and its complaints."""
    with process:
        try:
            said, complaints = process.communicate(timeout=seconds)
        finally:
            process.kill()
    return process.returncode, [json.loads(line) for line in said.splitlines()], complaints


def test_without_ray_it_is_said(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("server.batch.cluster.ray_cluster.find_spec", lambda name: None)
    assert main(["paint", str(requests(tmp_path / "in", 1)), "--ray", "local", "--out", str(tmp_path / "out")]) == 1
    assert "pip install 'maquette[cluster]'" in capsys.readouterr().err


def test_cards_of_one_s_own_count_as_they_do_behind_a_server(tmp_path) -> None:
    (tmp_path / "cards").mkdir()
    settings = ServerSettings(home=tmp_path / "home", models=offered(()), cards=tmp_path / "cards")
    (plain,) = asyncio.run(models_of(settings))
    (tmp_path / "cards" / "mine.toml").write_text('[model.toybox]\nsteps = 5\nlayers = ["mid_block"]\n')
    (own,) = asyncio.run(models_of(settings))
    assert own.steps == 5 and own.fingerprint not in ("", plain.fingerprint)


def test_a_request_of_a_model_that_has_changed_is_refused(tmp_path) -> None:
    settings = ServerSettings(home=tmp_path / "home", models=offered(()), cards=tmp_path)
    cluster = RayCluster(settings, 1, None)
    (model,) = settings.models
    same = replace(blockout(), model=model.name, fingerprint=model.fingerprint)
    assert asyncio.run(cluster.pinned(same)) == same
    with pytest.raises(NotPainted, match="have changed since this request was painted"):
        asyncio.run(cluster.pinned(replace(same, fingerprint="0" * 64)))


async def models_of(settings: ServerSettings):
    return await RayCluster(settings, 1, None).models()


@needs_ray
def test_a_batch_is_painted_resumed_and_private(tmp_path, begun) -> None:
    folder, out = requests(tmp_path / "in", 1), tmp_path / "out"
    bad = requests(tmp_path / "bad", 1, prompt="a cat to raise")
    (bad / "cats").rename(bad / "dogs")
    process = painting(out, [folder, bad], "--ray", "local", "--actors", "2", "--seeds", "1-6")
    code, news, complaints = ended(process)
    assert code == 1, complaints
    assert {item["name"][:4] for item in news if item["event"] == "failed"} == {"dogs"}
    assert "as asked" in next(item["reason"] for item in news if item["event"] == "failed")
    assert len(read_rows(out)) == 6
    before = len(begun())
    assert before == 6 + 6 * 3  # what fails is tried elsewhere, three times in all
    again = painting(out, [folder], "--ray", "local", "--actors", "1", "--seeds", "1-6")
    assert ended(again)[0] == 0
    assert len(begun()) == before and len(read_rows(out)) == 6


@needs_ray
def test_an_actor_that_is_killed_costs_its_own_row_at_most_and_nobody_else_gets_in(tmp_path, begun) -> None:
    folder, out = requests(tmp_path / "in", 1, prompt="a cat wait=1000"), tmp_path / "out"
    process = painting(out, [folder], "--ray", "local", "--actors", "2", "--seeds", "1-12")
    wait_until(lambda: len(begun()) >= 4, 300)
    family = descendants(process.pid)
    assert listening(family | {process.pid}) == {"127.0.0.1"}
    core = [pid for pid in family if Path(f"/proc/{pid}/comm").read_text().strip() in ("gcs_server", "raylet")]
    assert [environment(pid).get("RAY_AUTH_MODE") for pid in core] == ["token", "token"]
    os.kill(begun()[-1][0], signal.SIGKILL)
    code, _, complaints = ended(process)
    assert code == 0, complaints
    painted = [seed for _, seed in begun()]
    assert sorted(set(painted)) == list(range(1, 13)) and len(read_rows(out)) == 12
    assert len(painted) <= 13


@needs_ray
def test_a_row_that_kills_every_actor_hinders_no_other(tmp_path, begun) -> None:
    poison = requests(tmp_path / "poison", 1, prompt="a cat of poison")
    folder, out = requests(tmp_path / "in", 2), tmp_path / "out"
    (poison / "cats").rename(poison / "dogs")
    process = painting(out, [poison, folder], "--ray", "local", "--actors", "1")
    code, news, complaints = ended(process)
    assert code == 1, complaints
    assert set(read_rows(out)) == {"cats/Camera/seed0007/0001", "cats/Camera/seed0007/0002"}
    (failure,) = [item for item in news if item["event"] == "failed"]
    assert failure["name"].startswith("dogs/") and "A machine was lost" in failure["reason"]
    assert len(begun()) == 3 + 2


@needs_ray
def test_a_node_that_is_killed_loses_nothing(tmp_path, begun) -> None:
    script = Path(__file__).with_name("two_nodes.py")
    folder, out = requests(tmp_path / "in", 1, prompt="a cat wait=300"), tmp_path / "out"
    words = [sys.executable, str(script), str(folder), str(out), str(tmp_path / "begun")]
    finished = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-3000:]
    report = json.loads(finished.stdout.splitlines()[-1])
    assert report["code"] == 0 and report["killed"]
    painted = [seed for _, seed in begun()]
    assert sorted(set(painted)) == list(range(1, 13)) and len(read_rows(out)) == 12
    assert len(painted) <= 12 + report["in hand"]


@needs_ray
def test_ctrl_c_ends_it_with_130_and_leaves_no_process(tmp_path, begun) -> None:
    folder, out = requests(tmp_path / "in", 1, prompt="a cat wait=500"), tmp_path / "out"
    process = painting(out, [folder], "--ray", "local", "--actors", "1", "--seeds", "1-50")
    wait_until(lambda: len(begun()) >= 2, 300)
    actor = begun()[-1][0]
    process.send_signal(signal.SIGINT)
    assert ended(process, 60)[0] == 130
    wait_until(lambda: not Path(f"/proc/{actor}").exists(), 20)
    assert 1 <= len(read_rows(out)) <= len(begun())
