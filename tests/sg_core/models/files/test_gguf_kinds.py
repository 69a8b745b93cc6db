# SPDX-License-Identifier: MIT
"""Networks in the kinds that are really downloaded (Q4_K, Q5_K, Q6_K ...): the package's numbers, and their gradient.

A block of those has 256 numbers in a row, so the network here is that wide. The package reads them and writes none: the
blocks are drawn, with scales of a size that weights have.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import Flux2Transformer2DModel
from safetensors.torch import save_file
from torch import Tensor

from sg_core import generate, load
from sg_core.models.folder import quiet
from sg_core.models.model import Model
from tests.sg_core.models.families import pipelines
from tests.sg_core.models.files import first_names
from tests.sg_core.models.files.test_gguf_file import OPTIONS, PROMPT, energy, gradient
from weight_files.gguf_header import KINDS, gguf_tensors

gguf = pytest.importorskip("gguf", reason="needs the package gguf: pip install 'maquette[gguf]'")

SCALES = {
    "Q2_K": {80: 5e-3, 82: 7.5e-3},
    "Q3_K": {108: 1e-3},
    "Q4_K": {0: 3e-4, 2: 2.2e-3},
    "Q5_K": {0: 1.5e-4, 2: 2.2e-3},
    "Q6_K": {208: 6e-5},
    "Q4_1": {0: 1e-2, 2: -7.5e-2},
    "Q5_0": {0: 5e-3},
    "Q5_1": {0: 5e-3, 2: -7.5e-2},
    "IQ4_NL": {0: 1e-3},
    "IQ4_XS": {0: 6e-5},
}
"""Where a kind's blocks have numbers in half precision that scale and move all others, and what stands there."""

WIDE = {"num_attention_heads": 2, "attention_head_dim": 128, "axes_dims_rope": (32, 32, 32, 32)}
SMALL = {"num_layers": 1, "num_single_layers": 1, "patch_size": 1, "in_channels": 32, "joint_attention_dim": 48}


def drawn(shape: tuple[int, int], kind: str, seed: int) -> np.ndarray:
    """Bytes of blocks, whatever they hold, but for their scales."""
    _, numbers, size = next(facts for facts in KINDS.values() if facts[0] == kind)
    rows, columns = shape
    blocks = np.random.default_rng(seed).integers(0, 256, (rows * columns // numbers, size), np.uint8)
    for at, value in SCALES[kind].items():
        blocks[:, at : at + 2] = np.frombuffer(np.float16(value).tobytes(), np.uint8)
    return blocks.reshape(rows, -1)


def made(data: np.ndarray, kind: Any) -> np.ndarray:
    """The numbers that are computed with: the package's own, rounded to half precision on the way."""
    from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor

    exact = gguf.quants.dequantize(data, kind)
    ours = dequantize_gguf_tensor(GGUFParameter(torch.from_numpy(data), quant_type=kind)).float().numpy()
    assert np.isfinite(exact).all() and np.abs(exact).max() > 0.01
    assert np.abs(ours - exact).max() <= 2e-3 * np.abs(exact).max()
    return np.ascontiguousarray(ours)


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """(folder of the other parts, the network's tensors by the names of its first code) of a wide, flat Klein."""
    folder = tmp_path_factory.mktemp("models") / "klein"
    torch.manual_seed(0)
    with quiet():
        pipeline = pipelines.flux_2_klein(True)
        pipeline.transformer = Flux2Transformer2DModel(
            guidance_embeds=False, timestep_guidance_channels=32, **WIDE, **SMALL
        )
        pipeline.save_pretrained(folder)
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    return folder, first_names.first_names(pipeline.transformer.state_dict(), first_names.FLUX_2, "", "")


def written(file: Path, tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    """A GGUF file of these names and shapes, matrices in this kind, and the numbers that it then holds."""
    quantisation, held = gguf.GGMLQuantizationType[kind], {}
    writer = gguf.GGUFWriter(file, "flux")
    for seed, (name, tensor) in enumerate(tensors.items()):
        array = tensor.float().numpy()
        if array.ndim == 2 and array.shape[1] % 256 == 0:
            data = drawn(array.shape, kind, seed)
            writer.add_tensor(name, data, raw_dtype=quantisation)
            array = made(data, quantisation)
        else:
            array = array.astype(np.float32)
            writer.add_tensor(name, array)
        held[name] = torch.from_numpy(array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return held


@pytest.fixture(params=SCALES)
def pair(request: pytest.FixtureRequest, klein: Any, tmp_path: Path) -> tuple[Model, Model]:
    """The model of a GGUF file, and that of a file with the numbers which that holds."""
    parts, tensors = klein
    held = written(tmp_path / "klein.gguf", tensors, request.param)
    save_file(held, tmp_path / "klein.safetensors")
    kinds = [facts["dtype"] for facts in gguf_tensors(tmp_path / "klein.gguf").values()]
    assert kinds.count(request.param) >= 10
    return load(tmp_path / "klein.gguf", parts=parts), load(tmp_path / "klein.safetensors", parts=parts)


def test_it_guides_and_paints_as_the_same_numbers_do(pair: tuple[Model, Model]) -> None:
    ours, plain = map(gradient, pair)
    assert plain.abs().max() > 0 and (ours - plain).abs().max() <= 1e-5 * plain.abs().max()
    network: Any = pair[0].network
    assert sum(type(layer).__name__ == "GGUFLinear" for layer in network.modules()) >= 10
    network.enable_gradient_checkpointing()
    assert (gradient(pair[0]) - ours).abs().max() <= 1e-6 * ours.abs().max()
    network.disable_gradient_checkpointing()
    pictures = [generate(model, PROMPT, **OPTIONS, layout=energy()) for model in pair]
    assert (pictures[0] - pictures[1]).abs().max() < 1e-4


def test_every_kind_that_is_read_is_run() -> None:
    from tests.sg_core.models.files import test_gguf_file

    assert {name for name, *_ in KINDS.values()} == {*SCALES, *test_gguf_file.KINDS, "F32", "F16"}
