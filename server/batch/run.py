# SPDX-License-Identifier: MIT
"""The batch from Python: plan, capture, paint, look. The command line calls these very functions.

async with link(None) as server:
    outcome = await batch(server, BatchPlan(scenes=(Path("meadow.blend"),), frames=(1, 2)), Path("out"))
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from addon.protocol import home_lock
from addon.protocol.answers import ModelInfo

from ..cli.files import ELSEWHERE, CannotWrite, in_words
from ..cli.reference_flags import WrongReference
from ..cli.render import link
from ..cli.request_files import NotARequest, check_captured
from ..errors import CommandError
from .best import judge_of, keep_best
from .capture import keep_request, requests_of
from .manifest import ManifestRow, read_rows
from .page import check_free, write_pages
from .paint import BatchPainter, WouldOverwrite
from .plan import BatchPlan, WrongPlan, changed, scene_names, with_seed
from .progress import NewsKind, NewsListener
from .references.looks import BatchLook, look_of
from .references.reference_files import ReferenceFiles
from .references.turns import PictureTurns
from .requests import PictureRequest, RefusedView, request_files, request_of, reseeded
from .scene_copies import SceneCopies, copies_of
from .sources import PictureSource

__all__ = ["BatchOutcome", "BatchPlan", "batch", "capture", "link", "paint"]

BUFFER = 64  # requests that wait to be handed over


class BatchRunning(CommandError):
    """Another batch fills the same folder."""


@dataclass(frozen=True)
class BatchOutcome:
    """The folder's pictures by name, the best of each view by the name of its copy, and the scenes of which something
    is missing."""

    rows: dict[str, ManifestRow]
    best: dict[str, ManifestRow]
    failed: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 when all is there, 1 when not."""
        return 1 if self.failed else 0


def silent(kind: NewsKind, name: str = "", **facts: Any) -> None:
    """Hears of a batch's news, and says nothing."""


async def batch(
    source: PictureSource,
    plan: BatchPlan,
    out: Path,
    *,
    model: str | None = None,
    blender: Path | None = None,
    overwrite: bool = False,
    masks: bool = False,
    scene_copies: bool = False,
    listen: NewsListener = silent,
) -> BatchOutcome:
    """Capture every scene of ``plan`` and have all of its pictures painted into ``out``; those that are there stay.

    ``model`` is the server's first by default; with ``scene_copies`` each scene's pictures come back in a copy of it.
    Views are painted while others are captured. A scene or picture that cannot be had hinders no other. Raises
    WrongPlan, BatchRunning, ServerLost, ClientError, CannotWrite.
    """
    scenes = scene_names(plan.scenes)
    copies = copies_of(scenes, out, blender, plan.in_turn) if scene_copies else None
    with filling(out):
        check_free(out, overwrite)
        models = await source.models()
        turns = PictureTurns() if plan.in_turn else None
        painter = BatchPainter(source, out, models, read_rows(out), listen, overwrite, masks, _look(plan), turns)
        chosen, asked = _chosen(models, model), dict[str, list[PictureRequest]]()
        await _paint_all(painter, _captured(painter, scenes, plan, chosen, blender, asked))
        if copies is not None:
            await _copy_scenes(painter, copies, asked)
        return _ended(painter, bool(plan.best))


async def _captured(
    painter: BatchPainter,
    scenes: Mapping[str, Path],
    plan: BatchPlan,
    model: ModelInfo,
    blender: Path | None,
    asked: dict[str, list[PictureRequest]],
) -> AsyncGenerator[PictureRequest, None]:
    """What to paint of each scene, also noted in ``asked``, without what is large; what cannot be captured is told."""
    for name, scene in scenes.items():
        try:
            async with aclosing(requests_of(name, scene, plan, model, blender, painter.turns)) as items:
                async for item in items:
                    if isinstance(item, RefusedView):
                        painter.refuse(item.name, CommandError(item.reason))
                    else:
                        asked.setdefault(name, []).append(replace(item, depth=b"", references=()))
                        yield item
        except CommandError as error:
            painter.miss(name, error)


async def _copy_scenes(
    painter: BatchPainter, copies: SceneCopies, asked: Mapping[str, Sequence[PictureRequest]]
) -> None:
    """A scene that cannot be copied is told of, and hinders no other."""
    for name, items in asked.items():
        try:
            path = await copies.write(name, items, painter.out)
        except CommandError as error:
            painter.miss(name, error)
        else:
            if path is not None:
                painter.listen("page", path.relative_to(painter.out).as_posix())


