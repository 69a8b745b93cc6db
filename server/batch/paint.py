# SPDX-License-Identifier: MIT
"""Requests to pictures on the disk, by a server or a cluster; no Blender. What is there is not painted again."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from addon.client.exceptions import ServerProblem
from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.content_key import content_key
from addon.protocol.step_counts import all_steps
from addon.protocol.strict_json import dump

from ..cli.following import NotPainted
from ..cli.reference_flags import BESIDE
from ..cli.request_files import SUFFIX, asks_for
from ..errors import CommandError
from .manifest import ManifestRow, append, digest_of, write_durably
from .measures import measured, objects
from .progress import NewsListener
from .references.looks import BatchLook, key_on_disk
from .references.reference_files import keep_reference, reference_name
from .references.turns import PictureTurns
from .requests import DEPTH, MEASURES, PictureRequest
from .sources import PictureSource

OBJECTS = ".objects.png"
REFUSED = 500  # a status below it says that the request is wrong, and not the server


class WouldOverwrite(CommandError):
    """A file lies where another one would go."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}: name another folder with --out, or say --overwrite")


class NamedTwice(CommandError):
    """Two pictures of one name."""


@dataclass
class BatchPainter:
    """A folder of results, and how it is filled. ``rows`` is its manifest, by name; ``failed`` the scenes of which
    something is missing."""

    source: PictureSource
    out: Path
    models: Sequence[ModelInfo]
    rows: dict[str, ManifestRow]
    listen: NewsListener
    overwrite: bool = False
    masks: bool = False
    look: BatchLook | None = None
    turns: PictureTurns | None = None
    names: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    async def paint(self, request: PictureRequest) -> None:
        """Have one painted, unless it is there. What is wrong with it alone is told and remembered, not raised.

        Raises ServerLost, ClientError for what is wrong with the server, OSError.
        """
        try:
            row = await self._painted(request)
        except ServerProblem as error:
            if error.problem.status >= REFUSED:
                raise
            self.fail(request.name, error)
        except CommandError as error:
            if error.exit_code != CommandError.exit_code:
                raise
            self.fail(request.name, error)
        else:
            facts = {"sha256": row.sha256, "overlap": row.overlap}
            self.listen("saved" if self.rows.get(request.name) is not row else "there", request.name, **facts)
            self.rows[request.name] = row
            if self.turns is not None:
                self.turns.ended(request.name, self.path(request.name))

    def fail(self, name: str, error: Exception) -> None:
        """Remember that something of a scene is missing."""
        self.failed.add(name.partition("/")[0])
        self.listen("failed", name, reason=str(error))
        if self.turns is not None:
            self.turns.ended(name, None)

    def refuse(self, name: str, error: Exception) -> None:
        """As ``fail``, of one that was never handed over."""
        self.listen("asked", name)
        self.fail(name, error)

    def miss(self, scene: str, error: Exception) -> None:
        """Remember that a whole scene cannot be had, or that its copy cannot."""
        self.failed.add(scene)
        self.listen("scene", scene, reason=str(error))

    async def _painted(self, request: PictureRequest) -> ManifestRow:
        if request.name in self.names:
            raise NamedTwice(f"two requests of this batch are called {request.name}: rename one")
        self.names.add(request.name)
        if self.look is None or self.look.is_key(request):  # before anything is awaited: the first is the key
            return await self._key_painted(request)
        followed = await self.look.followed(request, await self.source.pinned(request.blockout))
        return await self._row(request, followed.blockout, {BESIDE: followed.png})

    async def _key_painted(self, request: PictureRequest) -> ManifestRow:
        """One that follows none, and that others may."""
        try:
            blockout = await self.source.pinned(request.blockout)
            row = await self._row(request, blockout)
            if self.look is not None:
                self.look.ready(request, key_on_disk(request, blockout, self.path(row.name)))
        finally:
            if self.look is not None:
                self.look.failed(request)
        return row

    async def _row(
        self, request: PictureRequest, blockout: Blockout, look: Mapping[str, bytes] = MappingProxyType({})
    ) -> ManifestRow:
        """Of a picture that is there, or is painted now; ``look`` is the file whose look it keeps, by its name."""
        beside = {**look, **{reference_name(png): png for png in request.references}}
        files = {name: png for name, png in beside.items() if sha256(png).hexdigest() in blockout.pictures}
        key, row = content_key(blockout, self._model(blockout)), self.rows.get(request.name)
        if row is not None and self._is_there(row, key):
            self._keep_beside(request, blockout, files)  # which may not have been asked for then
            return row
        self._check_request(request, blockout)
        watch = partial(self._tell, request.name, blockout)
        picture = await self.source.picture_of(blockout, key, watch, tuple(files.values()))
        fresh = ManifestRow(
            name=request.name,
            key=key,
            sha256=sha256(picture.png).hexdigest(),
            model=blockout.model,
            job=picture.job,
            regions=measured(blockout, picture.achieved),
        )
        self._check_free(fresh)
        path = self.path(request.name)
        write_durably(path.with_name(path.stem + SUFFIX), json.dumps(dump(blockout)).encode())
        write_durably(path.with_name(path.stem + MEASURES), json.dumps(dump(picture.achieved)).encode())
        self._keep_beside(request, blockout, files)
        write_durably(path, picture.png)
        append(self.out, fresh)  # the row last: whoever is killed before it paints the picture again
        return fresh

    def _is_there(self, row: ManifestRow, key: str) -> bool:
        """Whether a picture is there as it was asked for. Raises WouldOverwrite for another one."""
        path = self.path(row.name)
        digest = digest_of(path)
        if digest is None or self.overwrite:
            return digest == row.sha256 and row.key == key
        if digest != row.sha256:
            raise WouldOverwrite(path, "has been changed since it was painted")
        if row.key != key:
            raise WouldOverwrite(path, "is of another request: the scene, the model or a setting has changed since")
        return True

    def _check_request(self, request: PictureRequest, blockout: Blockout) -> None:
        """Raises WouldOverwrite where another request lies, such as the one that was read to be painted otherwise."""
        path = self.path(request.name)
        path = path.with_name(path.stem + SUFFIX)
        free = request.name in self.rows or self.overwrite or not path.exists()
        if not free and not asks_for(path, request.blockout, blockout):
            raise WouldOverwrite(path, "is there already, and asks for something else")

    def _check_free(self, row: ManifestRow) -> None:
        """Raises WouldOverwrite where somebody else's file lies."""
        path = self.path(row.name)
        if not self.overwrite and digest_of(path) not in (None, row.sha256):
            raise WouldOverwrite(path, "is there already, and not of this batch")

    def _keep_beside(self, request: PictureRequest, blockout: Blockout, files: Mapping[str, bytes]) -> None:
        """What a compositor takes over: object masks where they are wanted, depths where they were captured; and the
        pictures that it refers to, each once a folder."""
        path = self.path(request.name)
        if self.masks:
            file = io.BytesIO()
            objects(blockout).save(file, "PNG")
            write_durably(path.with_name(path.stem + OBJECTS), file.getvalue())
        if request.depth:
            write_durably(path.with_name(path.stem + DEPTH), request.depth)
        for name, png in files.items():
            keep_reference(path.parent, name, png)

    def path(self, name: str) -> Path:
        """Where the picture of a name lies."""
        return self.out / f"{name}.png"

    def _model(self, blockout: Blockout) -> ModelInfo:
        for model in self.models:
            if model.name == blockout.model:
                return model
        raise NotPainted(f"The server has no model {blockout.model}; it has {', '.join(m.name for m in self.models)}")

    def _tell(self, name: str, blockout: Blockout, step: int) -> None:
        self.listen("painting", name, step=step, steps=all_steps(blockout))
