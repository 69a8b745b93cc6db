# SPDX-License-Identifier: MIT
"""How long does the add-on hold Blender's main thread? Measured in a window of $BLENDER, a server beside it. No bpy."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from addon.__main__ import main as packed
from benchmarks.window.summary import figures, table
from server.errors import CommandError

ROOT = Path(__file__).parents[2]
TRIANGLES = 2_000_000
QUIET = 20.0
SECONDS = 3600  # software OpenGL draws such scenes in seconds


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench window`."""
    args = parser().parse_args(words)
    if not args.blender:
        raise CommandError("There is no Blender with a window: set $BLENDER, or name one with --blender.")
    with tempfile.TemporaryDirectory() as folder:
        report = measure(args, args.out or Path(folder))
    if args.json:
        print(json.dumps(figures(report)))
    else:
        print("\n".join(table(report)))
        held = figures(report, "held")
        for name, value in figures(report).items():
            print(f"{name:>16}  {value:8.1f}  by the wall, as held, {held[name]:8.1f}")
    return 0


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What was measured; everything of Blender's and the server's lies in ``folder``. Raises CommandError."""
    folder.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):  # it says where the zip is
        zipped = packed(["--out", str(folder)])
    environment = {
        **os.environ,
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "MAQUETTE_HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
    }
    server = shlex.join([sys.executable, "-m", "server", "serve", *(("--engine", args.engine) if args.engine else ())])
    line = [args.blender, "--factory-startup", "--python", str(Path(__file__).parent / "session.py"), "--"]
    line += [str(zipped), server, str(args.examples.resolve()), str(args.triangles)]
    line += [str(args.quiet), "profiling" if args.profile else "measuring", str(folder)]
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    path = folder / "report.json"
    if not path.exists():
        raise CommandError(f"Blender ended without a report: {(ended.stdout + ended.stderr)[-2000:]}")
    report: dict[str, Any] = json.loads(path.read_text())
    if "ok" not in report:
        raise CommandError(f"The session in the window ended too early: {report['trace']}")
    return report


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench window`."""
    flags = argparse.ArgumentParser(prog="maquette bench window", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of tables")
    flags.add_argument("--blender", default=os.environ.get("BLENDER"), help="a Blender that can open a window")
    flags.add_argument("--examples", type=Path, default=Path("examples"), help="folder of .blend files")
    flags.add_argument("--triangles", type=int, default=TRIANGLES, help="of each heavy scene")
    flags.add_argument("--quiet", type=float, default=QUIET, help="seconds for which the view is left alone, twice")
    flags.add_argument("--engine", default="", help="what paints, as module:factory; Toybox by default")
    flags.add_argument("--profile", action="store_true", help="say where the time goes, too; that takes time itself")
    flags.add_argument("--out", type=Path, help="folder that keeps what was measured")
    return flags
