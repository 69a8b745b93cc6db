# SPDX-License-Identifier: GPL-3.0-or-later
"""``python leashed.py PARENT -m MODULE …`` or ``PARENT SCRIPT …``: run it, and end it when the parent is gone. No bpy.

So that nothing goes on installing when Blender was killed. A script of its own: the Python that runs it has no add-on.
Windows does not tell that a parent is gone; there it ends by itself.
"""

import os
import signal
import subprocess
import sys

LOOK = 0.25  # seconds between two looks for the parent


def run(parent: int, words: list[str]) -> int:
    """The exit code of a Python with these words."""
    child = subprocess.Popen([sys.executable, "-I", "-u", *words], stdin=subprocess.DEVNULL)
    while True:
        try:
            return child.wait(LOOK)
        except subprocess.TimeoutExpired:
            if sys.platform != "win32" and os.getppid() != parent:
                os.killpg(0, signal.SIGKILL)  # the group that this process leads: what it has started, too


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
