# SPDX-License-Identifier: GPL-3.0-or-later
"""The history as Blender has it: a scene's own pictures, which travel in its .blend, and those on disk.

A scene keeps the text of each entry, thumbnail included, and nothing else: no data-block, and no file that could be
missing. Panels draw tiles and icons that ``Gallery.tick`` has made ready, a few at a time.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import bpy
import numpy as np
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty

from ..custom_properties import declare
from ..protocol.strict_json import ContractError
from . import history
from .history import IN_FILE, Entry, thumb_pixels
from .labels import PictureFacts, entry_facts, labels
from .pixels import Icons, ImagePixels, shortened

AT_ONCE = 2  # entries that one tick reads
INDEXED_AT_ONCE = 10  # entries that one tick reads the request of
PAGE = 12  # tiles shown at once, in full rows of two, three, four or six
LARGE = 256  # pixels of the longer side of a picture in the panel
BLANK = np.full((1, 1, 4), 0.2, np.float32)  # the icon of an entry that cannot be read
HISTORY, SCOPE, FAVOURITES = "maquette_history", "maquette_scope", "maquette_favourites"
SCOPES = (
    ("FILE", "This File", "What this scene's file remembers"),
    ("DISK", "On Disk", "The newest of all files"),
)


class HistoryTile(Protocol):
    """What a panel draws of an entry; ``name`` is the picture's sha256."""

    @property
    def name(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def favourite(self) -> bool: ...


class MaquetteHistoryItem(bpy.types.PropertyGroup):
    """An entry in a .blend. Its ``name`` is the picture's sha256."""

    text: StringProperty()
    prompt: StringProperty()
    caption: StringProperty()
    favourite: BoolProperty()


@dataclass(frozen=True)
class DiskTile:
    """The tile of an entry on disk."""

    name: str
    prompt: str
    caption: str
    favourite: bool


@dataclass(frozen=True, eq=False)
class LandedPicture:
    """What the history and the panel need of a picture that no scene has yet; its pixels' sides are at most LARGE."""

    entry: Entry
    pixels: ImagePixels


@dataclass(frozen=True)
class Page:
    """The tiles that the panel shows now, newest first: of ``total``, those after the ``first`` ones."""

    tiles: Sequence[HistoryTile]
    first: int
    total: int

    @property
    def last(self) -> int:
        """How many pictures there are up to the page's end."""
        return min(self.first + PAGE, self.total)

    def find(self, name: str) -> HistoryTile | None:
        """The tile of that name, where it is on the page."""
        return next((tile for tile in self.tiles if tile.name == name), None)


class Gallery:
    """What the history's panel shows of one Blender. ``disk_tiles`` are those of the disk's page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chosen = ""
        self.first = 0  # tiles before the page
        self.disk_tiles: tuple[DiskTile, ...] = ()
        self.total = 0  # pictures on disk, or favourites among them
        self._icons, self._large = Icons(), Icons()
        self._facts: dict[str, PictureFacts] = {}  # of what has an icon and can be read
        self._files: list[history.PictureFiles] | None = None  # None when the folder is to be read again
        self._unread: deque[history.PictureFiles] = deque()
        self._read: tuple[DiskTile, ...] = ()  # of the page that is being read
        self._selection: tuple[str, bool] = ("", False)  # which history the page is of, and whether of favourites only
        self._prune_due = True
        self._requests, self._indexed = history.RequestIndex(folder), False

    def icon(self, name: str) -> int:
        """The thumbnail's number for ``template_icon``; 0 until it is ready."""
        return self._icons.find(name)

    def is_starred(self, name: str) -> bool:
        """Whether it is a favourite on disk."""
        return history.is_favourite(self.folder, name)

    def facts(self, name: str) -> PictureFacts | None:
        """Those of a picture that panels have ready; reading sixteen entries anew would take ten milliseconds."""
        return self._facts.get(name)

    def labels(self, tiles: Sequence[HistoryTile]) -> tuple[str, ...]:
        """What tells these from each other, "" of one that is not ready or cannot be read."""
        ready = {tile.name: self._facts[tile.name] for tile in tiles if tile.name in self._facts}
        words = dict(zip(ready, labels(list(ready.values())), strict=True))
        return tuple(words.get(tile.name, "") for tile in tiles)

    def large_icon(self, image: bpy.types.Image) -> int:
        """The number of a scene's picture, larger than its thumbnail; 0 where it was not ``enlarged`` here."""
        return self._large.find(str(image.session_uid))

    def enlarge(self, image: bpy.types.Image, pixels: ImagePixels) -> None:
        """Make the icon of a scene's new picture. Blender's own preview first loads a file of scenes, 27 ms."""
        for name in self._large.names():
            self._large.drop(name)
        if pixels.size:
            self._large.put(str(image.session_uid), shortened(pixels, LARGE))

    def keep(self, entry: Entry) -> None:
        """Write an entry to disk. Raises OSError."""
        history.keep(self.folder, entry)
        self._prune_due = True
        self.reread()

    def reread(self) -> None:
        """The disk's history has changed: list it again."""
        self._files = None

    def turn(self, page: Page, older: bool) -> None:
        """To the page after this one, or before it."""
        self.first = max(0, page.first + (PAGE if older else -PAGE))
        self.reread()

    def entry(self, scene: bpy.types.Scene, name: str) -> Entry:
        """The entry of that name, from the scene or else from disk. Raises OSError and ContractError."""
        item = entries(scene).get(name)
        return history.find(self.folder, name) if item is None else history.parse(item.text)

    def painted(self, scene: bpy.types.Scene) -> Callable[[str], str]:
        """From a blockout as JSON to the name of the picture of it, "" without one: the scene's of now, else one that
        is on disk by the time it is asked for. A picture that is not there any more may be painted again."""
        texts = {item.name: item.text for item in entries(scene) if history.picture(self.folder, item.name)}

        def find(request: str) -> str:
            own = next((name for name, text in texts.items() if history.asks_for(text, request)), "")
            return own or self._requests.find(request)

        return find

    def tick(self, manager: bpy.types.WindowManager) -> bool:
        """Make ready what panels are about to draw, a little of it; whether there is something new."""
        scope, favourites = selection = _selection(manager)
        if selection != self._selection:
            self._selection, self.first, self._files = selection, 0, None
        items = {item.name: item for window in manager.windows for item in entries(window.scene)}
        missing = [item for name, item in items.items() if name not in self._icons]
        for item in missing[:AT_ONCE]:
            self._icons.put(item.name, self._look(item))
        read = scope == "DISK" and self._read_disk(favourites)
        for name in set(self._icons.names()) - items.keys() - {tile.name for tile in (*self.disk_tiles, *self._read)}:
            self._icons.drop(name)
            self._facts.pop(name, None)
        fresh = bool(missing) or read
        if not fresh:
            self._tidy()
        return fresh

    def close(self) -> None:
        """Forget every thumbnail."""
        self._icons.close()
        self._large.close()

    def _tidy(self) -> None:
        """What can wait for a tick that has nothing to show: either of them goes through the whole folder."""
        if not self._prune_due:
            self._indexed = self._indexed or self._requests.refresh(INDEXED_AT_ONCE)  # or the first press would wait
        elif history.prune(self.folder):
            self.reread()
        self._prune_due = False

    def _look(self, item: MaquetteHistoryItem) -> ImagePixels:
        """Read an entry of a .blend: its facts, and its thumbnail."""
        try:
            entry = history.parse(item.text)
            thumbnail = thumb_pixels(entry.thumb)
        except ContractError:  # a newer Maquette's entry: its button says so when it is pressed
            return BLANK
        self._facts[item.name] = entry_facts(entry)
        return thumbnail

    def _read_disk(self, favourites: bool) -> bool:
        begun = self._files is None
        if self._files is None:
            listing = history.listing(self.folder)
            self._files = [files for files in listing if files.entry and (files.favourite or not favourites)]
            self.total = len(self._files)
            first = _start(self.first, self.total)
            self._unread, self._read = deque(self._files[first : first + PAGE]), ()
        batch = [self._unread.popleft() for _ in range(min(AT_ONCE, len(self._unread)))]
        self._read += tuple(tile for files in batch for tile in self._tile(files))
        if not self._unread:  # whole, or the panel would jump
            self.disk_tiles = self._read
        return begun or bool(batch)

    def _tile(self, files: history.PictureFiles) -> Iterator[DiskTile]:
        try:
            entry = history.find(self.folder, files.name)
        except (OSError, ContractError):  # deleted by another Blender, or by an older Maquette: not worth a word
            return
        if files.name not in self._icons:
            self._icons.put(files.name, thumb_pixels(entry.thumb))
        self._facts[files.name] = entry_facts(entry)
        yield DiskTile(files.name, entry.settings.prompt, entry.caption, files.favourite)


def entries(scene: bpy.types.Scene) -> "bpy.types.bpy_prop_collection_idprop[MaquetteHistoryItem]":
    """The scene's own history, oldest first."""
    items: bpy.types.bpy_prop_collection_idprop[MaquetteHistoryItem] = getattr(scene, HISTORY)
    return items


def _selection(manager: bpy.types.WindowManager) -> tuple[str, bool]:
    """Which history the artist looks at, and whether at favourites only."""
    return getattr(manager, SCOPE), getattr(manager, FAVOURITES)


def remember(scene: bpy.types.Scene, entry: Entry) -> None:
    """Put an entry into the scene's own history; the oldest beyond the cap leave, favourites excepted."""
    items = entries(scene)
    before = items.get(entry.name)
    favourite = before is not None and before.favourite
    forget(scene, entry.name)
    item = items.add()
    item.name, item.text, item.favourite = entry.name, history.text(entry), favourite
    item.prompt, item.caption = entry.settings.prompt, entry.caption
    plain = [item.name for item in items if not item.favourite]
    for name in plain[:-IN_FILE]:
        forget(scene, name)


def forget(scene: bpy.types.Scene, name: str) -> None:
    """Take an entry out of the scene's own history, if it is there."""
    items = entries(scene)
    if (index := items.find(name)) >= 0:
        items.remove(index)


def page(scene: bpy.types.Scene, manager: bpy.types.WindowManager, gallery: Gallery) -> Page:
    """What the panel shows now."""
    scope, favourites = _selection(manager)
    if scope == "DISK":
        return Page(gallery.disk_tiles, _start(gallery.first, gallery.total), gallery.total)
    items = [item for item in reversed(entries(scene)) if item.favourite or not favourites]
    first = _start(gallery.first, len(items))
    return Page(items[first : first + PAGE], first, len(items))


def _start(first: int, total: int) -> int:
    """Where a page begins; the last one, when there are fewer pictures than there were."""
    return min(first, max(0, total - 1) // PAGE * PAGE)


def register() -> None:
    """Give every scene a history, and panels the choice of what to show."""
    bpy.utils.register_class(MaquetteHistoryItem)
    manager = bpy.types.WindowManager
    declare(bpy.types.Scene, HISTORY, lambda: CollectionProperty(type=MaquetteHistoryItem))
    declare(manager, SCOPE, lambda: EnumProperty(name="Which", items=SCOPES))
    declare(manager, FAVOURITES, lambda: BoolProperty(name="Favourites", description="Show favourites only"))


def unregister() -> None:
    """Take both away; what a file remembers stays in it."""
    delattr(bpy.types.WindowManager, FAVOURITES)
    delattr(bpy.types.WindowManager, SCOPE)
    delattr(bpy.types.Scene, HISTORY)
    bpy.utils.unregister_class(MaquetteHistoryItem)
