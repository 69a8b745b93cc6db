# SPDX-License-Identifier: MIT
"""What a file is: by what its tensors are called, by the kinds that sg_core's ``cards.json`` lists, or by its name."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any


def kind_of(tensors: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first kind that has such tensors, in the size that tells it; None of no kind that we know."""
    for kind in kinds:
        if "also" in kind and not any(fnmatchcase(name, other) for other in kind["also"] for name in tensors):
            continue
        for name in (name for name in tensors if fnmatchcase(name, kind["tensor"])):
            if "size" not in kind or tensors[name]["shape"][kind["axis"] :][:1] == [kind["size"]]:
                return kind
    return None


def network_family(kind: Mapping[str, Any], name: str) -> str:
    """The family of a file that holds a network alone: told by its tensors, and where these say too little by name."""
    return _first_named(kind["families"], name)


def configuration_name(kind: Mapping[str, Any], name: str) -> str:
    """Which of the configurations that ship a checkpoint has, told as a network's family is."""
    return _first_named(kind["configurations"], name)


def _first_named(choices: Mapping[str, Sequence[str]], name: str) -> str:
    return next(str(key) for key, words in choices.items() if is_named(name, {"named": words}))


def foreign_channels(network: Mapping[str, Any], autoencoder: Mapping[str, Any]) -> str:
    """Why a UNet of this configuration does not paint from words; "" where it takes what its autoencoder makes."""
    inputs, latents = network.get("in_channels", 4), autoencoder.get("latent_channels", 4)
    channels = f"its network takes {inputs} channels, and its autoencoder makes {latents}"
    return "" if inputs == latents else f"{channels}: it is made for inpainting or the like, and not painted with alone"


def model_name(path: Path) -> str:
    """What a checkpoint file, by the name it was found under, or a folder is called: its own name, and where that is a
    commit, as in a hub's cache, its repository's."""
    if path.is_file():
        return path.stem
    folder = path.resolve()
    repository = folder.parent.parent.name
    in_cache = folder.parent.name == "snapshots" and repository.startswith("models--")
    return repository.rpartition("--")[2] if in_cache else folder.name


def is_named(name: str, facts: Mapping[str, Any]) -> bool:
    """Whether a model's name holds one of the words (patterns) that tell its family, where only the name does."""
    return not facts.get("named") or any(re.search(word, name.lower()) for word in facts["named"])
