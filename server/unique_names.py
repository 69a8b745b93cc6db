# SPDX-License-Identifier: MIT
"""Names for models, no two the same: what a file is called, and of namesakes enough of the path to tell them apart."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from pathlib import Path

LETTERS = 200  # of a name, its end


def unique_names(paths: Sequence[Path], stems: Sequence[str], reserved: Collection[str]) -> list[str]:
    """A name for each path; namesakes all get a longer one, so that none is mistaken for another that came or went.

    ``stems`` are the names they would have alone; ``reserved`` are those that none may have.
    """
    ladders = [_names(path, stem) for path, stem in zip(paths, stems, strict=True)]
    names = [next(ladder) for ladder in ladders]
    for _ in range(max((len(path.parts) for path in paths), default=0) + 2):
        counts = Counter(names)
        for i, name in enumerate(names):
            if counts[name] > 1 or name in reserved:
                names[i] = next(ladders[i])
    used: set[str] = set(reserved)
    for i, name in enumerate(names):
        names[i] = name if name not in used else next(other for other in ladders[i] if other not in used)
        used.add(names[i])
    return names


def free_name(path: Path, stem: str, used: Collection[str]) -> str:
    """The shortest name of a path that nobody has."""
    return next(name for name in _names(path, stem) if name not in used)


def _names(path: Path, stem: str) -> Iterator[str]:
    """Longer and longer ones, without end."""
    yield stem[-LETTERS:]
    if path.name != stem:
        yield path.name[-LETTERS:]
    folders = path.parts[1:-1]
    for up in range(1, len(folders) + 1):
        yield "/".join([*folders[-up:], stem])[-LETTERS:]
    whole = "/".join([*folders, path.name])
    yield whole[-LETTERS:]
    for number in count(2):
        yield f"{whole} ({number})"[-LETTERS:]


def printable(text: str) -> str:
    """A name as it can be sent to others, with a ? for each byte that is no UTF-8: on Linux it may be any."""
    return text.encode("utf-8", "replace").decode()
