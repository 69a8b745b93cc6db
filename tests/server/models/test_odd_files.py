# SPDX-License-Identifier: MIT
"""Files that artists have beside their checkpoints: each is listed with what it is, and what to do with it."""

import json
import os
import shutil
import struct
import threading
from pathlib import Path

import pytest

from server.models.library import ModelLibrary
from tests.server.models.model_files import CHECKPOINT, tensors_file

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
ON_TOP = "which goes on top of a model, and is not read yet."
ALONE = "which cannot paint without its text encoders and autoencoder"
WORDLESS = "which does not paint from words by itself."

NAMED = {
    "dora": (["lora_unet_x.lora_down.weight", "lora_unet_x.dora_scale"], f"It is a DoRA, {ON_TOP}"),
    "loha": (["lora_unet_x.hada_w1_a"], f"It is a LyCORIS network, {ON_TOP}"),
    "lokr": (["lora_unet_x.lokr_w1"], f"It is a LyCORIS network, {ON_TOP}"),
    "old lora": (["unet.x.processor.to_q_lora.down.weight"], "It is a LoRA, which goes on top of a model: put it"),
    "peft": (["base_model.model.x.lora_A.weight"], "It is a LoRA, which goes on top of a model: put it"),
    "t2i": (["adapter.body.0.x"], f"It is a T2I-Adapter, {WORDLESS}"),
    "refiner": (
        ["conditioner.embedders.0.model.transformer.resblocks.0.x"],
        "It is the refiner of Stable Diffusion XL",
    ),
    "unclip": ([*CHECKPOINT, "embedder.model.visual.x"], f"It is a model that varies a picture, {WORDLESS}"),
    "unet alone": (["model.diffusion_model.x"], f"It is a network without its text encoder, {ALONE}"),
    "part of a folder": (["down_blocks.0.resnets.0.x"], f"It is a network without the rest of its folder, {ALONE}"),
    "clip": (["text_model.encoder.layers.0.x"], f"It is a text encoder, {WORDLESS}"),
    "t5": (["encoder.block.0.layer.0.x"], f"It is a text encoder, {WORDLESS}"),
    "vae": (
        ["decoder.up_blocks.0.x"],
        "It is an autoencoder, which goes on top of a model: put it into a folder of VAEs.",
    ),
    "embedding": (["emb_params"], "It is an embedding, which is words for a prompt, and is not read yet."),
    "ip": (["ip_adapter.1.to_k_ip.weight"], f"It is an IP-Adapter, {WORDLESS}"),
    "scaled": ([*CHECKPOINT, "model.diffusion_model.x.scale_weight"], "Its weights are quantised in a way that is not"),
}


def shown(*folders: Path) -> dict[str, str]:
    """What the list says is amiss with each file, by its own name."""
    library = ModelLibrary(folders, None, ())
    library.look()
    return {Path(file.path).name.removesuffix(".safetensors"): file.trouble for file in library.listing().files}


@pytest.mark.parametrize("name", NAMED)
def test_it_is_listed_as_what_it_is(tmp_path: Path, name: str) -> None:
    names, words = NAMED[name]
    tensors_file(tmp_path / f"{name}.safetensors", names)
    assert shown(tmp_path)[name].startswith(words)


@pytest.mark.parametrize(
    ("channels", "words"),
    [(9, "a model for inpainting"), (8, "edits by instruction"), (5, "edges or depth"), (7, "an upscaler")],
)
def test_a_network_that_takes_more_than_latents_is_named(tmp_path: Path, channels: int, words: str) -> None:
    header: dict[str, object] = {
        FIRST: {"dtype": "F16", "shape": [1, channels, 1, 1], "data_offsets": [0, 2 * channels]}
    }
    for i, name in enumerate(CHECKPOINT):
        at = 2 * channels + 4 * i
        header[name] = {"dtype": "F16", "shape": [2], "data_offsets": [at, at + 4]}
    text = json.dumps(header).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(2 * channels + 12))
    assert words in shown(tmp_path)["a"]


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "BF16", "F32", "F16"])
@pytest.mark.parametrize("extra", [(), ("model_ema.x", "model_ema.decay"), ("v_pred", "ztsnr")])
def test_whatever_its_numbers_and_what_lies_beside_them_it_is_offered(
    tmp_path: Path, dtype: str, extra: tuple[str, ...]
) -> None:
    tensors_file(tmp_path / "a.safetensors", [*CHECKPOINT, *extra], dtype=dtype)
    assert shown(tmp_path) == {"a": ""}


def test_tensors_that_lie_on_each_other_are_told_before_anybody_loads_them(tmp_path: Path) -> None:
    header = {name: {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]} for name in CHECKPOINT}
    text = json.dumps(header).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert "lies where it cannot: it is damaged; get it again." in shown(tmp_path)["a"]


def test_names_in_any_script_and_of_one_name_in_capitals_are_told_apart(tmp_path: Path) -> None:
    for name in ("夢の絵", "Größe – 2", "dreamer", "Dreamer", "sub/dreamer", "emoji 🎨"):
        tensors_file(tmp_path / f"{name}.safetensors")
    library = ModelLibrary([tmp_path], None, ())
    library.look()
    names = [model.name for model in library.offers]
    assert len(names) == len(set(names)) == 6 and {"夢の絵", "Größe – 2", "emoji 🎨"} <= set(names)


def test_a_folder_in_which_files_come_and_go_is_read_all_the_same(tmp_path: Path) -> None:
    """While another program writes, renames and deletes: no look fails, and the last one knows what is left."""
    stay, end = tensors_file(tmp_path / "stay.safetensors"), threading.Event()

    def work() -> None:
        while not end.is_set():
            for number in range(5):
                part = tensors_file(tmp_path / f"{number}.safetensors.part")
                part.rename(tmp_path / f"{number}.safetensors")
                shutil.copytree(tmp_path / "kept", tmp_path / "sub" / str(number), dirs_exist_ok=True)
            shutil.rmtree(tmp_path / "sub")
            for number in range(5):
                os.unlink(tmp_path / f"{number}.safetensors")

    tensors_file(tmp_path / "kept" / "other.safetensors")
    library, thread = ModelLibrary([tmp_path], None, ()), threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(30):
            library.look()
            assert "stay" in [model.name for model in library.offers]
    finally:
        end.set()
        thread.join()
    library.look()
    assert sorted(Path(model.source) for model in library.offers) == [tmp_path / "kept" / "other.safetensors", stay]
