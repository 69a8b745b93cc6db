# SPDX-License-Identifier: MIT
"""A network in a GGUF file paints as its dequantised self does, and its gradient is the same: so it may guide."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sg_core import Lora, Phrase, WeightsError, generate, load, place, with_loras
from sg_core.memory import counted
from sg_core.models.files import gguf_file
from sg_core.models.model import Model
from sg_core.sample import Texts, conditional_pass
from tests.sg_core.models.files.test_network_file import saved
from weight_files.gguf_header import gguf_tensors

gguf = pytest.importorskip("gguf", reason="needs the package gguf: pip install 'maquette[gguf]'")

PROMPT, PHRASE = "a huge castle and a red rocket", Phrase("castle")
OPTIONS = {"width": 96, "height": 64, "steps": 4, "scale": 1.0, "scheduler": "euler"}
KINDS = ("Q8_0", "Q4_0", "BF16")  # the others are in test_gguf_kinds


def as_gguf(file: Path, tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Write a GGUF file of these tensors, matrices in this kind, and say which numbers it then holds."""
    quantisation, held = gguf.GGMLQuantizationType[kind], {}
    writer = gguf.GGUFWriter(file, "flux")
    for name, tensor in tensors.items():
        array = tensor.float().numpy()
        if array.ndim == 2 and array.shape[1] % 32 == 0:
            data = gguf.quants.quantize(array, quantisation)
            writer.add_tensor(name, data, raw_dtype=quantisation)
            array = dequantised(data, quantisation)
        else:
            array = array.astype(np.float16 if array.ndim > 1 else np.float32)
            writer.add_tensor(name, array)
        held[name] = torch.from_numpy(array.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return held


def dequantised(data: np.ndarray, kind: Any) -> np.ndarray:
    """The numbers that are computed with: those that the package gguf says, rounded to half precision at most."""
    exact = gguf.quants.dequantize(data, kind)
    if kind == gguf.GGMLQuantizationType.BF16:
        return exact
    from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor

    made = dequantize_gguf_tensor(GGUFParameter(torch.from_numpy(data), quant_type=kind)).float().numpy()
    assert np.abs(made - exact).max() <= 1e-3 * np.abs(exact).max()
    return made


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """(folder of the other parts, the network's tensors by the names of its first code) of a tiny FLUX.2 Klein."""
    _, parts, file = saved("klein", tmp_path_factory.mktemp("models"), True)
    return parts, {name.removeprefix("model.diffusion_model."): tensor for name, tensor in load_file(file).items()}


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest, klein: Any, tmp_path: Path) -> tuple[Model, Model]:
    """The model of a GGUF file, and that of a file with the numbers which that holds."""
    parts, tensors = klein
    held = as_gguf(tmp_path / "klein.gguf", tensors, request.param)
    save_file(held, tmp_path / "klein.safetensors")
    return load(tmp_path / "klein.gguf", parts=parts), load(tmp_path / "klein.safetensors", parts=parts)


def gradient(model: Model) -> Tensor:
    """Of an energy, to the latent."""
    shape = model.latent_shape(96, 64)
    step = model.steps(4, "euler", shape[1:]).steps[1]
    latent = torch.randn(1, *shape, generator=torch.Generator().manual_seed(2))
    texts = Texts(model.encode([PROMPT]), None, model.words([PROMPT], [PHRASE]))
    slope = conditional_pass(model, latent, step, texts, energy(), follow=True).gradient
    assert slope is not None
    return slope


def energy() -> Any:
    mask = torch.zeros(16, 24)
    mask[:, :8] = 1.0
    return place({PHRASE: mask})


