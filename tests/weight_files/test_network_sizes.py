# SPDX-License-Identifier: MIT
"""A transformer's size is one, by its tensors and by its configuration, under either names."""

import json
from pathlib import Path

import pytest

from weight_files.network_sizes import UNKNOWN, NetworkSize, configured_size, network_size, size_of_folder

FLUX = {"num_layers": 19, "num_single_layers": 38, "num_attention_heads": 24, "attention_head_dim": 128}
SIZE = NetworkSize(19, 38, 3072, 4096)


def tensors(**shapes: tuple[int, ...]) -> dict[str, dict[str, list[int]]]:
    return {name.replace("__", "."): {"shape": list(shape)} for name, shape in shapes.items()}


FIRST = tensors(
    double_blocks__18__x=(1,), single_blocks__37__x=(1,), img_in__weight=(3072, 64), txt_in__weight=(3072, 4096)
)
DIFFUSERS = tensors(
    transformer_blocks__18__x=(1,),
    single_transformer_blocks__37__x=(1,),
    x_embedder__weight=(3072, 64),
    context_embedder__weight=(3072, 4096),
)


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
@pytest.mark.parametrize("names", [FIRST, DIFFUSERS])
def test_it_is_the_same_by_all_names(names: dict, prefix: str) -> None:
    assert network_size({f"{prefix}{name}": facts for name, facts in names.items()}) == SIZE
    assert configured_size({**FLUX, "joint_attention_dim": 4096}) == SIZE


def test_what_one_of_them_does_not_say_does_not_part_them() -> None:
    assert configured_size(FLUX).fits(SIZE) and UNKNOWN.fits(SIZE)
    assert not SIZE.fits(NetworkSize(19, 19)) and not SIZE.fits(NetworkSize(width=2048))
    assert str(SIZE) == "19 and 38 single blocks, 3072 wide, told words 4096 wide"


def test_other_families_say_it_in_their_own_words() -> None:
    z_image = tensors(layers__29__x=(1,), cap_embedder__1__weight=(3840, 2560))
    assert network_size(z_image) == configured_size({"n_layers": 30, "dim": 3840, "cap_feat_dim": 2560})
    three = tensors(joint_blocks__23__x=(1,), x_embedder__proj__weight=(1536, 16, 2, 2))
    assert network_size(three) == NetworkSize(24, 0, 1536)


@pytest.mark.parametrize("text", ["", "[]", '{"num_layers": "many"}', '{"num_layers": null}'])
def test_a_configuration_that_is_none_says_nothing(tmp_path: Path, text: str) -> None:
    assert size_of_folder(tmp_path) == UNKNOWN
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "config.json").write_text(text)
    assert size_of_folder(tmp_path) == UNKNOWN
    (tmp_path / "transformer" / "config.json").write_text(json.dumps(FLUX))
    assert size_of_folder(tmp_path).single == 38
