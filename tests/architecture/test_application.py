# SPDX-License-Identifier: MIT
"""The application object is reached by the rooms that stand above it; every other room is handed what it needs."""

import ast
from collections.abc import Iterator

from tests.architecture.reading import Source, imports, sources, uphold

APPLICATION = "addon.runtime.app"
ROOMS = ("addon/runtime/", "addon/ui/")
ROOT = "addon/__init__.py"  # starts the application and closes it


def application_reached(file: Source) -> Iterator[str]:
    """Only runtime and ui ask for the application; elsewhere hand in what is needed of it, when it is registered."""
    if file.path.startswith(ROOMS):
        return
    for imported in imports(file):
        whole_module = isinstance(imported.node, ast.ImportFrom) and imported.node.module == "runtime"
        if imported.module == APPLICATION and not (file.path == ROOT and whole_module):
            yield file.at(imported.node, f"{APPLICATION} is for runtime and ui")
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(("app.app", "WindowManager.maquette")):
            yield file.at(node, "the application is asked for here")


def operators_called(file: Source) -> Iterator[str]:
    """Our operators are called by name in ui alone, where they stand: an import says so, a name of bpy.ops does not."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "bpy.ops.maquette":
            yield file.at(node, "hand the operator's function in")


def test_only_runtime_and_ui_reach_the_application() -> None:
    uphold(application_reached, sources("addon"))
    for text in (
        "from ..runtime.app import app",
        "from ..runtime import app",
        "def f():\n    from ..runtime.app import App",
        "def f():\n    return bpy.types.WindowManager.maquette.session",
    ):
        assert len(list(application_reached(Source("addon/overlay/handlers.py", text)))) == 1
        assert list(application_reached(Source("addon/ui/panels/regions.py", text))) == []
    assert list(application_reached(Source(ROOT, "def f():\n    from .runtime import app\n    app.register()"))) == []
    assert len(list(application_reached(Source(ROOT, "from .runtime import app\napp.app().close()")))) == 1
    assert len(list(application_reached(Source(ROOT, "from .runtime.app import app")))) == 1


def test_operators_are_called_in_ui_alone() -> None:
    uphold(operators_called, [file for file in sources("addon") if not file.path.startswith("addon/ui/")])
    assert len(list(operators_called(Source("addon/runtime/timers.py", "bpy.ops.maquette.receive(job=1)")))) == 1
