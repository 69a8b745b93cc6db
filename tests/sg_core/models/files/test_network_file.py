# SPDX-License-Identifier: MIT
"""A network alone in its file, with the other parts of a folder, is the model that both were made of."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import ChromaTransformer2DModel, FluxTransformer2DModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from server.catalogue import NotAModel, described
from sg_core import WeightsError, generate, load
from sg_core.models.files.network_file import translated
from sg_core.models.folder import quiet
from tests.sg_core.models.families.pipelines import CASES
from tests.sg_core.models.files import first_names
from tests.sg_core.models.files.first_names import Rules

PROMPT = "a huge castle and a red rocket"
BY_NAME = {case.name: case for case in CASES}
LAST = "transformer_blocks.2.norm1_context."  # of Stable Diffusion 3's three blocks
FIRST: Mapping[str, tuple[Rules, str]] = {
    "dev-2": (first_names.FLUX_2, ""),
    "klein": (first_names.FLUX_2, ""),
    "z": (first_names.Z_IMAGE, ""),
    "three-medium": (first_names.STABLE_DIFFUSION_3, LAST),
}
PLAIN = ("dev", "chroma", "qwen", "sigma", "sana")


def saved(name: str, folder: Path, first: bool) -> tuple[Path, Path, Path]:
    """(a case's whole folder, another without its network's weights, the file of the network)."""
    torch.manual_seed(0)
    with quiet():
        BY_NAME[name].build().save_pretrained(folder / "whole" / name)
    shutil.copytree(folder / "whole" / name, folder / "parts" / name)
    weights = folder / "parts" / name / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    weights.unlink()
    if first:
        rules, swapped = FIRST[name]
        tensors = first_names.first_names(tensors, rules, "model.diffusion_model.", swapped)
    file = folder / f"my {name}.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, file)
    return folder / "whole" / name, folder / "parts" / name, file


@pytest.mark.parametrize(("name", "first"), [*((n, True) for n in FIRST), *((n, False) for n in PLAIN)])
def test_a_network_paints_what_its_whole_folder_paints(name: str, first: bool, tmp_path: Path) -> None:
    whole, parts, file = saved(name, tmp_path, first)
    ours, made, case = load(file, parts=parts), load(whole), BY_NAME[name]
    where = {"name": file.stem, "source": str(file), "parts_folder": str(parts)}
    assert ours.card == replace(made.card, **where) and ours.card.family == case.family
    theirs = made.network.state_dict()
    assert all(torch.equal(weight, theirs[key]) for key, weight in ours.network.state_dict().items())
    width, height = case.size
    options = {"width": width, "height": height, "steps": 2, "scale": case.scale, "scheduler": case.scheduler}
    assert (generate(ours, PROMPT, **options) - generate(made, PROMPT, **options)).abs().max() < 1e-5
    offer = described(file, parts=parts)
    assert (offer.family, offer.source, offer.parts_folder) == (case.family, str(file), str(parts))
    assert (offer.area, offer.multiple, offer.steps) == (ours.card.area, ours.card.multiple, ours.card.steps)


@pytest.mark.parametrize("kind", [FluxTransformer2DModel, ChromaTransformer2DModel])
def test_the_first_names_of_flux_1_are_known_at_its_real_width(kind: type) -> None:
    """Diffusers cuts its joined tensors at 3072 alone: names and shapes, for numbers of that size would take 1.3 GB."""
    with torch.device("meta"), quiet():
        network = kind(num_layers=1, num_single_layers=1)
    file = first_names.first_names(network.state_dict(), first_names.FLUX_1)
    assert "double_blocks.0.img_attn.qkv.weight" in file and "single_blocks.0.linear1.bias" in file
    shapes = {name: tensor.shape for name, tensor in translated(file, network, network.config).items()}
    assert shapes == {name: tensor.shape for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(folder of the other parts, file of the network)."""
    _, parts, file = saved("klein", tmp_path_factory.mktemp("models"), True)
    return parts, file


def changed(file: Path, tmp_path: Path, tensors: Mapping[str, Tensor | None]) -> Path:
    """A copy with these tensors; without those that are None."""
    every = {**load_file(file), **tensors}
    copy = tmp_path / file.name
    save_file({name: tensor for name, tensor in every.items() if tensor is not None}, copy)
    return copy


def test_eight_bit_floats_are_widened(klein: tuple[Path, Path], tmp_path: Path) -> None:
    """Every one of them is a number of bfloat16, so the network is that of the rounded weights."""
    parts, file = klein
    narrow = {name: tensor.to(torch.float8_e4m3fn) for name, tensor in load_file(file).items()}
    rounded = {name: tensor.float() for name, tensor in narrow.items()}
    ours = load(changed(file, tmp_path, narrow), parts=parts).network.state_dict()
    theirs = load(changed(file, tmp_path, rounded), parts=parts).network.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in ours.items())


def test_a_network_without_its_other_parts_says_what_it_needs(klein: tuple[Path, Path], tmp_path: Path) -> None:
    file = shutil.copy(klein[1], tmp_path / "some.safetensors")
    words = "network of FLUX.2 Klein, and needs the text encoders and the autoencoder of flux-2-klein"
    with pytest.raises(WeightsError, match=words):
        load(file)
    with pytest.raises(NotAModel, match=words):
        described(file)
    base = shutil.copy(klein[1], tmp_path / "some-base.safetensors")
    with pytest.raises(WeightsError, match=r"is of flux-2-klein: needs .* of flux-2-klein-base"):
        load(base, parts=klein[0])
    with pytest.raises(NotAModel, match=r"is of flux-2-klein: needs .* of flux-2-klein-base"):
        described(base, parts=klein[0])


def test_a_folder_of_its_name_beside_it_has_its_other_parts(klein: tuple[Path, Path], tmp_path: Path) -> None:
    file = shutil.copy(klein[1], tmp_path / "mine.safetensors")
    shutil.copytree(klein[0], tmp_path / "mine")
    assert load(file).card.parts_folder == described(file).parts_folder == str(tmp_path / "mine")


ODD: Mapping[str, tuple[Mapping[str, Tensor | None], str]] = {
    "lacks": ({"model.diffusion_model.img_in.weight": None}, "lacks x_embedder.weight"),
    "more": ({"model.diffusion_model.some.other": torch.zeros(2)}, "holds some.other, which its network does not have"),
    "larger": ({"model.diffusion_model.img_in.weight": torch.zeros(8, 8)}, "of another size or kind than"),
    "none": ({"model.diffusion_model.img_in.weight": torch.full((32, 32), torch.nan)}, "numbers that are none"),
    "scaled": ({"model.diffusion_model.img_in.scale_weight": torch.ones(1)}, "is quantised"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_network_that_is_not_whole_is_refused(name: str, klein: tuple[Path, Path], tmp_path: Path) -> None:
    tensors, words = ODD[name]
    with pytest.raises(WeightsError, match=words):
        load(changed(klein[1], tmp_path, tensors), parts=klein[0])


def test_a_torn_network_is_refused(klein: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / klein[1].name).write_bytes(klein[1].read_bytes()[:-10])
    with pytest.raises(WeightsError, match="torn or no safetensors"):
        load(tmp_path / klein[1].name, parts=klein[0])
