# SPDX-License-Identifier: MIT
"""One checkpoint file is the model that it was made of, and what is none is refused by its name."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from server.catalogue import NotAModel, described
from sg_core import WeightsError, generate, load
from sg_core.models.cards import CATALOGUE, CONFIGURATIONS, read_card
from sg_core.models.folder import quiet
from sg_core.models.single_file import clip_tokenizer
from tests.server.models.model_files import tensors_file, whole
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines

PROMPT = "a huge castle and a red rocket"
OPTIONS = {"width": 96, "height": 64, "steps": 2, "scale": 5.0, "negative": "dog"}
KINDS = {
    "two": pipelines.stable_diffusion_2,
    "xl": pipelines.stable_diffusion_xl,
    "my Lightning": pipelines.stable_diffusion_xl,
}


@pytest.fixture(params=KINDS)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A checkpoint, beside it the folder that says its tiny configuration, and what it was made of as ``made``."""
    name = request.param
    torch.manual_seed(0)
    with quiet():
        pipeline = KINDS[name]()
        pipeline.save_pretrained(tmp_path / "made" / name)
        pipeline.save_pretrained(tmp_path / name)
    for weights in (tmp_path / name).rglob("*.safetensors"):
        weights.unlink()
    checkpoint_file.save(pipeline, tmp_path / f"{name}.safetensors")
    return tmp_path / f"{name}.safetensors"


def test_a_file_paints_what_its_folder_paints(file: Path) -> None:
    ours, made = load(file), load(file.parent / "made" / file.stem)
    assert ours.card == replace(made.card, source=str(file))
    theirs = made.network.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in ours.network.state_dict().items())
    assert (generate(ours, PROMPT, **OPTIONS) - generate(made, PROMPT, **OPTIONS)).abs().max() < 1e-5
    offer = described(file)
    assert (offer.name, offer.family, offer.source) == (file.stem, ours.card.family, str(file))
    assert (offer.area, offer.multiple, offer.steps) == (ours.card.area, ours.card.multiple, ours.card.steps)


def test_a_file_that_lacks_a_tensor_is_refused(file: Path) -> None:
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("attn2.to_k.weight"))
    save_file({key: weight for key, weight in tensors.items() if key != name}, file)
    with pytest.raises(WeightsError, match=f"its network is not whole, for it lacks {name}"):
        load(file)


def test_a_torn_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"torn or no safetensors"):
        load(file)


def sampled(kind: dict) -> dict[str, torch.Tensor]:
    """A tensor as that kind has, in the size that tells it."""
    shape = [1, 1]
    if "size" in kind:
        shape[kind["axis"]] = kind["size"]
    named = (kind["tensor"], *kind.get("also", ())[:1])
    return {name.replace("*", "x").replace("[gl]", "g"): torch.zeros(shape) for name in named}


@pytest.mark.parametrize("kind", CATALOGUE["files"], ids=range(len(CATALOGUE["files"])))
def test_every_kind_of_file_is_told_by_both_readers(kind: dict, tmp_path: Path) -> None:
    file = tmp_path / "some.safetensors"
    save_file(sampled(kind), file)
    if "families" in kind:
        words = f"{kind['is']}, and needs the text encoders"
        with pytest.raises(WeightsError, match=words):
            load(file)
        with pytest.raises(NotAModel, match=words):
            described(file)
    elif "pipeline" in kind:
        shapes = whole(list(kind["configurations"])[-1])
        card, offer = read_card(tensors_file(file, shapes)), described(file)
        assert CATALOGUE["families"][card.family]["pipeline"] == kind["pipeline"]
        assert (offer.family, offer.area, offer.multiple) == (card.family, card.area, card.multiple)
        tensors_file(file, dict(list(shapes.items())[1:]))
        for refused in (load, described):
            with pytest.raises((WeightsError, NotAModel), match=f"is not whole, for it lacks {next(iter(shapes))}"):
                refused(file)
    else:
        for refused in (load, described):
            with pytest.raises((WeightsError, NotAModel), match=re.escape(kind["is"])):
                refused(file)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0[]"]
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "some.safetensors"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"torn or no safetensors|no checkpoint that Maquette knows"):
        load(file)
    with pytest.raises(NotAModel):
        described(file)


def test_pickles_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "some.ckpt").write_bytes(b"\x80\x04N.")
    with pytest.raises(WeightsError, match="neither a folder"):
        load(tmp_path / "some.ckpt")
    with pytest.raises(NotAModel, match="no folder"):
        described(tmp_path / "some.ckpt")


def test_the_tokenizer_that_ships_is_clips() -> None:
    tokenizer = clip_tokenizer()
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert clip_tokenizer("!").pad_token_id == 0


def test_the_configurations_that_ship_are_the_real_ones() -> None:
    """As many weights as the models that were published have."""
    import diffusers
    import transformers

    counts = {}
    with torch.device("meta"):
        for path in sorted(CONFIGURATIONS.glob("*/*/config.json")):
            config = json.loads(path.read_text("utf-8"))
            if name := config.get("_class_name"):
                network = getattr(diffusers, name).from_config(config)
            else:
                kind = getattr(transformers, config["architectures"][0])
                network = kind(kind.config_class(**config))
            counts[f"{path.parts[-3]}/{path.parts[-2]}"] = sum(weight.numel() for weight in network.parameters())
    assert counts == {
        "stable-diffusion-1/text_encoder": 123_060_480,
        "stable-diffusion-1/unet": 859_520_964,
        "stable-diffusion-1/vae": 83_653_863,
        "stable-diffusion-2/text_encoder": 340_387_840,
        "stable-diffusion-2/unet": 865_910_724,
        "stable-diffusion-2/vae": 83_653_863,
        "stable-diffusion-2-base/text_encoder": 340_387_840,
        "stable-diffusion-2-base/unet": 865_910_724,
        "stable-diffusion-2-base/vae": 83_653_863,
        "stable-diffusion-xl/text_encoder": 123_060_480,
        "stable-diffusion-xl/text_encoder_2": 694_659_840,
        "stable-diffusion-xl/unet": 2_567_463_684,
        "stable-diffusion-xl/vae": 83_653_863,
    }