async def paint(
    source: PictureSource,
    paths: Sequence[Path],
    plan: BatchPlan,
    out: Path,
    *,
    model: str | None = None,
    overwrite: bool = False,
    masks: bool = False,
    references: Sequence[Path] = (),
    listen: NewsListener = silent,
) -> BatchOutcome:
    """Have the requests of files and folders painted into ``out``, with the seeds and settings of ``plan``.

    The pictures that a request refers to lie beside it, or in one of the folders ``references``; where they do
    not, or a file holds no request, that hinders no other.

    Raises NotARequest, AlreadyCaptured, BatchRunning, ServerLost, ClientError, CannotWrite.
    """
    check_captured(plan.settings)
    files, pictures = request_files(paths, out, bool(plan.seeds or plan.best)), ReferenceFiles(tuple(references))
    with filling(out):
        check_free(out, overwrite)
        models = await source.models()
        painter = BatchPainter(source, out, models, read_rows(out), listen, overwrite, masks, _look(plan))
        await _paint_all(painter, _read(painter, files, plan, model, pictures))
        return _ended(painter, bool(plan.best))


async def _read(
    painter: BatchPainter,
    files: Sequence[tuple[Path, str]],
    plan: BatchPlan,
    model: str | None,
    pictures: ReferenceFiles,
) -> AsyncGenerator[PictureRequest, None]:
    """What to paint of each file, with the settings of the plan, by its own model or the one that is named; what cannot
    be read, or set, is told."""
    for file, name in files:
        try:
            request = request_of(file, name)
            blockout = changed(request.blockout, plan.settings, plan.regions, model)
            references = pictures.of(blockout, file)
        except (NotARequest, WrongPlan, WrongReference) as error:
            painter.refuse(name, error)
            continue
        for seed in plan.seeds_of(blockout):
            title = reseeded(name, blockout.seed, seed)
            yield replace(request, name=title, blockout=with_seed(blockout, seed), references=references)


async def capture(
    plan: BatchPlan,
    model: ModelInfo,
    out: Path,
    *,
    blender: Path | None = None,
    overwrite: bool = False,
    listen: NewsListener = silent,
) -> tuple[str, ...]:
    """Write the requests of every scene into ``out``; the scenes of which something is missing.

    Raises WrongPlan, BatchRunning, CannotWrite.
    """
    failed: dict[str, None] = {}

    def fail(name: str, reason: str) -> None:
        failed[name.partition("/")[0]] = None
        listen("failed", name, reason=reason)

    with filling(out):
        for name, scene in scene_names(plan.scenes).items():
            try:
                async with aclosing(requests_of(name, scene, plan, model, blender)) as items:
                    async for item in items:
                        if isinstance(item, RefusedView):
                            listen("asked", item.name)
                            fail(item.name, item.reason)
                            continue
                        try:
                            keep_request(out, item, overwrite, listen)
                        except WouldOverwrite as error:  # of this view alone
                            fail(item.name, str(error))
            except CommandError as error:
                failed[name] = None
                listen("scene", name, reason=str(error))
    return tuple(failed)


async def _paint_all(painter: BatchPainter, requests: AsyncGenerator[PictureRequest, None]) -> None:
    """Hand requests over as they come, a few at a time. Of several things that go wrong the first is raised."""
    waiting: asyncio.Queue[PictureRequest | None] = asyncio.Queue(BUFFER)

    async def produce() -> None:
        async for request in requests:
            painter.listen("asked", request.name)
            await waiting.put(request)
        for _ in range(painter.source.ahead):
            await waiting.put(None)

    async def consume() -> None:
        while (request := await waiting.get()) is not None:
            await painter.paint(request)

    painter.source.on_waiting(lambda reason: painter.listen("waiting", reason=reason))
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in (produce, *[consume] * painter.source.ahead):
                tasks.create_task(work())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        await requests.aclose()


def _look(plan: BatchPlan) -> BatchLook | None:
    """Raises WrongReference."""
    return look_of(plan.keep_look) if plan.keep_look else None


def _ended(painter: BatchPainter, best: bool) -> BatchOutcome:
    """With the best of each view kept, and the pages written."""
    rows = {name: row for name, row in painter.rows.items() if name in painter.names}
    chosen = keep_best(painter.out, rows, painter.overwrite, painter.refuse) if best else {}
    for name, row in chosen.items():
        painter.listen("best", f"{name}.png", of=row.name, overlap=row.overlap, by=judge_of(row))
    if painter.rows:
        for path in write_pages(painter.out, painter.rows.values(), {row.name for row in chosen.values()}):
            painter.listen("page", path.name)
    return BatchOutcome(rows, chosen, tuple(sorted(painter.failed)))


@contextmanager
def filling(out: Path) -> Iterator[None]:
    """A folder that is this batch's alone. Raises BatchRunning, CannotWrite."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with home_lock.hold(out):
            yield
    except home_lock.AlreadyLocked as error:
        raise BatchRunning(f"Another batch fills {out}: wait for it, or {ELSEWHERE}") from error
    except BrokenPipeError:  # whoever reads the news has gone
        raise
    except OSError as error:
        path = Path(error.filename) if isinstance(error.filename, str) else out
        raise CannotWrite(in_words(error, path, ELSEWHERE)) from error


def _chosen(models: Sequence[ModelInfo], name: str | None) -> ModelInfo:
    named = [model for model in models if name in (None, model.name)]
    if not named:
        raise CommandError(f"The server has no model {name}; it has {', '.join(model.name for model in models)}")
    return named[0]
