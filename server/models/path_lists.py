# SPDX-License-Identifier: MIT
"""ComfyUI's extra_model_paths.yaml: the few lines of YAML that such a file is made of, and no more.

    comfyui:
        base_path: /models/
        checkpoints: |
            checkpoints/
            more/checkpoints/
        loras: loras

Sections of keys and paths, one path or several under a ``|``. Anchors, tags, lists in brackets and whatever else YAML
has are not read.
"""

import os
from collections.abc import Iterator
from pathlib import Path

SIZE = 1_000_000  # bytes; such a file has some two thousand
FOREIGN = ("&", "*", "!", "[", "{")  # what begins an anchor, an alias, a tag, and lists and tables in one line
Sections = dict[str, dict[str, list[str]]]


def read_paths(file: Path) -> list[tuple[str, Path]]:
    """(key, folder) of each path of the file, in its order, as ComfyUI understands them.

    A path that is not absolute lies under its section's ``base_path``, else beside the file. Raises OSError, and
    ValueError with the line that cannot be understood.
    """
    with file.open(encoding="utf-8-sig") as opened:
        sections = _sections(opened.read(SIZE))
    return [pair for section in sections.values() for pair in _paths(section, file.parent)]


def _paths(section: dict[str, list[str]], beside: Path) -> Iterator[tuple[str, Path]]:
    base = section.get("base_path", [""])
    root = beside / _expanded(base[0] if base else "")
    for key, names in section.items():
        if key not in ("base_path", "is_default"):
            yield from ((key, root / _expanded(name)) for name in names)


def _expanded(name: str) -> str:
    return os.path.expandvars(os.path.expanduser(name))


def _sections(text: str) -> Sections:
    """The sections of the file, each the texts of its keys. Raises ValueError."""
    sections: Sections = {}
    section: dict[str, list[str]] = {}
    key, depth, inside, block = "", 0, 0, False
    for number, line in enumerate(text.splitlines(), 1):
        content, indent = line.strip(), len(line) - len(line.lstrip())
        if not content or content.startswith(("#", "---", "%YAML")):
            continue
        if block and indent > depth:
            section[key].append(_plain(content))
            continue
        block = False
        name, colon, value = content.partition(":")
        if not colon or "\t" in line[:indent]:
            raise ValueError(f"line {number} is no “key: path”: {content[:60]}")
        if indent == 0:
            section, inside = sections.setdefault(_plain(name), {}), 0
            if _uncommented(value):
                raise ValueError(f"line {number} names a path outside of any section: {content[:60]}")
            continue
        inside = inside or indent
        if indent != inside:
            raise ValueError(f"line {number} is indented otherwise than those above it: {content[:60]}")
        if value.strip().startswith(FOREIGN):
            raise ValueError(
                f"line {number} says its path in a way of YAML's that is not read; write it out: {content[:60]}"
            )
        key, depth, block = _plain(name), indent, _uncommented(value) in ("|", ">", "|-", ">-", "|+")
        section[key] = [] if block or not _uncommented(value) else [_plain(_uncommented(value))]
    return sections


def _uncommented(value: str) -> str:
    return value.partition(" #")[0].strip()


def _plain(text: str) -> str:
    """Without the quotes around it."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
