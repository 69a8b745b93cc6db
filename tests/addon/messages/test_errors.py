# SPDX-License-Identifier: MIT
"""The trees of errors are as they are drawn in their modules, and every notice is made in one room."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import addon
import server.safeguards.refusals  # noqa: F401  # those of its own
from addon.client.exceptions import ClientError
from addon.messages import sentences
from addon.messages.errors import UserError
from addon.messages.notice import Notice
from server.problems import Refusal

ROOM = Path(addon.__file__).parent
BRANCH = re.compile(r"^(?P<lines>[│|├└`─ -]*)(?P<name>[A-Z]\w+)(?:  |$)")
INDENT = 4  # characters that a line of a drawing has more than the one that its class descends from


def drawn(drawing: str) -> list[tuple[str, str]]:
    """Each class of a drawing with the one it descends from, "" for the first."""
    path: list[str] = []
    pairs = []
    for match in filter(None, map(BRANCH.match, drawing.splitlines())):
        path[len(match["lines"]) // INDENT :] = [match["name"]]
        pairs.append((match["name"], path[-2] if len(path) > 1 else ""))
    return pairs


def descent(kind: type, parent: str = "") -> Iterator[tuple[str, str]]:
    """A class and all that descends from it, each with its parent, as a drawing lists them."""
    yield kind.__name__, parent
    for child in kind.__subclasses__():
        yield from descent(child, kind.__name__)


@pytest.mark.parametrize("base", [UserError, ClientError, Refusal], ids=lambda base: base.__name__)
def test_the_drawing_is_the_tree(base: type[Exception]) -> None:
    for module in walk_packages(addon.__path__, "addon."):
        if module.name != "addon.__main__":
            import_module(module.name)
    own = sys.modules[base.__module__]
    drawing = f"{own.__doc__}\n{inspect.getdoc(base)}"
    assert sorted(drawn(drawing)) == sorted(descent(base))


def test_a_drawing_that_lacks_a_class_is_not_the_tree() -> None:
    drawing = "Base       all\n├── First  one\n│   └── Inner  deep\n└── Last"
    assert drawn(drawing) == [("Base", ""), ("First", "Base"), ("Inner", "First"), ("Last", "Base")]
    assert drawn("Base\n|-- First  one\n|   `-- Inner\n`-- Last") == drawn(drawing)


def test_every_notice_is_made_in_the_room_of_messages() -> None:
    """So that a sentence, its code and its buttons are looked for in one folder."""
    makers = {
        path.relative_to(ROOM).as_posix()
        for path in sorted(ROOM.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Notice")
    }
    assert makers == {"messages/notice.py", "messages/region_sentences.py", "messages/sentences.py"}


def said() -> dict[str, Notice]:
    """Every notice of sentences.py by its function, with … for each of its words."""
    makers = {name: kind for name, kind in vars(sentences).items() if inspect.isfunction(kind)}
    return {name: maker(**dict.fromkeys(inspect.signature(maker).parameters, "…")) for name, maker in makers.items()}


@pytest.mark.parametrize(("name", "notice"), said().items(), ids=said())
def test_a_notice_is_whole_sentences(name: str, notice: Notice) -> None:
    for sentence in (notice.message, notice.fix):
        assert sentence == "" or sentence[0] in "“…" or sentence[0].isupper(), name
        assert sentence == "" or sentence[-1] in ".…", name
    assert notice.code or notice == sentences.server_stopped(), "without a code there is no button"


def test_the_reference_has_the_sentences() -> None:
    page = (ROOM.parent / "docs" / "reference.md").read_text("utf-8")
    rows = {match[1]: match[2] for match in re.finditer(r"^\| `([a-z-]+)` \| ([^|]*) \|", page, re.MULTILINE)}
    sentences_of = {notice.message: rows.get(notice.code, "") for notice in said().values()}
    assert len(rows) > 60
    assert [message for message, row in sentences_of.items() if message.strip("….") and message not in row] == [
        "The server has stopped."
    ]
