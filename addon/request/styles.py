# SPDX-License-Identifier: GPL-3.0-or-later
"""Styles: words that go with many prompts, under one name. No bpy.

A file of styles is a JSON list; each style needs a ``name`` and a ``text``, and may have ``negative``, ``steps``,
``strength`` and ``model``. Ours are in ``styles.json``; the artist's own are in a folder, and win where a name is the
same. A file that cannot be read is named, and the others are read all the same. A thumbnail is a PNG file of the
style's name, as ``save`` spells it, beside the file; those of ours are in ``thumbnails``. Names that are spelled alike
have files apart: no style is replaced by another.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from ..protocol.answers import ModelInfo
from ..protocol.blockout import Blockout, Fraction, Name, Text
from ..protocol.strict_json import ContractError, Length, Range, dump, load
from .settings import SENT, Settings, stated

SLOT = "{prompt}"
SETS = ("steps", "strength")  # what choosing a style may set
SHIPPED = Path(__file__).with_name("styles.json")
THUMBNAILS = Path(__file__).with_name("thumbnails")


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a style adds to a request. ``text`` follows the prompt, or surrounds it where it says ``{prompt}``.
    ``model`` is the only one it is for, "" any.

    ``steps`` and ``strength`` are set when the artist chooses the style, and are the artist's from then on.
    """

    name: Name
    text: Annotated[str, Length(1, 1000)]
    negative: Text = ""
    steps: Annotated[int, Range(1, 1000)] | None = None
    strength: Fraction | None = None
    model: Annotated[str, Length(0, 200)] = ""


@dataclass(frozen=True)
class StyleLibrary:
    """Every style there is, a sentence for each file that is none, and each style's file and thumbnail, by its name."""

    styles: tuple[Style, ...] = ()
    faults: tuple[str, ...] = ()
    files: tuple[tuple[str, Path], ...] = ()
    thumbnails: tuple[tuple[str, Path], ...] = ()

    def find(self, name: str) -> Style | None:
        """The style of that name."""
        return next((style for style in self.styles if style.name == name), None)

    def file(self, name: str) -> Path | None:
        """The file that the style of that name was read from: ``SHIPPED`` of one of ours."""
        return dict(self.files).get(name)

    def thumbnail(self, name: str) -> Path | None:
        """The thumbnail of the style of that name; None for one that has none."""
        return dict(self.thumbnails).get(name)

    def fitting(self, model: ModelInfo) -> tuple[Style, ...]:
        """The styles for a model: those made for it, and where it knows more than a list of nouns, the general ones."""
        return tuple(style for style in self.styles if style.model == model.name or not (style.model or model.nouns))


def read(folder: Path) -> StyleLibrary:
    """Our styles and those in ``folder``, which need not exist."""
    styles: dict[str, Style] = {}
    files: dict[str, Path] = {}
    faults = []
    for path in (SHIPPED, *sorted(folder.glob("*.json"))):
        try:
            named = {style.name: style for style in _styles(path)}
        except (OSError, ValueError) as error:  # ContractError and JSON's own are ValueErrors
            faults.append(f"{path.name}: {error}")
        else:
            styles |= named
            files |= dict.fromkeys(named, path)
    pictures = ((name, _thumbnail(folder, name, path)) for name, path in files.items())
    thumbnails = tuple((name, picture) for name, picture in pictures if picture is not None)
    return StyleLibrary(tuple(styles.values()), tuple(faults), tuple(files.items()), thumbnails)


def save(folder: Path, style: Style) -> Path:
    """Keep a style in a file of its own; one of the same name is replaced. Raises OSError."""
    path = _file(folder, style.name)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps([dump(style)], indent=2), "utf-8")
    part.replace(path)  # a file cut short would take the style that was there with it
    return path


def save_thumbnail(folder: Path, name: str, png: bytes) -> None:
    """Keep a picture as the thumbnail of the style of that name. Raises OSError."""
    part = _file(folder, name).with_suffix(".part")
    part.write_bytes(png)
    part.replace(part.with_suffix(".png"))


def delete(file: Path) -> None:
    """Remove a style's own file, and its thumbnail."""
    file.unlink()
    file.with_suffix(".png").unlink(missing_ok=True)


