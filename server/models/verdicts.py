# SPDX-License-Identifier: MIT
"""What a file or folder is, and why it cannot be painted with, in sentences for the artist who has it."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from addon.protocol.answers import ModelInfo
from weight_files.gguf_header import gguf_tensors
from weight_files.kinds import kind_of, model_name, network_family
from weight_files.network_sizes import UNKNOWN, NetworkSize, network_size, size_of_folder
from weight_files.safetensors_header import Header, Unreadable, read_header

from ..catalogue import (
    NEEDED,
    ONLY_NETWORKS,
    PACKAGE_NEEDED,
    NotAModel,
    described,
    facts,
    is_gguf,
)
from ..fingerprints import TRANSFORMER
from ..unique_names import printable
from .folder_parts import refuse_incomplete
from .folder_settings import refuse_unreadable
from .walk import PICKLED, QUANTISED, UNFINISHED, WEIGHTS, CandidateFile

LICENCE = "modelspec.license"  # of a header's notes, as their makers agreed to write it
NO_WALK = "is made for noise of EDM's kind, which Maquette does not walk"
ADVICE: Mapping[str, str] = {
    "a LoRA": "goes on top of a model: put it into a folder of LoRAs",
    "a DoRA": "goes on top of a model, and is not read yet",
    "a LyCORIS network": "goes on top of a model, and is not read yet",
    "an autoencoder": "goes on top of a model: put it into a folder of VAEs",
    "a ControlNet": "goes beside a model: put it into a folder of ControlNets",
    "an embedding": "is words for a prompt, and is not read yet",
    "Playground 2.5": NO_WALK,
    "CosXL": NO_WALK,
}
ALONE = "cannot paint without its text encoders and autoencoder: get the model as a folder in diffusers' format"
OTHERWISE = "does not paint from words by itself"
FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # the last two are widened when they are read
SCALES = (".quant_map", ".scale_weight", ".weight_scale", ".qweight", "scaled_fp8")
PICKLE = "it is pickled: opening it could run anything, so it never is; look for the same model as .safetensors"


@dataclass(frozen=True)
class FileVerdict:
    """What a candidate is: an offer, or ``trouble``, the reason why there is none. ``stem`` is what it is called.

    A network alone in its file ``wants`` the other parts of a family, and a folder ``gives`` those of one, where its
    own network, of this ``size``, is there or not.
    """

    path: Path
    stem: str
    kind: str
    bytes: int = 0
    family: str = ""
    licence: str = ""
    trouble: str = ""
    info: ModelInfo | None = None
    wants: str = ""
    gives: str = ""
    size: NetworkSize = UNKNOWN
    fingerprint: str = ""


def verdict_on(candidate: CandidateFile) -> FileVerdict:
    """The verdict on a candidate, whatever it holds; its first bytes and configurations are read, and no more."""
    path = candidate.path
    try:
        if candidate.is_folder:
            return _folder(path)
        if path.is_dir():
            return FileVerdict(path, path.name, "folder", trouble="it is a folder that is called like a file")
        return _file(candidate)
    except Unreadable as error:
        return FileVerdict(path, path.name, "file", _size(path), trouble=str(error))
    except OSError as error:
        return FileVerdict(path, path.name, "file", trouble=_in_words(path, error))


def _in_words(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return "it is a link that leads nowhere: put the file itself there, or mend the link"
    return f"it cannot be read ({error.strerror or error})"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _file(candidate: CandidateFile) -> FileVerdict:
    """Raises Unreadable, OSError."""
    path, suffix = candidate.path, candidate.path.suffix.lower()
    size = sum(shard.stat().st_size for shard in candidate.shards) or path.stat().st_size
    if not path.is_file():
        raise Unreadable("it is no plain file, and is not opened")
    if suffix in UNFINISHED:
        return FileVerdict(path, path.name, "download", size, trouble="its download is not over, or broke off")
    if suffix in PICKLED:
        return FileVerdict(path, path.name, "pickled file", size, trouble=PICKLE)
    if suffix in QUANTISED:
        return _gguf(path, size)
    if candidate.shards:
        return _pieces(candidate, size)
    return _checkpoint(path, size, read_header(path))


def _pieces(candidate: CandidateFile, size: int) -> FileVerdict:
    """Of a model in several files, whose pieces belong into a folder. Raises Unreadable, OSError."""
    first = candidate.path
    stem, _, count = first.stem.rpartition("-of-")
    name = f"{stem.rpartition('-')[0]}{first.suffix}"
    for shard in candidate.shards:
        read_header(shard)
    missing = int(count) - len(candidate.shards)
    if missing > 0:
        raise Unreadable(f"{missing} of its {int(count)} pieces are missing; get them")
    return FileVerdict(
        first, name, "network", size, trouble=f"it is one part of a model, in {int(count)} pieces, which {ALONE}"
    )


def _checkpoint(path: Path, size: int, header: Header) -> FileVerdict:
    catalogue = facts()
    kind = kind_of(header.tensors, catalogue["files"])
    if kind is not None and "families" in kind:
        return _network(path, size, header.tensors, kind)
    if kind is None or "pipeline" not in kind:
        return _other(path, size, None if kind is None else str(kind["is"]))
    licence = printable(header.notes.get(LICENCE, ""))[:200]
    if trouble := _unpaintable(path, header):
        return FileVerdict(path, path.stem, "checkpoint", size, licence=licence, trouble=trouble)
    try:
        info = described(path, name=path.stem[-200:])
    except NotAModel as error:
        return FileVerdict(path, path.stem, "checkpoint", size, licence=licence, trouble=error.problem)
    licence = info.licence if info.licence != "unknown" or not licence else licence
    return FileVerdict(path, path.stem, "checkpoint", size, info.family, licence, info=info)


def _gguf(path: Path, size: int) -> FileVerdict:
    """Of a GGUF file, whole or not. Raises Unreadable, OSError."""
    try:
        tensors = gguf_tensors(path)
    except ValueError as error:
        raise Unreadable(f"{error}; get it again") from error
    kind = kind_of(tensors, facts()["files"])
    if kind is None or "families" not in kind:
        words = "nothing that Maquette knows" if kind is None else kind.get("is", "a whole checkpoint")
        return FileVerdict(path, path.stem, "GGUF", size, trouble=f"it is {words} {ONLY_NETWORKS}")
    verdict = replace(_network(path, size, tensors, kind), kind="GGUF")
    if find_spec("gguf") is None:
        return replace(verdict, wants="", trouble=f"it is {kind['is']} as a GGUF file, and {PACKAGE_NEEDED}")
    return verdict


def _network(path: Path, size: int, tensors: Mapping[str, Mapping[str, Any]], kind: Mapping[str, Any]) -> FileVerdict:
    """Of a network alone in its file; whether any folder gives it its other parts, nobody knows here."""
    family = network_family(kind, path.stem)
    if trouble := _unread(tensors, () if is_gguf(path) else FLOATS):
        return FileVerdict(path, path.stem, "network", size, family, trouble=f"it is {kind['is']}, and {trouble}")
    needed = f"it is {kind['is']}, and {NEEDED.format(family)}"
    return FileVerdict(
        path, path.stem, "network", size, family, trouble=needed, wants=family, size=network_size(tensors)
    )


def _other(path: Path, size: int, kind: str | None) -> FileVerdict:
    """Of a file that is no model: what it is, and what to do with it."""
    if kind is None:
        trouble = "it is nothing that Maquette knows: no model of a kind that it paints with"
        return FileVerdict(path, path.stem, "unknown", size, trouble=trouble)
    advice = ADVICE.get(kind) or (ALONE if "network" in kind else OTHERWISE)
    short = re.sub("^(a|an|the) ", "", kind).partition(" of ")[0].partition(" without ")[0]
    return FileVerdict(path, path.stem, short, size, trouble=f"it is {kind}, which {advice}")


def _unpaintable(path: Path, header: Header) -> str:
    """What is amiss with a checkpoint of a kind that we paint with, as far as its header says; "" if nothing is."""
    names = header.tensors
    if not any(name.startswith("first_stage_model.") for name in names):
        return "it lacks its autoencoder (VAE): get the file with the VAE baked in"
    if not any(name.startswith("model.diffusion_model.") for name in names):
        return "it lacks its network: get the whole checkpoint"
    return _unread(names, {*FLOATS, "I64", "I32", "U8", "BOOL"})


def _unread(tensors: Mapping[str, Mapping[str, Any]], known: Collection[str]) -> str:
    """What is amiss with the numbers of weights, where they are of other kinds than those ``known``, all if none."""
    if any(name.endswith(SCALES) for name in tensors):
        return "its weights are quantised in a way that is not read: get it in half precision (fp16)"
    odd = sorted({str(facts["dtype"]) for facts in tensors.values()}.difference(known)) if known else []
    return f"its weights are in {' and '.join(odd)}: get it in half precision (fp16)" if odd else ""


def _folder(path: Path) -> FileVerdict:
    """Of a folder in diffusers' format. Raises OSError."""
    name, size = model_name(path), _weights(path)
    pipelines = [str(facts_["pipeline"]) for facts_ in facts()["families"].values()]
    try:
        refuse_incomplete(path, pipelines)
        info = described(path, name=name[-200:])
        refuse_unreadable(path, _parts_of(info.family))
    except (NotAModel, Unreadable) as error:
        problem = error.problem if isinstance(error, NotAModel) else str(error)
        empty = FileVerdict(path, name, "diffusers folder", size, trouble=problem)
        bare = _without_network(path, name, pipelines)
        if bare is None:
            return empty
        trouble = f"it has no network, and gives its other parts to files with one of {bare.family}"
        return replace(empty, trouble=trouble, family=bare.family, **_provision(bare, path))
    verdict = FileVerdict(path, name, "diffusers folder", size, info.family, info.licence, info=info)
    return replace(verdict, **_provision(info, path)) if size_of_folder(path).blocks else verdict


