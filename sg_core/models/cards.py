# SPDX-License-Identifier: MIT
"""Models as data: where each comes from, under which licence, how it likes to be used, and where to listen.

``cards.json`` beside this file holds the defaults of each family, the models that have a name of their own, and what
a model's folder may say in a ``card.json``. The Card of a folder is its family's defaults, the sizes that its
configuration says, and its own ``card.json`` over both. All of it is JSON because the server offers the same models
from the same files, and must not import torch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sg_core.errors import WeightsError
from sg_core.models.folder import read_index, read_json
from weight_files.gguf_header import gguf_tensors
from weight_files.kinds import configuration_name, foreign_channels, is_named, kind_of, model_name, network_family
from weight_files.safetensors_header import Unreadable, read_header

PACKAGE = Path(__file__).parents[1]
OWN_CARD = "card.json"
CONFIGURATIONS = Path(__file__).with_name("configurations")
GGUF = ".gguf"
COMMIT = re.compile(r"[0-9a-f]{40}")
CATALOGUE: Mapping[str, Any] = MappingProxyType(read_json(Path(__file__).with_name("cards.json")))

NEEDED = "needs the text encoders and the autoencoder of {}: a folder of that family in diffusers' format"

IDENTIFYING = frozenset({"pipeline", "when", "named", "network", "pixels", "bases"})
"""What of a family's entry says which models are of it, and where their sizes stand: no facts of a Card."""

