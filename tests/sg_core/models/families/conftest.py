# SPDX-License-Identifier: MIT
"""Each family's tiny pipeline, saved as a folder once and loaded through the real loader."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sg_core.models.cards import read_card
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from sg_core.models.model import Model
from tests.sg_core.models.families.pipelines import CASES, Case


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def folder(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / case.name
    with quiet():
        case.build().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    """Heard in every layer."""
    return load(folder, card=replace(read_card(folder), layers=()))
