# SPDX-License-Identifier: MIT
"""``maquette join``: folders that several machines have filled become one, with its manifest and pages."""

import argparse
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import ContractError, loads

from ..cli.request_files import SUFFIX
from .manifest import ManifestRow, append, digest_of, read_rows, write_durably
from .page import check_free, write_pages
from .paint import OBJECTS, WouldOverwrite
from .plan import WrongPlan
from .progress import NewsListener, listening
from .references.reference_files import keep_reference
from .requests import DEPTH, MEASURES
from .run import filling


def main(argv: Sequence[str]) -> int:
    """``maquette join``."""
    parser = argparse.ArgumentParser(prog="maquette join", description="Make one folder of several batches'.")
    parser.add_argument("folders", type=Path, nargs="+", help="folders that maquette batch or paint has filled")
    parser.add_argument("--out", type=Path, required=True, help="folder of them all")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that are others by now")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each piece of news")
    words = parser.parse_args(argv)
    with listening(words.out, words.json) as listen:
        return 1 if join(words.folders, words.out, words.overwrite, listen) else 0


def join(folders: Sequence[Path], out: Path, overwrite: bool, listen: NewsListener) -> tuple[str, ...]:
    """Copy what is on the manifests of ``folders`` into ``out``; the names of pictures that could not be taken.

    A row is written once its files are there for good, so that whoever is interrupted goes on. Raises WrongPlan,
    BatchRunning, CannotWrite.
    """
    if absent := [str(folder) for folder in folders if not read_rows(folder)]:
        raise WrongPlan(f"There is no manifest with pictures in {', '.join(absent)}")
    failed = []
    with filling(out):
        check_free(out, overwrite)
        rows = read_rows(out)
        for folder, row in _rows(folders):
            listen("asked", row.name)
            try:
                copied = _take(folder, out, row, rows, overwrite)
            except WouldOverwrite as error:
                failed.append(row.name)
                listen("failed", row.name, reason=str(error))
            else:
                rows[row.name] = row
                listen("saved" if copied else "there", row.name)
        for path in write_pages(out, rows.values()):
            listen("page", path.name)
    return tuple(failed)


def _rows(folders: Sequence[Path]) -> Iterator[tuple[Path, ManifestRow]]:
    for folder in folders:
        yield from ((folder, row) for row in read_rows(folder).values())


def _take(folder: Path, out: Path, row: ManifestRow, rows: dict[str, ManifestRow], overwrite: bool) -> bool:
    """Copy one picture and what belongs to it, unless it is there. Raises WouldOverwrite."""
    source, target = folder / f"{row.name}.png", out / f"{row.name}.png"
    if digest_of(source) != row.sha256:
        raise WouldOverwrite(source, "is gone, or has been changed since it was painted")
    digest = digest_of(target)
    if digest == row.sha256 and rows.get(row.name) == row:
        return False
    if digest not in (None, row.sha256) and not overwrite:
        raise WouldOverwrite(target, "is there already, and another picture")
    for suffix in (SUFFIX, MEASURES, DEPTH, OBJECTS):
        if (beside := folder / f"{row.name}{suffix}").is_file():
            write_durably(out / f"{row.name}{suffix}", beside.read_bytes())
    for name, png in _references(folder / f"{row.name}{SUFFIX}"):
        keep_reference(target.parent, name, png)
    write_durably(target, source.read_bytes())
    append(out, row)
    return True


def _references(request: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures that a request refers to, of those beside it, by their names."""
    try:
        pictures = set(loads(Blockout, request.read_bytes()).pictures)
    except (OSError, ContractError):
        return
    for path in sorted(request.parent.glob("*.png")) if pictures else ():
        if sha256(png := path.read_bytes()).hexdigest() in pictures:
            yield path.name, png
