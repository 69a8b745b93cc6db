# SPDX-License-Identifier: MIT
"""The LoRAs, VAEs and ControlNets that a server has: found in folders, told by their headers, known by their sha256.

Folders are looked through whenever somebody asks, so that a file that was just put there is offered; a header is read
once as long as its file stays as it is, and a sha256 made once, when it is first needed. Nothing is unpickled: what is
no safetensors is listed with the reason why it is of no use. Importing this does not import torch.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from addon.protocol.answers import AdapterInfo, AdapterKind, ModelInfo
from addon.protocol.blockout import AdapterFile, Blockout, ControlNet, LoraFile, Precision
from weight_files.fingerprint import content_sha256, with_configuration

from .adapter_headers import PICKLED, read, title
from .catalogue import SUFFIXES, is_gguf
from .problems import ChangedAdapter, NoAdapter, UnfitAdapter
from .unique_names import printable

MOST = 5000  # files that are listed; more would be no menu
DEPTH = 6  # folders in folders
OWN_FOLDERS = frozenset(
    {"loras", "lora", "vae", "controlnet", "controlnets"}
)  # beside models, in capitals or not, as others' programs call them
WORDS: Mapping[AdapterKind, str] = {"lora": "LoRA", "vae": "VAE", "controlnet": "ControlNet"}
AnyFile = LoraFile | AdapterFile | ControlNet


@dataclass(frozen=True)
class FileMark:
    """By what a file is taken to be the same: its size, and the time at which it was written in nanoseconds."""

    size: int
    modified: int


@dataclass(frozen=True)
class Adapter:
    """A file on offer."""

    file: Path
    info: AdapterInfo


@dataclass(frozen=True)
class Setup:
    """What is on top of a model and beside it, each with its file, and in which precision it computes; "" is the
    device's own. ``card`` is what its owner says of it instead of its own Card."""

    loras: tuple[tuple[LoraFile, Path], ...] = ()
    vae: tuple[AdapterFile, Path] | None = None
    precision: Precision = ""
    card: tuple[tuple[str, Any], ...] = ()
    control: tuple[AdapterFile, Path] | None = None

    @property
    def files(self) -> tuple[tuple[LoraFile | AdapterFile, Path], ...]:
        """All of them."""
        return (*self.loras, *(pair for pair in (self.vae, self.control) if pair))


PLAIN = Setup()


