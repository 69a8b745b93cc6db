# SPDX-License-Identifier: MIT
"""Files and folders of the command line: written whole or not at all, over nothing that somebody may miss, and what
hinders that in words."""

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from addon.protocol import home_lock

from ..errors import CommandError

ELSEWHERE = "name another folder with --out"
RIGHTS, SPACE = "give yourself the right to write there", "make room there"
FIXES = {
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EROFS: "it is on a disk that is only read",
    errno.ENOSPC: SPACE,
    errno.EDQUOT: SPACE,
    errno.EFBIG: SPACE,
    errno.ENOTDIR: "a file is in the way: move it",
    errno.EEXIST: "a file is in the way: move it",
    errno.EISDIR: "a folder is in the way: move it",
    errno.ENAMETOOLONG: "the name is too long",
}
SCRATCH = ".maquette-scratch-"  # no name that a person gives a home or results, which hold a lock too
YOUNG = 60.0  # seconds in which a folder may still get its lock


class CannotWrite(CommandError):
    """A folder or file cannot be written, and what to do."""


class WouldReplace(CommandError):
    """A file is in the way that nobody said may go."""


@contextmanager
def writing(path: Path, choice: str) -> Iterator[None]:
    """What is done inside writes ``path``; ``choice`` says how to name another. Raises CannotWrite."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(in_words(error, path, choice)) from error


def in_words(error: OSError, path: Path | None = None, choice: str = "") -> str:
    """What hinders, where, and what to do."""
    name = path or error.filename
    fix = FIXES.get(error.errno or 0, "look into it" if error.errno or choice else "")  # one of ours says it itself
    reason = error.strerror or str(error)
    return f"{f'{name}: ' if name else ''}{reason}{f'; {fix}' if fix else ''}{f', or {choice}' if choice else ''}"


def write(path: Path, content: bytes) -> None:
    """A file as a whole: whoever is interrupted leaves the one of before, or none. Raises OSError."""
    part = path.with_name(f".{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def refuse_to_overwrite(path: Path, overwrite: bool) -> None:
    """Raises WouldReplace for a file that is there, unless it may be overwritten."""
    if path.exists() and not overwrite:
        raise WouldReplace(f"{path} is there already: {ELSEWHERE}, or say --overwrite")


def refuse_to_replace(copy: Path, scene: Path) -> None:
    """Raises WouldReplace where the painted copy of a scene would take the place of that scene."""
    if copy.exists() and copy.samefile(scene):
        raise WouldReplace(f"{scene} is the scene itself, which its painted copy would replace: {ELSEWHERE}")


def refuse_to_differ(path: Path, content: bytes, overwrite: bool) -> None:
    """Raises WouldReplace for a file that is there and another, unless it may be overwritten."""
    if not (path.is_file() and path.read_bytes() == content):
        refuse_to_overwrite(path, overwrite)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for as long as it is needed. Those of commands that were killed go too. Raises CannotWrite."""
    parent = Path(tempfile.gettempdir())
    with writing(parent, "set TMPDIR to another folder"):
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    try:
        with home_lock.hold(folder):
            _sweep(parent)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove what killed commands of this user left, for a token and prompts are in it."""
    for folder in parent.glob(f"{SCRATCH}*"):
        if _is_old(folder) and home_lock.is_free(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_old(folder: Path) -> bool:
    """Whether it is this user's, and not of this minute."""
    with suppress(OSError):
        status = folder.lstat()
        ours = os.name != "posix" or status.st_uid == os.getuid()
        return stat.S_ISDIR(status.st_mode) and ours and time.time() - status.st_mtime > YOUNG
    return False
