# SPDX-License-Identifier: MIT
"""What a step wrote last, and the error that is made of it. The lines are pip's own."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from addon.installation.failures import failure, last_words, refused
from addon.installation.fetch import DAMAGED
from addon.installation.plan import STEPS, InstallPlan
from addon.installation.release import Release
from addon.installation.torch_builds import Machine, choose

WHEEL, TORCH = STEPS[1], STEPS[2]
UNREACHED = """WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(\
"HTTPSConnection(host='127.0.0.1', port=9): Failed to establish a new connection: [Errno 111] Connection refused")'
"""
NONE = """ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0
"""


@pytest.fixture
def plan(tmp_path: Path) -> InstallPlan:
    return InstallPlan(
        folder=tmp_path, release=Release(), build=choose(Machine(system="linux")), wheel="/there/own.whl"
    )


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk-full"),
        ("OSError: [Errno 122] Disk quota exceeded: '/x'", "disk-full"),
        (UNREACHED + NONE, "network-absent"),
        ("urllib.error.URLError: <urlopen error [Errno 111] Connection refused>", "network-absent"),
        ("urllib.error.HTTPError: HTTP Error 404: Not Found", "network-absent"),
        ("ConnectionError: Connection aborted: 5 of 9 bytes came", "network-absent"),
        (NONE, "package-missing"),
        (
            "    The user requested (constraint) fastapi==0.165.0\nERROR: ResolutionImpossible: for help",
            "package-missing",
        ),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/there/own.whl'", "package-missing"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "wheel-damaged"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'",
            "folder-unwritable",
        ),
        ("OSError: [Errno 30] Read-only file system: '/x'", "folder-unwritable"),
        ("Segmentation fault", "installation-failed"),
        ("", "installation-failed"),
    ],
)
def test_what_was_written_last_says_which_error_it_is(plan: InstallPlan, log: str, code: str) -> None:
    error = failure(plan, TORCH, log, 1)
    assert error.code == code and error.message.endswith((".", "fault", "nothing")) and error.fix.endswith((".", "…"))


def test_a_wheel_of_other_bytes_is_named(plan: InstallPlan) -> None:
    error = failure(plan, WHEEL, "", DAMAGED)
    assert error.code == "wheel-damaged" and "own.whl" in error.message


def test_a_folder_of_wheels_that_lacks_one_is_no_trouble_of_the_network(plan: InstallPlan) -> None:
    error = failure(replace(plan, wheels="/my/wheels"), TORCH, UNREACHED + NONE, 1)
    assert error.code == "package-missing" and "torch" in error.message and "/my/wheels" in error.message


def test_what_we_could_not_write_ourselves(plan: InstallPlan) -> None:
    assert refused(plan, OSError(errno.ENOSPC, "No space left on device")).code == "disk-full"
    error = refused(plan, PermissionError(errno.EACCES, "Permission denied", "/locked/installation"))
    assert (error.code, error.subject) == ("folder-unwritable", "/locked/installation")


def test_the_last_words_are_those_of_an_error() -> None:
    assert last_words("Collecting x\nERROR: it broke\nProgress 1 of 2\n[notice] a new pip\n") == "it broke"
    assert last_words("one\ntwo\n") == "two"
    assert last_words("") == ""
    trace = "Traceback (most recent call last):\n  File\npip._vendor.markers.InvalidMarker: it broke\n"
    assert last_words(f"ERROR: Exception:\n{trace}") == "pip._vendor.markers.InvalidMarker: it broke"
