# SPDX-License-Identifier: MIT
"""Folders: few modules in each, every one on the map, tests where their subject is, and layers that leave none out."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.architecture.reading import ROOMS, ROOT, sources

MODULES = 15  # in one folder; more are two ideas
MAP = ROOT / "docs" / "architecture.md"
MAP_ROW = re.compile(r"^\|(?:[^|]*\|)?? `([\w/]+)/` \|(.*)\|$", re.MULTILINE)

# Folders of tests/addon that are no rooms: what runs in other Blenders, what needs a window, the packed extension.
TEST_BENCHES = frozenset({"tests/addon/hosts", "tests/addon/window", "tests/addon/hosts/extension"})
UNMIRRORED = ("tests/architecture", "tests/security", "tests/releases", "tests/fixtures", "tests/addon/window/")


def full_folders(paths: Iterable[str]) -> list[str]:
    """Folders that hold more than fifteen modules."""
    count = Counter(PurePosixPath(path).parent for path in paths if not path.endswith("__init__.py"))
    return [f"{folder}: {count[folder]} modules" for folder in sorted(count) if count[folder] > MODULES]


def folders(paths: Iterable[str]) -> set[str]:
    """The folders that these files lie in, and those around them: ``addon``, ``addon/client``."""
    return {folder.as_posix() for path in paths for folder in PurePosixPath(path).parents} - {"."}


def off_the_map(paths: Iterable[str], text: str) -> list[str]:
    """Folders that the map does not name, in backticks and with a slash at the end."""
    return sorted(folder for folder in folders(paths) if f"`{folder}/`" not in text)


def unmapped_modules(paths: Iterable[str], text: str) -> list[str]:
    """Modules that the map names nowhere: neither `` `http` `` nor `` `addon/http.py` ``."""
    modules = [path for path in paths if PurePosixPath(path).stem not in {"__init__", "__main__"}]
    return [path for path in modules if not re.search(rf"[`/]{PurePosixPath(path).stem}(\.py)?`", text)]


def gone_modules(text: str) -> list[str]:
    """Modules that the map's row of a folder names and that are not in it: ``| `addon/client/` | `api`, `http` |``."""
    rows = [(row[1], re.findall(r"`(\w+)`", row[2])) for row in MAP_ROW.finditer(text)]
    named = [PurePosixPath(folder, name) for folder, names in rows for name in names]
    return [str(path) for path in named if not (ROOT / path).is_dir() and not (ROOT / f"{path}.py").is_file()]


def homeless_tests(tests: Iterable[str], rooms: set[str]) -> list[str]:
    """Folders of tests with no room of that name: ``tests/addon/client`` is for ``addon/client``."""
    ours = sorted(folders(tests) - TEST_BENCHES - {"tests"})
    subjects = {folder: folder.removeprefix("tests/").replace("addon/hosts/", "addon/") for folder in ours}
    return [folder for folder in ours if not folder.startswith(UNMIRRORED) and subjects[folder] not in rooms]


def open_layers(contracts: Iterable[dict]) -> list[str]:
    """Contracts of layers that a new module could stand outside of."""
    return [
        contract["name"] for contract in contracts if contract["type"] == "layers" and not contract.get("exhaustive")
    ]


def paths(*rooms: str) -> list[str]:
    return [file.path for file in sources(*rooms)]


def test_a_folder_holds_few_modules() -> None:
    assert full_folders(paths(*ROOMS, "tests")) == []


def test_every_folder_is_on_the_map() -> None:
    assert off_the_map([*paths(), "tests/x.py", "docs/x.md", ".ci/run"], MAP.read_text("utf-8")) == []


def test_every_module_is_on_the_map() -> None:
    assert unmapped_modules(paths(*ROOMS), MAP.read_text("utf-8")) == []


def test_modules_on_the_map_exist() -> None:
    assert len(MAP_ROW.findall(MAP.read_text("utf-8"))) > 20
    assert gone_modules(MAP.read_text("utf-8")) == []


def test_tests_mirror_the_rooms() -> None:
    assert homeless_tests(paths("tests"), folders(paths())) == []


def test_layers_leave_no_module_out() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    assert [contract for contract in contracts if contract["type"] == "layers"]
    assert open_layers(contracts) == []


def test_law_catches_full_folders() -> None:
    modules = [f"addon/x/{number}.py" for number in range(MODULES)]
    assert full_folders([*modules, "addon/x/__init__.py", "addon/x/y/more.py"]) == []
    assert full_folders([*modules, "addon/x/more.py"]) == ["addon/x: 16 modules"]


def test_law_catches_folders_off_the_map() -> None:
    text = "In `addon/` there is `addon/client/`, and addon/raster/."
    assert off_the_map(["addon/client/http.py", "addon/raster/lens.py"], text) == ["addon/raster"]


def test_law_catches_modules_off_the_map() -> None:
    text = "There are `api` and `lens.py`; http is not said to be one."
    assert unmapped_modules(["addon/client/api.py", "addon/client/http.py", "addon/raster/lens.py"], text) == [
        "addon/client/http.py"
    ]


def test_law_catches_gone_modules() -> None:
    text = "| 2 | `addon/client/` | `api`, `wire` |\n| `server/` | `settings`, `http`, `jobs` |\n"
    assert gone_modules(text) == ["addon/client/wire", "server/jobs"]


def test_law_catches_homeless_tests() -> None:
    tests = ["tests/addon/client/test_x.py", "tests/addon/hosts/raster/test_x.py", "tests/addon/window/scenarios/x.py"]
    assert homeless_tests(tests, {"addon", "addon/client"}) == ["tests/addon/hosts/raster"]


def test_law_catches_open_layers() -> None:
    closed = {"name": "closed", "type": "layers", "exhaustive": True}
    assert open_layers([closed, {"name": "open", "type": "layers"}, {"name": "other", "type": "forbidden"}]) == ["open"]
