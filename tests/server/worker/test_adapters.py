# SPDX-License-Identifier: MIT
"""LoRAs, an autoencoder, a scheduler and a precision in a request change its picture, and leave nothing behind."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import AdapterFile, Blockout, LoraFile
from addon.protocol.png import BLOCKOUT_KEY
from addon.protocol.strict_json import loads
from server.adapters import AdapterCatalogue
from server.catalogue import described
from server.problems import ChangedAdapter, Refusal, UnfitAdapter
from server.worker.engine import DiffusionEngine
from tests.server import adapter_files
from tests.server.worker.sample_request import ASKED, pixels, unwatched


@dataclass(frozen=True)
class Bench:
    """A model with files beside it, and an engine."""

    folder: Path
    model: ModelInfo
    engine: DiffusionEngine
    pipeline: Any

    def asked(self, **changes: Any) -> Blockout:
        """As a request goes: pinned when it is sent."""
        request = replace(ASKED, model=self.model.name, steps=3, scale=self.model.scale, **changes)
        return AdapterCatalogue([], [self.model]).pinned(request, self.model)

    def paint(self, request: Blockout) -> bytes:
        """As a worker does."""
        self.engine.load(self.model, AdapterCatalogue([], [self.model]).setup(request))
        return self.engine.paint(request, unwatched).full


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("models")
    pipeline = adapter_files.checkpoint(folder)
    adapter_files.lora(pipeline.unet, folder / "loras" / "ink.safetensors")
    adapter_files.lora(pipeline.unet, folder / "loras" / "wash.safetensors", kohya=False, seed=2)
    adapter_files.autoencoder(pipeline.vae, folder / "vae" / "other.safetensors")
    return Bench(folder, described(folder / "mine.safetensors"), DiffusionEngine(), pipeline)


INK, WASH = LoraFile(name="ink", weight=0.8), LoraFile(name="wash", weight=-0.5)
CHANGES: dict[str, dict[str, Any]] = {
    "a LoRA": {"loras": (INK,)},
    "another weight": {"loras": (replace(INK, weight=0.4),)},
    "another LoRA": {"loras": (WASH,)},
    "two": {"loras": (INK, WASH)},
    "another autoencoder": {"vae": AdapterFile(name="other")},
    "everything": {"loras": (WASH, INK), "vae": AdapterFile(name="other"), "scheduler": "euler a"},
    "a scheduler": {"scheduler": "dpm++ 2m karras"},
    "half the precision": {"precision": "bfloat16"},
}


def test_everything_that_is_asked_for_changes_the_picture_and_is_in_its_file(bench: Bench) -> None:
    plain = bench.paint(bench.asked())
    pictures = {"nothing": plain}
    for name, changes in CHANGES.items():
        request = bench.asked(**changes)
        png = bench.paint(request)
        carried = loads(Blockout, Image.open(io.BytesIO(png)).text[BLOCKOUT_KEY])
        assert carried == replace(request, fingerprint=bench.model.fingerprint)
        assert all(len(lora.sha256) == 64 for lora in carried.loras), name
        for other, picture in pictures.items():
            assert not np.array_equal(pixels(png), pixels(picture)), (name, other)
        pictures[name] = png
        assert bench.paint(request) == png, name
    assert bench.paint(bench.asked()) == plain
    zero = pixels(bench.paint(bench.asked(loras=(replace(INK, weight=0.0), replace(WASH, weight=0.0)))))
    assert np.array_equal(zero, pixels(plain))


def test_the_picture_is_that_of_a_model_to_which_nothing_else_was_done(bench: Bench) -> None:
    request = bench.asked(loras=(INK, WASH), vae=AdapterFile(name="other"))
    for other in ({"loras": (WASH,)}, {"vae": AdapterFile(name="other")}, {"loras": (replace(INK, weight=2.0),)}):
        bench.paint(bench.asked(**other))
    assert bench.paint(request) == replace(bench, engine=DiffusionEngine()).paint(request)


def test_a_file_that_changed_after_the_request_was_sent_is_refused(bench: Bench) -> None:
    file = bench.folder / "loras" / "brush.safetensors"
    adapter_files.lora(bench.pipeline.unet, file, seed=3)
    request = bench.asked(loras=(LoraFile(name="brush"),))
    first = bench.paint(request)
    adapter_files.lora(bench.pipeline.unet, file, seed=4)
    with pytest.raises(ChangedAdapter, match="“brush” is another file"):
        bench.paint(request)
    as_it_is = replace(request, loras=(LoraFile(name="brush"),))
    assert bench.paint(as_it_is) != first


def misnamed(bench: Bench) -> Path:
    """It says that it is for this base, and its layers are none of this model's."""
    renamed = {"x": bench.pipeline.unet.get_submodule(adapter_files.LAYERS[0])}

    class Other:
        def get_submodule(self, name: str) -> Any:
            return renamed["x"]

    layers = ("up_blocks.7.attentions.0.transformer_blocks.1.attn2.to_k",)
    return adapter_files.lora(Other(), bench.folder / "loras" / "wrong.safetensors", layers=layers)


@pytest.mark.parametrize(("make", "refusal", "sentence"), [(misnamed, UnfitAdapter, "made for another kind of model")])
def test_what_does_not_fit_after_all_fails_alone(
    bench: Bench, make: Callable[[Bench], Path], refusal: type[Refusal], sentence: str
) -> None:
    before = bench.paint(bench.asked(loras=(INK,)))
    file = make(bench)
    with pytest.raises(refusal, match=sentence):
        bench.paint(bench.asked(loras=(LoraFile(name=file.stem),)))
    assert bench.paint(bench.asked(loras=(INK,))) == before


def test_what_it_is_computed_in_is_said_where_it_is_not_the_usual(bench: Bench) -> None:
    assert bench.engine.precision(bench.model) == "float32"
    plain, half = bench.paint(bench.asked()), bench.paint(bench.asked(precision="bfloat16"))
    assert "precision" not in json.loads(Image.open(io.BytesIO(plain)).text[BLOCKOUT_KEY])
    assert json.loads(Image.open(io.BytesIO(half)).text[BLOCKOUT_KEY])["precision"] == "bfloat16"


@pytest.mark.parametrize(("room", "parks"), [(2**40, False), (1, True)])
def test_little_memory_is_planned_for_and_changes_no_bit(bench: Bench, room: int, parks: bool) -> None:
    """As small as it is, decoding takes the most here, and checkpointing would be of no use."""
    plain, inked = bench.asked(), bench.asked(loras=(INK,))
    tight = replace(bench, engine=DiffusionEngine(room=lambda: room))
    for request in (plain, inked, plain):
        assert tight.paint(request) == bench.paint(request)
        ready = tight.engine._ready
        assert ready is not None
        assert ready.sparing.plan.parks == parks and ready.sparing.plan.needed > 0


def test_what_encoders_said_is_not_taken_for_what_a_lora_has_them_say(bench: Bench) -> None:
    layer = "encoder.layers.0.self_attn.q_proj"
    encoder = bench.pipeline.text_encoder_2
    name = f"text_model.{layer}" if hasattr(encoder, "text_model") else layer
    width = encoder.get_submodule(name).weight.shape[0]
    names = "lora_te2_text_model_" + layer.replace(".", "_")
    halves = {f"{names}.lora_down.weight": torch.ones(2, width), f"{names}.lora_up.weight": torch.ones(width, 2)}
    save_file(halves, bench.folder / "loras" / "words.safetensors")
    plain = bench.paint(bench.asked())
    assert bench.paint(bench.asked(loras=(LoraFile(name="words"),))) != plain
    assert bench.paint(bench.asked()) == plain
