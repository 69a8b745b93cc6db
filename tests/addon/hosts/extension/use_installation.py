# SPDX-License-Identifier: MIT
"""The server installed by operators in this host, with its own Python, from small wheels; refused, repaired, removed.

python use_installation.py ZIP WHEELS, or: blender -b --factory-startup --python use_installation.py -- ZIP WHEELS
"""

import os
import sys
from pathlib import Path

import bpy

ADDON = "bl_ext.user_default.maquette"


def main(zipped: str, wheels: str) -> None:
    """From no server to a noted command and back. The folder of wheels has one of pip, for hosts without ensurepip."""
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    app, act = bpy.types.WindowManager.maquette, bpy.ops.maquette
    own = bpy.context.preferences.addons[ADDON].preferences
    own.torch_build, os.environ["PATH"] = "AUTO", os.defpath  # where no maquette of the developer's is
    bpy.ops.maquette.start_server()
    assert app.session.notice.code == "server-unknown", app.session.notice
    is_refused(app, "access-not-allowed" if not bpy.app.online_access else "wheel-unchosen")
    own.wheel_folder, own.server_wheel = wheels, str(next(Path(wheels).glob("maquette-*.whl")))
    make_room(app)
    assert act.install_server() == {"FINISHED"}
    assert app.installer.state.stage == "installed", app.installer.state.notice
    known = sys.modules[f"{ADDON}.runtime.preferences"]
    program = app.installer.folder / "environment"
    assert str(program) in known.found_command() and known.server_known()
    app.event_loop.wait(app.dispatcher.until(lambda session: app.server is None))  # the small wheel's ends at once
    assert act.repair_installation() == {"FINISHED"}
    assert app.installer.state.stage == "installed", app.installer.state.notice
    app.event_loop.wait(app.dispatcher.until(lambda session: app.server is None))
    assert act.remove_installation() == {"FINISHED"}
    assert app.installer.state.stage == "absent" and not app.installer.folder.exists()
    bpy.ops.preferences.addon_disable(module=ADDON)
    print(f"installed, repaired and removed with Python {sys.version_info[0]}.{sys.version_info[1]}")


def is_refused(app, code: str) -> None:
    """Nothing is installed without what it needs, and the artist is told what that is."""
    bpy.ops.maquette.install_server()
    notice = app.session.notice or app.installer.state.notice
    assert notice is not None and notice.code == code, notice
    bpy.ops.maquette.dismiss()


def make_room(app) -> None:
    """The small wheels need no gigabyte: a disk that lacks one is no reason to skip them."""
    builds = sys.modules[f"{ADDON}.installation.torch_builds"]
    for name in ("LINUX", "WINDOWS", "MAC"):
        sizes = {"name": "CPU", "label": "CPU", "download": 1, "disk": 1}
        setattr(builds, name, (builds.TorchBuild(**sizes),))


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(*words)
