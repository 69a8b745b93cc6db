# SPDX-License-Identifier: MIT
"""``maquette inspect``: a request painted again and looked into, as a page that a browser opens from the disk."""

import argparse
import json
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.paths import home
from addon.protocol.png import SIGNATURE
from addon.protocol.step_counts import all_steps

from ...adapters import AdapterCatalogue, Setup, files_of
from ...catalogue import is_checkpoint, offered, offered_name
from ...errors import CommandError
from ...models.card_files import CardFiles
from ...models.library import ModelLibrary
from ...problems import Refusal
from ...settings import ServerSettings
from ..files import write, writing
from ..reference_flags import BESIDE, file_beside
from ..request_files import read_request
from ..terminal import bar, say

if TYPE_CHECKING:
    from ...worker.engine import Progress
    from ...worker.inspection import InspectionPage

SUFFIX = ".inspect.html"


class CannotInspect(CommandError):
    """Why there is nothing to look into."""


def main(argv: Sequence[str]) -> int:
    """``maquette inspect``: 0 when the page is written."""
    words = _parser().parse_args(argv)
    blockout = read_request(words.source)
    if words.steps is not None:
        blockout = replace(blockout, steps=words.steps)
    out: Path = words.out or words.source.with_name(words.source.name + SUFFIX)
    page = inspect(blockout, words.source, words)
    with writing(out, "name another file with --out"):
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out, page.text.encode())
    if words.json:
        say(json.dumps({"page": str(out), "difference": page.difference}))
    else:
        say(str(out))
    if words.open:
        webbrowser.open(out.absolute().as_uri())
    return 0


def inspect(blockout: Blockout, source: Path, words: argparse.Namespace) -> "InspectionPage":
    """Paint the request of a file in this process, and look into it. Raises CannotInspect."""
    from ...worker.engine import DiffusionEngine
    from ...worker.inspection import PicturesInspected

    settings = ServerSettings(home=words.home, models=offered([words.model] if _is_path(words.model) else []))
    model, library = model_of(settings, words.model or blockout.model)
    saved, parts = _saved(source, words), tuple(_part(source, part.picture) for part in blockout.parts)
    files = PicturesInspected(followed(blockout, source, words.reference), saved, parts)
    with bar(desc="painting", total=all_steps(blockout)) as progress:

        def report(state: "Progress") -> None:
            progress.set_postfix_str(state.phase)
            progress.update(state.step - progress.n)

        try:
            engine = DiffusionEngine()
            engine.load(model, setup_of(settings, library, model, blockout, words.lora_folders))
            return engine.inspect(blockout, report, files)
        except Refusal as refusal:
            raise CannotInspect(f"{refusal.detail} {refusal.fix}".strip()) from refusal


def model_of(settings: ServerSettings, name: str) -> tuple[ModelInfo, ModelLibrary]:
    """A model of ours, one that a path names, or one of the folders of models. Raises CannotInspect."""
    library = ModelLibrary(settings.folders, settings.listed_folders, settings.models)
    title = offered_name(name) if _is_path(name) else name
    model = settings.model(title)
    if model is None:
        library.look()
        model = next((offer for offer in library.offers if offer.name == title), None)
    if model is None:
        raise CannotInspect(f"There is no model {name} here: name its folder or file with --model")
    return CardFiles(settings.cards).applied([model])[0], library


def setup_of(
    settings: ServerSettings, library: ModelLibrary, model: ModelInfo, blockout: Blockout, folders: Sequence[Path]
) -> Setup:
    """What the request has on top of the model, with its files. Raises NoAdapter, UnfitAdapter."""
    if files_of(blockout):
        library.look()
    everywhere = (*(folder.absolute() for folder in folders), *library.adapters)
    adapters = AdapterCatalogue(everywhere, (*settings.models, model), settings.checksums)
    return replace(adapters.setup(blockout), card=CardFiles(settings.cards).values(model))


def followed(blockout: Blockout, source: Path, named: Path | None) -> bytes | None:
    """The PNG file that the request follows: the one that is named, else the one beside it. Raises CannotInspect."""
    if blockout.reference is None:
        return None
    digest = blockout.reference.picture
    content = file_beside(source.parent, digest) if named is None else named.read_bytes()
    if content is None or sha256(content).hexdigest() != digest:
        path = named or source.with_name(BESIDE)
        raise CannotInspect(f"{source} follows a picture that is not {path}: name it with --reference")
    return content


def _part(source: Path, digest: str) -> bytes:
    """A picture beside the source that a region takes something of. Raises CannotInspect."""
    content = file_beside(source.parent, digest)
    if content is None:
        raise CannotInspect(f"{source} refers to the picture {digest[:12]}…: put it into {source.parent}")
    return content


def _saved(source: Path, words: argparse.Namespace) -> bytes | None:
    """The picture that the source is, where it is one and is painted again as it was."""
    content = source.read_bytes()
    return content if content.startswith(SIGNATURE) and words.steps is None and words.model is None else None


def _is_path(model: str | None) -> bool:
    return model is not None and (Path(model).is_dir() or is_checkpoint(Path(model)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="maquette inspect", description="Look into how a picture came about.")
    parser.add_argument("source", type=Path, help="a *.blockout.json, or a picture of ours: it is painted again")
    parser.add_argument("--reference", type=Path, help=f"the picture that it follows; {BESIDE} beside it by default")
    parser.add_argument("--model", help="a model's name, folder or file; by default the one that it names")
    parser.add_argument("--steps", type=int, help="paint it in so many steps instead")
    folder = "a folder of LoRAs, VAEs and ControlNets"
    parser.add_argument("--loras", dest="lora_folders", type=Path, action="append", default=[], help=folder)
    parser.add_argument("--home", type=Path, default=home(), help="folder in which folders of models are named")
    parser.add_argument("--out", type=Path, help=f"the page; SOURCE{SUFFIX} by default")
    parser.add_argument("--open", action="store_true", help="open it in a browser")
    parser.add_argument("--json", action="store_true", help="one line of JSON: the page, and how far it is from SOURCE")
    return parser
