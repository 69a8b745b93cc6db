# SPDX-License-Identifier: MIT
"""Names: a class is called once in the repository, a module once in its neighbourhood, both in the field's words."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.reading import Function, Source, sources

PACKAGES = ("addon", "sg_core", "server", "weight_files", "benchmarks")
MOST = 0.01  # of the names that a package binds may be riddles
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# A panel and the operators of its buttons are two sides of one feature, and are called by the same word.
SIDES = ("addon/ui/operators/", "addon/ui/panels/")


def riddles() -> frozenset[str]:
    """The words of words.txt, which says what they are."""
    lines = Path(__file__).with_name("words.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.partition(":")[2].split())


def bound(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every name that a file gives to something: variables, parameters, functions, classes, aliases, exceptions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        elif isinstance(node, ast.arg):
            yield node.arg, node
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node


def is_riddle(name: str, words: frozenset[str]) -> bool:
    """Whether its first or last word is one of ``words``, or all of it is."""
    parts = CAMEL.sub("_", name).strip("_").lower().split("_")
    return not words.isdisjoint((parts[0], parts[-1], "_".join(parts)))


def share_of_riddles(files: Iterable[Source]) -> tuple[float, list[str]]:
    """The part of all bound names that says nothing, 0..1, and where each stands."""
    words = riddles()
    names = [(file, name, node) for file in files for name, node in bound(file.tree)]
    wrong = [file.at(node, name) for file, name, node in names if is_riddle(name, words)]
    return len(wrong) / max(1, len(names)), wrong


def classes(file: Source) -> Iterator[tuple[str, ast.stmt]]:
    """The classes of a module, and the type aliases that are named like one."""
    for node in file.tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.ClassDef):
            yield node.name, node
        elif isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper():
            yield target.id, node


def namesakes(files: Iterable[Source]) -> list[str]:
    """Classes and aliases of one name, each with every line that defines it."""
    lines = defaultdict(list)
    for file in files:
        for name, node in classes(file):
            lines[name].append(f"{file.path}:{node.lineno}")
    return [f"{name}: {', '.join(lines[name])}" for name in sorted(lines) if len(lines[name]) > 1]


def neighbours(paths: Iterable[str]) -> list[str]:
    """Modules of one name in a folder and its direct rooms, where an import or a search would take one for the other.

    Further apart the same word is right: the history of pictures has a panel called history.
    """
    folders = defaultdict(list)
    for path in map(PurePosixPath, paths):
        if not path.stem.startswith("__"):
            for folder in list(path.parents)[:-1][:2]:  # the last is the project, whose rooms are packages of their own
                folders[folder, path.stem].append(path.as_posix())
    twice = {tuple(modules) for modules in folders.values() if len(modules) > 1 and not _two_sides(modules)}
    return [" and ".join(modules) for modules in sorted(twice)]


def _two_sides(paths: list[str]) -> bool:
    return all(path.startswith(SIDES) for path in paths) and len(paths) == len(SIDES)


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_words_of_the_field(package: str) -> None:
    share, wrong = share_of_riddles(sources(package))
    assert share <= MOST, "\n".join([f"{share:.2%} of the names in {package} are riddles", *wrong])


def test_a_class_is_named_once() -> None:
    assert namesakes(sources(*PACKAGES)) == []


def test_a_module_is_named_once_in_its_neighbourhood() -> None:
    assert neighbours(file.path for file in sources(*PACKAGES)) == []


def test_law_counts_riddles() -> None:
    text = "def told(thing, shape):\n    kept_place = eye_data = depth = shape\nclass HeldLock: pass\n"
    share, wrong = share_of_riddles([Source("server/x.py", text)])
    assert {line.rpartition(" ")[2] for line in wrong} == {"told", "thing", "kept_place", "eye_data", "HeldLock"}
    assert share == 5 / 7


def test_law_allows_words_that_only_hold_a_riddle() -> None:
    names = ("placement", "printed", "withheld_token", "dashboard", "Eyelet", "is_here_or_not")
    assert [name for name in names if is_riddle(name, riddles())] == []


def test_law_catches_namesakes() -> None:
    files = [
        Source("addon/a.py", "class Line: pass\nPixels = list[int]\n"),
        Source("server/b.py", "Line = str\nPIXELS = 1"),
    ]
    assert namesakes(files) == ["Line: addon/a.py:1, server/b.py:1"]


def test_law_catches_neighbours() -> None:
    near = ["addon/errors.py", "addon/client/errors.py"]
    rooms = ["sg_core/judge.py", "sg_core/toybox/judge.py"]
    assert neighbours(near) == ["addon/errors.py and addon/client/errors.py"]
    assert neighbours(rooms) == ["sg_core/judge.py and sg_core/toybox/judge.py"]
    assert neighbours(["addon/client/errors.py", "addon/messages/errors.py"]) != []
    assert neighbours(["sg_core/errors.py", "server/errors.py"]) == []
    assert neighbours(["addon/pictures/history.py", "addon/ui/panels/history.py", "addon/__init__.py"]) == []
    assert neighbours(["addon/ui/operators/server.py", "addon/ui/panels/server.py"]) == []
