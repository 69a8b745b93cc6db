# SPDX-License-Identifier: MIT
"""A recipe so tiny that a whole training takes seconds."""

import pytest

from sg_core.toybox.recipe import RECIPES
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.training import course
from tests.sg_core.toybox.training.tiny_recipe import TINY


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(TINY.nouns)


@pytest.fixture
def tiny(monkeypatch, atlas) -> None:
    monkeypatch.setattr(course, "load_atlas", lambda nouns: atlas)  # unpacked once
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    monkeypatch.setattr(course, "FIRST_SCENES", 32)
