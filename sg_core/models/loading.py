# SPDX-License-Identifier: MIT
"""Loading models: safetensors only, from a local folder or a pinned commit of a hub; nothing that runs code.

A hub's branch or tag can change after it was looked at, so only commits are taken. ``FAMILIES`` says which module
reads which family; a new family is a file in ``families``, a line there, and its defaults in ``cards.json``.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from tqdm import tqdm

from sg_core.errors import RequestError, WeightsError
from sg_core.models import hub, pipeline_model, stable_diffusion_1
from sg_core.models.cards import CARDS, COMMIT, OWN_CARD, PACKAGE, Card, is_checkpoint, read_card
from sg_core.models.families.chroma import CHROMA
from sg_core.models.families.deepfloyd import DEEPFLOYD_IF
from sg_core.models.families.flux_1 import FLUX_1
from sg_core.models.families.flux_2 import FLUX_2_DEV, FLUX_2_KLEIN
from sg_core.models.families.pixart import PIXART_SIGMA
from sg_core.models.families.qwen_image import QWEN_IMAGE
from sg_core.models.families.sana import SANA
from sg_core.models.families.stable_diffusion_3 import STABLE_DIFFUSION_3
from sg_core.models.families.stable_diffusion_xl import STABLE_DIFFUSION_XL
from sg_core.models.families.z_image import Z_IMAGE
from sg_core.models.family import Family
from sg_core.models.folder import bars_in_terminals_only
from sg_core.models.model import Model
from sg_core.models.parts import Hardware


@dataclass(frozen=True)
class Loader:
    """How models of one architecture are read: which subfolders, and what makes a Model of (folder, Card, hardware);
    ``load_file`` does so of one checkpoint file, where the family has such. ``family`` says what it paints through.
    """

    folders: Sequence[str]
    load: Callable[[Path, Card, Hardware], Model]
    load_file: Callable[[Path, Card, Hardware], Model] | None = None
    family: Family | None = None


def through_pipeline(family: Family, *, files: bool = False) -> Loader:
    """How a family is read that is painted through diffusers' pipeline: of single files, whole checkpoints where it has
    such ``files``, else networks that lie alone."""
    single = partial(pipeline_model.load_file if files else pipeline_model.load_network, family)
    return Loader((*family.parts, "scheduler"), partial(pipeline_model.load, family), single, family)


def first_version(changes: Mapping[str, Any] = MappingProxyType({})) -> Loader:
    """How Stable Diffusion 1 and 2 are read, with ``changes`` to the configuration of their scheduler."""
    whole, file = stable_diffusion_1.load, stable_diffusion_1.load_file
    return Loader(stable_diffusion_1.FOLDERS, partial(whole, changes=changes), partial(file, changes=changes))


TRAILING = MappingProxyType({"timestep_spacing": "trailing"})  # as models were distilled that walk a few steps
FEW_STEPS = replace(STABLE_DIFFUSION_XL, changes=TRAILING)

FAMILIES: Mapping[str, Loader] = MappingProxyType(
    {
        "stable-diffusion-1": first_version(),
        "stable-diffusion-1-turbo": first_version(TRAILING),
        "stable-diffusion-1-lightning": first_version(TRAILING),
        "stable-diffusion-1-lcm": first_version(TRAILING),
        "stable-diffusion-xl-turbo": through_pipeline(FEW_STEPS, files=True),
        "stable-diffusion-xl-lightning": through_pipeline(FEW_STEPS, files=True),
        "stable-diffusion-xl-dmd2": through_pipeline(FEW_STEPS, files=True),
        "stable-diffusion-xl-lcm": through_pipeline(FEW_STEPS, files=True),
        "stable-diffusion-xl": through_pipeline(STABLE_DIFFUSION_XL, files=True),
        "stable-diffusion-3": through_pipeline(STABLE_DIFFUSION_3),
        "flux-1-schnell": through_pipeline(FLUX_1),
        "flux-1-dev": through_pipeline(FLUX_1),
        "flux-2-dev": through_pipeline(FLUX_2_DEV),
        "flux-2-klein": through_pipeline(FLUX_2_KLEIN),
        "flux-2-klein-base": through_pipeline(FLUX_2_KLEIN),
        "chroma": through_pipeline(CHROMA),
        "qwen-image": through_pipeline(QWEN_IMAGE),
        "z-image-turbo": through_pipeline(Z_IMAGE),
        "z-image": through_pipeline(Z_IMAGE),
        "pixart-sigma": through_pipeline(PIXART_SIGMA),
        "sana": through_pipeline(SANA),
        "deepfloyd-if": through_pipeline(DEEPFLOYD_IF),
    }
)


NO_CHANGES: Mapping[str, Any] = MappingProxyType({})


def load(
    source: str | Path = "toybox",
    *,
    device: str = "cpu",
    card: Card | None = None,
    dtype: torch.dtype = torch.float32,
    changes: Mapping[str, Any] = NO_CHANGES,
    parts: Path | None = None,
) -> Model:
    """A model ready to paint, without gradients for its weights.

    Args:
        source: the name of a Card (``toybox``), a local folder in diffusers' format, one checkpoint file
            (``.safetensors``), or a hub repository with its commit, ``owner/name@<40 hexadecimal digits>``.
        card: overrides the Card that the source is known by, and the source with it.
        changes: facts that count instead of the Card's, such as ``{"layers": ("mid_block",)}``.
        dtype: of the weights; latents, energies and gradients are in float32 whatever it is.
        parts: of a file that holds a network alone, the folder of that family in diffusers' format that has the text
            encoders and the autoencoder; by default the one of the file's name beside it.

    Raises WeightsError when the source is missing, not pinned, of no family we know, or holds anything that runs code.
    """
    card = card or named(source)
    folder = find(card.address if card else source)
    card = card or describe(source, folder, parts)
    card = replace(card, **changes) if changes else card
    if card.family not in FAMILIES:
        raise WeightsError(f"{card.name} is of the family {card.family!r}: choose one of {', '.join(FAMILIES)}")
    with bars_in_terminals_only():
        loader = FAMILIES[card.family]
        read = loader.load if folder.is_dir() else loader.load_file
        if read is None:
            raise WeightsError(f"{folder} is one file, and {card.family} is read from a folder in diffusers' format")
        model = read(folder, card, Hardware(device, dtype))
    try:
        model.steps(2, "ddim")
    except (RequestError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"{folder} has a noise schedule that cannot be walked: {error}") from error
    return model


def named(source: str | Path) -> Card | None:
    """The Card that a source is the name or the address of."""
    return next((card for card in CARDS.values() if str(source) in (card.name, card.address)), None)


def describe(source: str | Path, folder: Path, parts: Path | None = None) -> Card:
    """The Card of a source that has no name, from the folder that it was found in, and that of its other ``parts``.

    Raises WeightsError when the folder is of no family we know.
    """
    if Path(source).exists():
        return read_card(folder, parts)
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
    if Path(address).is_dir() or (Path(address).is_file() and is_checkpoint(Path(address))):
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
    """What any family reads of a hub repository, in the hub's own cache, with a bar in a terminal.

    Raises WeightsError when it cannot be had.
    """
    parts = dict.fromkeys(part for family in FAMILIES.values() for part in family.folders)
    kinds = [f"{part}/{kind}" for part in parts for kind in ("*.json", "*.txt", "*.model", "*.safetensors")]
    patterns = ["model_index.json", OWN_CARD, *kinds]
    with tqdm(desc=repository, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return hub.download(repository, revision, patterns, progress)


def main(argv: Sequence[str] | None = None) -> int:
    """``maquette download``: 0 when all are there, whole and as their commits name them."""
    purpose = "Download models of a hub, at their commits, before they are needed."
    flags = argparse.ArgumentParser(prog="maquette download", description=purpose)
    flags.add_argument("model", nargs="+", help="a name of ours, or owner/name@COMMIT of a hub")
    for source in flags.parse_args(argv).model:
        card = named(source)
        try:
            folder = find(card.address if card else source)
            card = card or describe(source, folder)
        except WeightsError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{card.name}, {card.family}: {folder}\n")
    return 0
