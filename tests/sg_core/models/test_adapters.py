# SPDX-License-Identifier: MIT
"""LoRAs of every naming add what they should to the layers they name; what is made for another model is refused."""

import gc
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers
from safetensors.torch import save_file
from torch import Tensor

from sg_core import WeightsError, generate, load
from sg_core.models.adapters import Fitting, Lora, fingerprint, modules, with_autoencoder, with_loras
from sg_core.models.folder import quiet
from sg_core.models.model import Model
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines

PROMPT = "a huge castle"
OPTIONS = {"width": 96, "height": 64, "steps": 2, "scale": 3.0}
QUERY = "up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q"
OUT = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
VALUE = "down_blocks.2.attentions.0.transformer_blocks.1.attn2.to_v"
CONVOLUTION = "down_blocks.1.resnets.0.conv1"
FIRST_NAMES = {
    QUERY: "lora_unet_output_blocks_0_1_transformer_blocks_0_attn2_to_q",
    OUT: "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_out_0",
    VALUE: "lora_unet_input_blocks_5_1_transformer_blocks_1_attn2_to_v",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "xl"
    torch.manual_seed(0)
    with quiet():
        pipelines.stable_diffusion_xl().save_pretrained(path)
    return path


@pytest.fixture
def model(folder: Path) -> Model:
    return load(folder)


def pair(model: Model, part: str, layer: str, rank: int = 2) -> tuple[Tensor, Tensor]:
    """(down, up) for a layer."""
    weight = modules(model)[part].get_submodule(layer).weight
    noise = torch.Generator().manual_seed(len(layer))
    return torch.randn(rank, *weight.shape[1:], generator=noise), torch.randn(
        weight.shape[0], rank, *[1] * (weight.ndim - 2), generator=noise
    )


def kohya(name: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    return {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(1.0)}


def peft(name: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}


NAMINGS: dict[str, tuple[Callable, Callable, float]] = {
    "kohya": (lambda layer: "lora_unet_" + layer.replace(".", "_"), kohya, 0.5),
    "diffusers": (lambda layer: f"unet.{layer}", peft, 1.0),
    "the first code": (lambda layer: FIRST_NAMES[layer], kohya, 0.5),
}


@pytest.mark.parametrize(
    ("naming", "layer"),
    [(n, layer) for n in ("kohya", "diffusers") for layer in (QUERY, OUT, CONVOLUTION)]
    + [("the first code", layer) for layer in FIRST_NAMES],
)
def test_a_lora_changes_the_layer_that_it_names(model: Model, tmp_path: Path, naming: str, layer: str) -> None:
    name, form, share = NAMINGS[naming]
    down, up = pair(model, "unet", layer)
    save_file(form(name(layer), down, up), tmp_path / "x.safetensors")
    before = {key: weight.clone() for key, weight in model.network.state_dict().items()}
    changed = with_loras(model, [Lora(tmp_path / "x.safetensors", 0.7)]).network.state_dict()
    expected = 0.7 * share * (up.flatten(1) @ down.flatten(1)).view_as(before[f"{layer}.weight"])
    assert torch.allclose(changed[f"{layer}.weight"] - before[f"{layer}.weight"], expected, atol=1e-5)
    assert [key for key, weight in changed.items() if not torch.equal(weight, before[key])] == [f"{layer}.weight"]


@pytest.mark.parametrize(("part", "prefix"), [("text_encoder", "lora_te1_"), ("text_encoder_2", "lora_te2_")])
def test_a_lora_reaches_both_encoders(model: Model, tmp_path: Path, part: str, prefix: str) -> None:
    inner = "encoder.layers.0.self_attn.q_proj"
    encoder = modules(model)[part]
    layer = f"text_model.{inner}" if hasattr(encoder, "text_model") else inner
    name = prefix + f"text_model.{inner}".replace(".", "_")
    save_file(kohya(name, *pair(model, part, layer)), tmp_path / "x.safetensors")
    before = generate(model, PROMPT, **OPTIONS)
    with_loras(model, [Lora(tmp_path / "x.safetensors")])
    assert (generate(model, PROMPT, **OPTIONS) - before).abs().max() > 1e-4


def test_several_add_up_and_none_of_one_is_nothing(folder: Path, tmp_path: Path) -> None:
    model = load(folder)
    for i, layer in enumerate((QUERY, OUT)):
        save_file(peft(f"unet.{layer}", *pair(model, "unet", layer)), tmp_path / f"{i}.safetensors")
    plain = generate(model, PROMPT, **OPTIONS)
    assert torch.equal(generate(with_loras(model, [Lora(tmp_path / "0.safetensors", 0.0)]), PROMPT, **OPTIONS), plain)
    both = [Lora(tmp_path / f"{i}.safetensors") for i in (0, 1)]
    together = generate(with_loras(load(folder), both), PROMPT, **OPTIONS)
    assert (together - generate(with_loras(load(folder), both[:1]), PROMPT, **OPTIONS)).abs().max() > 1e-4
    assert not any(weight.requires_grad for weight in with_loras(load(folder), both).network.parameters())


@pytest.fixture
def files(model: Model, tmp_path: Path) -> list[Path]:
    """Three LoRAs: of one layer each, and the last of both."""
    layers = [(QUERY,), (OUT,), (QUERY, OUT)]
    for i, names in enumerate(layers):
        tensors = {k: v for name in names for k, v in peft(f"unet.{name}", *pair(model, "unet", name, i + 2)).items()}
        save_file(tensors, tmp_path / f"{i}.safetensors")
    return [tmp_path / f"{i}.safetensors" for i in range(len(layers))]


def weights(model: Model) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": weight.clone()
        for part, module in modules(model).items()
        for name, weight in module.state_dict().items()
    }


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_there_is_a_way_back_from_every_lora_and_autoencoder(folder: Path, files: list[Path], tmp_path: Path) -> None:
    """Whatever was on the model before, its weights are those of one that was just loaded, or loaded and changed."""
    torch.manual_seed(5)
    save_file(AutoencoderKL.from_config(modules(load(folder))["vae"].config).state_dict(), tmp_path / "vae.safetensors")
    fitting, plain = Fitting(load(folder)), weights(load(folder))
    first = [Lora(files[0], 0.5), Lora(files[2], -1.0)]
    once = weights(fitting.fit(first, tmp_path / "vae.safetensors"))
    assert not same(once, plain)
    assert not same(weights(fitting.fit([Lora(files[0], 0.9)])), once)
    assert same(weights(fitting.fit(first, tmp_path / "vae.safetensors")), once)
    assert same(weights(fitting.fit([Lora(file, 0.0) for file in files])), plain)
    assert same(weights(fitting.fit([Lora(files[1])])), weights(with_loras(load(folder), [Lora(files[1])])))
    assert same(weights(fitting.fit()), plain)


def test_what_does_not_fit_leaves_the_model_as_it_was(folder: Path, files: list[Path], tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    fitting = Fitting(load(folder))
    before = weights(fitting.fit([Lora(files[0])]))
    for fit in (
        lambda: fitting.fit([Lora(files[1]), Lora(tmp_path / "other.safetensors")]),
        lambda: fitting.fit([Lora(files[1])], tmp_path / "other.safetensors"),
        lambda: fitting.fit([Lora(tmp_path / "gone.safetensors")]),
    ):
        with pytest.raises(WeightsError):
            fit()
        assert same(weights(fitting.model), before)


def test_a_file_that_was_written_anew_is_read_anew(folder: Path, files: list[Path]) -> None:
    fitting = Fitting(load(folder))
    before = weights(fitting.fit([Lora(files[0])]))
    files[0].write_bytes(files[1].read_bytes())
    os.utime(files[0], ns=(1, 1))
    assert not same(weights(fitting.fit([Lora(files[0])])), before)


def test_fifty_switches_leave_memory_flat(folder: Path, files: list[Path]) -> None:
    """Counted in live tensors, which every leak of weights would be among."""
    fitting = Fitting(load(folder))

    def switch(count: int) -> int:
        for i in range(count):
            fitting.fit([Lora(files[i % 3], 1 + i / 10), Lora(files[(i + 1) % 3], 0.3)])
        fitting.fit()
        gc.collect()
        return sum(item.numel() for item in gc.get_objects() if issubclass(type(item), Tensor))

    assert switch(3) == switch(50)


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        (
            lambda m: kohya("lora_unet_blocks_7", *pair(m, "unet", QUERY)),
            "another kind of model: it changes",
        ),
        (lambda m: kohya("lora_unet_conv_in", *pair(m, "unet", QUERY)), "another size"),
        (lambda m: {"x": torch.zeros(1)}, "holds x: it is no LoRA"),
        (
            lambda m: peft(f"unet.{QUERY}", *pair(m, "unet", QUERY)) | {f"unet.{QUERY}.dora_scale": torch.ones(1)},
            "dora_scale: it is no LoRA of a kind",
        ),
        (lambda m: {f"unet.{QUERY}.lora_A.weight": pair(m, "unet", QUERY)[0]}, "lacks .*lora_B.weight"),
        (lambda m: peft(f"unet.{QUERY}", *(w / 0 for w in pair(m, "unet", QUERY))), "numbers that are none"),
    ],
)
def test_a_lora_of_another_model_is_refused(model: Model, tmp_path: Path, tensors: Callable, sentence: str) -> None:
    save_file(tensors(model), tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=sentence):
        with_loras(model, [Lora(tmp_path / "x.safetensors")])


