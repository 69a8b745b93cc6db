# SPDX-License-Identifier: MIT
"""What tells a model on this disk from another of its name: all that alters pixels and that no request says."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from weight_files.fingerprint import fingerprint, part_files
from weight_files.prediction import stated_noise

PIXELS = ("family", "layers", "guided_by", "reference", "least", "few", "words", "area", "multiple")
"""Of a Card what alters a picture."""

TRANSFORMER = "transformer"
INDEX = "model_index.json"


def local_fingerprint(source: Path, card: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Of a folder, or of a file with all that configures and completes it: its Card, its notes, a YAML file, a folder
    beside it, the folder of its other ``parts``.

    Raises Unreadable, OSError.
    """
    facts = {key: card.get(key) for key in PIXELS}
    if source.is_dir():
        return fingerprint(facts, part_files(source, parts))
    weights = ("weights", source)
    if folder := card.get("parts_folder"):
        return fingerprint(facts, [weights, *part_files(Path(folder), parts, bare=(TRANSFORMER,))])
    beside = source.with_suffix("")
    files = part_files(beside, parts, bare=parts) if (beside / INDEX).is_file() else ()
    return fingerprint({**facts, "noise": stated_noise(source)}, [weights, *files])


def carded(own: str, card: tuple[tuple[str, Any], ...]) -> str:
    """A model's fingerprint with what its owner's cards say of it; as it was where they say nothing that matters."""
    facts = {key: value for key, value in card if key in PIXELS}
    return sha256(json.dumps([own, facts], sort_keys=True).encode()).hexdigest() if facts else own