class AdapterCatalogue:
    """What is in ``folders``, and beside the ``models``; made once in each process that needs it. Both may change.

    ``checksums`` is a file that remembers every sha256 with the size and the time of its file; without one they are
    made anew in each process.
    """

    def __init__(
        self, folders: Sequence[Path], models: Sequence[ModelInfo] = (), checksums: Path | None = None
    ) -> None:
        self.folders, self.models, self._checksums = folders, models, checksums
        self.model_folders: Sequence[Path] = ()  # more folders that models lie in
        self._headers: dict[str, tuple[FileMark, AdapterInfo | None]] = {}
        self._digests: dict[str, tuple[FileMark, str]] = {}
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._remember()

    def all(self) -> tuple[Adapter, ...]:
        """Everything that is there now, by name; names are unique in a kind."""
        entries: dict[Path, tuple[Path, tuple[Path, AdapterInfo]]] = {}
        for file, facts in islice(self._entries(), MOST):
            entries.setdefault(file.resolve(), (file, facts))  # links may lead to one file; its name is the link's
        adapters = _named(dict(entries.values()))
        return tuple(sorted(adapters, key=lambda adapter: (adapter.info.kind, adapter.info.name.lower())))

    def find(self, kind: AdapterKind, name: str, adapters: Sequence[Adapter] | None = None) -> Adapter:
        """The one of that name, of all or of these.

        Raises NoAdapter, and UnfitAdapter for one that is of no use to anybody.
        """
        same = [adapter for adapter in (self.all() if adapters is None else adapters) if adapter.info.kind == kind]
        named = next((adapter for adapter in same if adapter.info.name == name), None)
        if named is None:
            raise NoAdapter(f"There is no {WORDS[kind]} “{name}” here; {_listed(same)}")
        if named.info.trouble:
            raise UnfitAdapter(f"“{name}” is of no use: {named.info.trouble}")
        return named

    def described(self, adapter: Adapter) -> AdapterInfo:
        """What is said of it, with its sha256. Raises NoAdapter where it cannot be read any more."""
        try:
            mark, file = _mark(adapter.file), str(adapter.file)
            if (before := self._noted(file, mark)) is None:
                with self._reading:  # one at a time: who asks for the same meanwhile waits for it
                    before = self._noted(file, mark) or content_sha256(adapter.file)
                with self._lock:
                    self._digests[file] = mark, before
                    self._write()
        except OSError as error:
            raise NoAdapter(f"{printable(str(adapter.file))} cannot be read: {error.strerror}") from error
        return replace(adapter.info, sha256=before)

    def _noted(self, file: str, mark: FileMark) -> str | None:
        """The sha256 that was made of a file, if it is the same still."""
        with self._lock:
            known = self._digests.get(file)
        return known[1] if known is not None and known[0] == mark else None

    def pinned(self, blockout: Blockout, model: ModelInfo) -> Blockout:
        """The request with the sha256 of every file that it names.

        Raises NoAdapter, UnfitAdapter for what is made for another model, and ChangedAdapter where a file is not the
        one that the request means.
        """
        if not files_of(blockout):
            return blockout
        adapters = self.all()
        loras = [replace(lora, sha256=self._checked("lora", lora, model, adapters)) for lora in blockout.loras]
        vae = blockout.vae and replace(blockout.vae, sha256=self._checked("vae", blockout.vae, model, adapters))
        control = blockout.control
        if control is not None:
            control = replace(control, sha256=self._checked("controlnet", control, model, adapters))
        return replace(blockout, loras=tuple(loras), vae=vae, control=control)

    def setup(self, blockout: Blockout) -> Setup:
        """The files that a request names, for who loads them, and sees whether they are what it means.

        Raises NoAdapter, UnfitAdapter.
        """
        adapters: Sequence[Adapter] = ()
        if files_of(blockout):
            with self._lock:
                self._remember()  # the sums that the server has made since
            adapters = self.all()
        loras = tuple((lora, self._pinned_file("lora", lora, adapters)) for lora in blockout.loras)
        vae = (blockout.vae, self._pinned_file("vae", blockout.vae, adapters)) if blockout.vae else None
        asked = blockout.control
        control = AdapterFile(name=asked.name, sha256=asked.sha256) if asked else None  # loading depends on no more
        beside = (control, self._pinned_file("controlnet", control, adapters)) if control else None
        return Setup(loras, vae, blockout.precision, control=beside)

    def _pinned_file(self, kind: AdapterKind, wanted: AnyFile, adapters: Sequence[Adapter]) -> Path:
        """The file with the sha256 that was pinned, of those called so: a name grows longer when a namesake comes."""
        stem = wanted.name.rpartition("/")[2]
        namesakes = [one for one in adapters if one.info.kind == kind and title(one.file)[-200:] in (stem, wanted.name)]
        for adapter in sorted(namesakes, key=lambda one: one.info.name != wanted.name) if wanted.sha256 else ():
            with suppress(NoAdapter):
                if self.described(adapter).sha256 == wanted.sha256:
                    return adapter.file
        return self.find(kind, wanted.name, adapters).file

    def _checked(self, kind: AdapterKind, adapter: AnyFile, model: ModelInfo, adapters: Sequence[Adapter]) -> str:
        info = self.described(self.find(kind, adapter.name, adapters))
        if info.bases and model.base and model.base not in info.bases:
            bases = " or ".join(info.bases)
            raise UnfitAdapter(f"“{adapter.name}” is made for {bases}, and {model.name} is {model.base}")
        if kind == "lora" and is_gguf(Path(model.source)):  # which loading would find out after minutes
            words = f"cannot be added to the quantised weights of {model.name}"
            raise UnfitAdapter(f"“{adapter.name}” {words}: choose that model in half precision")
        if adapter.sha256 not in ("", info.sha256):
            raise ChangedAdapter(changed_words(adapter.name))
        return info.sha256

    def _entries(self) -> Iterator[tuple[Path, tuple[Path, AdapterInfo]]]:
        """(file, (the folder it was found in, what it is)), by every path that leads to it."""
        for folder in self.folders:
            yield from self._in(folder, DEPTH, own=True)
        for parent in dict.fromkeys((*self.parents(), *self.model_folders)):
            yield from self._in(parent, 0, own=False)
            for folder in _own_folders(parent):
                yield from self._in(folder, DEPTH, own=True)

    def parents(self) -> tuple[Path, ...]:
        """The folders that the models lie in, each once."""
        return tuple(dict.fromkeys(Path(model.source).parent for model in self.models if _is_local(model)))

    def _in(self, folder: Path, depth: int, own: bool) -> Iterator[tuple[Path, tuple[Path, AdapterInfo]]]:
        for file in _files(folder, depth):
            info = self._info(file, own)
            if info is not None:
                yield file.absolute(), (folder, info)

    def _info(self, file: Path, own: bool) -> AdapterInfo | None:
        """What a file is; of a folder that is not for adapters alone only what surely is one."""
        try:
            mark = _mark(file)
        except OSError:
            return None
        row = self._headers.get(str(file))
        if row is None or row[0] != mark:
            row = mark, read(file, mark.size)
            self._headers[str(file)] = row
        info = None if row[1] is None or (row[1].trouble and not own) else row[1]
        return info and replace(info, sha256=self._digest(file, mark))

    def _digest(self, file: Path, mark: FileMark) -> str:
        row = self._digests.get(str(file.absolute()))
        return row[1] if row is not None and row[0] == mark else ""

    def _remember(self) -> None:
        with suppress(OSError, ValueError, TypeError, AttributeError):  # as good as none
            rows: Mapping[str, Any] = json.loads(self._checksums.read_bytes()) if self._checksums else {}
            read = {file: (FileMark(size, time), str(digest)) for file, (size, time, digest) in rows.items()}
            self._digests = read | self._digests

    def _write(self) -> None:
        if self._checksums is None:
            return
        rows = {file: [mark.size, mark.modified, digest] for file, (mark, digest) in self._digests.items()}
        part = self._checksums.with_suffix(".part")
        with suppress(OSError):  # it is only a memory
            part.write_text(json.dumps(rows))
            part.replace(self._checksums)