def test_the_gradient_is_that_of_the_dequantised_network(pair: tuple[Model, Model]) -> None:
    """With gradient checkpointing too. The weights are the quantised bytes, and a number moves what is compared."""
    ours, plain = map(gradient, pair)
    assert plain.abs().max() > 0 and (ours - plain).abs().max() <= 1e-5 * plain.abs().max()
    network: Any = pair[0].network
    network.enable_gradient_checkpointing()
    assert (gradient(pair[0]) - ours).abs().max() <= 1e-6 * ours.abs().max()
    network.disable_gradient_checkpointing()
    layer = next(module for module in network.modules() if isinstance(module, torch.nn.Linear))
    layer.bias = torch.nn.Parameter(torch.ones(layer.out_features), requires_grad=False)
    assert (gradient(pair[0]) - plain).abs().max() > 1e-3 * plain.abs().max()


def test_it_paints_what_the_dequantised_network_paints(pair: tuple[Model, Model]) -> None:
    """Guided, and as it is."""
    for layout in ({}, {"layout": energy()}):
        ours, plain = (generate(model, PROMPT, **OPTIONS, **layout) for model in pair)
        assert (ours - plain).abs().max() < 1e-4


def test_its_memory_is_counted_as_its_bytes(klein: Any, tmp_path: Path) -> None:
    """And what a guided pass keeps, as that of the network in half precision, unless it is checkpointed."""
    parts, tensors = klein
    save_file(as_gguf(tmp_path / "klein.gguf", tensors, "Q4_0"), tmp_path / "klein.safetensors")
    small, whole = (counted(str(tmp_path / f"klein.{e}"), "bfloat16", 64, 64, parts) for e in ("gguf", "safetensors"))
    assert small is not None and whole is not None
    assert small.network < 0.5 * whole.network and small.encoders == whole.encoders
    assert small.guided > whole.guided
    assert small.checkpointed is not None and small.checkpointed < small.guided
    loaded = load(tmp_path / "klein.gguf", parts=parts, dtype=torch.bfloat16).network
    assert small.network == sum(weight.nbytes for weight in loaded.parameters())


def test_a_file_that_is_not_whole_is_refused(klein: Any, tmp_path: Path) -> None:
    parts, tensors = klein
    file, name = tmp_path / "klein.gguf", "double_blocks.0.img_attn.proj.weight"
    odd: Mapping[str, tuple[Mapping[str, Tensor], str]] = {
        "lacks": ({key: tensor for key, tensor in tensors.items() if key != name}, "lacks"),
        "more": ({**tensors, "some.other.weight": torch.ones(32, 32)}, "some.other"),
        "larger": ({**tensors, name: torch.zeros(32, 64)}, "of another size or kind"),
    }
    for changed, words in odd.values():
        as_gguf(file, changed, "Q8_0")
        with pytest.raises(WeightsError, match=words):
            load(file, parts=parts)
    as_gguf(file, tensors, "Q8_0")
    content, scale = bytearray(file.read_bytes()), gguf_tensors(file)[name]["data_offsets"][0]
    content[scale : scale + 2] = b"\x00\x7e"  # of the first block, now NaN
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="numbers that are none"):
        load(file, parts=parts)
    file.write_bytes(content[:-1000])
    with pytest.raises(WeightsError, match="the download broke off"):
        load(file, parts=parts)


def test_a_lora_is_refused_in_a_sentence(klein: Any, tmp_path: Path) -> None:
    """It is added to numbers, and there are none."""
    as_gguf(tmp_path / "klein.gguf", klein[1], "Q8_0")
    name = "transformer.transformer_blocks.0.attn.to_q"
    halves = {f"{name}.lora_A.weight": torch.ones(2, 32), f"{name}.lora_B.weight": torch.ones(32, 2)}
    save_file(halves, tmp_path / "lora.safetensors")
    with pytest.raises(WeightsError, match="quantised"):
        with_loras(load(tmp_path / "klein.gguf", parts=klein[0]), [Lora(tmp_path / "lora.safetensors")])


def test_without_the_package_it_says_what_to_install(
    klein: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_gguf(tmp_path / "klein.gguf", klein[1], "Q8_0")
    shutil.copy(tmp_path / "klein.gguf", tmp_path / "other.gguf")
    monkeypatch.setattr(gguf_file, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"pip install 'maquette\[gguf\]'"):
        load(tmp_path / "other.gguf", parts=klein[0])
