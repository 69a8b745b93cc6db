# SPDX-License-Identifier: MIT
"""Every error has a sentence, and a button that puts it right or a stated reason why there is none."""

import ast
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import bpy
import pytest

import addon
import server.safeguards.refusals  # noqa: F401  # those of its own
from addon.client.exceptions import ClientError, ServerProblem
from addon.messages.errors import UserError
from addon.messages.fixes import FIXES, Button, of
from addon.messages.notice import Notice, notice
from addon.protocol.answers import Problem
from server.problems import Refusal

ROOM = Path(addon.__file__).parent
MODULES = [module.name for module in walk_packages(addon.__path__, "addon.") if module.name != "addon.__main__"]
BASES = {UserError, ClientError, ServerProblem, Refusal}  # never raised themselves, or with a code of the server's


def kinds(base: type) -> set[type]:
    """A class and all that descends from it."""
    return {base}.union(*(kinds(child) for child in base.__subclasses__()))


def codes() -> dict[str, str]:
    """Every code there is -> where it comes from."""
    for name in MODULES:
        import_module(name)
    ours = {kind.code: kind.__name__ for base in (UserError, ClientError) for kind in kinds(base) - BASES}
    theirs = {kind.type: kind.__name__ for kind in kinds(Refusal) - BASES if kind.type != Refusal.type}
    return {**ours, **theirs, **literals()}


def literals() -> dict[str, str]:
    """Codes written where a notice is made: ``Notice(…, code="…")``."""
    calls = [
        (path.name, node)
        for path in sorted(ROOM.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]
    words = [(name, word) for name, call in calls for word in call.keywords if word.arg == "code"]
    return {word.value.value: name for name, word in words if isinstance(word.value, ast.Constant)}


def offered() -> list[Button]:
    return list(dict.fromkeys(button for fix in FIXES.values() for button in fix.buttons))


def test_every_error_has_a_button_or_a_reason_for_none() -> None:
    missing = {code: origin for code, origin in codes().items() if code not in FIXES}
    assert missing == {}
    assert sorted(FIXES.keys() - codes().keys()) == [], "fixes of nothing"
    assert [code for code, fix in FIXES.items() if bool(fix.buttons) == bool(fix.why)] == []


def test_every_notice_says_what_it_is() -> None:
    """A notice without a code has no button: only what is no trouble may do without."""
    bare = [
        f"{path.name}: {ast.unparse(node)}"
        for path in sorted(ROOM.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Notice")
        if "code" not in {word.arg for word in node.keywords}
    ]
    assert bare == ["sentences.py: Notice(message='The server has stopped.')"]


@pytest.mark.parametrize("button", offered(), ids=lambda button: f"{button.operator} {button.text}")
def test_every_button_is_an_operator_that_takes_what_it_is_handed(button: Button) -> None:
    room, _, name = button.operator.partition(".")
    handed = {button.subject_property, *dict(button.arguments)} - {""}
    if room == "maquette":
        assert handed <= ours()[button.operator]
    else:
        assert handed <= set(getattr(getattr(bpy.ops, room), name).get_rna_type().properties.keys())


def ours() -> dict[str, set[str]]:
    """Our operators by name, with their properties."""
    return {kind.bl_idname: set(vars(kind).get("__annotations__", {})) for kind in operators()}


def operators() -> set[type[bpy.types.Operator]]:
    return {
        value
        for name in MODULES
        for value in vars(import_module(name)).values()
        if isinstance(value, type) and issubclass(value, bpy.types.Operator) and value is not bpy.types.Operator
    }


def test_a_newer_server_s_problem_still_has_its_sentence() -> None:
    problem = Problem(
        type="unheard-of", title="New", status=418, detail="Something new.", fix="Do this.", path="prompt"
    )
    told = notice(ServerProblem(problem))
    assert told.message == "Something new (prompt)."
    assert told.fix == "Do this."
    assert of(told) == ()


def test_the_first_button_is_the_likeliest() -> None:
    assert [button.operator for button in of(Notice(message="", code="out-of-memory"))] == ["maquette.paint_smaller"]
    assert of(Notice(message="", code="phrase-missing"))[0].subject_property == "subject"


def test_a_server_is_offered_only_where_a_new_one_could_help() -> None:
    for code in ("server-absent", "server-died"):
        notice = Notice(message="", code=code)
        first, *others = of(notice)
        assert first.operator == "maquette.start_server" and of(notice, startable=False) == tuple(others)


def test_where_no_server_is_known_one_is_to_be_installed() -> None:
    for code in ("server-absent", "live-offline", "server-unknown"):
        notice = Notice(message="", code=code)
        operators = [button.operator for button in of(notice, known=False)]
        assert operators[0] == "maquette.install_server" and "maquette.start_server" not in operators
        assert "maquette.start_server" not in [button.operator for button in of(notice, startable=False, known=False)]


def test_the_reference_lists_every_code_with_its_buttons() -> None:
    page = (ROOM.parent / "docs" / "reference.md").read_text("utf-8")
    rows = {match[1]: match[2] for match in re.finditer(r"^\| `([a-z-]+)` \| [^|]* \| ([^|]*) \|", page, re.MULTILINE)}
    labels = {kind.bl_idname: kind.bl_label for kind in operators()}
    texts = {code: [button.text or labels[button.operator] for button in fix.buttons] for code, fix in FIXES.items()}
    assert [code for code in FIXES if code not in rows] == []
    assert {code: text for code, buttons in texts.items() for text in buttons if text not in rows[code]} == {}
