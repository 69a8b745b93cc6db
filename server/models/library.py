# SPDX-License-Identifier: MIT
"""The models in the folders that were named, looked for in the background and kept up to date.

A thread looks through the folders, and again and again: whoever starts the server, or asks how it is, never waits for
a disk. A file that stays as it was is not opened again. Disks that are slow are looked at the more seldom.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from addon.protocol.answers import ModelInfo
from addon.protocol.model_files import FILES, Library, ModelFile, ModelFolder, read_folders

from ..unique_names import printable, unique_names
from .folders import NamedFolder, interpret
from .networks import Joined, joined
from .verdicts import FileVerdict, verdict_on
from .walk import ENTRIES, CandidateFile, TooMany, Walk

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds between two looks
SLOWNESS = 20.0  # times as long as a look takes is the pause after it
SLOW = 10.0  # seconds after which a folder is said to be slow
REST = 0.002  # seconds left to others, a thousand entries each


class Stopped(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True)
class Findings:
    """What one look through the folders brought."""

    folders: tuple[NamedFolder, ...] = ()
    verdicts: tuple[FileVerdict, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class LibraryState:
    """What is known now: of the last whole look, or of the first one so far."""

    folders: tuple[ModelFolder, ...] = ()
    files: tuple[ModelFile, ...] = ()
    offers: tuple[ModelInfo, ...] = ()
    adapters: tuple[Path, ...] = ()
    left_out: int = 0
    whole: bool = False


class ModelLibrary:
    """Looks through ``folders`` and those that the file ``listed`` names.

    ``named`` are the models that are on offer anyway, whose names no other may have.
    """

    def __init__(self, folders: Sequence[Path], listed: Path | None, named: Sequence[ModelInfo]) -> None:
        self._folders, self._listed, self._named = folders, listed, named
        self._stop, self._woken = threading.Event(), threading.Event()
        self._state = LibraryState()
        self._known: dict[str, tuple[tuple[int, int, int], FileVerdict]] = {}
        self._joined: Joined = {}
        self._begun: tuple[Path, float] | None = None  # the folder that is being read, and since when
        self._thread = threading.Thread(target=self._watch, name="models", daemon=True)

    def start(self) -> None:
        """Begin to look, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A disk that does not answer is not waited for."""
        self._stop.set()
        self._woken.set()

    def look(self) -> None:
        """Look once, and wait for the end of it."""
        self._look()

    @property
    def offers(self) -> tuple[ModelInfo, ...]:
        """The models that can be painted with, by name."""
        return self._state.offers

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The folders of LoRAs and autoencoders that the folders of other programs have."""
        return self._state.adapters

    def listing(self) -> Library:
        """What lies in the folders, as far as is known."""
        state = self._state
        folders = list(state.folders)
        if (begun := self._begun) and time.monotonic() - begun[1] > SLOW:
            words = "It answers slowly; what is in it comes later."
            folders = [f for f in folders if f.path != printable(str(begun[0]))]
            folders.append(ModelFolder(path=printable(str(begun[0])[-2000:]), trouble=words))
        files = state.files[:FILES]
        left_out = state.left_out + len(state.files) - len(files)
        return Library(folders=tuple(folders), files=files, scanning=not state.whole, left_out=left_out)

    def _watch(self) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self._look()
            except Stopped:
                return
            except OSError as error:  # of a disk that went away; the next look sees what is left
                log.warning("the folders of models cannot be read: %s", error)
            self._woken.wait(PAUSE + SLOWNESS * (time.monotonic() - begun))

    def _look(self) -> None:
        folders = [interpret(path) for path in self._paths()]
        findings = Findings(tuple(folders))
        walk = Walk(self._rest)  # through all, so that what lies in two folders is read once
        for i, folder in enumerate(folders):
            walk.entries = 0  # a folder without end costs none of the others
            for path in folder.models:
                self._begun = (path, time.monotonic())
                findings = self._looked_into(walk, path, i, findings)
                if not self._state.whole:
                    self._publish(findings, whole=False)
        self._begun = None
        self._publish(findings, whole=True)

    def _paths(self) -> list[Path]:
        named = read_folders(self._listed) if self._listed else ()
        return list(dict.fromkeys(Path(os.path.expanduser(path)).absolute() for path in (*self._folders, *named)))

    def _looked_into(self, walk: Walk, path: Path, number: int, findings: Findings) -> Findings:
        """The findings, and those of one more folder."""
        verdicts, left_out, folders = list(findings.verdicts), findings.left_out, list(findings.folders)
        try:
            for candidate in walk.candidates(path):
                if len(verdicts) < FILES:
                    verdicts.append(self._verdict(candidate))
                else:
                    left_out += 1
        except TooMany:
            words = f"it holds more than {ENTRIES:,} files, and was not read to its end: name a folder inside it"
            folders[number] = replace(folders[number], trouble=words)
        return Findings(tuple(folders), tuple(verdicts), left_out)

    def _verdict(self, candidate: CandidateFile) -> FileVerdict:
        """On a file or a folder as it is now; one that stayed as it was is not read again."""
        self._rest()
        mark = _mark(candidate)
        key = str(candidate.path)
        if mark is None or key not in self._known or self._known[key][0] != mark:
            self._known[key] = mark or (0, 0, 0), _safe_verdict(candidate)
        return self._known[key][1]

    def _rest(self) -> None:
        if self._stop.is_set():
            raise Stopped
        time.sleep(REST)

    def _publish(self, findings: Findings, whole: bool) -> None:
        self._joined = joined(findings.verdicts, self._named, self._joined)
        verdicts = [self._joined[v.path][2] if v.path in self._joined else v for v in findings.verdicts]
        files, offers = entries_of(verdicts, self._named)
        folders = tuple(
            ModelFolder(
                path=printable(str(folder.path)[-2000:]),
                kind=folder.kind,
                trouble=printable(sentence(folder.trouble)[:2000]),
            )
            for folder in findings.folders
        )
        adapters = tuple(dict.fromkeys(path for folder in findings.folders for path in folder.adapters))
        self._state = LibraryState(
            folders[:100], files, offers, adapters, findings.left_out, whole or self._state.whole
        )


