# SPDX-License-Identifier: MIT
"""The form of the house: small files and functions, a licence on every file, words and types on everything public."""

import ast
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT, Function, Source, functions, sources, uphold

FILE_LINES = 300
FUNCTION_LINES = 40
OF_BLENDER = frozenset({"execute", "invoke", "poll", "description", "draw"})

# The wire format is free for other clients, in any licence; the rest of the add-on is Blender's.
PERMISSIVE = "addon/protocol/"
HEADED = frozenset({".py", ".sh", ".toml"})
HEADED_NAMES = frozenset({"Makefile", "run", ".gitattributes"})


def tracked() -> list[Path]:
    """The files that git keeps or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def long_things(file: Source) -> Iterator[str]:
    """Files of one idea; functions that fit an eye. A docstring is not counted against its function."""
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        yield f"{file.path}: {lines} lines, more than {FILE_LINES}: it holds two ideas"
    for name, function in functions(file.tree):
        length = _code_lines(function)
        if length > FUNCTION_LINES:
            yield file.at(function, f"{name} has {length} lines, more than {FUNCTION_LINES}")


def _code_lines(function: Function) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


def silent_things(file: Source) -> Iterator[str]:
    """A public module, class or function says what it is, and every parameter and result has a type."""
    if not ast.get_docstring(file.tree) and file.tree.body:
        yield f"{file.path}:1: the module has no docstring"
    for node in chain(file.tree.body, *(_own_methods(node) for node in file.tree.body)):
        named = isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
        if named and not ast.get_docstring(node) and not _overload(node):
            yield file.at(node, f"{node.name} has no docstring")
    methods = {id(part) for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef) for part in node.body}
    for name, function in functions(file.tree):
        if untyped := _untyped(function, id(function) in methods):
            yield file.at(function, f"{name}: no type for {', '.join(untyped)}")


def _own_methods(node: ast.stmt) -> list[ast.stmt]:
    """What a class says by itself: not a Protocol's lines, nor what Blender asks of every operator and panel."""
    protocol = isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
    if not isinstance(node, ast.ClassDef) or protocol or node.name.startswith("_"):
        return []
    return [part for part in node.body if isinstance(part, Function) and part.name not in OF_BLENDER]


def _overload(node: Function | ast.ClassDef) -> bool:
    return any(ast.unparse(mark).endswith("overload") for mark in node.decorator_list)


def _untyped(function: Function, method: bool) -> list[str]:
    spec = function.args
    static = any(ast.unparse(mark) == "staticmethod" for mark in function.decorator_list)
    named = [*spec.posonlyargs, *spec.args][method and not static :]
    parameters = chain(named, spec.kwonlyargs, filter(None, (spec.vararg, spec.kwarg)))
    return [arg.arg for arg in parameters if arg.annotation is None] + ["the result"] * (function.returns is None)


def header(path: str) -> str:
    """The first line that a file at this path must have (the second where the first calls an interpreter)."""
    gpl = (path.startswith("addon/") and not path.startswith(PERMISSIVE)) or path == "blender_manifest.toml"
    # REUSE-IgnoreStart
    return f"# SPDX-License-Identifier: {'GPL-3.0-or-later' if gpl else 'MIT'}"
    # REUSE-IgnoreEnd


def test_sizes() -> None:
    uphold(long_things, [*sources(), *sources("tests")])


def test_words_and_types() -> None:
    uphold(silent_things, sources())


def test_licence_headers() -> None:
    paths = [path for path in tracked() if path.suffix in HEADED or path.name in HEADED_NAMES]
    heads = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8").split("\n")[:2] for path in paths}
    wrong = [name for name, lines in heads.items() if header(name) != lines[lines[0].startswith("#!")]]
    assert len(paths) > 10
    assert wrong == []


def test_licence_texts_are_whole() -> None:
    assert {path.name for path in (ROOT / "LICENSES").iterdir()} == {"GPL-3.0-or-later.txt", "MIT.txt"}
    assert "END OF TERMS AND CONDITIONS" in (ROOT / "LICENSES/GPL-3.0-or-later.txt").read_text("utf-8")
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in (ROOT / "LICENSES/MIT.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (long_things, "x = 1\n" * 301),
        (long_things, "def f():\n" + "    x = 1\n" * 40),
        (silent_things, "x = 1"),
        (silent_things, '"""Doc."""\ndef f() -> None: pass'),
        (silent_things, '"""Doc."""\nclass A: pass'),
        (silent_things, '"""Doc."""\nclass A:\n    """Doc."""\n    def f(self) -> None: pass'),
        (silent_things, '"""Doc."""\ndef _f(x) -> None: pass'),
        (silent_things, '"""Doc."""\ndef _f(x: int): pass'),
    ],
)
def test_law_catches_form(law, text: str) -> None:
    assert len(list(law(Source("server/x.py", text)))) == 1


def test_law_allows_form() -> None:
    text = '"""Doc."""\nclass A:\n    """Doc."""\n    def _f(self, x: int) -> None: pass\ndef _f() -> None: pass\n'
    assert list(silent_things(Source("server/x.py", text))) == []
    assert list(long_things(Source("server/x.py", "def f():\n" + "    x = 1\n" * 39))) == []
