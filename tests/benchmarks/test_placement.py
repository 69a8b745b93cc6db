# SPDX-License-Identifier: MIT
"""The placement bench, in little: rows that are kept, sets of methods, the sweep, the sheet and the command."""

import json
from dataclasses import replace

import pytest
import torch

from benchmarks.placement import contact, sweep
from benchmarks.placement.cases import KINDS, draw_case
from benchmarks.placement.command import completed, main, true_features
from benchmarks.placement.guided import GuidedSettings, guided, unguided
from benchmarks.placement.methods import NONE, OURS, PEERS, Method, best_peer, methods, peers
from benchmarks.placement.plan import FEW, PEER_AT_OUR_COST, PLANS, STEPS, Plan, PlanEntry, full, jobs, plain, quick
from benchmarks.placement.rows import ROOT, Rows, code_digest, without_docstrings
from benchmarks.placement.work import Bench, BenchJob, equipment, painted
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas

BENCH = Bench()


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


@pytest.fixture(scope="module")
def case(atlas):
    return draw_case("test", "blocks", 1, 0, atlas)


def few(case, *names: str, seeds: int = 1) -> list[BenchJob]:
    """Pictures of two steps."""
    plan = Plan(1, seeds, tuple(PlanEntry(methods()[name], 2) for name in names))
    return jobs(plan, [case], BENCH)


def test_an_interrupted_run_goes_on_where_it_stopped(case, tmp_path):
    todo, store = few(case, NONE, OURS, seeds=2), Rows(tmp_path)
    running = store.add(painted(todo, 1))
    first = next(running)
    running.close()
    with store.file.open("a") as file:
        file.write('{"key": "half a row", "scores": {"judge": [{"iou": 0.5}')
    assert list(store.read()) == [first["key"]]
    rows = completed(todo, store, 1)
    assert list(rows) == [job.key for job in todo]
    assert rows[first["key"]] == json.loads(json.dumps(first))
    stamp = store.file.read_text()
    assert completed(todo, store, 1) == rows
    assert store.file.read_text().strip() == stamp.strip()


def test_a_row_is_the_same_whoever_paints_it(case, tmp_path):
    """A process of its own paints the same picture as this one."""
    (job,) = few(case, OURS)
    here, there = next(painted([job], 1)), list(painted([job, job], 2))[1]
    assert {name: here[name] for name in here if name != "seconds"} == {
        name: there[name] for name in there if name != "seconds"
    }


def test_a_key_holds_all_that_a_picture_depends_on(case, atlas):
    (job,) = few(case, OURS)
    other = draw_case("test", "blocks", 1, 1, atlas)
    changes = [
        replace(job, seed=1),
        replace(job, steps=3),
        replace(job, case=other),
        replace(job, counted=not job.counted),
        replace(job, method=Method(OURS, "ours", guided, GuidedSettings(strength=0.5))),
        replace(job, method=methods()[NONE]),
        replace(job, method=methods()["boxdiff"]),
    ]
    assert len({job.key, *(change.key for change in changes)}) == 1 + len(changes)
    named = replace(job, method=replace(job.method, name="another name"), case=replace(case, name="test/blocks/1/9"))
    assert named.key == job.key


def test_words_about_code_do_not_change_its_digest():
    import ast

    one, other = '"""A."""\ndef f():\n    """B."""\n    return 1  # c\n', "def f():\n    return 1\n"
    same, changed = (ast.dump(without_docstrings(ast.parse(text))) for text in (other, one.replace("1", "2")))
    assert ast.dump(without_docstrings(ast.parse(one))) == same != changed
    assert code_digest(("benchmarks/placement/rows.py",)) != code_digest(("benchmarks/placement/work.py",))
    assert (ROOT / "benchmarks").is_dir()


