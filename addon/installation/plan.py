# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be installed, of what, and where: a value, and the commands that do it, step by step. No bpy.

Steps are done once: ``record.json`` in the installation's folder says which were, and of what.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from ..client.address import loopback
from .release import Release
from .torch_builds import TorchBuild, dependencies, requirement

HERE = Path(__file__).parent
ENVIRONMENT = "environment"  # its folder in the installation's
PACKAGE = "maquette"  # as the wheel calls itself
RAW_PROGRESS = (24, 1)  # the first pip that says in numbers how far it is
OTHERS = 80  # megabytes of all that is neither torch nor ours
UNPACKED = 2  # how much larger packages are on the disk than as wheels: 1.8 times, and what Python compiles of them
CHECK = (
    "import torch, server.worker.engine, server.worker.translate, server.http.app; print('torch', torch.__version__)"
)
REMOVE = "import os, shutil, sys; [shutil.rmtree(folder) for folder in sys.argv[1:] if os.path.lexists(folder)]"
FOREIGN = re.compile(r"PYTHON|VIRTUAL_ENV|PIP_(USER|TARGET|PREFIX|ROOT|REQUIRE)")  # would lead elsewhere
OFFLINE = re.compile(r"PYTHON|VIRTUAL_ENV|PIP_")


@dataclass(frozen=True, kw_only=True)
class InstallStep:
    """A part of the work, and its share of the time that all of it takes."""

    name: str
    label: str
    share: float


STEPS = (
    InstallStep(name="environment", label="Making the environment", share=0.05),
    InstallStep(name="wheel", label="Fetching the server", share=0.05),
    InstallStep(name="torch", label="Installing torch", share=0.55),
    InstallStep(name="server", label="Installing the server", share=0.25),
    InstallStep(name="check", label="Trying it", share=0.1),
)


@dataclass(frozen=True, kw_only=True)
class InstallPlan:
    """``wheel`` is a file or an address, "" for the release's own; ``wheels`` a folder to take every package from;
    ``python`` the interpreter to use, "" for Blender's own.
    """

    folder: Path
    release: Release
    build: TorchBuild
    wheel: str = ""
    wheels: str = ""
    python: str = ""

    @property
    def environment(self) -> Path:
        """The folder of the environment."""
        return self.folder / ENVIRONMENT

    @property
    def interpreter(self) -> Path:
        """The environment's Python."""
        return interpreter(self.folder)

    @property
    def source(self) -> str:
        """Where the wheel is from: what was chosen, what is in the folder of wheels, or the release's address."""
        offered = Path(self.wheels, self.release.name) if self.wheels and self.release.name else None
        return self.wheel or (str(offered) if offered and offered.is_file() else self.release.download)

    @property
    def target(self) -> Path:
        """The wheel's file, once it is fetched."""
        return (
            self.folder
            / "downloads"
            / Path(urlsplit(self.source).path if is_address(self.source) else self.source).name
        )

    @property
    def online(self) -> bool:
        """Whether another machine is asked for anything."""
        return not self.wheels or (is_address(self.source) and not loopback(self.source))

    @property
    def disk(self) -> float:
        """Megabytes that it takes on the disk, about. What a folder of wheels has may be larger than the build that
        was chosen; of a package that it has for several systems, one is counted."""
        largest: dict[str, int] = {}
        for wheel in Path(self.wheels).glob("*.whl") if self.wheels else ():
            name = wheel.name.partition("-")[0]
            largest[name] = max(largest.get(name, 0), wheel.stat().st_size)
        return max(self.build.disk, UNPACKED * sum(largest.values()) / 1e6)

    @property
    def fingerprint(self) -> list[str]:
        """What a finished step was done for."""
        return [self.python, self.build.name, self.release.sha256 or self.source]


def interpreter(folder: Path) -> Path:
    """The Python of the environment that an installation's folder has."""
    inside = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return folder.joinpath(ENVIRONMENT, *inside)


def is_address(source: str) -> bool:
    """Whether it is to be downloaded."""
    return source.startswith(("http://", "https://"))


def leashed(python: str | Path, *words: str | Path) -> list[str]:
    """The words that run a module or a script in a Python that ends when this process does."""
    return [str(python), "-I", str(HERE / "leashed.py"), str(os.getpid()), *map(str, words)]


def making(plan: InstallPlan, python: str) -> list[str]:
    """Make the environment anew, without pip, which comes by itself."""
    return leashed(python, "-m", "venv", "--clear", "--without-pip", plan.environment)


def bringing_pip(plan: InstallPlan, has_ensurepip: bool) -> list[str] | None:
    """Bring pip into the environment: Python's own, or one in the folder of wheels; None where neither is there."""
    if has_ensurepip:
        return leashed(plan.interpreter, "-m", "ensurepip", "--default-pip")
    packed = max(Path(plan.wheels).glob("pip-*.whl"), default=None) if plan.wheels else None
    return leashed(plan.interpreter, packed / "pip", "install", "--no-index", packed) if packed else None


