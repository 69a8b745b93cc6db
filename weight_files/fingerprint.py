# SPDX-License-Identifier: MIT
"""What tells a model's files from others of the same names: a sha256 of their settings and of samples of their weights.

A file of gigabytes is not read whole: its beginning, which holds its header, its end, and chunks between the two at
even distances. Another training, another merge and another precision show in that; a change of a few numbers somewhere
may not.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

SMALL = 2**24  # bytes of a file that is read to its end: settings, and the largest lists of words
FIRST = 2**20  # bytes of the beginning of a larger one
CHUNKS, CHUNK = 64, 2**12
READ = frozenset({".json", ".txt", ".model", ".jinja", ".safetensors", ".sft"})
WEIGHTS = frozenset({".safetensors", ".sft"})
STEM = "diffusion_pytorch_model"  # of networks in diffusers' format
BESIDE = ("scheduler",)  # a part that every pipeline has
INDEX = "model_index.json"


def fingerprint(facts: Mapping[str, object], files: Iterable[tuple[str, Path]]) -> str:
    """The sha256 of facts, JSON values, and of files, each under its name. Raises OSError."""
    digest = sha256(json.dumps(facts, sort_keys=True).encode())
    for name, file in files:
        size = file.stat().st_size
        digest.update(f"\0{name}\0{size}\0".encode("utf-8", "surrogatepass"))
        for block in _sampled(file, size):
            digest.update(block)
    return digest.hexdigest()


def _sampled(file: Path, size: int) -> Iterator[bytes]:
    with file.open("rb") as opened:
        if size <= SMALL:
            yield opened.read(size)
            return
        yield opened.read(FIRST)
        for number in range(CHUNKS):
            opened.seek(FIRST + number * (size - FIRST - CHUNK) // (CHUNKS - 1))
            yield opened.read(CHUNK)


def content_sha256(file: Path) -> str:
    """The sha256 of a file's bytes and, where diffusers' configuration beside it says what they are, of that too.

    Raises OSError.
    """
    digest = sha256()
    for one in with_configuration(file):
        with one.open("rb") as opened:
            while block := opened.read(FIRST):
                digest.update(block)
    return digest.hexdigest()


def with_configuration(file: Path) -> tuple[Path, ...]:
    """A file of weights, and the configuration beside it that counts: of one that is called as diffusers calls it."""
    beside = file.with_name("config.json")
    return (file, beside) if file.name.startswith(STEM) and beside.is_file() else (file,)


def part_files(folder: Path, parts: Iterable[str], bare: Collection[str] = ()) -> Iterator[tuple[str, Path]]:
    """The files that a folder in diffusers' format is loaded from, by name, of these parts.

    Args:
        bare: the parts whose weights lie elsewhere.
    """
    if (folder / INDEX).is_file():
        yield INDEX, folder / INDEX
    for part in (*parts, *BESIDE):
        files = sorted((folder / part).iterdir()) if (folder / part).is_dir() else []
        for file in files:
            skipped = WEIGHTS if part in bare else frozenset[str]()
            if file.suffix.lower() in READ - skipped and file.is_file():
                yield f"{part}/{file.name}", file
