# SPDX-License-Identifier: MIT
"""Of several seeds of a view, the picture that obeys best, copied into a sequence of its own.

Best is the largest mean overlap of regions, as the Judge measures it on the picture, or, of a model without one, as the
model's own attention says; the least seed of equals.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .manifest import ManifestRow, digest_of, write_durably
from .paint import WouldOverwrite
from .requests import best_of, parts_of


def best_rows(rows: Iterable[ManifestRow]) -> dict[str, ManifestRow]:
    """By the name of its copy, the best row of each view; none of pictures that nobody measured."""
    best: dict[str, ManifestRow] = {}
    for row in sorted(rows, key=lambda row: int(parts_of(row.name)["seed"] or 0)):
        name = best_of(row.name)
        if row.overlap is not None and (name not in best or row.overlap > (best[name].overlap or 0.0)):
            best[name] = row
    return best


def keep_best(
    out: Path, rows: Mapping[str, ManifestRow], overwrite: bool, fail: Callable[[str, Exception], None]
) -> dict[str, ManifestRow]:
    """Write the copies of those whose pictures are as they were painted; by their names, the rows of those written.

    One that is there is replaced where it is a picture of the same view, or may be overwritten; else ``fail`` hears why
    not. Raises OSError.
    """
    there = [row for row in rows.values() if digest_of(out / f"{row.name}.png") == row.sha256]
    chosen = {}
    for name, row in best_rows(there).items():
        path = out / f"{name}.png"
        kin = {other.sha256 for other in rows.values() if best_of(other.name) == name}
        digest = digest_of(path)
        if digest not in (None, *kin) and not overwrite:
            fail(name, WouldOverwrite(path, "is there already, and none of this batch's pictures of that view"))
            continue
        if digest != row.sha256:
            write_durably(path, (out / f"{row.name}.png").read_bytes())
        chosen[name] = row
    return chosen


def judge_of(row: ManifestRow) -> str:
    """Who said how well it obeys."""
    return row.regions[0].by if row.regions else "nobody"
