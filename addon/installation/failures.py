# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a step ended badly, from the last of its log and the room on the disk. No bpy."""

import errno
import re
import shutil
from pathlib import Path

from ..messages.errors import UserError
from ..messages.installation_errors import (
    DiskFull,
    FolderUnwritable,
    InstallationFailed,
    NetworkAbsent,
    PackageMissing,
    WheelDamaged,
)
from .fetch import DAMAGED
from .plan import InstallPlan, InstallStep
from .torch_builds import amount

SCARCE = 2_000_000  # bytes; on a disk with less, whatever went wrong did so for want of room, and logs are cut off too
FULL = re.compile(r"No space left|Errno 28\b|Errno 122\b|[Qq]uota exceeded|WinError 112\b|not enough space")
FORBIDDEN = re.compile(r"\[?Errno (?:13|30|1)\b\]? ?([^:\n]*)|(Permission denied|Read-only file system|WinError 5\b)")
CHANGED = re.compile(r"DO NOT MATCH THE HASHES")
UNREACHED = re.compile(
    r"Connection (?:refused|reset|aborted|timed out)|timed out|Temporary failure in name resolution|No route to host"
    r"|Name or service not known|getaddrinfo failed|Network is unreachable|Failed to (?:resolve|establish)|ProxyError"
    r"|IncompleteRead|SSLError|CERTIFICATE_VERIFY_FAILED|HTTP Error \d+[^\n]*|\d{3} (?:Client|Server) Error"
)
MISSING = re.compile(
    r"No matching distribution found for ([A-Za-z0-9_.-]+)|requested \(constraint\) ([A-Za-z0-9_.-]+?)=="
    r"|No such file or directory: '([^']*\.whl)'"
)
LAST = 160  # characters of the last words
ROOM = 20e6  # bytes that a step may need where its plan names no size


def failure(plan: InstallPlan, step: InstallStep, log: str, code: int) -> UserError:
    """The error that a step ended with, by what it wrote to the log and its exit code."""
    free = free_bytes(plan.folder)
    if FULL.search(log) or free < SCARCE:
        return full(plan, free)
    if code == DAMAGED and step.name == "wheel":
        return WheelDamaged(Path(plan.source).name)
    if CHANGED.search(log):
        return WheelDamaged("A package that came")
    if missing := MISSING.search(log):
        unreached = UNREACHED.search(log)
        if unreached and not plan.wheels and not missing[3]:
            return NetworkAbsent(unreached[0])
        return PackageMissing(missing[1] or missing[2] or missing[3], plan.wheels or "the package index")
    if unreached := UNREACHED.search(log):
        return NetworkAbsent(unreached[0])
    if forbidden := FORBIDDEN.search(log):
        return FolderUnwritable(str(plan.folder), (forbidden[1] or forbidden[2] or "permission denied").strip().lower())
    return InstallationFailed(step.label, last_words(log))


def refused(plan: InstallPlan, error: OSError) -> UserError:
    """The error that our own writing ended with."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return full(plan, free_bytes(plan.folder))
    folder = Path(error.filename) if error.filename else plan.folder
    return FolderUnwritable(str(folder), (error.strerror or str(error)).lower())


def full(plan: InstallPlan, free: float) -> DiskFull:
    """The disk of the installation has too little room."""
    return DiskFull(str(plan.folder), amount(free / 1e6), amount(max(plan.disk, (free + ROOM) / 1e6)))


def free_bytes(folder: Path) -> int:
    """What is left on the disk of a folder that may not be there yet."""
    present = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(present).free


def last_words(log: str) -> str:
    """The last line that says an error, else the last one: of a trace, where pip says “Exception:” alone."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not line.startswith("Progress ")]
    errors = [line for line in lines if re.match(r"ERROR:(?! Exception:)|\w*Error\b", line)]
    return (errors or lines or [""])[-1].removeprefix("ERROR: ")[:LAST]