def _provision(info: ModelInfo, path: Path) -> dict[str, Any]:
    """What a folder gives to networks, and in which size; it is another where its fingerprint is."""
    return {"gives": info.family, "size": size_of_folder(path), "fingerprint": info.fingerprint}


def _without_network(path: Path, name: str, pipelines: Sequence[str]) -> ModelInfo | None:
    """What a folder is that has all parts but its network; None of any other."""
    try:
        refuse_incomplete(path, pipelines, but=TRANSFORMER)
        info = described(path, name=name[-200:])
        refuse_unreadable(path, _parts_of(info.family))
    except (NotAModel, Unreadable):
        return None
    return info if size_of_folder(path).blocks else None


def _parts_of(family: str) -> Mapping[str, Sequence[str]]:
    """The parts that a family's models are loaded from, each with the classes that it may be of."""
    catalogue = facts()
    parts: Mapping[str, Sequence[str]] = catalogue["parts"][catalogue["families"][family]["pipeline"]]
    return parts


def _weights(path: Path) -> int:
    """Bytes of the safetensors in a folder's parts."""
    parts: Sequence[Any] = [entry for entry in os.scandir(path) if entry.is_dir()]
    files = (file for part in parts for file in os.scandir(part) if Path(file.name).suffix.lower() in WEIGHTS)
    return sum(file.stat().st_size for file in files if file.is_file())
