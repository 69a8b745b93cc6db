# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pictures in view show, and what is drawn over them, read and drawn in slices.

By an image's session id. Blender is asked once a picture, at the beginning; what follows are slices of values alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import bpy

from ..cooperative import Slices, one_slice
from ..custom_properties import has
from ..pictures.image import ACHIEVED, REQUEST, regions_of
from ..regions.palette import colours
from ..request.phrases import Mark
from .figure import Figure, figure
from .measured import Measured, measured, uids_now

ColouredRegions = tuple[Sequence[tuple[int, Mark]], Mapping[int, int]]
"""A scene's regions, as session ids and marks, and their colours by session id."""


class PictureFigures:
    """``figures`` has what is drawn over each picture that was in view."""

    def __init__(self) -> None:
        self.figures: dict[int, Figure] = {}
        self._measured: dict[int, Measured] = {}
        self._work: Slices[bool] | None = None

    def measured(self, picture: bpy.types.Image) -> Measured:
        """What a picture was asked for and shows; nothing of one that was not read yet."""
        return self._measured.get(picture.session_uid, Measured((), {}, 1.0))

    def go_on(
        self,
        pictures: Iterable[bpy.types.Image | None],
        shown: Mapping[int, bpy.types.Image],
        coloured: Callable[[], ColouredRegions],
    ) -> bool:
        """A slice of reading ``pictures``, then of drawing those that are ``shown``; whether there was any to do.

        Regions have the colours that the scene's have, which ``coloured`` looks up; where they are gone, the next ones.
        """
        if self._work is None:
            self._work = self._next(pictures, shown, coloured)
        if self._work is None:
            return False
        if one_slice(self._work):
            self._work = None
        return True

    def _next(
        self,
        pictures: Iterable[bpy.types.Image | None],
        shown: Mapping[int, bpy.types.Image],
        coloured: Callable[[], ColouredRegions],
    ) -> Slices[bool] | None:
        """What is to be done first, if anything."""
        for image in (*shown.values(), *pictures):
            if image is not None and has(image, REQUEST) and image.session_uid not in self._measured:
                return self._read(image.session_uid, str(image[REQUEST]), str(image.get(ACHIEVED, "[]")))
        for uid, image in shown.items():
            if uid not in self.figures and has(image, REQUEST):
                regions, palette = coloured()
                uids = regions_of(image) or uids_now(self.measured(image), regions)
                return self._draw(uid, uids, colours(palette, uids))
        return None

    def _read(self, uid: int, request: str, achieved: str) -> Slices[bool]:
        self._measured[uid] = yield from measured(request, achieved)
        return True

    def _draw(self, uid: int, uids: Sequence[int], palette: Mapping[int, int]) -> Slices[bool]:
        known = self._measured[uid]
        by_phrase = {target.phrase.casefold(): palette[one] for one, target in zip(uids, known.targets, strict=True)}
        self.figures[uid] = yield from figure(known.targets, known.findings, known.aspect, by_phrase)
        return True
