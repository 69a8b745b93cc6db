# SPDX-License-Identifier: MIT
"""Reading the house's own code: the laws are tests over what this returns."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("addon", "sg_core", "server", "weight_files", "benchmarks", "examples")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path inside the project (``addon/scene.py``) and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def at(self, node: ast.AST, problem: str) -> str:
        """An offence, in the form that editors turn into a link."""
        return f"{self.path}:{node.lineno}: {problem}"


@dataclass(frozen=True)
class Import:
    """One imported module, relative imports resolved; ``function`` names what it waits for, "" if nothing."""

    module: str
    function: str
    node: ast.stmt

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def sources(*rooms: str) -> list[Source]:
    """Every Python file of these rooms (all of them when none is named)."""
    paths = [path for room in rooms or ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths]


def source(path: str) -> Source:
    """The one file at this path inside the project."""
    return Source(path, (ROOT / path).read_text("utf-8"))


def uphold(law: Callable[[Source], Iterable[str]], files: Iterable[Source]) -> None:
    """Fail with the law's own sentence and a line for each offence against it."""
    problems = [problem for file in files for problem in law(file)]
    assert not problems, "\n".join([law.__doc__ or "", *problems])


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function and method with its dotted name, those inside others included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{prefix}{node.name}"
            if isinstance(node, Function):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, prefix)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions and classes defined inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def owners(tree: ast.Module) -> dict[ast.AST, str]:
    """Each node inside a function -> that function's dotted name."""
    return {node: name for name, function in functions(tree) for node in own_nodes(function)}


def imports(source: Source) -> list[Import]:
    """Every import of a file; ``from . import scene`` in addon/pump.py is ``addon.scene``."""
    inside = owners(source.tree) | dict.fromkeys(_for_types_only(source.tree), "TYPE_CHECKING")
    return [
        Import(module, inside.get(node, ""), node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in dict.fromkeys(_modules(source, node))
    ]


def _for_types_only(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from ast.walk(node)


def _modules(source: Source, node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = source.path.split("/")[: -node.level] if node.level else []
    base = ".".join([*package, *filter(None, [node.module])])
    return [_module_or_name(base, alias.name) for alias in node.names]


def _module_or_name(base: str, name: str) -> str:
    """``from base import name`` imports ``base.name`` where that is one of our own modules, and ``base`` otherwise."""
    place = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if place.is_dir() or place.with_suffix(".py").is_file() else base
