# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m addon``: the extension's zip and a repository that offers it, made and checked by Blender's own packer.

With ``--server-wheel`` the zip knows that wheel by its hash, and installs no other. The packer is Blender itself
(``--blender``), or the script of it inside PyPI's ``bpy``.
"""

import argparse
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MANIFEST = PROJECT / "blender_manifest.toml"
RELEASE = Path("installation", "release.json")  # in the add-on, and filled in in its zip
LOCK = PROJECT / "requirements.lock"
LEFT_OPEN = re.compile(r"(#|bpy|fake-bpy|numpy\b)")  # lines of the lock: numpy is as old there as bpy wants it
LIMIT = 500_000  # bytes; an extension without wheels is small, or something slipped in


class NoPacker(Exception):
    """There is neither a Blender nor a bpy to pack with."""


def main(arguments: list[str] | None = None) -> Path:
    """Build the zip into ``--out`` (default dist/), a repository beside it, print where they are; the zip's path."""
    parser = argparse.ArgumentParser(prog="python -m addon", description="Build and validate the Blender extension.")
    parser.add_argument("--out", type=Path, default=PROJECT / "dist", help="folder of the results (default: dist)")
    parser.add_argument("--blender", help="pack with this Blender (default: with the packer in PyPI's bpy)")
    parser.add_argument("--server-wheel", type=Path, help="the wheel of the server that this add-on installs")
    options = parser.parse_args(arguments)
    try:
        command = packer(options.blender)
    except NoPacker as error:
        parser.error(str(error))
    options.out.mkdir(parents=True, exist_ok=True)
    listing = options.out / RELEASE.name
    listing.write_text(json.dumps(release(options.server_wheel), indent=2) + "\n", "utf-8")
    zipped = build(command, options.out, listing)
    print(f"{zipped} ({zipped.stat().st_size / 1000:.0f} kB)")
    print(publish(command, zipped, options.out / "repository"))
    return zipped


def packer(blender: str | None) -> list[str]:
    """The command that takes the packer's ``build``, ``validate`` and ``server-generate``. Raises NoPacker."""
    if blender:
        return [blender, "--command", "extension"]
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        raise NoPacker("Nothing to pack with: pip install bpy, or name a Blender with --blender.")
    script = next(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    return [sys.executable, str(script)]


def release(wheel: Path | None) -> dict[str, object]:
    """What the add-on is told of the server's wheel, and of the versions that it was tested with."""
    stated = json.loads((PROJECT / "addon" / RELEASE).read_text("utf-8"))
    locked = [line for line in LOCK.read_text("utf-8").splitlines() if line and not LEFT_OPEN.match(line)]
    if wheel is None:
        return {**stated, "constraints": locked}
    content = wheel.read_bytes()
    return {
        **stated,
        "name": wheel.name,
        "version": wheel.name.split("-")[1],
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "constraints": locked,
    }


def build(packer: list[str], out: Path, listing: Path) -> Path:
    """Stage the manifest beside the modules, zip them, validate the zip; ``listing`` is what it knows of the server.

    Ends the program when the packer refuses.
    """
    manifest = tomllib.loads(MANIFEST.read_text())
    out.mkdir(parents=True, exist_ok=True)
    zipped = out.resolve() / f"{manifest['id']}-{manifest['version']}.zip"
    with tempfile.TemporaryDirectory() as stage:
        _stage(Path(stage), listing)
        _run([*packer, "build", "--source-dir", stage, "--output-filepath", str(zipped)])
    _run([*packer, "validate", str(zipped)])
    if zipped.stat().st_size >= LIMIT:
        raise SystemExit(f"{zipped} has {zipped.stat().st_size} bytes; the limit is {LIMIT}.")
    return zipped


def publish(packer: list[str], zipped: Path, folder: Path) -> Path:
    """Make ``folder`` a repository that offers ``zipped``, ready for any web server; its index.json.

    Ends the program when the packer refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob(zipped.name.replace(zipped.stem.partition("-")[2], "*")):
        earlier.unlink()  # or it would be offered too
    shutil.copy(zipped, folder)
    _run([*packer, "server-generate", "--repo-dir", str(folder), "--html"])
    return folder / "index.json"


def _stage(stage: Path, listing: Path) -> None:
    shutil.copy(MANIFEST, stage)
    for licence in sorted((PROJECT / "LICENSES").glob("*.txt")):
        shutil.copy(licence, stage)
    shutil.copytree(PROJECT / "addon", stage, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(listing, stage / RELEASE)
    (stage / "__main__.py").unlink()  # the packer is no part of what it packs


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
