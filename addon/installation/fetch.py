# SPDX-License-Identifier: GPL-3.0-or-later
"""``python fetch.py SOURCE TARGET SHA256 SIZE``: a wheel from a file or an address, checked. No bpy.

A part that was fetched before is gone on with. A script of its own, run in the environment, whose pip brings the
certificates. It says how far it is as pip does, and ends with DAMAGED where the bytes are others than promised.
"""

import hashlib
import importlib.util
import ssl
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO

DAMAGED = 3  # an exit code
CHUNK = 2**18  # bytes
SILENCE = 60.0  # seconds without an answer
PAUSE = 0.25  # seconds between two words on how far it is


def fetch(source: str, target: Path, sha256: str, size: int) -> int:
    """The program's exit code. Raises OSError, as urllib does where there is no network."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and sha256 and _sha256(target) == sha256:
        return 0
    part = target.with_name(f"{target.name}.part")
    if source.startswith(("http://", "https://")):
        _download(source, part, size)
    else:
        with open(source, "rb") as stream, part.open("wb") as out:
            _copy(stream, out, 0, size)
    if size and part.stat().st_size < size:
        raise ConnectionError(f"Connection aborted: {part.stat().st_size} of {size} bytes came")
    if sha256 and _sha256(part) != sha256:
        part.unlink()
        print(f"{source} has another checksum than {sha256}", file=sys.stderr)
        return DAMAGED
    part.replace(target)
    return 0


def _download(address: str, part: Path, size: int) -> None:
    offset = part.stat().st_size if part.exists() else 0
    if size and offset >= size:
        part.unlink()  # more than there is cannot be the beginning of it
        offset = 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={offset}-"} if offset else {})
    with urllib.request.urlopen(request, timeout=SILENCE, context=_certificates(address)) as answer:
        going_on = offset > 0 and answer.status == 206
        with part.open("ab" if going_on else "wb") as out:
            _copy(answer, out, offset if going_on else 0, size)


def _certificates(address: str) -> ssl.SSLContext | None:
    """Of the system, and of the environment's pip: some systems' Pythons find none."""
    if not address.startswith("https:"):
        return None
    context = ssl.create_default_context()
    pip = importlib.util.find_spec("pip")
    bundled = Path(pip.origin).parent / "_vendor" / "certifi" / "cacert.pem" if pip and pip.origin else Path()
    if bundled.is_file():
        context.load_verify_locations(bundled)
    return context


def _copy(stream: IO[bytes], out: IO[bytes], offset: int, size: int) -> None:
    reported = 0.0
    while chunk := stream.read(CHUNK):
        out.write(chunk)
        offset += len(chunk)
        if time.monotonic() - reported > PAUSE:
            reported = time.monotonic()
            print(f"Progress {offset} of {size}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(fetch(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
