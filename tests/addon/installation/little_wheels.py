# SPDX-License-Identifier: MIT
"""Small real wheels that stand for the server and torch, so that all of an installation can be gone through at once."""

import base64
import hashlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from addon.installation.plan import InstallPlan
from addon.installation.release import Release
from addon.installation.torch_builds import TorchBuild

LITTLE = TorchBuild(name="CPU", label="CPU", download=1, disk=0)
MODULES = {  # what the last step loads
    "torch": {"torch/__init__.py": "__version__ = '2.13.0'\n"},
    "maquette": {
        "server/__init__.py": "",
        "server/worker/__init__.py": "",
        "server/worker/engine.py": "",
        "server/worker/translate.py": "",
        "server/http/__init__.py": "",
        "server/http/app.py": "",
        "server/__main__.py": "def main() -> None: ...\n",
    },
}
HEADS = {"maquette": "Requires-Dist: torch\nProvides-Extra: server\n", "torch": ""}


def little_wheel(folder: Path, name: str, version: str, padding: int = 0) -> Path:
    """A wheel that pip takes, with so many bytes of ``padding`` in it."""
    info = f"{name}-{version}.dist-info"
    files = {
        **MODULES[name],
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{HEADS[name]}",
    }
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if name == "maquette":
        files[f"{info}/entry_points.txt"] = "[console_scripts]\nmaquette = server.__main__:main\n"
    if padding:
        files[f"{name}_padding.txt"] = "0" * padding
    lines = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,\n"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with ZipFile(path, "w", ZIP_DEFLATED) as wheel:  # so that what fills a disk does not look it
        for inside, text in files.items():
            wheel.writestr(inside, text)
    return path


def little_plan(folder: Path, wheels: Path, padding: int = 0) -> InstallPlan:
    """What installs them into ``folder``, all from a folder of wheels that is made here."""
    wheels.mkdir(parents=True, exist_ok=True)
    little_wheel(wheels, "torch", "2.13.0", padding)
    wheel = little_wheel(wheels, "maquette", "0.1.0")
    content = wheel.read_bytes()
    release = Release(
        name=wheel.name,
        version="0.1.0",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        constraints=("torch==2.13.0",),
    )
    return InstallPlan(folder=folder, release=release, build=LITTLE, wheels=str(wheels))


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
