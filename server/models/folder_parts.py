# SPDX-License-Identifier: MIT
"""Whether a folder in diffusers' format has all of its weights, by names, headers and sizes; nothing else is read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weight_files.safetensors_header import Unreadable, read_header

STEMS = ("diffusion_pytorch_model", "model")
VARIANTS = ("", ".fp16")
UNUSED = frozenset({"safety_checker", "feature_extractor", "image_encoder", "scheduler", "image_processor"})
INDEX = 10_000_000  # bytes; that of a model in shards has some hundred thousand
LIBRARIES = frozenset({"diffusers", "transformers"})


def refuse_incomplete(folder: Path, pipelines: Sequence[str], but: str = "") -> None:
    """Raise Unreadable where a part has no weights, or not all of them, or the pipeline is none that we paint with.

    Args:
        but: a part that is not asked for.
    """
    index = read_object(folder / "model_index.json")
    pipeline = index.get("_class_name")
    if pipeline not in pipelines:
        raise Unreadable(f"it is made for {pipeline}, which Maquette does not paint with")
    for part, entry in index.items():
        if part != but and _has_weights(part, entry):
            _refuse_part(folder / part)


def _has_weights(part: str, entry: Any) -> bool:
    if part in UNUSED or part.startswith(("_", "tokenizer")) or not isinstance(entry, list) or len(entry) != 2:
        return False
    return entry[0] in LIBRARIES and isinstance(entry[1], str)


def _refuse_part(part: Path) -> None:
    """Raises Unreadable."""
    if not part.is_dir():
        raise Unreadable(f"its {part.name} is missing; get the whole folder")
    single, index = _weights(part)
    if single is not None:
        _refuse_torn(single)
    elif index is not None:
        _refuse_shards(part, index)
    else:
        pickled = any(file.suffix in (".bin", ".pt", ".ckpt") for file in part.iterdir())
        beside = ", only pickled ones, which are never opened" if pickled else ""
        raise Unreadable(f"its {part.name} has no safetensors{beside}: get the folder again, with them")


def weights_of(part: Path) -> list[Path]:
    """The files that hold a part's weights; none where there are none. Raises Unreadable."""
    single, index = _weights(part)
    if single is not None:
        return [single]
    return [part / shard for shard in _shards(index)] if index is not None else []


def _weights(part: Path) -> tuple[Path | None, Path | None]:
    """The one file that holds a part's weights, or the index of several; neither where there is none."""
    for stem in STEMS:
        for variant in VARIANTS:
            single = part / f"{stem}{variant}.safetensors"
            index = part / f"{stem}.safetensors.index{variant}.json"
            if single.is_file():
                return single, None
            if index.is_file():
                return None, index
    return None, None


def _shards(index: Path) -> list[str]:
    """Raises Unreadable."""
    placed = read_object(index).get("weight_map")
    shards = sorted(set(map(str, placed.values()))) if isinstance(placed, dict) else []
    if not shards or any(Path(name).name != name for name in shards):
        raise Unreadable(f"in it, {index.parent.name}/{index.name} is damaged; get the folder again")
    return shards


def _refuse_shards(part: Path, index: Path) -> None:
    """Raises Unreadable, also where a shard lacks what the index says is in it."""
    shards, placed = _shards(index), read_object(index)["weight_map"]
    present = {(name, shard) for shard in shards for name in _refuse_torn(part / shard)}
    if lacking := sorted(name for name, shard in placed.items() if (name, str(shard)) not in present):
        more = f" and {len(lacking) - 1} more" if lacking[1:] else ""
        raise Unreadable(
            f"in it, {part.name} lacks {lacking[0]}{more}: its pieces are of different models; get it again"
        )


def _refuse_torn(file: Path) -> frozenset[str]:
    """The names of what a file holds. Raises Unreadable."""
    try:
        return frozenset(read_header(file).tensors)
    except Unreadable as error:
        raise Unreadable(f"in it, {file.parent.name}/{file.name}: {error}") from error
    except OSError as error:
        raise Unreadable(f"in it, {file.parent.name}/{file.name} is missing or cannot be read; get it") from error


def read_object(path: Path) -> dict[str, Any]:
    """What a JSON file holds, an object of plain size. Raises Unreadable."""
    try:
        if path.stat().st_size > INDEX or not path.is_file():
            raise ValueError("it is no plain file of its kind")
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"its {path.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise Unreadable(f"its {path.name} is damaged; get the folder again")
    return document
