# SPDX-License-Identifier: MIT
"""Files that artists have beside their checkpoints: each is listed with what it is, and what to do with it."""

import json
import os
import re
import shutil
import struct
import threading
from pathlib import Path

import pytest

from server.models.library import ModelLibrary
from tests.server.models.model_files import CHECKPOINT, tensors_file, whole

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
    "cosxl": ([*CHECKPOINT, "edm_vpred.sigma_max"], "It is CosXL, which is made for noise of EDM's kind, which"),
    "playground": ([*CHECKPOINT, "edm_mean"], "It is Playground 2.5, which is made for noise of EDM's kind, which"),
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
    tensors_file(tmp_path / "a.safetensors", {**CHECKPOINT, FIRST: (1, channels, 1, 1)})
    assert words in shown(tmp_path)["a"]


def test_a_licence_cut_within_a_letter_can_be_said(tmp_path: Path) -> None:
    tensors_file(tmp_path / "a.safetensors", modelspec__license="CC \ud83d")
    library = ModelLibrary((tmp_path,), None, ())
    library.look()
    (offer,) = library.offers
    assert offer.licence.startswith("CC ") and offer.licence.encode()


DEEP = re.compile(r"(input|output|middle)_block.*transformer_blocks\.[4-9]\.")
TOWER = "conditioner.embedders.1.model."
LARGE = whole("stable-diffusion-xl")
KIN = {
    "a kin with fewer layers": (
        {name: shape for name, shape in LARGE.items() if not DEEP.search(name)},
        "Its network is smaller than Stable Diffusion XL's, as those of SSD-1B, Segmind-Vega and KOALA are: get",
    ),
    "a kin with narrower ones": (
        {n: (shape[0] // 2, *shape[1:]) if n.startswith("model.") else shape for n, shape in CHECKPOINT.items()},
        "Its network is smaller than Stable Diffusion 1.5's, as those of BK-SDM, Small-SD and Tiny-SD are:",
    ),
    "one layer is gone": (
        {name: shape for name, shape in CHECKPOINT.items() if not name.startswith("model.diffusion_model.out.2.")},
        "Its network is not whole, for it lacks model.diffusion_model.out.2.weight and 1 more: get the whole",
    ),
    "one encoder of two": (
        {name: shape for name, shape in LARGE.items() if "embedders.0" not in name},
        "It lacks its text encoder: get the whole checkpoint.",
    ),
    "half an encoder": (
        {name: shape for name, shape in LARGE.items() if not name.startswith(f"{TOWER}transformer.resblocks.3")},
        f"Its second text encoder is not whole, for it lacks {TOWER}transformer.resblocks.3",
    ),
    "an autoencoder of more channels": (
        {**CHECKPOINT, "first_stage_model.post_quant_conv.weight": (16, 16, 1, 1)},
        "Its autoencoder (VAE) is of another kind than its family's: first_stage_model.post_quant_conv.weight",
    ),
}


@pytest.mark.parametrize("name", KIN)
def test_what_would_fail_when_it_is_loaded_is_told_by_its_header(tmp_path: Path, name: str) -> None:
    shapes, words = KIN[name]
    tensors_file(tmp_path / "a.safetensors", shapes)
    assert shown(tmp_path)["a"].startswith(words)


@pytest.mark.parametrize("family", ["stable-diffusion-1", "stable-diffusion-2", "stable-diffusion-xl"])
def test_whole_checkpoints_are_offered(tmp_path: Path, family: str) -> None:
    """With attention in an autoencoder as any of three kinds of layers, and CLIP without its wrapping."""
    shapes = whole(family)
    tensors_file(tmp_path / "a.safetensors", shapes)
    flat = {name: shape[: 2 if "mid.attn_1" in name else None] for name, shape in shapes.items()}
    tensors_file(tmp_path / "b.safetensors", {name.replace("text_model.", ""): shape for name, shape in flat.items()})
    assert shown(tmp_path) == {"a": "", "b": ""}


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
                part, folder = tmp_path / f"{number}.safetensors.part", tmp_path / "sub" / str(number)
                os.link(kept, part)
                part.rename(tmp_path / f"{number}.safetensors")
                folder.mkdir(parents=True)
                os.link(kept, folder / "other.safetensors")
            shutil.rmtree(tmp_path / "sub")
            for number in range(5):
                os.unlink(tmp_path / f"{number}.safetensors")

    kept = tensors_file(tmp_path / "kept" / "other.safetensors")
    library, thread = ModelLibrary([tmp_path], None, ()), threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            library.look()
            assert "stay" in [model.name for model in library.offers]
    finally:
        end.set()
        thread.join()
    library.look()
    assert sorted(Path(model.source) for model in library.offers) == [kept, stay]
