# SPDX-License-Identifier: MIT
"""The models a server offers: Toybox, and those its owner names, each with the defaults of its Card.

Cards are data of sg_core: ``models/cards.json``, and ``card.json`` in a model's folder. They are read as the files they
are, for importing sg_core would bring torch into the server's process; a test holds both readers to the same verdict.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from addon.protocol.answers import ModelInfo, RegionField
from addon.protocol.strict_json import ContractError, load
from weight_files.checkpoint_shapes import unlike
from weight_files.gguf_header import gguf_tensors
from weight_files.kinds import configuration_name, foreign_channels, is_named, kind_of, model_name, network_family
from weight_files.network_sizes import NetworkSize, network_size, other_size, size_of_folder
from weight_files.safetensors_header import Unreadable, read_header

from .errors import CommandError
from .fingerprints import local_fingerprint
from .unique_names import free_name

DEFAULT = "toybox"
COMMIT = re.compile(r"[0-9a-f]{40}")  # of a hub's repository
OWN_CARD = "card.json"
GGUF = ".gguf"
PACKAGE_NEEDED = "needs the package gguf: pip install 'maquette[gguf]'"
ONLY_NETWORKS = "as a GGUF file, and of those only the networks of transformer families are read"
SUFFIXES = (".safetensors", ".sft")  # in capitals or not
NEEDED = (
    "needs the text encoders and the autoencoder of {}: put a folder of that family in diffusers' format, "
    "with or without its transformer, among your models"
)
REGION_FIELDS = get_args(RegionField)  # what worker/translate.py carries over, for every family
NOT_OFFERED = frozenset(
    {"pipeline", "when", "named", "network", "pixels", "bases", "layers", "guided_by", "reference", "least", "note"}
)  # of a Card or a family: what no client needs


class NotAModel(CommandError):
    """What was named is no model of a family we know."""

    def __init__(self, source: Path | str, problem: str) -> None:
        super().__init__(f"{source} holds no model Maquette can use: {problem}")
        self.problem = problem


def offered(sources: Sequence[Path | str]) -> tuple[ModelInfo, ...]:
    """The models that are named, first, and Toybox; each as ``described``. Raises NotAModel.

    The first of a name keeps it; others are called by more of their paths. Toybox is the one that ships.
    """
    models: list[ModelInfo] = []
    folders = [Path(source) for source in sources if Path(source).is_dir()]
    for source in dict.fromkeys([*map(str, sources), DEFAULT]):
        model = described(source, parts=parts_for(Path(source), folders))
        used = {other.name for other in models} | (set() if source == DEFAULT else {DEFAULT})
        models.append(replace(model, name=free_name(Path(model.source), model.name, used)))
    return tuple(models)


def offered_name(source: Path | str) -> str:
    """What a server calls this model that offers it first. Raises NotAModel."""
    return offered([source])[0].name


def described(source: Path | str, name: str | None = None, parts: Path | None = None) -> ModelInfo:
    """A model as an offer, with the defaults of its Card.

    Args:
        source: a name of ``cards.json``, a folder in diffusers' format, or one checkpoint file.
        name: what it is to be called; what it calls itself by default.
        parts: of a file that holds a network alone, the folder of its other parts; that of its name by default.

    Raises NotAModel when it is neither, or says something that no ModelInfo can hold.
    """
    try:
        card = {key: value for key, value in _card(str(source), parts).items() if key not in NOT_OFFERED}
        own = {"region_fields": list(REGION_FIELDS)} | ({} if name is None else {"name": name})
        return load(ModelInfo, card | own)
    except ContractError as error:
        raise NotAModel(source, str(error)) from error
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise NotAModel(source, f"its configuration is of another kind ({type(error).__name__}: {error})") from error


def _card(source: str, parts: Path | None) -> dict[str, Any]:
    """A Card as JSON values: its family's entry, over it what the folder says, and over both what its name says."""
    package, catalogue = _package(), facts()
    named: dict[str, Any] = catalogue["models"].get(source, {})
    at_home = named.get("source", "").startswith(f"{package.name}/")
    folder = package.parent / named["source"] if at_home else Path(source)
    if not named and not folder.is_dir() and not is_checkpoint(folder):
        raise NotAModel(source, f"it is no folder, and none of {', '.join(catalogue['models'])}")
    local = _local_card(folder, catalogue, parts) if at_home or not named else {}
    own = local | named | ({"name": source} if named else {})
    family: dict[str, Any] = catalogue["families"][own["family"]]
    card = {"licence": "unknown"} | family | own
    try:
        digest = "" if named else local_fingerprint(folder, card, catalogue["parts"][family["pipeline"]])
    except Unreadable as error:
        raise NotAModel(source, str(error)) from error
    return card | {"fingerprint": digest}


