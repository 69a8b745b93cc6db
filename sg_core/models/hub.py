# SPDX-License-Identifier: MIT
"""Models of a hub, at a pinned commit: every file as the commit names it, or none.

A file that broke off goes on where it stopped, in this process or in a later one, and is kept only once its size and
its checksum are those of the commit: sha256 where the hub stores it apart, else git's own. The files lie where the
hub's client would put them, so what either has downloaded serves both. Standard library, for the client neither goes
on in another process nor looks at checksums.
"""

import hashlib
import http.client
import json
import shutil
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from huggingface_hub import constants, get_token

from sg_core.errors import WeightsError

COMPLETE = ".maquette-complete"  # says that all wanted files were there and right
TRIES = 5  # in a row that bring nothing
PAUSE = 0.5  # seconds before the second; twice as many before each further one
SILENCE = 30.0  # seconds without a byte
PIECE = 2**20
LISTING = 20_000_000  # bytes
GIBIBYTE = 2**30
ByteCount = Callable[[int, int], None]
"""Hears how many bytes of how many there are."""


@dataclass(frozen=True)
class HubFile:
    """A file of a commit: its name, its bytes, and its checksum, ``sha256`` or else git's ``sha1``."""

    name: str
    size: int
    sha256: str = ""
    sha1: str = ""


def download(repository: str, revision: str, patterns: Sequence[str], progress: ByteCount = lambda *_: None) -> Path:
    """The folder of a repository's files at a commit, those that match ``patterns``; what is there is not asked for.

    Args:
        repository: ``owner/name``.
        revision: the commit, 40 hexadecimal digits.
        patterns: of names, as ``unet/*.safetensors``.

    Raises WeightsError when it cannot be had, or is not what the commit names.
    """
    folder = Path(constants.HF_HUB_CACHE, f"models--{repository.replace('/', '--')}", "snapshots", revision)
    if (folder / COMPLETE).is_file():
        return folder
    if constants.HF_HUB_OFFLINE:
        if (folder / "model_index.json").is_file():
            return folder
        words = "is not on this disk, and HF_HUB_OFFLINE says not to ask for it: unset that once, with a connection"
        raise WeightsError(f"{repository}@{revision} {words}")
    try:
        files = _lean([file for file in _listed(repository, revision) if _matches(file.name, patterns)])
    except (OSError, http.client.HTTPException) as error:
        if (folder / "model_index.json").is_file():  # of the hub's client, and without a connection as good as ours
            return folder
        raise WeightsError(f"{repository}@{revision} cannot be downloaded: {_reason(error)}") from error
    _fetch_all(repository, revision, files, folder, progress)
    (folder / COMPLETE).touch()
    return folder


def _fetch_all(repository: str, revision: str, files: Sequence[HubFile], folder: Path, progress: ByteCount) -> None:
    """Raises WeightsError."""
    missing = [file for file in files if not _is_there(folder / file.name, file)]
    total, parts = sum(file.size for file in files), folder / ".parts"
    received = total - sum(file.size for file in missing)
    try:
        parts.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(folder).free
        if (needed := sum(file.size for file in missing)) > room:
            sizes = f"{needed / GIBIBYTE:.1f} GiB, and {folder} has room for {room / GIBIBYTE:.1f}"
            raise WeightsError(f"{repository}@{revision} is {sizes}: make room, or set HF_HOME to another disk")
        for file in missing:
            url = f"{constants.ENDPOINT}/{repository}/resolve/{revision}/{quote(file.name)}"
            part = parts / f"{file.sha256 or file.sha1}.part"
            _fetch(url, file, part, lambda count, done=received: progress(done + count, total))  # type: ignore[misc]
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            part.replace(folder / file.name)
            received += file.size
        shutil.rmtree(parts, ignore_errors=True)
    except OSError as error:
        raise WeightsError(f"{repository}@{revision} cannot be kept in {folder}: {error}") from error
    progress(total, total)


