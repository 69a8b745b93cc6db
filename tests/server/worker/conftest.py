# SPDX-License-Identifier: MIT
"""A tiny model of the real classes, and the engine that has it loaded."""

import runpy

import pytest

from addon.protocol.answers import ModelInfo
from server.catalogue import described
from server.worker.engine import DiffusionEngine
from tests.server.serving import ROOT


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> ModelInfo:
    """A real diffusers folder of a tiny size, as an offer."""
    build = runpy.run_path(str(ROOT / "tests" / "sg_core" / "conftest.py"))["build_folder"]
    return described(build(tmp_path_factory.mktemp("models") / "tiny", "epsilon"))


@pytest.fixture(scope="module")
def engine(tiny) -> DiffusionEngine:
    engine = DiffusionEngine()
    engine.load(tiny)
    return engine
