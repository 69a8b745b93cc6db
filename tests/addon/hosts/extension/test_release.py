# SPDX-License-Identifier: MIT
"""Today's zip over what each release left behind, in this host: see use_release.py.

Runs in any Python with bpy and pytest; the server runs in the project's own environment.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 200  # seconds
FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]
RELEASES = sorted((ROOT / "tests" / "fixtures").glob("release-*"))


@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_what_a_release_left_opens(tmp_path: Path, server_command: str, release: Path) -> None:
    pytest.importorskip("bpy")
    left = Path(shutil.copytree(release, tmp_path / "release"))
    resources = tmp_path / "resources"
    shutil.move(left / "user", resources / "extensions" / ".user" / "user_default" / "maquette")
    homes = {"BLENDER_USER_RESOURCES": str(resources), "MAQUETTE_HOME": str(left / "home")}
    environment = {**os.environ, **homes, "PAINTER_STEP_SECONDS": "0", "PAINTER_ASTRAY": "5"}
    subprocess.run([sys.executable, "-m", "addon", "--out", str(tmp_path)], cwd=ROOT, check=True, timeout=120)
    (zipped,) = tmp_path.glob("maquette-*.zip")
    script = [sys.executable, str(FOLDER / "use_release.py"), str(zipped), server_command, str(left)]
    finished = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    assert "all of it opens" in finished.stdout
