# SPDX-License-Identifier: MIT
"""tests/hosts.sh says in its last line what it ran and what it did not: nothing skipped passes for tested."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "hosts.sh"


def program(path: Path, ends: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {ends}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("tests_end", "windows", "code", "last"),
    [
        (None, "", 0, "PASSED: none. FAILED: none. SKIPPED: bpy 4.2.23, bpy 5.0.1, bpy 5.2.3, real window."),
        (0, "", 0, "PASSED: bpy 4.2.23. FAILED: none. SKIPPED: bpy 5.0.1, bpy 5.2.3, real window."),
        (
            1,
            "one:other",
            1,
            "PASSED: window of one, window of other. FAILED: bpy 4.2.23. SKIPPED: bpy 5.0.1, bpy 5.2.3.",
        ),
    ],
)
def test_the_last_line_says_what_was_skipped(
    tmp_path: Path, tests_end: int | None, windows: str, code: int, last: str
) -> None:
    """No Python of any host is there; or one that has its environment already, whose tests end so."""
    script = tmp_path / "tests" / "hosts.sh"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    for name in ("python3.11", "python3.13"):
        program(tmp_path / "bin" / name, 1 if tests_end is None or name == "python3.13" else 0)
    if tests_end is not None:
        program(tmp_path / ".hosts" / "4.2.23" / "bin" / "python", tests_end)
        (tmp_path / ".hosts" / "4.2.23" / "ready").touch()
    program(tmp_path / "python", 0)
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path), "HOME": str(tmp_path)}
    environment |= {"BLENDER": windows, "PYTHON": str(tmp_path / "python")}
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, last), done.stdout + done.stderr
