# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of torch a machine wants, where it is offered, and how large the server is with it. No bpy.

The sizes are megabytes of the whole environment: those for a CPU are measured, the others added up from the wheels'.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

INDEX = "https://download.pytorch.org/whl"  # torch's own; PyPI has one build for each system, without a local version


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What decides: Python's name of the system, and whose driver was met."""

    system: str
    nvidia: bool = False
    amd: bool = False


@dataclass(frozen=True, kw_only=True)
class TorchBuild:
    """A build by its short ``name``; ``local`` is its local version, by which ``index`` lists it."""

    name: str
    label: str
    local: str = ""
    index: str = ""
    download: int = 0
    disk: int = 0


def _own(name: str, label: str, local: str, download: int, disk: int) -> TorchBuild:
    return TorchBuild(name=name, label=label, local=local, index=f"{INDEX}/{local}", download=download, disk=disk)


LINUX = (
    TorchBuild(name="CUDA", label="NVIDIA (CUDA)", download=3000, disk=6500),
    _own("ROCM", "AMD (ROCm)", "rocm7.2", 5000, 16000),
    _own("CPU", "CPU", "cpu", 300, 1300),
)
WINDOWS = (
    _own("CUDA", "NVIDIA (CUDA)", "cu130", 2700, 6000),
    TorchBuild(name="CPU", label="CPU", download=230, disk=1100),
)
MAC = (TorchBuild(name="MPS", label="Apple (MPS)", download=220, disk=1000),)


def this_machine() -> Machine:
    """What is here; drivers are looked for by the files that they bring."""
    library = Path(os.environ.get("SYSTEMROOT", "")) / "System32" / "nvcuda.dll"
    nvidia = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    return Machine(
        system=sys.platform,
        nvidia=library.exists() if sys.platform == "win32" else nvidia,
        amd=Path("/dev/kfd").exists(),
    )


def builds(machine: Machine) -> tuple[TorchBuild, ...]:
    """The builds for a system, the one that suits the machine first."""
    offered = {"win32": WINDOWS, "darwin": MAC}.get(machine.system, LINUX)
    best = "CUDA" if machine.nvidia else "ROCM" if machine.amd else "CPU"
    return tuple(sorted(offered, key=lambda build: build.name != best))


def choose(machine: Machine, name: str = "") -> TorchBuild:
    """The build of that name; the one that suits where there is none of it."""
    offered = builds(machine)
    return next((build for build in offered if build.name == name), offered[0])


def requirement(build: TorchBuild, version: str, offline: bool) -> tuple[str, ...]:
    """What pip is told: the exact build, alone, from its index; offline any of that version, as a folder has it."""
    if offline or not (build.local and version):
        return (f"torch=={version}" if version else "torch",)
    return f"torch=={version}+{build.local}", "--no-deps", "--extra-index-url", build.index


def dependencies(build: TorchBuild, offline: bool) -> tuple[str, ...]:
    """What pip is told when it installs what torch stands on: where that is, if it is nowhere else."""
    return ("--extra-index-url", build.index) if build.name == "ROCM" and not offline else ()


def amount(megabytes: float) -> str:
    """A size as people say it."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
