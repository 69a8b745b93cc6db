# SPDX-License-Identifier: MIT
"""Of several seeds of a view, the picture that obeys best, copied into a sequence of its own.

Best is the largest mean overlap of regions, as the Judge measures it on the picture, or, of a model without one, as the
model's own attention says; the least seed of equals.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .manifest import ManifestRow, digest_of, write_durably
from .paint import WouldOverwrite
from .requests import parts_of

SEED = re.compile(r"/seed(\d+)")


def best_rows(rows: Iterable[ManifestRow]) -> dict[str, ManifestRow]:
    """By the name of its copy, the best row of each view; none of pictures that nobody measured."""
    best: dict[str, ManifestRow] = {}
    for row in sorted(rows, key=lambda row: int(parts_of(row.name)["seed"] or 0)):
        name = SEED.sub("/best", row.name, count=1)
        if row.overlap is not None and (name not in best or row.overlap > (best[name].overlap or 0.0)):
            best[name] = row
    return best


def keep_best(out: Path, rows: Mapping[str, ManifestRow], overwrite: bool) -> dict[str, ManifestRow]:
    """Write the copies. One that is there is replaced where it is a picture of the same view, or may be overwritten.

    Raises WouldOverwrite, OSError.
    """
    chosen = best_rows(rows.values())
    for name, row in chosen.items():
        path = out / f"{name}.png"
        kin = {other.sha256 for other in rows.values() if SEED.sub("/best", other.name, count=1) == name}
        if (digest := digest_of(path)) == row.sha256:
            continue
        if digest is not None and digest not in kin and not overwrite:
            raise WouldOverwrite(path, "is there already, and none of this batch's pictures of that view")
        write_durably(path, (out / f"{row.name}.png").read_bytes())
    return chosen


def judge_of(row: ManifestRow) -> str:
    """Who said how well it obeys."""
    return row.regions[0].by if row.regions else "nobody"