KINDS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {"text": str, "integer": int, "number": (int, float), "list": list}
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model.

    Attributes:
        family: one of ``cards.json``; it decides how the model is loaded.
        source: a folder of this package (``sg_core/...``), a local folder, or a hub repository (``owner/name``).
        revision: of a hub repository the commit, 40 hexadecimal digits, for a name could change under us; of a folder
            the edition that its own card names, else ``local``.
        area: native picture area in pixels.
        multiple: sides of pictures are multiples of this many pixels.
        steps: of the sampler.
        scale: of the classifier-free guidance; 1 turns it off.
        strength: of the layout's pull, 0 to 1, as ``generate`` takes it.
        emphasis: of words inside their regions, as ``masks`` takes it.
        refinement: the last part of the steps that is painted again, as ``generate`` takes it.
        least: pixels of a picture; smaller ones are painted at twice the sides and averaged down.
        few: with fewer steps than these the layout shapes the initial noise instead, for there is no time for emphasis,
            and ``strength`` is in proportion.
        layers: blocks of the network to listen to, such as ``up_blocks.1``; none named means all of them.
        nouns: the only ones that the model was taught; none named means any.
        vocabulary: what else it was taught to say, by kind: ``{"name": "colours", "words": ["red", ...]}`` each.
        guided_by: ``pass``, where classifier-free guidance is a second pass without the prompt; ``input``, where the
            network is told its scale; ``nothing``, where guidance was distilled into it.
        reference: the layout's pull of strength 1, against the network's own output, where there is no second pass.
        base: what LoRAs and other autoencoders for it are made for.
        scheduler: the one it likes; ``schedulers`` are those that it walks with, all where none is named.
        note: what a person should know before using it.
        preview: folder of a small decoder (TAESD) for previews; none named means the one beside the model, if any.
        parts_folder: of a file that holds a network alone, the folder in diffusers' format that has all other parts.
    """

    name: str
    family: str
    source: str
    licence: str
    revision: str
    area: int
    multiple: int
    steps: int
    scale: float
    strength: float
    emphasis: float
    layers: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    vocabulary: tuple[Mapping[str, Any], ...] = ()
    guided_by: str = "pass"
    reference: float = 0.8
    refinement: float = 0.0
    few: int = 0
    least: int = 0
    base: str = ""
    scheduler: str = "ddim"
    schedulers: tuple[str, ...] = ()
    note: str = ""
    preview: str = ""
    parts_folder: str = ""

    @property
    def address(self) -> str:
        """What ``load`` takes: ``owner/name@commit`` of a hub repository, otherwise the source."""
        return f"{self.source}@{self.revision}" if COMMIT.fullmatch(self.revision) else self.source


def new_card(family: str, **values: Any) -> Card:
    """A Card with its family's defaults where ``values`` say nothing else; ``name`` and ``source`` have none.

    Raises WeightsError for a family that ``cards.json`` does not have, TypeError for a value that no Card has.
    """
    families = CATALOGUE["families"]
    if family not in families:
        raise WeightsError(f"there is no family {family!r}: choose one of {', '.join(families)}")
    defaults = {name: value for name, value in families[family].items() if name not in IDENTIFYING}
    merged = {"licence": "unknown", "revision": "", **defaults, **values}
    facts: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in merged.items()}
    return Card(family=family, **facts)


def read_card(folder: Path, parts: Path | None = None, **values: Any) -> Card:
    """The Card of a folder in diffusers' format, or of a checkpoint file; ``values`` come before what it says.

    Args:
        parts: of a file that holds a network alone, the folder of its other parts; that of its name beside it by
            default.

    Raises WeightsError when it is of no family we know, or its configuration or ``card.json`` cannot be understood.
    """
    path = folder.absolute() if folder.is_file() else folder.resolve()  # a file may be a link to what has no such name
    name = str(values.get("name", model_name(path)))
    try:
        if folder.is_file() and "families" in (kind := kind_of_file(folder)):
            return _card_of_network(folder, kind, name, parts or folder.with_suffix(""), values)
        family = _family_of_file(folder, name) if folder.is_file() else _family(folder, name)
        folder = configuration_of(folder) if folder.is_file() else folder
        own, sizes = _own(folder / OWN_CARD), _sizes(folder, family)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{folder} cannot be read as a model: {type(error).__name__}: {error}") from error
    return new_card(family, **{"name": name, "source": str(path), "revision": "local", **sizes, **own, **values})


def _card_of_network(file: Path, kind: Mapping[str, Any], name: str, parts: Path, values: Mapping[str, Any]) -> Card:
    """That of its family, for a file that holds a network alone. Raises WeightsError without a folder of that kind."""
    family = network_family(kind, name)
    if not (parts / "model_index.json").is_file():
        raise WeightsError(f"{file} is {kind['is']}, and {NEEDED.format(family)}")
    beside = parts.name == file.stem
    if (other := _family(parts, name if beside else model_name(parts))) != family:
        raise WeightsError(f"{file} is {kind['is']}, and {parts} is of {other}: {NEEDED.format(family)}")
    sizes = _sizes(parts, family)
    facts = {"name": name, "source": str(file.absolute()), "revision": "local", "parts_folder": str(parts.resolve())}
    return new_card(family, **{**facts, **sizes, **values})


def _family(folder: Path, name: str) -> str:
    """The first family whose pipeline model_index.json names, and that all else says it is of."""
    pipeline, families = read_index(folder).get("_class_name"), CATALOGUE["families"]
    for family, facts in families.items():
        if facts["pipeline"] == pipeline and is_named(name, facts) and _says(folder, facts):
            return str(family)
    readable = " or ".join(dict.fromkeys(facts["pipeline"] for facts in families.values()))
    raise WeightsError(f"{folder} is made for {pipeline}, and Maquette reads {readable}")


def is_checkpoint(path: Path) -> bool:
    """Whether a file may be one checkpoint, or a network alone: safetensors, and of networks GGUF."""
    return path.suffix.lower() in (".safetensors", ".sft", GGUF)


def is_gguf(path: Path) -> bool:
    """Whether a file says that it is of the GGUF kind."""
    return path.suffix.lower() == GGUF


def header(file: Path) -> dict[str, Any]:
    """The header of a safetensors or a GGUF file: of each tensor dtype, shape and place. Raises WeightsError."""
    if is_gguf(file):
        return gguf_header(file)
    try:
        return dict(read_header(file).tensors)
    except (OSError, Unreadable) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}") from error


def gguf_header(file: Path) -> dict[str, Any]:
    """As ``gguf_tensors``. Raises WeightsError."""
    try:
        return dict(gguf_tensors(file))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{file} cannot be read: {error}. Get the file again") from error


def kind_of_file(file: Path) -> Mapping[str, Any]:
    """The first of the kinds of ``cards.json`` whose tensors the file has, in the size that tells it."""
    kind = kind_of(header(file), CATALOGUE["files"])
    if kind is None:
        raise WeightsError(f"{file} is no checkpoint that Maquette knows")
    return kind


def _family_of_file(file: Path, name: str) -> str:
    """The family of a checkpoint file, by its tensors and its name. Raises WeightsError, which says what it is."""
    kind = kind_of_file(file)
    if is_gguf(file):
        words = kind.get("is", "a whole checkpoint")
        raise WeightsError(f"{file} is {words} as a GGUF file, and of those only networks of transformers are read")
    if "pipeline" not in kind:
        raise WeightsError(f"{file} is {kind['is']}, and that is not painted with by itself")
    families = CATALOGUE["families"].items()
    return next(str(key) for key, facts in families if facts["pipeline"] == kind["pipeline"] and is_named(name, facts))


def configuration_of(file: Path) -> Path:
    """The folder that says a checkpoint file's configuration: of its own name beside it, or one of those that ship."""
    beside = file.with_suffix("")
    if (beside / "model_index.json").is_file():
        return beside
    return CONFIGURATIONS / configuration_name(kind_of_file(file), file.stem)


