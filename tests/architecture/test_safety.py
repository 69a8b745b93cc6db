# SPDX-License-Identifier: MIT
"""Law 8 and its kin: nothing swallows an error, keeps hidden state, blocks the loop or runs what it loaded."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.reading import Source, functions, own_nodes, owners, sources, uphold

# Where any failure becomes a recorded outcome, so that one job cannot end the loop.
CATCHERS = frozenset({"server/worker/process.py", "addon/runtime/timers.py"})

BROAD = frozenset({"Exception", "BaseException"})
RUNS_CODE = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"})
THREADED = frozenset({"threading", "_thread", "concurrent", "multiprocessing", "queue"})
STARTS_THREADS = frozenset(
    {"run_in_executor", "to_thread", "getaddrinfo", "create_subprocess_exec", "create_subprocess_shell"}
)
LOADS_CODE = frozenset({"trust_remote_code", "custom_pipeline"})
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CONTAINERS = frozenset({"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray"})
MUTATORS = frozenset(
    {
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "popitem",
        "clear",
        "update",
        "setdefault",
        "add",
        "discard",
        "sort",
    }
)


def broad_excepts(file: Source) -> Iterator[str]:
    """``except:`` and ``except Exception`` hide the failure that nobody thought of."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler) and file.path not in CATCHERS:
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in BROAD for kind in kinds):
                yield file.at(node, "name the errors this can handle")
        suppresses = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
        if suppresses and any(ast.unparse(kind) in BROAD for kind in node.args):
            yield file.at(node, "name the errors this can handle")


def module_state(file: Source) -> Iterator[str]:
    """A constant table is written in capitals and never changed; whatever changes lives in a value somebody holds."""
    tables = set()
    for statement in file.tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or not _mutable(statement.value):
            continue
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            name = ast.unparse(target)
            tables.add(name)
            if not name.isupper() and name != "__all__":
                yield file.at(statement, f"{name} is mutable state of a module")
    inside = owners(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Global):
            yield file.at(node, "global")
        elif (changed := _changed(node)) in tables and not _local(changed, inside.get(node, ""), file):
            yield file.at(node, f"changes {changed}, a table of the module")


