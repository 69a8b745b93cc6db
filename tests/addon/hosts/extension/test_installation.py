# SPDX-License-Identifier: MIT
"""Install the Server… in this host, with its own Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]
PATIENCE = 240  # seconds
MAKING = """import sys; from pathlib import Path
from tests.addon.installation.little_wheels import little_plan
little_plan(Path(), Path(sys.argv[1]))"""


@pytest.mark.timeout(PATIENCE + 60)
def test_the_server_is_installed_with_the_host_s_python(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    wheels = tmp_path / "wheels"
    subprocess.run([sys.executable, "-c", MAKING, str(wheels)], cwd=ROOT, check=True, timeout=60)
    wheel = next(wheels.glob("maquette-*.whl"))
    packing = ["-m", "addon", "--out", str(tmp_path), "--server-wheel", str(wheel)]
    subprocess.run([sys.executable, *packing], cwd=ROOT, check=True, timeout=120)
    (zipped,) = tmp_path.glob("maquette-*.zip")
    homes = {name: str(tmp_path / name) for name in ("BLENDER_USER_RESOURCES", "MAQUETTE_HOME")}
    script = [sys.executable, str(FOLDER / "use_installation.py"), str(zipped), str(wheels)]
    environment = {**os.environ, **homes}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "installed, repaired and removed" in done.stdout
