# SPDX-License-Identifier: MIT
"""What the server tells the worker of a folder's models, as facts of the queue: all that the two share.

A model is stated with each job that asks for it, so that a job outlives a restart, when nobody has looked through the
folders yet.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from addon.protocol.answers import ModelInfo
from addon.protocol.strict_json import ContractError, dump, loads

FOLDERS = "folders of adapters"
BESIDE = "folders of models"  # in and beside which adapters lie too


def name_of(model: str) -> str:
    """The fact that says what a model of that name is."""
    return f"model {model}"


def to_text(model: ModelInfo) -> str:
    """A model as the queue keeps it."""
    return json.dumps(dump(model))


def stated_model(facts: Mapping[str, str], name: str) -> ModelInfo | None:
    """The model of that name; None where nobody has stated it, or another version has."""
    try:
        return loads(ModelInfo, facts.get(name_of(name), ""))
    except ContractError:
        return None


def folders_text(folders: Sequence[Path]) -> str:
    """Folders as the queue keeps them."""
    return json.dumps([str(folder) for folder in folders])


def stated_folders(facts: Mapping[str, str], name: str = FOLDERS) -> tuple[Path, ...]:
    """Those of LoRAs and autoencoders that lie in the folders of models; or, as BESIDE, those that models lie in."""
    return tuple(map(Path, json.loads(facts.get(name, "[]"))))
