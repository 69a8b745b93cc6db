# SPDX-License-Identifier: MIT
"""A folder is a stranger: tricks that public reports tell of, each played on the real loader."""

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sg_core import NotFinite, WeightsError, generate, load
from sg_core.models.stable_diffusion_1 import StableDiffusion1

TEXT, UNET = "text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors"
NAMES = {TEXT: "text_encoder/model.safetensors.index.json", UNET: f"{UNET}.index.json"}


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}))


def header(document: Any, data: bytes = b"") -> bytes:
    """A safetensors file of this header."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack("<Q", len(text)) + text + data


def evil(folder: Path) -> bytes:
    return pickle.dumps(Touch(folder / "ran"))


def indexed(folder: Path, weights: str, name: str) -> None:
    """Its weights are gone, and an index names another file for them."""
    (folder / weights).rename((folder / weights).with_name("z.safetensors"))
    (folder / NAMES[weights]).write_text(json.dumps({"metadata": {}, "weight_map": {"x": name}}))


def pickled_by_index(folder: Path, weights: str) -> None:
    (folder / weights).with_name("evil.dat").write_bytes(evil(folder))
    indexed(folder, weights, "evil.dat")


def led_out(folder: Path, weights: str) -> None:
    shutil.copyfile(folder / weights, folder.parent / "out.safetensors")
    indexed(folder, weights, "../../out.safetensors")


def linked(folder: Path, target: str) -> None:
    (folder / TEXT).unlink()
    os.symlink(target, folder / TEXT)


def piped(folder: Path, file: str) -> None:
    (folder / file).unlink(missing_ok=True)
    os.mkfifo(folder / file)


def rewritten(folder: Path, weights: str, make: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(make(load_file(folder / weights)), folder / weights)


def without_last(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return dict(list(tensors.items())[:-1])


def spoilt(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    first = next(iter(tensors))
    return tensors | {first: torch.full_like(tensors[first], float("nan"))}


def larger(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    first = next(iter(tensors))
    return tensors | {first: torch.zeros(*tensors[first].shape, 2)}


HUGE = {"x": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}
NEGATIVE = {"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}
OTHER = {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
CODE = {"auto_map": {"AutoModel": "theirs.Model"}}
KERNEL = {"_attn_implementation": "evil/kernel"}
EIGHT_BITS = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}
TOKENS = "tokenizer/tokenizer_config.json"

REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "index names a pickle": (lambda d: pickled_by_index(d, TEXT), "evil.dat': only safetensors"),
    "unet's index names a pickle": (lambda d: pickled_by_index(d, UNET), "evil.dat': only safetensors"),
    "index leads out": (lambda d: led_out(d, TEXT), "out.safetensors': only safetensors of its own"),
    "unet's index leads out": (lambda d: led_out(d, UNET), "out.safetensors': only safetensors of its own"),
    "index is a list": (lambda d: (indexed(d, TEXT, "x"), (d / NAMES[TEXT]).write_text("[]")), "must hold an object"),
    "pickle with a good name": (lambda d: (d / TEXT).write_bytes(evil(d)), "torn or no safetensors"),
    "code": (lambda d: change(d / "unet/config.json", **CODE), "asks for auto_map"),
    "code for the tokenizer": (lambda d: change(d / TOKENS, **CODE), "asks for auto_map"),
    "other pipeline": (lambda d: change(d / "model_index.json", _class_name=["theirs", "Pipe"]), "made for"),
    "adapter": (lambda d: (d / "text_encoder/adapter_config.json").write_text("{}"), "adapter_config.json is not ours"),
    "quantised": (lambda d: change(d / "text_encoder/config.json", **EIGHT_BITS), "asks for quantization_config"),
    "quantised unet": (lambda d: change(d / "unet/config.json", **EIGHT_BITS), "asks for quantization_config"),
    "kernel": (lambda d: change(d / "text_encoder/config.json", **KERNEL), "asks for _attn_implementation"),
    "torn": (lambda d: (d / TEXT).write_bytes((d / TEXT).read_bytes()[:5000]), "torn or no safetensors"),
    "empty": (lambda d: (d / TEXT).write_bytes(b""), "torn or no safetensors"),
    "endless header": (lambda d: (d / TEXT).write_bytes(struct.pack("<Q", 2**60) + b"{}"), "torn or no safetensors"),
    "beyond the file": (lambda d: (d / TEXT).write_bytes(header(HUGE, b"x")), "torn or no safetensors"),
    "negative": (lambda d: (d / TEXT).write_bytes(header(NEGATIVE, b"1234")), "torn or no safetensors"),
    "no tensors": (lambda d: (d / TEXT).write_bytes(header({})), "no weights"),
    "other tensors": (lambda d: (d / TEXT).write_bytes(header(OTHER, b"1234")), "do not belong together"),
    "one tensor is missing": (lambda d: rewritten(d, TEXT, without_last), "lacks .*: the file is not whole"),
    "unet lacks one": (lambda d: rewritten(d, UNET, without_last), "lacks|cannot be read"),
    "another size": (lambda d: rewritten(d, UNET, larger), "another size|cannot be read"),
    "not a number": (lambda d: rewritten(d, TEXT, spoilt), "holds numbers that are none"),
    "unet is not a number": (lambda d: rewritten(d, UNET, spoilt), "holds numbers that are none"),
    "deep": (lambda d: (d / "unet/config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000), "cannot be read"),
    "list": (lambda d: (d / "unet/config.json").write_text("[]"), "cannot be read"),
    "giant": (lambda d: change(d / "unet/config.json", block_out_channels=[2**14, 2**14]), "do not belong together"),
    "giant words": (lambda d: change(d / "text_encoder/config.json", vocab_size=2**33), "do not belong together"),
    "no schedule": (lambda d: change(d / "scheduler/scheduler_config.json", num_train_timesteps=0), "noise schedule"),
    "odd schedule": (lambda d: change(d / "scheduler/scheduler_config.json", beta_start="x"), "noise schedule"),
    "link to a device": (lambda d: linked(d, "/dev/zero"), "no safetensors"),
    "pipe for weights": (lambda d: piped(d, TEXT), "no safetensors"),
    "pipe for words": (lambda d: piped(d, "tokenizer/special_tokens_map.json"), "not ours to open"),
    "pipe for a configuration": (lambda d: piped(d, "scheduler/scheduler_config.json"), "no plain file"),
    "only a pickle": (
        lambda d: (d / UNET).rename(d / "unet/diffusion_pytorch_model.bin").write_bytes(evil(d)),
        "has no safetensors",
    ),
    "noise of another kind": (
        lambda d: change(d / "scheduler/scheduler_config.json", _class_name="EDMEulerScheduler"),
        "EDM's kind",
    ),
    "noise for words": (lambda d: (d / "tokenizer/tokenizer.json").write_bytes(b"\x00\xff"), "cannot be read"),
}


@pytest.mark.parametrize("trick", REFUSED)
def test_a_trick_is_refused_in_a_sentence_and_runs_nothing(copy: Path, trick: str) -> None:
    play, sentence = REFUSED[trick]
    play(copy)
    with pytest.raises(WeightsError, match=sentence):
        load(copy)
    assert not (copy / "ran").exists()


@pytest.mark.parametrize("half", ["unet", "text_encoder", "vae"])
def test_files_in_half_precision_alone_are_read(copy: Path, half: str) -> None:
    (file,) = (copy / half).glob("*.safetensors")
    file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    assert load(copy).network.dtype == torch.float32


def test_shards_are_read(model: StableDiffusion1, copy: Path) -> None:
    (copy / UNET).unlink()
    model.network.save_pretrained(copy / "unet", max_shard_size="50kB")
    assert len(list((copy / "unet").glob("*.safetensors"))) > 1
    loaded = load(copy).network.state_dict()
    assert all(torch.equal(weight, loaded[name]) for name, weight in model.network.state_dict().items())


@pytest.mark.parametrize("length", [None, 77, 10**30])
def test_a_tokenizer_reads_no_further_than_its_encoder(copy: Path, length: int | None) -> None:
    change(copy / TOKENS, model_max_length=length)
    options = {"width": 64, "height": 64, "steps": 2}
    assert load(copy).tokenizer.model_max_length == 16
    assert generate(load(copy), "a castle", **options).isfinite().all()


@pytest.mark.parametrize("part", ["network", "autoencoder"])
def test_numbers_that_are_none_never_become_a_picture(model: StableDiffusion1, part: str) -> None:
    """Weights may be finite, and what they give not: too large for half precision, say."""
    weight = list(getattr(model, part).parameters())[-1]
    weight.data.fill_(float("inf"))
    with pytest.raises(NotFinite, match="tiny gave numbers that are none"):
        generate(model, "a castle", width=64, height=64, steps=2)
