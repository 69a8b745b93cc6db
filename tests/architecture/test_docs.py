# SPDX-License-Identifier: MIT
"""Law 9: the documentation names everything there is, and the README's examples run."""

import ast
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import resolve_name, walk_packages

import pytest

from tests.architecture.reading import ROOT, sources

README = ROOT / "README.md"
PAGES = (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEWLINE = "\n"


@dataclass(frozen=True)
class Example:
    """A fenced block: its language, its text, and where it stands."""

    language: str
    text: str
    place: str


def examples(*pages: Path) -> list[Example]:
    """Every fenced block of these pages."""
    found = [(page, match) for page in pages for match in BLOCK.finditer(page.read_text("utf-8"))]
    return [
        Example(match[1], match[2], f"{page.name}:{match.string.count(NEWLINE, 0, match.start()) + 1}")
        for page, match in found
    ]


def words() -> set[str]:
    """Every name that a page writes as code: `--seed`, `GET /v1/jobs`, `maquette_prompt`."""
    spans = [span for page in PAGES for span in re.findall(r"`([^`\n]+)`", page.read_text("utf-8"))]
    return {word for span in spans for word in (span, *re.split(r"[\s=|\[\],]+", span))}


def help_of(target: str) -> str:
    """What a verb's function prints when it is asked for help."""
    printed = StringIO()
    with redirect_stdout(printed), pytest.raises(SystemExit):
        resolve_name(target)(["--help"])
    return printed.getvalue()


@cache
def verbs() -> dict[str, frozenset[str]]:
    """Each verb of the command line -> its flags."""
    from server.cli.main import VERBS

    return {verb: frozenset(re.findall(r"--[a-z][a-z-]*", help_of(target))) for verb, (target, _) in VERBS.items()}


def flags() -> set[str]:
    return set().union(*verbs().values()) | set(re.findall(r"--[a-z][a-z-]*", help_of("addon.__main__:main")))


def settings() -> set[str]:
    from server.settings import ServerSettings

    return {field.name for field in fields(ServerSettings)}


def routes() -> set[str]:
    from server.http.routes import router

    return {f"{method} {route.path}" for route in router.routes for method in route.methods - {"HEAD"}}


def kinds(base: type) -> set[type]:
    """A class and all that descends from it."""
    return {base}.union(*(kinds(child) for child in base.__subclasses__()))


def problems() -> set[str]:
    import server.safeguards.refusals  # noqa: F401  # those of its own
    from server.problems import Refusal

    return {kind.type for kind in kinds(Refusal)} - {Refusal.type}


def errors() -> set[str]:
    """Every error class that the add-on and the method define."""
    tree = [
        node for file in sources("addon", "sg_core") for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef)
    ]
    known = {"Exception", "ValueError", "RuntimeError", "LookupError", "KeyError", "TypeError", "OSError"}
    while more := {n.name for n in tree if {ast.unparse(base).rpartition(".")[2] for base in n.bases} & known} - known:
        known |= more
    return {node.name for node in tree if node.name in known and not node.name.startswith("_")}


def properties() -> set[str]:
    """What the add-on keeps in a .blend and in its preferences: registered properties and ``maquette_…`` keys."""
    import addon
    from addon.runtime.preferences import MaquettePreferences

    names = [module.name for module in walk_packages(addon.__path__, "addon.") if module.name != "addon.__main__"]
    values = [value for name in names for value in vars(import_module(name)).values()]
    keys = {value for value in values if isinstance(value, str) and re.fullmatch(r"maquette_[a-z_]*[a-z]", value)}
    return keys | set(MaquettePreferences.__annotations__)


def variables() -> set[str]:
    """Environment variables of our own."""
    return {name for file in sources() for name in re.findall(r'"(MAQUETTE_[A-Z_]+)"', file.text)}


@pytest.mark.parametrize("things", [flags, settings, routes, problems, errors, properties, variables])
def test_documented(things) -> None:
    present = things()
    assert present
    assert sorted(present - words()) == [], "write these in docs/reference.md, in backticks"


def test_what_a_card_may_say_is_listed_whole() -> None:
    from server.catalogue import facts
    from server.models.card_files import KEYS

    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    lists = (("`card.json` beside it may say", "nothing else", facts()["card.json"]), ("It may say", "; what", KEYS))
    for start, end, keys in lists:
        assert set(re.findall(r"`(\w+)`", text.partition(start)[2].partition(end)[0])) == set(keys)


def test_verbs_are_documented() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [verb for verb in verbs() if f"maquette {verb}" not in text] == []


def python_examples() -> list[Example]:
    return [example for example in examples(*PAGES) if example.language == "python"]


@pytest.mark.parametrize("example", python_examples(), ids=lambda example: example.place)
def test_python_example_runs(example: Example, tmp_path: Path) -> None:
    """Each block alone, as a reader would paste it; one that starts with ``import bpy`` runs in Blender's module."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example.text], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, f"{example.place}\n{done.stderr}"


def test_readme_has_examples() -> None:
    assert [example for example in examples(README) if example.language == "python"]
    assert [example for example in examples(README) if example.language == "bash"]


def commands() -> list[tuple[str, list[str]]]:
    """Every command of the pages' bash blocks, comments and variables in front of it taken off."""
    lines = [(e.place, line) for e in examples(*PAGES) if e.language == "bash" for line in e.text.splitlines()]
    split = [(place, shlex.split(line, comments=True)) for place, line in lines]
    return [(place, [w for w in parts if not re.match(r"[A-Z_]+=", w)]) for place, parts in split if parts]


def verb_of(arguments: list[str]) -> str:
    """The verb that these words begin with, or ""."""
    return next((verb for verb in verbs() if arguments[: verb.count(" ") + 1] == verb.split()), "")


def test_commands_are_real() -> None:
    """``maquette …`` has a verb and flags of that verb; ``make …`` names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for place, (command, *arguments) in commands():
        if command.rpartition("/")[2] == "maquette":
            used = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            assert verb_of(arguments), place
            assert used - verbs()[verb_of(arguments)] == set(), place
        elif command == "make":
            assert {word for word in arguments if "=" not in word} <= targets, place


def test_linked_files_exist() -> None:
    """No page leads to a file that is not there."""
    links = [
        (page, link) for page in PAGES for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_modules_named_are_real() -> None:
    """``addon.client.exceptions`` in backticks is a module of ours, or a name in one."""
    dotted = {word for word in words() if re.fullmatch(r"(addon|sg_core|server|benchmarks)(\.\w+)+(:\w+)?", word)}
    assert "addon.client.exceptions" in dotted
    assert [word for word in sorted(dotted) if not is_real(word)] == []


def is_real(name: str) -> bool:
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_reader_of_names() -> None:
    names = ("addon.client.exceptions", "server.cli.main:main", "addon.contract", "server.settings.Nothing")
    assert [is_real(name) for name in names] == [True, True, False, False]


def test_reader_of_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Look:\n\n```python\nx = 1\n```\n\n```bash\nmake demo\n```\n", "utf-8")
    assert examples(page) == [Example("python", "x = 1\n", "page.md:3"), Example("bash", "make demo\n", "page.md:7")]
