# SPDX-License-Identifier: MIT
"""The built zip in this host: installed, enabled, used for real jobs against a real server, disabled; twice.

Runs in any Python with bpy and pytest; the server runs in the project's own environment.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 300  # seconds; a busy machine is slow, and two rounds with an exact capture each are long
FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]
WEIGHTS = ROOT / "sg_core" / "toybox" / "weights"


@pytest.mark.timeout(PATIENCE + 60)
def test_zip_is_used_twice(tmp_path: Path, server_command: str) -> None:
    pytest.importorskip("bpy")
    homes = {name: tmp_path / name for name in ("BLENDER_USER_RESOURCES", "MAQUETTE_HOME")}
    for home in homes.values():
        home.mkdir()
    environment = {**os.environ, **{name: str(home) for name, home in homes.items()}}
    subprocess.run([sys.executable, "-m", "addon", "--out", str(tmp_path)], cwd=ROOT, check=True, timeout=120)
    (zipped,) = tmp_path.glob("maquette-*.zip")
    command = f"{server_command} --model {shlex.quote(str(dreamer(tmp_path)))}"
    script = [sys.executable, str(FOLDER / "use_extension.py"), str(zipped), command]
    finished = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    assert "used twice in" in finished.stdout
    assert not (homes["MAQUETTE_HOME"] / "connection.json").exists()


def dreamer(folder: Path) -> Path:
    """A second model, which paints in fewer steps."""
    model = shutil.copytree(WEIGHTS, folder / "dreamer")
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(card | {"steps": 5}))
    return model