def _mutable(value: ast.expr | None) -> bool:
    called = ast.unparse(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""
    return isinstance(value, MUTABLE) or called in CONTAINERS


def _changed(node: ast.AST) -> str:
    """The name whose contents a node changes: ``x[...] = ``, ``del x[...]``, ``x.append(...)``, ``x.field = ``."""
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return ast.unparse(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return ast.unparse(node.func.value)
    return ""


def _local(name: str, owner: str, file: Source) -> bool:
    """Whether a function has a variable of its own by that name."""
    stores = (n for o, f in functions(file.tree) if o == owner for n in own_nodes(f) if isinstance(n, ast.Name))
    return any(node.id == name and isinstance(node.ctx, ast.Store) for node in stores)


def idle_coroutines(file: Source) -> Iterator[str]:
    """An ``async def`` that never awaits blocks the loop for as long as it runs; write it as a function.

    One that calls nothing takes no time: FastAPI would have a plain one called in a thread, which does.
    """
    awaits = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
    for name, function in functions(file.tree):
        nodes = list(own_nodes(function))
        comprehends = any(isinstance(node, ast.comprehension) and node.is_async for node in nodes)
        declared = isinstance(function.body[-1], ast.Expr) and isinstance(function.body[-1].value, ast.Constant)
        waits = comprehends or declared or any(isinstance(node, awaits) for node in nodes)
        calls = any(isinstance(node, ast.Call) for node in nodes)
        if isinstance(function, ast.AsyncFunctionDef) and calls and not waits:
            yield file.at(function, f"{name} never awaits")


def lost_cancellations(file: Source) -> Iterator[str]:
    """``asyncio.wait_for`` drops a cancellation that comes with its result, until Python 3.12: the task lives on."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("wait_for"):
            yield file.at(node, "async with asyncio.timeout(...) keeps it")


def threads(file: Source) -> Iterator[str]:
    """Blender's Python has no safe threads: the add-on starts none, and nothing that would."""
    if not file.path.startswith("addon/"):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (file.at(node, f"{m} has threads") for m in modules if m.partition(".")[0] in THREADED)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in STARTS_THREADS:
            yield file.at(node, f"{ast.unparse(node.func)} starts a thread")


def loaded_code(file: Source) -> Iterator[str]:
    """Weights are safetensors: no unpickling, no code from a hub, no evaluation of text, no shell."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (file.at(node, f"{m} runs what it reads") for m in modules if m.partition(".")[0] in RUNS_CODE)
        elif isinstance(node, ast.Call):
            if ast.unparse(node.func) in {"torch.load", "eval", "exec", "os.system", "os.popen"}:
                yield file.at(node, f"{ast.unparse(node.func)} runs what it reads")
            for word in node.keywords:
                if word.arg in LOADS_CODE or (word.arg == "shell" and ast.unparse(word.value) == "True"):
                    yield file.at(node, f"{word.arg} runs foreign code")


def state_changes(file: Source) -> Iterator[str]:
    """A job's state is decided in jobs.py: whoever writes one asks ``advance`` for it in the same function."""
    if not file.path.startswith("server/") or file.path == "server/queue/job_state.py":
        return
    for name, function in functions(file.tree):
        nodes = list(own_nodes(function))
        asks = any(isinstance(node, ast.Call) and ast.unparse(node.func).endswith("advance") for node in nodes)
        for node in nodes:
            if _writes_state(node) and not asks:
                yield file.at(node, f"{name} changes a job's state by itself")


def _writes_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(re.search(r"UPDATE\s+job\s+SET\s+(?:(?!WHERE).)*\bstate\s*=", node.value, re.DOTALL))
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("replace"):
        return any(word.arg == "state" for word in node.keywords)
    return isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store)


BAD = {
    broad_excepts: (
        "try: f()\nexcept: pass",
        "try: f()\nexcept Exception: pass",
        "try: f()\nexcept (ValueError, BaseException): pass",
        "with contextlib.suppress(Exception): f()",
    ),
    module_state: (
        "cache = {}",
        "seen: set[str] = set()",
        "def f():\n    global count",
        "TABLE = {}\ndef f():\n    TABLE['a'] = 1",
        "TABLE = []\ndef f():\n    TABLE.append(1)",
    ),
    idle_coroutines: (
        "async def f():\n    return g()",
        "async def f():\n    async def g():\n        await h()\n    return g()",
    ),
    state_changes: (
        "def f(db):\n    db.execute('UPDATE job SET step = 1, state = ?')",
        "def f(job):\n    return replace(job, state='done')",
        "def f(job):\n    job.state = 'done'",
    ),
    lost_cancellations: ("async def f():\n    await asyncio.wait_for(g(), 1)",),
    loaded_code: ("import pickle", "torch.load(f)", "load(trust_remote_code=True)", "run(x, shell=True)", "eval('1')"),
}

GOOD = {
    broad_excepts: ("try: f()\nexcept (OSError, ValueError): pass", "with suppress(OSError): f()"),
    module_state: (
        "TABLE = {'a': 1}\ndef f():\n    return TABLE['a']",
        "X = []\ndef f():\n    X = []\n    X.append(1)",
        "def f():\n    a = []",
    ),
    idle_coroutines: (
        "async def f():\n    await g()",
        "async def f():\n    yield 1",
        "async def f(request):\n    return request.app",
        "class P:\n    async def f(self): ...",
    ),
    state_changes: (
        "def f(db):\n    x = advance(t, v)\n    db.execute('UPDATE job SET state = ?', x)",
        "def f(db):\n    db.execute('UPDATE job SET step = 1 WHERE state = 2')",
    ),
    lost_cancellations: ("async def f():\n    async with asyncio.timeout(1):\n        await g()",),
    loaded_code: ("load_file(f)", "model.eval()", "run(x, shell=False)"),
}

LAWS = (*BAD, threads)


@pytest.mark.parametrize("law", LAWS)
def test_house_obeys(law) -> None:
    uphold(law, sources())


@pytest.mark.parametrize(("law", "text"), [(law, text) for law, texts in BAD.items() for text in texts])
def test_law_catches(law, text: str) -> None:
    assert len(list(law(Source("server/x.py", text)))) == 1


@pytest.mark.parametrize(("law", "text"), [(law, text) for law, texts in GOOD.items() for text in texts])
def test_law_allows(law, text: str) -> None:
    assert list(law(Source("server/x.py", text))) == []


@pytest.mark.parametrize(
    "text", ["import threading", "from concurrent.futures import Future", "loop.run_in_executor()"]
)
def test_threads_are_caught_in_the_add_on_alone(text: str) -> None:
    assert len(list(threads(Source("addon/x.py", text)))) == 1
    assert list(threads(Source("server/x.py", text))) == []


def test_catchers_catch_once() -> None:
    """The exception is for the loop that records a failure, in one place a file."""
    broad = {
        path: len(list(broad_excepts(Source("x.py", file.text))))
        for file in sources()
        if (path := file.path) in CATCHERS
    }
    assert all(count <= 1 for count in broad.values()), broad