def _safe_verdict(candidate: CandidateFile) -> FileVerdict:
    """A file that is odd in a way nobody thought of is listed with that, and never ends the look through all others."""
    if printable(str(candidate.path)) != str(candidate.path):
        trouble = "its name, or that of its folder, is no text in UTF-8: rename it"
        return FileVerdict(candidate.path, candidate.path.name, "file", trouble=trouble)
    try:
        return verdict_on(candidate)
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        log.warning("%s is odd", ascii(str(candidate.path)), exc_info=True)
        trouble = f"its description of itself is damaged ({type(error).__name__}); get it again"
        return FileVerdict(candidate.path, candidate.path.name, "file", trouble=trouble)


def _mark(candidate: CandidateFile) -> tuple[int, int, int] | None:
    """By what a candidate is taken to be the same: its size, its times, and those of what beside it configures it; of a
    folder those of all files in it and in its parts, and how many there are."""
    path = candidate.path
    try:
        files = (*path.iterdir(), *path.glob("*/*")) if candidate.is_folder else candidate.shards or (path,)
        status = [one.stat() for one in files]
        size, times = sum(one.st_size for one in status), sum(one.st_mtime_ns for one in status)
        if candidate.is_folder:
            return size, times, len(status)
        return size, times, sum(file.stat().st_mtime_ns for file in _settings(path))
    except OSError:
        return None


def _settings(file: Path) -> list[Path]:
    """What configures a checkpoint: a YAML file beside it, and the JSON files of a folder of its name."""
    beside, noise = file.with_suffix(""), file.with_suffix(".yaml")
    files = [*beside.glob("*.json"), *beside.glob("*/*.json")] if (beside / "model_index.json").is_file() else []
    return [one for one in (noise, *files) if one.is_file()]


def entries_of(
    verdicts: Sequence[FileVerdict], named: Sequence[ModelInfo]
) -> tuple[tuple[ModelFile, ...], tuple[ModelInfo, ...]]:
    """The list that people read, models first, and what is offered beside those that are ``named``.

    A file under two paths is listed once, and one that is named keeps its name.
    """
    single = {str(_real(verdict.path)): verdict for verdict in reversed(verdicts)}
    verdicts = [verdict for verdict in reversed(single.values()) if not _is_configuration(verdict)]
    names = {Path(model.source): model.name for model in named}
    models = [verdict for verdict in verdicts if verdict.info is not None and verdict.path not in names]
    reserved = {model.name for model in named}
    unique = unique_names([verdict.path for verdict in models], [verdict.stem for verdict in models], reserved)
    names |= dict(zip((verdict.path for verdict in models), unique, strict=True))
    offers = [
        replace(verdict.info, name=names[verdict.path], licence=verdict.licence or verdict.info.licence)
        for verdict in models
        if verdict.info is not None
    ]
    files = [_entry(verdict, names.get(verdict.path, verdict.stem)) for verdict in verdicts]
    files.sort(key=lambda file: (bool(file.trouble), file.name.lower()))
    return tuple(files), tuple(sorted(offers, key=lambda info: info.name.lower()))


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a circle of links
        return path


def _is_configuration(verdict: FileVerdict) -> bool:
    """Whether a folder only says how the checkpoint of its name beside it is set up."""
    return verdict.kind == "diffusers folder" and not verdict.bytes and _sibling(verdict.path).is_file()


def _sibling(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.safetensors")


def _entry(verdict: FileVerdict, name: str) -> ModelFile:
    return ModelFile(
        name=printable(name[-200:]) or "?",
        path=printable(str(verdict.path)[-2000:]),
        kind=verdict.kind[:200],
        family=printable(verdict.family[:200]),
        bytes=verdict.bytes,
        licence=printable(verdict.licence[:200]),
        trouble=printable(sentence(verdict.trouble)[:2000]),
    )


def sentence(words: str) -> str:
    """With a capital in front and a full stop behind."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""
