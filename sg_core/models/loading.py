# SPDX-License-Identifier: MIT
"""Loading models: safetensors only, from a local folder or a pinned commit of a hub; nothing that runs code.

A hub's branch or tag can change after it was looked at, so only commits are taken. ``FAMILIES`` says which module
reads which family; a new family is a file beside this one, a line there, and its defaults in ``cards.json``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from huggingface_hub import snapshot_download

from sg_core.errors import WeightsError
from sg_core.models import stable_diffusion_1
from sg_core.models.cards import CARDS, COMMIT, OWN_CARD, PACKAGE, Card, read_card
from sg_core.models.folder import bars_in_terminals_only
from sg_core.models.model import Model


@dataclass(frozen=True)
class Family:
    """How models of one architecture are read: which subfolders, and what makes a Model of (folder, Card, device)."""

    folders: Sequence[str]
    load: Callable[[Path, Card, str], Model]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {"stable-diffusion-1": Family(stable_diffusion_1.FOLDERS, stable_diffusion_1.load)}
)


def load(source: str | Path = "toybox", *, device: str = "cpu", card: Card | None = None) -> Model:
    """A model ready to paint, in float32, without gradients for its weights.

    Args:
        source: the name of a Card (``toybox``), a local folder in diffusers' format, or a hub repository with its
            commit, ``owner/name@<40 hexadecimal digits>``.
        card: overrides the Card that the source is known by, and the source with it.

    Raises WeightsError when the source is missing, not pinned, of no family we know, or holds anything that runs code.
    """
    card = card or named(source)
    folder = find(card.address if card else source)
    card = card or describe(source, folder)
    if card.family not in FAMILIES:
        raise WeightsError(f"{card.name} is of the family {card.family!r}: choose one of {', '.join(FAMILIES)}")
    with bars_in_terminals_only():
        return FAMILIES[card.family].load(folder, card, device)


def named(source: str | Path) -> Card | None:
    """The Card that a source is the name or the address of."""
    return next((card for card in CARDS.values() if str(source) in (card.name, card.address)), None)


def describe(source: str | Path, folder: Path) -> Card:
    """The Card of a source that has no name, from the folder that it was found in.

    Raises WeightsError when the folder is of no family we know.
    """
    if Path(source).is_dir():
        return read_card(folder)
    repository, _, revision = str(source).partition("@")
    return read_card(folder, name=repository.rpartition("/")[2], source=repository, revision=revision)


def find(address: str | Path) -> Path:
    """The folder of a model's weights; a hub repository is downloaded once, at its pinned commit.

    Args:
        address: as ``Card.address``.

    Raises WeightsError when there is no such folder, or the repository is not pinned or cannot be downloaded.
    """
    if str(address).startswith(f"{PACKAGE.name}/"):
        return PACKAGE.parent / address
    if Path(address).is_dir():
        return Path(address)
    repository, _, revision = str(address).partition("@")
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", repository):
        raise WeightsError(f"{repository!r} is neither a folder nor a hub repository (owner/name) nor a known model")
    if not COMMIT.fullmatch(revision):
        raise WeightsError(
            f"{repository} is not pinned: name its commit, {repository}@<40 hexadecimal digits>, "
            f"instead of {revision or 'no commit'}"
        )
    return _download(repository, revision)


def _download(repository: str, revision: str) -> Path:
    """What any family reads of a hub repository, in the hub's own cache. Raises WeightsError when it cannot be had."""
    parts = dict.fromkeys(part for family in FAMILIES.values() for part in family.folders)
    kinds = [f"{part}/{kind}" for part in parts for kind in ("*.json", "*.txt", "*.safetensors")]
    patterns = ["model_index.json", OWN_CARD, *kinds]
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
    except OSError as error:  # among them all that the hub's client raises
        raise WeightsError(f"{repository}@{revision} cannot be downloaded: {error}") from error