def test_a_torn_lora_is_refused(model: Model, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"torn")
    with pytest.raises(WeightsError, match="torn or no safetensors"):
        with_loras(model, [Lora(tmp_path / "x.safetensors")])


@pytest.mark.parametrize("first", [False, True])
def test_another_autoencoder_decodes(model: Model, tmp_path: Path, first: bool) -> None:
    torch.manual_seed(5)
    own = modules(model)["vae"]
    other = AutoencoderKL.from_config(own.config).eval()
    tensors = checkpoint_file.vae(other) if first else other.state_dict()
    tensors = {name.removeprefix("first_stage_model."): weight.contiguous() for name, weight in tensors.items()}
    save_file(tensors, tmp_path / "vae.safetensors")
    latent = torch.randn(1, *model.latent_shape(96, 64))
    before = model.decode(latent)
    after = with_autoencoder(model, tmp_path / "vae.safetensors").decode(latent)
    with torch.no_grad():
        picture = other.decode(latent / own.config.scaling_factor).sample
    assert (after - (picture / 2 + 0.5).clamp(0, 1)).abs().max() < 1e-5
    assert (after - before).abs().max() > 1e-3


def test_what_is_no_autoencoder_is_refused(model: Model, tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "vae.safetensors")
    with pytest.raises(WeightsError, match=r"autoencoder for xl|lacks"):
        with_autoencoder(model, tmp_path / "vae.safetensors")


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"castle")
    assert fingerprint(tmp_path / "x") == hashlib.sha256(b"castle").hexdigest()


