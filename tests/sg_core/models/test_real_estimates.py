# SPDX-License-Identifier: MIT
"""What models of the real sizes take of a card, on shapes alone: one of 12 GiB has room for FLUX."""

from dataclasses import replace

import pytest

from benchmarks.memory import figures
from server.models.memory_needs import bytes_of
from sg_core.memory import GIBIBYTE, MARGIN, MemoryPlan, counted, plan
from sg_core.models.estimate import Estimate
from tests.sg_core.models import real_folders

TWELVE = 12 * GIBIBYTE


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> Estimate:
    folder = real_folders.klein(tmp_path_factory.mktemp("models") / "klein")
    estimate = counted(str(folder), "bfloat16", 1024, 1024)
    assert estimate is not None
    return estimate


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Estimate:
    """Its network in 4 bits, all else in half precision."""
    folder = real_folders.flux_1(tmp_path_factory.mktemp("models") / "flux")
    file = real_folders.quantised_flux(folder.with_suffix(".gguf"))
    estimate = counted(str(file), "bfloat16", 1024, 1024, folder)
    assert estimate is not None
    return estimate


def test_they_are_as_large_as_they_are_published(klein: Estimate, flux: Estimate) -> None:
    assert klein.network / 2 / 1e9 == pytest.approx(3.88, rel=0.02)
    assert klein.encoders / 2 / 1e9 == pytest.approx(4.02, rel=0.02)
    assert flux.network * 8 / 4.5 / 1e9 == pytest.approx(11.9, rel=0.02), "18 bytes hold 32 numbers"
    assert flux.encoders / 2 / 1e9 == pytest.approx(4.76 + 0.12, rel=0.02)


@pytest.mark.parametrize("name", ["klein", "flux"])
def test_guided_at_1024_it_fits_12_gibibytes(name: str, request: pytest.FixtureRequest) -> None:
    """Encoders and network take turns on the card; without that their weights alone are more than it has. What FLUX.1
    keeps for its gradient is computed anew."""
    estimate: Estimate = request.getfixturevalue(name)
    chosen = plan(estimate, TWELVE)
    assert chosen.alternates and not chosen.tiles and chosen.needed <= TWELVE
    assert chosen.checkpoints == (name == "flux")
    assert estimate.weights + MARGIN > TWELVE
    least = min(chosen.needed, plan(estimate, 1).needed)
    assert bytes_of(figures(estimate), on_gpu=True) == pytest.approx(least, rel=0.05), "what the list says"


def test_turns_are_taken_where_they_are_of_use() -> None:
    """Where all weights fit together, or what paints takes more than all of them, nothing is moved to and fro."""
    parts = Estimate(encoders=80, network=70, decoder=2, free=5, guided=20, checkpointed=None, decoding=15)
    together, apart = 152 + MARGIN, 92 + MARGIN
    assert plan(parts, together + 20) == MemoryPlan(needed=together + 20)
    assert plan(parts, together) == MemoryPlan(parks=True, needed=together)
    assert plan(parts, together - 1) == MemoryPlan(parks=True, alternates=True, needed=apart)
    assert not plan(replace(parts, guided=100), together).alternates