def _listed(repository: str, revision: str) -> list[HubFile]:
    """The files of a commit. Raises OSError, HTTPException, WeightsError for what is no listing of it."""
    url = f"{constants.ENDPOINT}/api/models/{repository}/revision/{revision}?blobs=true"
    with _opened(url) as answer:
        try:
            document: Any = json.loads(answer.read(LISTING))
            if document["sha"] != revision:
                raise WeightsError(f"the hub answers {repository} with commit {document['sha']}, not with {revision}")
            return [_understood(entry) for entry in document["siblings"]]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise WeightsError(f"the hub's list of {repository}@{revision} cannot be understood: {error}") from error


def _understood(entry: Mapping[str, Any]) -> HubFile:
    name, apart = str(entry["rfilename"]), entry.get("lfs") or {}
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"it names {name!r}, which lies outside of its folder")
    return HubFile(name, int(entry["size"]), str(apart.get("sha256", "")), str(entry.get("blobId", "")))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for pattern in patterns)


def _lean(files: Sequence[HubFile]) -> list[HubFile]:
    """Without half precision where there is full: only one is read."""
    names = {file.name for file in files}
    return [f for f in files if ".fp16" not in f.name or f.name.replace(".fp16", "") not in names]


def _is_there(path: Path, file: HubFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def _fetch(url: str, file: HubFile, part: Path, count: Callable[[int], None]) -> None:
    """One file, into ``part``. Raises WeightsError when it cannot be had whole and right, OSError of the disk."""
    for attempt in ("first", "second"):
        _fill(url, file, part, count)
        if _is_right(part, file):
            return
        part.unlink()  # nobody can say which of it is wrong
        if attempt == "second":
            raise WeightsError(f"{url} is not what its commit names: its checksum is another, twice")


def _fill(url: str, file: HubFile, part: Path, count: Callable[[int], None]) -> None:
    """Raises WeightsError after TRIES that bring nothing, OSError of the disk."""
    empty, most, reason = 0, _size(part), "the connection broke off"
    while (size := _size(part)) != file.size:
        if size > file.size:
            part.unlink()
            raise WeightsError(f"{url} is longer than the {file.size:,} bytes that its commit says")
        if empty == TRIES:
            raise WeightsError(f"{url} cannot be downloaded: {reason}. {size:,} of {file.size:,} bytes are kept")
        if empty:
            time.sleep(PAUSE * 2 ** (empty - 1))
        try:
            _append(url, file, part, count)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, HTTPError) and error.code in (401, 403, 404):
                raise WeightsError(f"{url} cannot be downloaded: {_reason(error)}") from error
            reason = _reason(error)
        empty = 0 if _size(part) > most else empty + 1
        most = max(most, _size(part))
    if not file.size:
        part.touch()


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _append(url: str, file: HubFile, part: Path, count: Callable[[int], None]) -> None:
    """What one answer brings, behind what is there, or instead of it. Raises OSError, HTTPException."""
    size = _size(part)
    with _opened(url, size) as answer:
        goes_on = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {size}-")
        with part.open("ab" if goes_on else "wb") as out:
            done = size if goes_on else 0
            while done <= file.size and (piece := answer.read1(PIECE)):
                out.write(piece)
                done += len(piece)
                count(min(done, file.size))


def _opened(url: str, start: int = 0) -> Any:
    """An answer, from a byte on. Raises OSError, HTTPException."""
    headers = {"User-Agent": "maquette"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    if token := get_token():
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # never to where the hub sends us
    return urllib.request.urlopen(request, timeout=SILENCE)


def _is_right(part: Path, file: HubFile) -> bool:
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with part.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
    return digest.hexdigest() == (file.sha256 or file.sha1)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        words = {401: "the hub wants a token (HF_TOKEN)", 403: "its licence must be accepted on the hub's page first"}
        return words.get(error.code, f"the hub answers {error.code} {error.reason}")
    return str(error) or type(error).__name__