FLUX_LAYERS = {
    "double_blocks_0_img_attn_qkv": 3,
    "double_blocks_1_txt_attn_qkv": 3,
    "double_blocks_0_img_attn_proj": 1,
    "double_blocks_0_txt_attn_proj": 1,
    "double_blocks_0_img_mlp_0": 4,
    "double_blocks_0_txt_mlp_2": 1,
    "double_blocks_0_img_mod_lin": 6,
    "single_blocks_0_linear1": 7,
    "single_blocks_0_linear2": 1,
    "single_blocks_1_modulation_lin": 3,
}
INPUTS = {"double_blocks_0_txt_mlp_2": 4, "single_blocks_0_linear2": 5}
"""Rows and columns of the first code's layers, in widths of the network."""


@pytest.mark.parametrize("dotted", [False, True])
def test_flux_is_known_by_the_names_of_its_first_code(tmp_path: Path, dotted: bool) -> None:
    """Held against what diffusers makes of the same file."""
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "flux")
    model = load(tmp_path / "flux")
    width = model.network.config.num_attention_heads * model.network.config.attention_head_dim
    tensors = {}
    for name, rows in FLUX_LAYERS.items():
        down, up = torch.randn(2, INPUTS.get(name, 1) * width), torch.randn(rows * width, 2)
        tensors |= kohya(f"lora_unet_{name}", down, up)
    before = weights(model)
    fused = "lora_unet_single_blocks_0_linear1"  # which diffusers cuts up at FLUX's real width only
    expected = _convert_kohya_flux_lora_to_diffusers({k: v for k, v in tensors.items() if not k.startswith(fused)})
    ups = (tensors[f"{fused}.lora_up.weight"] * 0.5).split([width, width, width, 4 * width])
    for layer, up in zip(("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), ups, strict=True):
        expected |= peft(f"transformer.single_transformer_blocks.0.{layer}", tensors[f"{fused}.lora_down.weight"], up)
    if dotted:
        parts = {"double_blocks_": "double_blocks.", "single_blocks_": "single_blocks.", "_img": ".img", "_txt": ".txt"}
        dots = {**parts, "_linear": ".linear", "_modulation": ".modulation", "attn_": "attn.", "mlp_": "mlp."}
        dots |= {"mod_lin": "mod.lin", "lora_unet_": "diffusion_model.", "modulation_lin": "modulation.lin"}
        tensors = {renamed_by(dots, name): weight for name, weight in tensors.items()}
    save_file({name: weight.contiguous() for name, weight in tensors.items()}, tmp_path / "x.safetensors")
    after = weights(with_loras(model, [Lora(tmp_path / "x.safetensors", 0.5)]))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name.replace("lora_A.", "") for name in expected if "lora_A" in name}
    for name in changed:
        up, down = (expected[name.replace("weight", f"lora_{half}.weight")] for half in "BA")
        assert torch.allclose(after[name] - before[name], 0.5 * up @ down, atol=1e-4), name


def renamed_by(parts: dict[str, str], name: str) -> str:
    for old, new in parts.items():
        name = name.replace(old, new)
    return name
