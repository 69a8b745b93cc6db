# SPDX-License-Identifier: MIT
"""A ControlNet in a request changes its picture by what the blocks look like, is pinned, and leaves nothing behind."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout, ControlNet, pack_mask
from addon.protocol.content_key import content_key
from addon.protocol.png import BLOCKOUT_KEY
from addon.protocol.strict_json import loads
from server.adapters import AdapterCatalogue
from server.catalogue import described
from server.problems import ChangedAdapter, UnfitAdapter
from server.worker.engine import DiffusionEngine
from server.worker.inspection import PicturesInspected
from tests.server import adapter_files
from tests.server.worker.sample_request import ASKED, pixels, unwatched

DEPTH = pack_mask(8, 4, bytes(range(0, 256, 8)))
CONTROL = ControlNet(name="depth", depth=DEPTH)


@dataclass(frozen=True)
class ControlBench:
    """A model with ControlNets beside it, and an engine."""

    folder: Path
    model: ModelInfo
    engine: DiffusionEngine
    pipeline: Any

    def asked(self, control: ControlNet | None = None, **changes: Any) -> Blockout:
        """As a request goes: pinned when it is sent."""
        request = replace(ASKED, model=self.model.name, steps=3, scale=self.model.scale, control=control, **changes)
        return AdapterCatalogue([], [self.model]).pinned(request, self.model)

    def paint(self, request: Blockout) -> bytes:
        """As a worker does."""
        self.engine.load(self.model, AdapterCatalogue([], [self.model]).setup(request))
        return self.engine.paint(request, unwatched).full


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> ControlBench:
    folder = tmp_path_factory.mktemp("models")
    pipeline = adapter_files.checkpoint(folder)
    adapter_files.controlnet(pipeline.unet, folder / "controlnet" / "depth.safetensors")
    adapter_files.controlnet(pipeline.unet, folder / "controlnet" / "canny.safetensors", seed=4)
    return ControlBench(folder, described(folder / "mine.safetensors"), DiffusionEngine(), pipeline)


def test_everything_that_is_said_of_it_changes_the_picture_and_is_in_its_file(bench: ControlBench) -> None:
    plain = bench.paint(bench.asked())
    pictures, keys = [plain], {content_key(bench.asked(), bench.model)}
    for control in (
        CONTROL,
        replace(CONTROL, depth=None),
        replace(CONTROL, depth=pack_mask(8, 4, bytes(range(255, -1, -8)))),
        replace(CONTROL, kind="edges"),
        replace(CONTROL, kind="edges", depth=None),
        replace(CONTROL, scale=0.5),
        replace(CONTROL, until=0.4),
        replace(CONTROL, name="canny"),
    ):
        request = bench.asked(control)
        png = bench.paint(request)
        assert loads(Blockout, Image.open(io.BytesIO(png)).text[BLOCKOUT_KEY]) == replace(
            request, fingerprint=bench.model.fingerprint
        )
        assert request.control is not None and len(request.control.sha256) == 64
        assert not any(np.array_equal(pixels(png), pixels(other)) for other in pictures), control
        assert bench.paint(request) == png
        pictures.append(png)
        keys.add(content_key(request, bench.model))
    assert len(keys) == len(pictures)
    assert bench.paint(bench.asked()) == plain


@pytest.mark.parametrize("control", [replace(CONTROL, scale=0.0), replace(CONTROL, until=0.0)])
def test_off_it_is_off_bit_for_bit(bench: ControlBench, control: ControlNet) -> None:
    assert np.array_equal(pixels(bench.paint(bench.asked(control))), pixels(bench.paint(bench.asked())))


def test_it_goes_beside_regions_and_without_them(bench: ControlBench) -> None:
    free = {"strength": 0.0}
    without = bench.paint(bench.asked(CONTROL, **free))
    assert not np.array_equal(pixels(without), pixels(bench.paint(bench.asked(**free))))
    assert not np.array_equal(pixels(without), pixels(bench.paint(bench.asked(CONTROL))))


def test_a_second_pass_looks_at_it_too(bench: ControlBench) -> None:
    large = {"width": 256, "height": 128, "enlargement": 2.0, "denoising": 0.5}
    frame = replace(ASKED.frame, width=224, height=120)
    assert bench.paint(bench.asked(CONTROL, frame=frame, **large)) != bench.paint(bench.asked(frame=frame, **large))


def test_little_memory_is_planned_for_and_changes_no_bit(bench: ControlBench) -> None:
    tight = replace(bench, engine=DiffusionEngine(room=lambda: 1))
    assert tight.paint(bench.asked(CONTROL)) == bench.paint(bench.asked(CONTROL))
    ready = tight.engine._ready
    assert ready is not None and ready.fitting.beside > 0 and ready.sparing.plan.parks


def test_what_changed_or_does_not_fit_fails_alone(bench: ControlBench) -> None:
    before = bench.paint(bench.asked(CONTROL))
    file = bench.folder / "controlnet" / "mine.safetensors"
    request = bench.asked(replace(CONTROL, name=adapter_files.controlnet(bench.pipeline.unet, file, seed=7).stem))
    adapter_files.controlnet(bench.pipeline.unet, file, seed=8)
    with pytest.raises(ChangedAdapter, match="“mine” is another file"):
        bench.paint(request)
    halves = {name: weight[: len(weight) // 2].clone() for name, weight in load_file(file).items()}
    save_file(halves, file)
    with pytest.raises(UnfitAdapter, match=r"“mine” does not fit mine: .* is no ControlNet"):
        bench.paint(bench.asked(replace(CONTROL, name="mine")))
    assert bench.paint(bench.asked(CONTROL)) == before


def test_looked_into_it_is_the_same_picture(bench: ControlBench) -> None:
    request = bench.asked(CONTROL)
    png = bench.paint(request)
    page = bench.engine.inspect(request, unwatched, PicturesInspected(before=png))
    assert page.difference == 0 and "depth × 1" in page.text