def is_checkpoint(path: Path) -> bool:
    """Whether this is one checkpoint file, or that of a network alone."""
    return path.suffix.lower() in (*SUFFIXES, GGUF) and path.is_file()


def is_gguf(path: Path) -> bool:
    """Whether a file says that it is of the GGUF kind."""
    return path.suffix.lower() == GGUF


def _local_card(source: Path, catalogue: Mapping[str, Any], parts: Path | None) -> dict[str, Any]:
    """What a folder or a checkpoint file says of itself: sizes from its configuration, and its own card over them.

    Raises NotAModel.
    """
    path, folder = source.absolute() if source.is_file() else source.resolve(), source  # a file may be a link
    name = model_name(path)
    if is_checkpoint(source):
        tensors = tensors_of(source)
        kind = _kind_of_file(source, tensors, catalogue["files"])
        if "families" in kind:
            others = parts or path.with_suffix("")
            return _card_of_network(path, kind, network_size(tensors), others, catalogue["families"])
        families = catalogue["families"].items()
        family = next(key for key, facts in families if facts["pipeline"] == kind["pipeline"] and is_named(name, facts))
        beside = source.with_suffix("")
        ours = _package() / "models" / "configurations" / configuration_name(kind, path.stem)
        folder = beside if (beside / "model_index.json").is_file() else ours
        if trouble := unlike(tensors, folder, kind):  # what loading would find out after minutes
            raise NotAModel(source, trouble)
    else:
        family = _family(folder, name, catalogue["families"])
    card = {"name": name, "source": str(path), "revision": "local", "words": _words(folder)}
    own = _json(folder, OWN_CARD) if (folder / OWN_CARD).is_file() else {}
    if unknown := [name for name in own if name not in catalogue[OWN_CARD]]:
        raise NotAModel(folder, f"its {OWN_CARD} says {', '.join(unknown)}")
    return card | {"family": family} | _sizes(folder, catalogue["families"][family]) | own


def _card_of_network(
    file: Path, kind: Mapping[str, Any], size: NetworkSize, parts: Path, families: Mapping[str, Any]
) -> dict[str, Any]:
    """That of its family, for a file that holds a network alone. Raises NotAModel without a folder of that family."""
    family = network_family(kind, file.stem)
    if is_gguf(file) and find_spec("gguf") is None:
        raise NotAModel(file, f"it is {kind['is']} as a GGUF file, and {PACKAGE_NEEDED}")
    if not (parts / "model_index.json").is_file():
        raise NotAModel(file, f"it is {kind['is']}, and {NEEDED.format(family)}")
    if (other := _family(parts, file.stem if parts.name == file.stem else model_name(parts), families)) != family:
        raise NotAModel(file, f"it is {kind['is']}, and {parts} is of {other}: {NEEDED.format(family)}")
    if not (configured := size_of_folder(parts)).fits(size):
        raise NotAModel(file, f"it is {kind['is']}, and {other_size(size, configured)}")
    facts = {"name": file.stem, "source": str(file), "revision": "local", "family": family}
    return facts | {"parts_folder": str(parts.resolve())} | _sizes(parts, families[family])


def parts_for(file: Path, folders: Sequence[Path]) -> Path | None:
    """The first of these folders that can give the file's network its other parts; None for any other file."""
    if not is_checkpoint(file):
        return None
    catalogue, tensors = facts(), tensors_of(file)
    kind = kind_of(tensors, catalogue["files"])
    if kind is None or "families" not in kind:
        return None
    family = network_family(kind, file.stem)
    return next((folder for folder in folders if _gives(folder, family, tensors, catalogue["families"])), None)


def _gives(folder: Path, family: str, tensors: Mapping[str, Any], families: Mapping[str, Any]) -> bool:
    """Whether a folder is of this family, and configures a network of the tensors' size."""
    try:
        own = _family(folder, model_name(folder), families)
    except NotAModel:
        return False
    return own == family and size_of_folder(folder).fits(network_size(tensors))