def _says(folder: Path, facts: Mapping[str, Any]) -> bool:
    """Whether a folder's configuration says what tells this family from others of one pipeline."""
    files: Mapping[str, Mapping[str, Any]] = facts.get("when", {})
    return all(
        read_json(folder / file).get(key) == value for file, says in files.items() for key, value in says.items()
    )


def _sizes(folder: Path, family: str) -> dict[str, int | str]:
    """Native area and side multiple in pixels, where the configuration says them. Each level of a UNet but the first
    halves the sides, and so does each of an autoencoder of its kind. The width of the words it hears says its base,
    where versions differ in that.
    """
    facts = CATALOGUE["families"][family]
    if "network" not in facts:
        return {}
    network = read_json(folder / facts["network"] / "config.json")
    pixels = facts["pixels"] if "pixels" in facts else 2 ** (_levels(read_json(folder / "vae" / "config.json")) - 1)
    if facts["network"] == "transformer":
        return {"area": (network["sample_size"] * pixels) ** 2} if network.get("sample_size") else {}
    multiple = pixels * 2 ** (_levels(network) - 1)
    if "pixels" not in facts and (foreign := foreign_channels(network, read_json(folder / "vae" / "config.json"))):
        raise WeightsError(f"{folder}: {foreign}")
    based = facts.get("bases", {}).get(str(network.get("cross_attention_dim")), facts["base"])
    return {"area": (network["sample_size"] * pixels) ** 2, "multiple": multiple, "base": based}


def _levels(config: Mapping[str, Any]) -> int:
    return len(config.get("block_out_channels") or config["decoder_block_out_channels"])


def _own(path: Path) -> dict[str, Any]:
    """What a folder's own card says. Raises WeightsError for what no card.json may say, or of another kind."""
    values: dict[str, Any] = read_json(path) if path.is_file() else {}
    kinds: Mapping[str, str] = CATALOGUE[OWN_CARD]
    if unknown := [name for name in values if name not in kinds]:
        raise WeightsError(f"{path} says {', '.join(unknown)}; it may say {', '.join(kinds)}")
    for name, value in values.items():
        if not isinstance(value, KINDS[kinds[name]]):
            raise WeightsError(f"{path}: {name} is {value!r}, and must be of the kind {kinds[name]}")
    return values


def _named(name: str, values: Mapping[str, Any]) -> Card:
    """A model of ``cards.json``; one of this package has its card in its folder."""
    source: str = values["source"]
    if source.startswith(f"{PACKAGE.name}/"):
        return read_card(PACKAGE.parent / source, name=name, **values)
    return new_card(name=name, **values)


CARDS: Mapping[str, Card] = MappingProxyType(
    {name: _named(name, values) for name, values in CATALOGUE["models"].items()}
)