def own(folder: Path, name: str) -> Path | None:
    """The file that ``save`` made for a style; None for a style of ours or of a file written by hand."""
    path = _file(folder, name)
    return path if _names(path) == [name] else None


def styled(prompt: str, style: Style | None) -> str:
    """The prompt where the style's text has ``{prompt}``; else before it, and a space, unless it begins with its own
    punctuation."""
    if style is None:
        return prompt
    if SLOT in style.text:
        return style.text.replace(SLOT, prompt.strip())
    glue = "" if style.text[0] in ",.;:" else " "
    return f"{prompt.rstrip()}{glue}{style.text}"


def avoided(words: str, style: Style | None) -> str:
    """What a request keeps away from: the artist's words, and the style's."""
    return ", ".join(text for text in (words.strip(), style.negative if style else "") if text)


def applied(settings: Settings, style: Style | None) -> Settings:
    """The settings with the style's words in the prompt and in what is avoided, as a request sends them."""
    prompt, negative = styled(settings.prompt, style), avoided(settings.negative, style)
    return replace(settings, prompt=prompt, negative=negative, style="")


def recovered(settings: Settings, request: Blockout, style: Style | None) -> Settings:
    """What has to be set to ask for ``request`` again; ``settings`` were kept with it, and ``style`` has their style's
    name.

    The artist's own words and the style, if they still make the prompt that was sent; else that prompt and no style.
    """
    size = round(100 * request.enlargement) if request.enlargement > 1.0 else settings.size
    own = stated(request, (name for name in SENT if name not in ("prompt", "negative")))
    again = replace(settings, size=size, **own)
    now = applied(settings, style)
    lost = style is None and settings.style
    if not lost and (now.prompt, now.negative) == (request.prompt, request.negative):
        return again
    return replace(again, prompt=request.prompt, negative=request.negative, style="")


def changes(style: Style) -> dict[str, Any]:
    """The settings that choosing a style sets, by name."""
    return {name: value for name in SETS if (value := getattr(style, name)) is not None} | {"style": style.name}


def summary(style: Style) -> str:
    """What choosing a style does, in a line."""
    sets = [f"{style.steps} steps"] if style.steps is not None else []
    sets += [f"strength {style.strength:.2f}"] if style.strength is not None else []
    avoids = f"; avoids {style.negative}" if style.negative else ""
    return f"adds “{style.text.strip(' ,')}”{avoids}{'; sets ' + ' and '.join(sets) if sets else ''}"


def _styles(path: Path) -> Sequence[Style]:
    documents = json.loads(path.read_text("utf-8"))
    if not isinstance(documents, list):
        raise ContractError("", "is no list of styles")
    return [load(Style, document) for document in documents]


def _names(path: Path) -> list[str]:
    """Of the styles in a file; none where it is absent, or cannot be read."""
    try:
        return [style.name for style in _styles(path)]
    except (OSError, ValueError):
        return []


def _thumbnail(folder: Path, name: str, file: Path) -> Path | None:
    """The picture of the style that was read from ``file``: the artist's own, else, of a style of ours, ours."""
    plain = _plain_file(folder, name)
    pictures = [_file(folder, name), *([plain] if name in _names(plain) else [])]  # a file by hand may have several
    ours = [_plain_file(THUMBNAILS, name)] if file == SHIPPED else []
    files = (picture.with_suffix(".png") for picture in (*pictures, *ours))
    return next((picture for picture in files if picture.is_file()), None)


def _file(folder: Path, name: str) -> Path:
    """Where ``save`` keeps a style: the file of its name, unless anything else is there; then one that is read after
    that, and so wins."""
    plain = _plain_file(folder, name)
    apart = plain.with_name(f"{plain.stem}_{sha256(name.encode()).hexdigest()[:6]}.json")
    kept = next((file for file in (apart, plain) if _names(file) == [name]), None)
    return kept or (apart if plain.exists() else plain)


def _plain_file(folder: Path, name: str) -> Path:
    stem = re.sub(r"[^\w-]+", "-", name).strip("-").lower()
    return folder / f"{stem or 'style'}.json"