def _kind_of_file(file: Path, tensors: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The kind of a file that is painted with. Raises NotAModel, which says what another is."""
    kind = kind_of(tensors, kinds)
    if kind is None:
        raise NotAModel(file, "it is no checkpoint that Maquette knows")
    if is_gguf(file) and "families" not in kind:
        raise NotAModel(file, f"it is {kind.get('is', 'a whole checkpoint')} {ONLY_NETWORKS}")
    if "pipeline" not in kind and "families" not in kind:
        raise NotAModel(file, f"it is {kind['is']}, and that is not painted with by itself")
    return kind


def facts() -> Mapping[str, Any]:
    """What ``cards.json`` says: of families, of kinds of files, of a card, and of models with a name of their own."""
    return MappingProxyType(_json(_package(), "models/cards.json"))


def tensors_of(file: Path) -> dict[str, Any]:
    """What a safetensors or a GGUF file says of its tensors. Raises NotAModel."""
    if not is_gguf(file):
        return header(file)
    try:
        return dict(gguf_tensors(file))
    except (OSError, ValueError) as error:
        raise NotAModel(file, f"{error}; get the file again") from error


def header(file: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors. Raises NotAModel."""
    try:
        return dict(read_header(file).tensors)
    except (OSError, Unreadable) as error:
        raise NotAModel(file, str(error)) from error


def _family(folder: Path, name: str, families: Mapping[str, Any]) -> str:
    """The first family whose pipeline model_index.json names, and that all else says it is of. Raises NotAModel."""
    pipeline = _json(folder, "model_index.json").get("_class_name")
    for family, facts in families.items():
        if facts["pipeline"] == pipeline and is_named(name, facts) and _says(folder, facts):
            return str(family)
    readable = " or ".join(dict.fromkeys(facts["pipeline"] for facts in families.values()))
    raise NotAModel(folder, f"it is made for {pipeline}, not for {readable}")


def _says(folder: Path, facts: Mapping[str, Any]) -> bool:
    """Whether a folder's configuration says what tells this family from others of one pipeline."""
    when: Mapping[str, Mapping[str, Any]] = facts.get("when", {})
    return all(_json(folder, file).get(key) == says[key] for file, says in when.items() for key in says)


def _sizes(folder: Path, facts: Mapping[str, Any]) -> dict[str, int | str]:
    """Native area and side multiple in pixels, where the configuration says them. Each level of a UNet but the first
    halves the sides, and so does each of an autoencoder of its kind. The width of the words it hears says its base.
    """
    if "network" not in facts:
        return {}
    network = _json(folder, f"{facts['network']}/config.json")
    pixels = facts["pixels"] if "pixels" in facts else 2 ** (_levels(_json(folder, "vae/config.json")) - 1)
    if facts["network"] == "transformer":
        return {"area": (network["sample_size"] * pixels) ** 2} if network.get("sample_size") else {}
    multiple = pixels * 2 ** (_levels(network) - 1)
    if "pixels" not in facts and (foreign := foreign_channels(network, _json(folder, "vae/config.json"))):
        raise NotAModel(folder, foreign)
    based = facts.get("bases", {}).get(str(network.get("cross_attention_dim")), facts["base"])
    return {"area": (network["sample_size"] * pixels) ** 2, "multiple": multiple, "base": based}


def _levels(config: Mapping[str, Any]) -> int:
    return len(config.get("block_out_channels") or config["decoder_block_out_channels"])


def _words(folder: Path) -> list[str]:
    """The only words that a model knows, where its tokenizer was made for those alone, as Toybox's is."""
    listed = (folder / "tokenizer" / "words.json").is_file()
    return list(_json(folder, "tokenizer/words.json")) if listed else []


def _package() -> Path:
    """The folder of sg_core, found without importing it."""
    spec = find_spec("sg_core")
    assert spec is not None and spec.submodule_search_locations, "the server is installed with sg_core"
    return Path(spec.submodule_search_locations[0])


def _json(folder: Path, name: str) -> Any:
    """A JSON file of a folder. Raises NotAModel."""
    path = folder / name
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no plain file")  # a pipe would never end
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise NotAModel(folder, f"its {name} cannot be read: {error}") from error


def address(model: ModelInfo) -> str:
    """What sg_core loads: ``owner/name@commit`` of a hub repository, otherwise the source."""
    return f"{model.source}@{model.revision}" if COMMIT.fullmatch(model.revision) else model.source


def parts_of(model: ModelInfo) -> Path | None:
    """Where the other parts of a network lie that is alone in its file; None of all other models."""
    return Path(model.parts_folder) if model.parts_folder else None


def remedy(model: ModelInfo) -> str:
    """What to do where it cannot be loaded."""
    if COMMIT.fullmatch(model.revision):
        return "Check the connection to the hub; or download the model yourself and serve its folder."
    return "Check that the model's folder is there and whole."
