# SPDX-License-Identifier: MIT
"""Laws 1 and 2: imports run along the arrows of the house only, and bpy stays in its files."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir

from importlinter.cli import lint_imports
from reading import ROOT, Source, imports, source, sources, uphold

BLENDER = frozenset({"bpy", "mathutils", "bpy_extras", "gpu", "gpu_extras", "blf", "addon_utils", "bl_pkg", "cycles"})

BPY_FILES = frozenset(
    {
        "addon/album.py",
        "addon/apply.py",
        "benchmarks/masks.py",
        "benchmarks/stress.py",
        "addon/blocking.py",
        "addon/compat.py",
        "addon/darkroom.py",
        "addon/drawing.py",
        "addon/dressing.py",
        "addon/exact.py",
        "addon/headless.py",
        "addon/hidden.py",
        "addon/live.py",
        "addon/meshes.py",
        "addon/operators/__init__.py",
        "addon/operators/answers.py",
        "addon/operators/choices.py",
        "addon/operators/connection.py",
        "addon/operators/cures.py",
        "addon/operators/exposing.py",
        "addon/operators/history.py",
        "addon/operators/picture.py",
        "addon/operators/regions.py",
        "addon/operators/revisiting.py",
        "addon/operators/views.py",
        "addon/overlay.py",
        "addon/panels/__init__.py",
        "addon/panels/connection.py",
        "addon/panels/history.py",
        "addon/panels/menus.py",
        "addon/panels/picture.py",
        "addon/panels/regions.py",
        "addon/panels/result.py",
        "addon/panels/tab.py",
        "addon/panels/views.py",
        "addon/pictures.py",
        "addon/pixels.py",
        "addon/preferences.py",
        "addon/projection.py",
        "addon/projectors.py",
        "addon/properties.py",
        "addon/pump.py",
        "addon/receiving.py",
        "addon/scene.py",
        "addon/shown.py",
        "addon/standpoint.py",
        "addon/unlike.py",
        "addon/viewer.py",
        "addon/viewing.py",
    }
)

# The command line opens .blend files in its own process; the demo and the examples are scripts of Blender.
BPY_ON_USE = frozenset({"addon/__init__.py", "server/render.py", "server/demo.py"})

# The wire is all that the API process knows of the add-on; only the verbs that open a .blend know more.
WIRE = frozenset({"addon.contract", "addon.client"})
RENDERERS = frozenset({"server/render.py", "server/demo.py"})


def foreign_imports(file: Source) -> Iterator[str]:
    """The add-on uses nothing but the standard library, Blender's modules and Blender's numpy."""
    for imported in imports(file):
        allowed = imported.top in sys.stdlib_module_names | BLENDER | {"numpy", "addon"}
        schema = imported.top.startswith("pydantic") and imported.function.endswith("__get_pydantic_core_schema__")
        if not allowed and not schema:
            yield file.at(imported.node, f"{imported.module} is not part of Blender")


def absolute_imports(file: Source) -> Iterator[str]:
    """As an extension the add-on is called bl_ext.<repository>.maquette: it reaches itself by relative imports only."""
    for imported in imports(file):
        if imported.top == "addon" and getattr(imported.node, "level", 0) == 0:
            yield file.at(imported.node, "write a relative import")


def bpy_imports(file: Source) -> Iterator[str]:
    """Blender's modules are imported in the files named above; in some of them inside functions only."""
    for imported in imports(file):
        lazily = file.path in BPY_ON_USE and imported.function
        if imported.top in BLENDER and file.path not in BPY_FILES and not lazily:
            yield file.at(imported.node, f"{imported.module} may not be imported here")


def addon_imports(file: Source) -> Iterator[str]:
    """The server knows the wire; the verbs that open a .blend read and paint scenes, and import that on use."""
    for imported in imports(file):
        lazily = file.path in RENDERERS and imported.function
        if imported.top == "addon" and imported.module not in WIRE and not lazily:
            yield file.at(imported.node, f"the server may not know {imported.module}")


def core_imports(file: Source) -> Iterator[str]:
    """translate.py alone meets sg_core on import; engine.py imports that on first use: the API process has no torch."""
    for imported in imports(file):
        core = imported.top in {"sg_core", "torch"} or imported.module == "server.translate"
        on_use = file.path == "server/engine.py" and imported.function
        if core and not on_use and file.path != "server/translate.py":
            yield file.at(imported.node, f"{imported.module} belongs to engine.py, on first use, and translate.py")


def test_addon_uses_nothing_but_blender() -> None:
    uphold(foreign_imports, sources("addon"))
    assert len(list(foreign_imports(Source("addon/x.py", "import torch, json, numpy")))) == 1


def test_addon_reaches_itself_relatively() -> None:
    files = [file for file in sources("addon") if file.path != "addon/__main__.py"]
    uphold(absolute_imports, files)
    assert len(list(absolute_imports(Source("addon/x.py", "from addon import contract\nfrom . import contract")))) == 1


def test_bpy_stays_in_its_files() -> None:
    files = sources("addon", "sg_core", "server", "benchmarks")
    uphold(bpy_imports, files)
    assert len(list(bpy_imports(Source("addon/layout.py", "def f():\n    import bpy")))) == 1
    assert len(list(bpy_imports(Source("addon/__init__.py", "import bpy")))) == 1
    assert list(bpy_imports(Source("addon/__init__.py", "def register():\n    import bpy"))) == []


def test_server_knows_only_the_wire() -> None:
    uphold(addon_imports, sources("server"))
    assert len(list(addon_imports(Source("server/routes.py", "from addon import contract, raster")))) == 1


def test_server_reaches_the_core_in_two_files() -> None:
    uphold(core_imports, sources("server"))
    assert len(list(core_imports(Source("server/routes.py", "def f():\n    import sg_core")))) == 1
    assert len(list(core_imports(Source("server/worker.py", "def f():\n    from . import translate")))) == 1
    assert len(list(core_imports(Source("server/engine.py", "import torch\ndef f():\n    import sg_core")))) == 1
    assert list(core_imports(Source("server/engine.py", "if TYPE_CHECKING:\n    import torch"))) == []


def test_relative_imports_are_resolved() -> None:
    text = "from . import contract\nfrom .contract import Job\nfrom ..elsewhere import x"
    assert [i.module for i in imports(Source("addon/x.py", text))] == ["addon.contract", "addon.contract", "elsewhere"]
    assert [i.function for i in imports(Source("x.py", "class A:\n    def f(self):\n        import os"))] == ["A.f"]


def test_import_contracts() -> None:
    """The contracts in pyproject.toml, which follow indirect imports too."""
    with chdir(ROOT):
        assert lint_imports(no_cache=True) == 0


def test_contract_needs_the_standard_library_only() -> None:
    """Without site-packages, environment and user site: nothing outside the standard library is even looked for."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import addon.contract; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "addon" in loaded
    assert loaded - sys.stdlib_module_names - {"addon", "__main__"} == set()


def test_core_names_are_true() -> None:
    """``sg_core.__all__`` holds each public name once, every one of them exists, and none is left out."""
    import sg_core

    own = [i for i in imports(source("sg_core/__init__.py")) if i.top == "sg_core"]
    taken = {alias.asname or alias.name for i in own for alias in i.node.names}
    assert len(set(sg_core.__all__)) == len(sg_core.__all__)
    assert set(sg_core.__all__) == taken
    assert [name for name in sg_core.__all__ if not hasattr(sg_core, name)] == []
