# SPDX-License-Identifier: MIT
"""Networks that lie alone in a file, and the folders that give them their text encoders and their autoencoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from addon.protocol.answers import ModelInfo
from weight_files.network_sizes import NetworkSize, size_of_folder

from ..catalogue import NotAModel, described
from .verdicts import FileVerdict


@dataclass(frozen=True)
class PartsFolder:
    """A folder of a family in diffusers' format, the size of its network, and what tells it from a changed one."""

    path: Path
    family: str
    size: NetworkSize
    fingerprint: str


Joined = Mapping[Path, tuple[FileVerdict, PartsFolder, FileVerdict]]
"""Of each network: what it was, what gave it its parts, and what it is with them."""


def parts_folders(verdicts: Sequence[FileVerdict], named: Sequence[ModelInfo]) -> list[PartsFolder]:
    """Those that were named, then those that lie in the folders of models."""
    models = [(model, Path(model.source)) for model in named if Path(model.source).is_absolute()]
    folders = [PartsFolder(p, m.family, size_of_folder(p), m.fingerprint) for m, p in models if p.is_dir()]
    providers = (verdict for verdict in verdicts if verdict.gives)
    return folders + [PartsFolder(one.path, one.gives, one.size, one.fingerprint) for one in providers]


def joined(verdicts: Sequence[FileVerdict], named: Sequence[ModelInfo], known: Joined) -> Joined:
    """Every network of a family that some folder is of, with its parts or with the reason why they are not its own;
    what is ``known`` and unchanged is not read again."""
    folders = parts_folders(verdicts, named)
    result: dict[Path, tuple[FileVerdict, PartsFolder, FileVerdict]] = {}
    for verdict in (verdict for verdict in verdicts if verdict.wants):
        kin = [folder for folder in folders if folder.family == verdict.wants]
        fitting = [folder for folder in kin if folder.size.fits(verdict.size)]
        for folder in (fitting or kin)[:1]:
            before = known.get(verdict.path)
            if before is not None and before[0] is verdict and before[1] == folder:
                result[verdict.path] = before
            else:
                result[verdict.path] = verdict, folder, _whole(verdict, folder)
    return result


def _whole(verdict: FileVerdict, folder: PartsFolder) -> FileVerdict:
    try:
        info = described(verdict.path, name=verdict.path.stem[-200:], parts=folder.path)
    except NotAModel as error:
        return replace(verdict, trouble=error.problem)
    return replace(verdict, trouble="", info=info)
