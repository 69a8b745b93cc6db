# SPDX-License-Identifier: MIT
"""Results to look at: a contact sheet, and a page that a browser opens from the disk, without a server or a network."""

import html
import io
import json
import os
import shlex
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, Mask
from addon.protocol.strict_json import ContractError, dump, loads

from ..cli.request_files import SUFFIX
from ..unique_names import printable
from ..unreadable import UNREADABLE
from .manifest import FILE as MANIFEST
from .manifest import ROW_START, ManifestRow, read_rows, write_durably
from .measures import Cells, framed
from .paint import WouldOverwrite
from .requests import MEASURES, parts_of

PAGE, SHEET = "index.html", "sheet.png"
TEMPLATE = Path(__file__).with_name("page.html")
MOST = 240  # pictures on a sheet; more are on the page alone
THUMBNAIL, GAP, CAPTION = 160, 6, 14
PAPER, INK, ABSENT = (24, 24, 27), (228, 228, 231), (63, 63, 70)
OUTLINE_CELLS = 96  # of the longer side of an outline's grid


def check_free(out: Path, overwrite: bool) -> None:
    """Raises WouldOverwrite for a folder with files of the names of ours that no batch has left there."""
    manifest = out / MANIFEST
    if overwrite:
        return
    if not manifest.exists():
        for name in (PAGE, SHEET):
            if (out / name).exists():
                raise WouldOverwrite(out / name, "is there already, and not of a batch")
    elif not read_rows(out) and not ROW_START.startswith(manifest.read_bytes()[: len(ROW_START)]):
        raise WouldOverwrite(manifest, "is there already, and no manifest of a batch")


def write_pages(out: Path, rows: Iterable[ManifestRow], best: Collection[str] = ()) -> tuple[Path, Path]:
    """Write sheet.png and index.html for the pictures in a folder, ``best`` by their names marked. Raises OSError."""
    ordered = sorted(rows, key=_order)
    there = [row for row in ordered if (out / f"{row.name}.png").is_file()]
    sheet, page = out / SHEET, out / PAGE
    drawn = io.BytesIO()
    contact_sheet(out, there[:MOST]).save(drawn, "PNG")
    write_durably(sheet, drawn.getvalue())
    data = json.dumps([entry(out, row, row.name in best) for row in there]).replace("<", "\\u003c")
    text = (
        TEMPLATE.read_text("utf-8")
        .replace("/*DATA*/[]", data)
        .replace("<!--TITLE-->", html.escape(printable(out.resolve().name)))
    )
    write_durably(page, text.encode())
    return sheet, page


def entry(out: Path, row: ManifestRow, best: bool) -> dict[str, object]:
    """All that the page shows of a picture; outlines as SVG paths in fractions of the frame, of 1000."""
    blockout, achieved = _request(out, row), _achieved(out, row)
    targets = [] if blockout is None else [region.mask for region in blockout.regions]
    return {
        "name": row.name,
        **parts_of(row.name),
        "overlap": row.overlap,
        "best": best,
        "model": row.model,
        "prompt_text": "" if blockout is None else blockout.prompt,
        "regions": [dump(region) for region in row.regions],
        "target": [_path(mask, blockout) for mask in targets],
        "achieved": [_path(item.mask, blockout) for item in achieved],
        "request": _command(f"{row.name}{SUFFIX}"),
    }


def contact_sheet(out: Path, rows: Sequence[ManifestRow]) -> Image.Image:
    """A row a view and prompt, a column a seed; each picture with its overlap below."""
    views: dict[tuple[str, ...], list[ManifestRow]] = {}
    for row in rows:
        part = parts_of(row.name)
        views.setdefault((part["scene"], part["camera"], part["frame"], part["prompt"]), []).append(row)
    across = max((len(view) for view in views.values()), default=1)
    cell = THUMBNAIL + GAP
    size = (GAP + across * cell, GAP + len(views) * (cell + 2 * CAPTION))
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    for down, (view, pictures) in enumerate(views.items()):
        top = GAP + down * (cell + 2 * CAPTION)
        pen.text((GAP, top), " ".join(part for part in view if part), fill=INK)
        for number, row in enumerate(pictures):
            left = GAP + number * cell
            sheet.paste(_thumbnail(out / f"{row.name}.png"), (left, top + CAPTION))
            said = "" if row.overlap is None else f" {row.overlap:.0%}"
            pen.text((left, top + CAPTION + THUMBNAIL), f"seed {parts_of(row.name)['seed']}{said}", fill=INK)
    return sheet


def _thumbnail(path: Path) -> Image.Image:
    """A picture, small; a grey one of a file that is none by now, which somebody has put there."""
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
    except UNREADABLE:
        return Image.new("RGB", (THUMBNAIL, THUMBNAIL), ABSENT)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def outline(cells: Cells) -> Iterator[tuple[int, int, int, int]]:
    """The edges between cells in and out of a mask, as grid points (x, y) to (x, y); those of one line are one."""
    padded = np.pad(cells, 1)
    for y, line in enumerate(padded[1:] != padded[:-1]):
        for start, end in _runs(line[1:-1]):
            yield start, y, end, y
    for x, line in enumerate((padded[:, 1:] != padded[:, :-1]).T):
        for start, end in _runs(line[1:-1]):
            yield x, start, x, end


def _runs(line: Cells) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(line, 1).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _path(mask: Mask | None, blockout: Blockout | None) -> str:
    """A mask's outline as the data of an SVG path, in a box of 1000 x 1000; "" for none."""
    if mask is None or blockout is None:
        return ""
    cells = framed(mask, blockout)
    step = max(1, max(cells.shape) // OUTLINE_CELLS)
    small = cells[::step, ::step]
    across, down = 1000 / small.shape[1], 1000 / small.shape[0]
    points = ((x0 * across, y0 * down, x1 * across, y1 * down) for x0, y0, x1, y1 in outline(small))
    return "".join(f"M{x0:.0f} {y0:.0f}L{x1:.0f} {y1:.0f}" for x0, y0, x1, y1 in points)


def _request(out: Path, row: ManifestRow) -> Blockout | None:
    try:
        return loads(Blockout, (out / f"{row.name}{SUFFIX}").read_bytes())
    except (FileNotFoundError, ContractError):
        return None


def _achieved(out: Path, row: ManifestRow) -> tuple[Achieved, ...]:
    try:
        return loads(tuple[Achieved, ...], (out / f"{row.name}{MEASURES}").read_bytes())
    except (FileNotFoundError, ContractError):
        return ()


def _order(row: ManifestRow) -> tuple[str, str, int, str, int]:
    part = parts_of(row.name)
    return part["scene"], part["camera"], int(part["frame"] or 0), part["prompt"], int(part["seed"] or 0)


def _command(file: str) -> str:
    """What paints it again, for the shell of this system, to which no name of a file may be a command."""
    words = ["maquette", "render", f"./{file}" if file.startswith("-") else file, "--out", "again"]
    return shlex.join(words) if os.name == "posix" else subprocess.list2cmdline(words)