def fetching(plan: InstallPlan) -> list[str]:
    """Fetch and check the wheel."""
    release = plan.release
    return leashed(plan.interpreter, HERE / "fetch.py", plan.source, plan.target, release.sha256, str(release.size))


def renewing_pip(plan: InstallPlan) -> list[str] | None:
    """Have a pip that says how far it is, where one can be had."""
    return None if plan.wheels or reports(plan) else _pip(plan, "--upgrade", "pip")


def installing_torch(plan: InstallPlan) -> list[str]:
    """Install torch."""
    return _pip(plan, *requirement(plan.build, plan.release.torch, bool(plan.wheels)))


def installing_server(plan: InstallPlan) -> list[str]:
    """Install the wheel, and what the server and torch stand on. As an address, for pip reads meanings into some signs
    of a path."""
    return _pip(plan, f"{PACKAGE}[server] @ {plan.target.as_uri()}", *dependencies(plan.build, bool(plan.wheels)))


def checking(plan: InstallPlan) -> list[str]:
    """See that the server and the method can be loaded."""
    return [str(plan.interpreter), "-I", "-u", "-c", CHECK]


def removing(python: str | Path, *folders: Path) -> list[str]:
    """Remove folders, those that there are, and all in them."""
    return [str(python), "-I", "-c", REMOVE, *map(str, folders)]


COMMANDS: Mapping[str, Callable[[InstallPlan], list[str]]] = MappingProxyType(  # of the steps that are one command each
    {"wheel": fetching, "torch": installing_torch, "server": installing_server, "check": checking}
)


def environ(plan: InstallPlan, outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What children are given: the user's, without what would lead elsewhere; all that they leave is in our folder.

    With a folder of wheels, nothing that pip is set to otherwise counts.
    """
    foreign = OFFLINE if plan.wheels else FOREIGN
    kept = {name: value for name, value in outer.items() if not foreign.match(name)}
    if plan.wheels:
        kept["PIP_CONFIG_FILE"] = os.devnull
    room = str(plan.folder / "temporary")
    own = {"PIP_CACHE_DIR": str(plan.folder / "cache"), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**kept, **own, "TMPDIR": room, "TEMP": room, "TMP": room}


def reports(plan: InstallPlan) -> bool:
    """Whether the environment's pip says how far it is."""
    versions = [path.name.split("-")[1].split(".") for path in packages(plan, "pip")]
    return any((int(major), int(minor)) >= RAW_PROGRESS for major, minor, *_ in versions)


def packages(plan: InstallPlan, name: str = "*") -> list[Path]:
    """What the environment has of a package, or of all: the folder of each, which pip writes when it unpacks it."""
    where = "Lib/site-packages" if sys.platform == "win32" else "lib/python*/site-packages"
    return list(plan.environment.glob(f"{where}/{name}-*.dist-info"))


def expected(plan: InstallPlan, step: InstallStep) -> float:
    """Bytes that a step brings, about."""
    amounts = {"wheel": plan.release.size, "torch": (plan.build.download - OTHERS) * 1e6, "server": OTHERS * 1e6}
    return max(0.0, amounts.get(step.name, 0.0))


def recorded(folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """What an installation in a folder is of, and which of its steps are done; nothing where there is none."""
    try:
        record = json.loads((folder / "record.json").read_text("utf-8"))
        return list(record["of"]), tuple(record["done"])
    except (OSError, ValueError, KeyError, TypeError):
        return [], ()


def done(plan: InstallPlan) -> tuple[str, ...]:
    """The steps that were done for this plan, and need not be again."""
    subject, steps = recorded(plan.folder)
    return steps if subject == plan.fingerprint and plan.interpreter.exists() else ()


def note_done(plan: InstallPlan, steps: tuple[str, ...]) -> None:
    """Write down which steps are done. Raises OSError."""
    (plan.folder / "record.json").write_text(json.dumps({"of": plan.fingerprint, "done": steps}), "utf-8")


def _pip(plan: InstallPlan, *words: str) -> list[str]:
    """Only wheels: nothing is compiled, and nothing of a package runs before it is installed."""
    constraints = ("--constraint", plan.folder / "constraints.txt") if plan.release.constraints else ()
    sources = ("--no-index", "--find-links", plan.wheels) if plan.wheels else ()
    progress = ("--progress-bar", "raw" if reports(plan) else "off")
    options = (*constraints, *sources, *progress, "--only-binary", ":all:")
    return leashed(plan.interpreter, "-m", "pip", "install", *options, *words)
