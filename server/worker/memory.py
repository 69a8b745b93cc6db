# SPDX-License-Identifier: MIT
"""How much memory there is to paint in, and what is said where it runs out. torch is imported by who paints alone."""

import ctypes
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from addon.protocol.blockout import Precision

from ..problems import OutOfMemory

log = logging.getLogger(__name__)

NO_MEMORY = re.compile(r"can't allocate memory|out of memory", re.IGNORECASE)
MEMINFO = Path("/proc/meminfo")
FACT = "memory"  # the worker's word of its device's, which only it can ask
PRECISIONS = "precisions"  # and of what it computes models in, by their names


@dataclass(frozen=True)
class MemoryState:
    """Bytes: all there are, and those that are free; both 0 where nobody can say."""

    total: int = 0
    free: int = 0

    def __bool__(self) -> bool:
        """Whether anybody can say."""
        return self.total > 0


class WindowsMemory(ctypes.Structure):
    """MEMORYSTATUSEX, as GlobalMemoryStatusEx fills it."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "_2", "_3", "_4", "_5", "_6")),
    )


def of_device() -> MemoryState:
    """That of the GPU that torch computes on; MemoryState() where it computes on the CPU, or nobody has imported it."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return MemoryState()
    free, total = torch.cuda.mem_get_info()
    return MemoryState(total, free)


def lacks_gpu() -> bool:
    """Whether torch has been imported, and finds no GPU."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and not torch.cuda.is_available()


def gpu_room() -> int:
    """Bytes that are free on the GPU that torch computes on, and those that this process holds of it; 0 without one."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())


@contextmanager
def within_memory(subject: str, estimated: str = "") -> Iterator[None]:
    """Raises OutOfMemory where memory runs out inside: each device says that in its own way."""
    torch: Any = sys.modules.get("torch")  # which whoever paints has imported
    exhausted = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, exhausted) and not NO_MEMORY.search(str(error)):
            raise
        log.warning("out of memory: %s", error)
        device = "this machine"
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()  # what the failed picture held would be missing from a smaller one
            device = torch.cuda.get_device_name()
        raise OutOfMemory(f"{subject} does not fit into the memory of {device}{estimated}") from error


def of_machine(meminfo: Path = MEMINFO) -> MemoryState:
    """What programs of this machine could still take, on Windows, and where there is Linux's ``meminfo``."""
    if sys.platform == "win32":
        status = WindowsMemory(length=ctypes.sizeof(WindowsMemory))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return MemoryState(status.total, status.free)
    try:
        return _of_meminfo(meminfo.read_text("ascii"))
    except OSError:  # not Linux
        return MemoryState()


def _of_meminfo(text: str) -> MemoryState:
    sizes = {name: int(number) * 1024 for name, number in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    free = sizes.get("MemAvailable")
    return MemoryState() if free is None else MemoryState(sizes["MemTotal"], free)


def to_fact(memory: MemoryState) -> str:
    """As the queue keeps it."""
    return f"{memory.free} of {memory.total}"


def from_fact(fact: str) -> MemoryState:
    """What ``to_fact`` wrote; MemoryState() of an empty one."""
    free, _, total = fact.partition(" of ")
    return MemoryState(int(total), int(free)) if total else MemoryState()


def precisions(facts: Mapping[str, str]) -> dict[str, Precision]:
    """In what models are computed, by their names, out of what the worker stated; float32 is not said."""
    stated: dict[str, Precision] = json.loads(facts.get(PRECISIONS) or "{}")
    return {name: precision for name, precision in stated.items() if precision != "float32"}