def files_of(blockout: Blockout) -> tuple[AnyFile, ...]:
    """Every file that a request names."""
    return (*blockout.loras, *(file for file in (blockout.vae, blockout.control) if file is not None))


def changed_words(name: str) -> str:
    """Why a file is refused that is not the one that was meant."""
    return f"“{name}” is another file than the one that this request was made with"


def _mark(file: Path) -> FileMark:
    facts = [one.stat() for one in with_configuration(file)]
    return FileMark(sum(one.st_size for one in facts), max(one.st_mtime_ns for one in facts))


def _is_local(model: ModelInfo) -> bool:
    return Path(model.source).is_absolute()


def _own_folders(parent: Path) -> list[Path]:
    try:
        entries = sorted(os.scandir(parent), key=lambda entry: entry.name)
    except OSError:
        return []
    return [Path(entry.path) for entry in entries if entry.name.lower() in OWN_FOLDERS and entry.is_dir()]


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Plain files that may be adapters, in a folder and so many levels below it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        if path.is_file() and path.suffix.lower() in {*SUFFIXES, *PICKLED} and _is_text(entry.name):
            yield path
        elif depth and path.is_dir() and not entry.name.startswith("."):
            yield from _files(path, depth - 1)


def _is_text(name: str) -> bool:
    """Whether a file's name can be said to others: on Linux it may be any bytes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _named(entries: Mapping[Path, tuple[Path, AdapterInfo]]) -> Iterator[Adapter]:
    """Each under its own name; where several have one, under the path to it, from as far up as tells them apart."""
    names = {file: info.name for file, (_, info) in entries.items()}
    for up in range(1, DEPTH + 2):
        counts = Counter((info.kind, names[file]) for file, (_, info) in entries.items())
        for file, (_, info) in entries.items():
            if counts[info.kind, names[file]] > 1:
                names[file] = "/".join([*file.parts[-1 - up : -1], file.stem])
    for file, (_, info) in entries.items():
        yield Adapter(file, replace(info, name=printable(names[file][-200:]), trouble=printable(info.trouble)))


def _listed(adapters: Sequence[Adapter]) -> str:
    names = [adapter.info.name for adapter in adapters if not adapter.info.trouble]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"there is {', '.join(names[:10])}{more}" if names else "there is none"
