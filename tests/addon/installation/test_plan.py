# SPDX-License-Identifier: MIT
"""What is to be done, as commands; and what was done, read again."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from addon.installation import plan as planning
from addon.installation.plan import STEPS, InstallPlan
from addon.installation.release import Release, read
from addon.installation.torch_builds import Machine, choose

RELEASE = Release(
    address="http://127.0.0.1:1/releases",
    name="maquette-0.1.0-py3-none-any.whl",
    version="0.1.0",
    sha256="ab" * 32,
    size=24_000_000,
    constraints=("torch==2.13.0", "fastapi==0.165.0"),
)


@pytest.fixture
def plan(tmp_path: Path) -> InstallPlan:
    return InstallPlan(folder=tmp_path, release=RELEASE, build=choose(Machine(system="linux")))


def test_the_wheel_is_what_was_chosen_what_lies_in_the_folder_or_the_release_s(
    plan: InstallPlan, tmp_path: Path
) -> None:
    assert plan.source == f"{RELEASE.address}/{RELEASE.name}" and plan.target.name == RELEASE.name
    assert replace(plan, wheels=str(tmp_path)).source == plan.source
    (tmp_path / RELEASE.name).write_bytes(b"")
    assert replace(plan, wheels=str(tmp_path)).source == str(tmp_path / RELEASE.name)
    assert replace(plan, wheel="/elsewhere/own.whl", wheels=str(tmp_path)).source == "/elsewhere/own.whl"
    assert replace(plan, release=Release()).source == ""


def test_another_machine_is_asked_unless_all_is_here(plan: InstallPlan) -> None:
    remote = replace(plan, release=replace(RELEASE, address="https://example.org"))
    assert plan.online and remote.online
    assert replace(remote, wheels="/wheels").online
    assert not replace(plan, wheels="/wheels").online  # its address is this machine's own
    assert not replace(remote, wheels="/wheels", wheel="/a.whl").online


def test_a_folder_of_wheels_says_how_much_room_it_needs(plan: InstallPlan, tmp_path: Path) -> None:
    assert plan.disk == plan.build.disk
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    offline = replace(plan, wheels=str(wheels))
    assert offline.disk == plan.build.disk, "less than the smallest build it cannot be"
    for name, megabytes in (("torch-2-cp313-cp313", 1000), ("torch-2-cp314-cp314", 900), ("nvidia_cublas-13-py3", 500)):
        with (wheels / f"{name}-manylinux_2_28_x86_64.whl").open("wb") as wheel:
            wheel.truncate(megabytes * 1_000_000)  # a file of nothing, which takes no room
    assert offline.disk == 2 * 1500 > plan.build.disk


def test_packages_that_are_there_are_counted(plan: InstallPlan) -> None:
    inside = plan.environment / ("Lib" if sys.platform == "win32" else "lib/python3.13") / "site-packages"
    for name in ("pip-26.3", "torch-2.13.0"):
        (inside / f"{name}.dist-info").mkdir(parents=True)
    assert len(planning.packages(plan)) == 2 and [path.name for path in planning.packages(plan, "pip")] == [
        "pip-26.3.dist-info"
    ]


def test_pip_takes_wheels_alone_of_the_tested_versions(plan: InstallPlan) -> None:
    words = planning.installing_torch(plan)
    assert words[words.index("--only-binary") + 1] == ":all:"
    assert words[words.index("--constraint") + 1] == str(plan.folder / "constraints.txt")
    assert "--no-index" not in words and "torch==2.13.0+cpu" in words
    words = planning.installing_server(replace(plan, wheels="/wheels"))
    assert "--no-index" in words and words[words.index("--find-links") + 1] == "/wheels"
    assert words[-1] == f"maquette[server] @ {plan.target.as_uri()}"


def test_nothing_of_the_user_s_leads_elsewhere(plan: InstallPlan) -> None:
    outer = {
        "PATH": "/bin",
        "PYTHONHOME": "/x",
        "PYTHONPATH": "/y",
        "PIP_TARGET": "/z",
        "PIP_INDEX_URL": "https://mirror",
    }
    given = planning.environ(plan, outer)
    assert given["PATH"] == "/bin" and given["PIP_INDEX_URL"] == "https://mirror"
    assert not {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET"} & given.keys()
    offline = planning.environ(replace(plan, wheels="/wheels"), outer)
    assert "PIP_INDEX_URL" not in offline and offline["PIP_CONFIG_FILE"] == os.devnull
    assert Path(given["PIP_CACHE_DIR"]).parent == Path(given["TMPDIR"]).parent == plan.folder


def test_finished_steps_are_not_done_again_for_the_same(plan: InstallPlan) -> None:
    assert planning.done(plan) == ()
    plan.interpreter.parent.mkdir(parents=True)
    plan.interpreter.write_text("")
    planning.note_done(plan, ("environment", "wheel"))
    assert planning.done(plan) == ("environment", "wheel")
    assert planning.done(replace(plan, python="/another")) == ()
    assert planning.done(replace(plan, build=choose(Machine(system="linux", nvidia=True)))) == ()
    assert planning.done(replace(plan, release=replace(RELEASE, sha256="cd" * 32))) == ()
    plan.interpreter.unlink()
    assert planning.done(plan) == ()
    (plan.folder / "record.json").write_text("{")
    assert planning.done(plan) == ()


def test_the_shares_of_the_steps_make_a_whole() -> None:
    assert sum(step.share for step in STEPS) == pytest.approx(1.0)


def test_the_sources_name_no_wheel_and_what_the_packer_wrote_is_read(tmp_path: Path) -> None:
    assert read().name == read().download == read().torch == ""
    file = tmp_path / "release.json"
    file.write_text(json.dumps({**vars(RELEASE), "constraints": list(RELEASE.constraints)}))
    assert read(file) == RELEASE and RELEASE.torch == "2.13.0"
