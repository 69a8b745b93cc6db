# SPDX-License-Identifier: MIT
"""Laws 1 and 2: imports run along the arrows of the house only, and bpy stays in its files."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

from importlinter.cli import lint_imports

from tests.architecture.reading import ROOT, Source, imports, source, sources, uphold

BLENDER = frozenset(
    {"bpy", "mathutils", "bpy_extras", "gpu", "gpu_extras", "blf", "idprop", "addon_utils", "bl_pkg", "cycles"}
)

# Folders and files that work without Blender; in the other rooms of the add-on a file's docstring says "No bpy".
WITHOUT_BLENDER = (
    "protocol",
    "client",
    "messages",
    "request",
    "raster",
    "session",
    "cooperative.py",
    "extension.py",
    "blender_process.py",
)
WITH_BLENDER = ("addon/", "benchmarks/mask", "benchmarks/stress.py", "benchmarks/window/")

# Blender asks the add-on to register, and only then is bpy needed.
BPY_ON_USE = frozenset({"addon/__init__.py"})

# Protocol and client are all that the API process knows of the add-on; the verbs that open a .blend know how to have a
# second Blender do it, and what can be set for it.
WIRE = ("addon.protocol", "addon.client")
BLENDER_PROCESS = (
    "addon.blender_process",
    "addon.request.settings",
    "addon.request.limits",
    "addon.request.phrases",
    "addon.request.references",
    "addon.request.sequences",
)
WORKER = "server.worker.translate"
KNOW_THE_METHOD = ("translate", "vocabulary", "references", "reference_latents", "inspection")
TRANSLATORS = frozenset(f"server/worker/{name}.py" for name in KNOW_THE_METHOD)


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
    """Blender's modules are imported in the rooms that stand on Blender only; in some files in functions only."""
    for imported in imports(file):
        lazily = file.path in BPY_ON_USE and imported.function
        if imported.top in BLENDER and not lazily and not _of_blender(file):
            yield file.at(imported.node, f"{imported.module} may not be imported here")


def _of_blender(file: Source) -> bool:
    free = tuple(f"addon/{name}" for name in (*WITHOUT_BLENDER, "__init__.py"))
    denies = "No bpy" in (ast.get_docstring(file.tree) or "")
    return file.path.startswith(WITH_BLENDER) and not file.path.startswith(free) and not denies


def addon_imports(file: Source) -> Iterator[str]:
    """The server knows the wire; the verbs that open a .blend also know the command line of a second Blender."""
    known = WIRE + BLENDER_PROCESS if file.path.startswith(("server/cli/", "server/batch/")) else WIRE
    for imported in imports(file):
        if imported.top == "addon" and not imported.module.startswith(known):
            yield file.at(imported.node, f"the server may not know {imported.module}")


def core_imports(file: Source) -> Iterator[str]:
    """TRANSLATORS alone meet sg_core on import; engine.py imports that on first use: the API process has no torch."""
    for imported in imports(file):
        core = imported.top in {"sg_core", "torch"} or imported.module == WORKER
        on_use = file.path == "server/worker/engine.py" and imported.function
        if core and not on_use and file.path not in TRANSLATORS:
            yield file.at(
                imported.node, f"{imported.module} belongs to engine.py, on first use, and to {', '.join(TRANSLATORS)}"
            )


def host_imports(file: Source) -> Iterator[str]:
    """The tests of the hosts, and what they import of other tests, need a Blender's Python and what hosts.sh adds."""
    allowed = sys.stdlib_module_names | BLENDER | {"numpy", "pytest", "hypothesis", "addon", "tests"}
    for imported in imports(file):
        if imported.top not in allowed and not imported.function:
            yield file.at(imported.node, f"a Blender of its own has no {imported.module}")


def reached(files: list[Source]) -> list[Source]:
    """These files, and every module of the tests that one of them imports when it is itself imported."""
    found = {file.path: file for file in files}
    waiting = list(files)
    while waiting:
        names = [i.module for i in imports(waiting.pop()) if i.top == "tests" and not i.function]
        paths = {f"{name.replace('.', '/')}.py" for name in names} - found.keys()
        new = [source(path) for path in sorted(paths) if (ROOT / path).is_file()]
        found |= {file.path: file for file in new}
        waiting += new
    return list(found.values())


def test_addon_uses_nothing_but_blender() -> None:
    uphold(foreign_imports, sources("addon"))
    assert len(list(foreign_imports(Source("addon/x.py", "import torch, json, numpy")))) == 1


def test_addon_reaches_itself_relatively() -> None:
    files = [file for file in sources("addon") if file.path != "addon/__main__.py"]
    uphold(absolute_imports, files)
    assert len(list(absolute_imports(Source("addon/x.py", "from addon import protocol\nfrom . import protocol")))) == 1


def test_hosts_need_no_server() -> None:
    files = reached(
        [file for file in sources("tests/addon/hosts") if Path(file.path).name.startswith(("test_", "conf"))]
    )
    assert "tests/addon/session/samples.py" in {file.path for file in files}
    uphold(host_imports, files)
    assert len(list(host_imports(Source("tests/x.py", "import uvicorn\ndef f():\n    import fastapi")))) == 1


def test_bpy_stays_in_its_files() -> None:
    files = sources("addon", "sg_core", "server", "benchmarks")
    uphold(bpy_imports, files)
    assert len(list(bpy_imports(Source("addon/session/task.py", "def f():\n    import bpy")))) == 1
    assert len(list(bpy_imports(Source("addon/__init__.py", "import bpy")))) == 1
    assert len(list(bpy_imports(Source("addon/capture/masks.py", '"""Masks. No bpy."""\nimport bpy')))) == 1
    assert list(bpy_imports(Source("addon/__init__.py", "def register():\n    import bpy"))) == []


def test_server_knows_only_the_wire() -> None:
    uphold(addon_imports, sources("server"))
    assert len(list(addon_imports(Source("server/http/routes.py", "from addon import client, raster")))) == 1
    assert len(list(addon_imports(Source("server/http/routes.py", "import addon.blender_process")))) == 1
    assert len(list(addon_imports(Source("server/cli/x.py", "import addon.blender_process, addon.headless")))) == 1


def test_server_reaches_the_core_in_few_files() -> None:
    uphold(core_imports, sources("server"))
    assert len(list(core_imports(Source("server/http/routes.py", "def f():\n    import sg_core")))) == 1
    assert len(list(core_imports(Source("server/worker/process.py", "def f():\n    from . import translate")))) == 1
    assert len(list(core_imports(Source("server/worker/engine.py", "import torch\ndef f():\n    import sg_core")))) == 1
    assert list(core_imports(Source("server/worker/engine.py", "if TYPE_CHECKING:\n    import torch"))) == []


def test_relative_imports_are_resolved() -> None:
    text = "from . import protocol\nfrom .protocol import Job\nfrom ..elsewhere import x"
    assert [i.module for i in imports(Source("addon/x.py", text))] == ["addon.protocol", "addon.protocol", "elsewhere"]
    assert [i.function for i in imports(Source("x.py", "class A:\n    def f(self):\n        import os"))] == ["A.f"]


def test_import_contracts() -> None:
    """The contracts in pyproject.toml, which follow indirect imports too."""
    with chdir(ROOT):
        assert lint_imports(no_cache=True) == 0


def test_protocol_needs_the_standard_library_only() -> None:
    """Without site-packages, environment and user site: nothing outside the standard library is even looked for."""
    modules = "addon.protocol.answers, addon.protocol.default_model"
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {modules}; print(*sys.modules)"
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