def test_every_set_paints_all_that_the_figures_need():
    assert set(PLANS) == {"quick", "plain", "full"}
    for plan in (quick(), plain(), full()):
        painted = {(entry.method.name, entry.steps) for entry in plan.entries}
        assert {(NONE, STEPS), (OURS, STEPS), *((OURS, steps) for steps in FEW)} <= painted
        assert any(entry.method.group == "peer" and entry.steps == STEPS for entry in plan.entries)
        assert (best_peer(), PEER_AT_OUR_COST) in painted
    assert {entry.method.name for entry in full().entries} == set(methods())
    assert set(PEERS) <= {entry.method.name for entry in plain().entries}


def test_a_peer_stands_as_swept_and_as_published():
    best = {"boxdiff": {"scale": 60.0}, "layout-guidance": {"layers": ["down_blocks.0"]}}
    named = {method.name: method for method in peers(best)}
    assert named["boxdiff"].settings.scale == 60.0
    assert named["boxdiff (published)"].settings == PEERS["boxdiff"][1]()
    assert named["layout-guidance"].settings.layers == ("down_blocks.0",)
    assert "r-and-b (published)" not in named


def test_the_sweep_in_the_repository_is_of_these_peers():
    record = json.loads(sweep.SWEPT.read_text())
    assert list(record["peers"]) == list(PEERS)
    assert all(case.startswith("development/") for case in record["how"]["cases"])
    assert best_peer() in PEERS
    for name, entry in record["peers"].items():
        tried = [json.loads(json.dumps(each["settings"])) for each in entry["tried"]]
        assert entry["best"] in tried
        assert entry["iou"] == max(each["iou"] for each in entry["tried"])
        assert methods()[name].settings != PEERS[name][1] or not tried[1:]


def test_a_sweep_keeps_the_best_that_it_tried(case):
    def run(todo):
        return {job.key: {"scores": {"judge": [{"iou": 0.1 * len(str(job.method.settings)) % 1}]}} for job in todo}

    record = sweep.sweep([case], 1, 2, BENCH, run)
    assert list(record["peers"]) == list(PEERS)
    for entry in record["peers"].values():
        assert entry["iou"] == max(each["iou"] for each in entry["tried"])


def test_two_seeds_are_two_pictures_and_a_method_is_only_its_function(case):
    model, _ = equipment(BENCH)
    assert torch.equal(methods()[NONE](model, case, 0, 2), unguided(model, case, 0, 2))
    assert not torch.equal(methods()[NONE](model, case, 0, 2), methods()[NONE](model, case, 1, 2))


def test_a_sheet_shows_each_method_on_each_case(case, tmp_path):
    plan = Plan(1, 1, (PlanEntry(methods()[NONE], 2), PlanEntry(methods()[OURS], 2)))
    todo = jobs(plan, [case], BENCH, tmp_path)
    assert all(job.file is not None for job in todo)
    list(painted(todo, 1))
    sheet = contact.sheet(todo, steps=2)
    assert sheet.width == 3 * 128 + 4 * 8
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_true_scenes_look_like_themselves(atlas):
    truth = true_features(BENCH, atlas)
    assert truth.shape[0] == 384 and truth.std(0).min() > 0


@pytest.mark.timeout(900)
def test_the_command_prints_one_line_of_figures(tmp_path, capsys):
    words = ["--json", "--set", "quick", "--cases", "1", "--seeds", "1", "--kinds", "blocks", "--workers", "2"]
    drawn = ["--sheet", str(tmp_path / "sheet.png"), "--pareto", str(tmp_path / "pareto.png")]
    assert main([*words, "--out", str(tmp_path / "rows"), *drawn]) == 0
    figures = json.loads(capsys.readouterr().out)
    asked = "iou ceiling box auc centroid_err present of_ceiling small strays steps8 steps4 best_peer gain_over_peer"
    assert set(f"{asked} gain_low95 frechet_ratio cost second-judge".split()) <= set(figures)
    assert set(figures["iou"]) == set(figures["of_ceiling"]) == {"1", "2", "3"}
    assert figures["cost"][NONE] == 1.0 and 1.0 < figures["cost"][OURS] < 2.0
    assert figures["best_peer"] in figures["iou"]["1"]
    assert set(figures["second-judge"]) == set(figures) - {"second-judge"}
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert (tmp_path / "pareto.png").stat().st_size > 5_000
    assert "blocks" in KINDS
