# SPDX-License-Identifier: MIT
"""What an artist does with a studio's repository, by operator: add it, look into it, install from it.

    python use_repository.py URL      (a Python with bpy; the caller sets BLENDER_USER_RESOURCES to an empty folder)

Ends with "installed from", or with a trace.
"""

import sys

import bpy


def main(url: str) -> None:
    """Preferences > Get Extensions > Repositories > Add Remote Repository; then the list's Install button."""
    bpy.context.preferences.system.use_online_access = True  # Blender installs from no repository without it
    bpy.ops.preferences.extension_repo_add(name="Studio", remote_url=url, type="REMOTE")
    repos = bpy.context.preferences.extensions.repos
    index = next(index for index, repo in enumerate(repos) if repo.remote_url == url)
    assert bpy.ops.extensions.repo_sync(repo_index=index) == {"FINISHED"}
    installed = bpy.ops.extensions.package_install(repo_index=index, pkg_id="maquette", enable_on_install=True)
    assert installed == {"FINISHED"}, installed
    module = f"bl_ext.{repos[index].module}.maquette"
    assert module in bpy.context.preferences.addons
    assert hasattr(bpy.types.Scene, "maquette_prompt") and bpy.ops.maquette.generate.poll()
    bpy.ops.preferences.addon_disable(module=module)
    print("installed from", url, "in", bpy.app.version_string, flush=True)


if __name__ == "__main__":
    main(sys.argv[-1])
