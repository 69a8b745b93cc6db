# SPDX-License-Identifier: MIT
"""What goes on top of a model, as the server finds it: by kind and base, by names of its own, and why not."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from addon.protocol.answers import AdapterInfo
from addon.protocol.blockout import AdapterFile, ControlNet, LoraFile
from server import adapters
from server.adapters import AdapterCatalogue
from server.catalogue import described
from server.problems import ChangedAdapter, NoAdapter, UnfitAdapter
from tests.server import adapter_files
from tests.server.serving import blockout
from weight_files.fingerprint import with_configuration


def shapes(*names: str, size: tuple[int, ...] = (4, 4)) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(size) for name in names}


def kohya(layer: str, width: int = 4) -> dict[str, torch.Tensor]:
    return {f"{layer}.lora_down.weight": torch.zeros(2, width), f"{layer}.lora_up.weight": torch.zeros(4, 2)}


TO_K = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
HINT = ("controlnet_cond_embedding.conv_in.weight", "controlnet_mid_block.weight")
HEARS = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
FILES: dict[str, tuple[dict[str, torch.Tensor], str, tuple[str, ...], str]] = {
    "sd 1": (kohya(TO_K, 768), "lora", ("stable-diffusion-1",), ""),
    "sd 2": (kohya(TO_K, 1024), "lora", ("stable-diffusion-2",), ""),
    "xl": (kohya(TO_K, 2048), "lora", ("stable-diffusion-xl",), ""),
    "xl by its second encoder": (
        kohya("lora_te2_text_model_encoder_layers_0_mlp_fc1") | kohya("lora_unet_mid_block_x"),
        "lora",
        ("stable-diffusion-xl",),
        "",
    ),
    "diffusers": (
        shapes("unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight"),
        "lora",
        ("stable-diffusion-1",),
        "",
    ),
    "flux": (
        kohya("lora_unet_double_blocks_0_img_attn_qkv"),
        "lora",
        ("flux-1", "flux-2-dev", "flux-2-klein", "chroma"),
        "",
    ),
    "z-image": (shapes("diffusion_model.layers.0.attention.to_q.lora_A.weight"), "lora", ("z-image",), ""),
    "qwen": (shapes("transformer.transformer_blocks.0.img_mlp.x.lora_A.weight"), "lora", ("qwen-image",), ""),
    "of something new": (shapes("prior.blocks.0.to_q.lora_A.weight"), "lora", (), ""),
    "earlier": (
        shapes("unet.mid_block.x.attn2.processor.to_k_lora.down.weight", size=(4, 2048)),
        "lora",
        ("stable-diffusion-xl",),
        "",
    ),
    "words": (shapes("text_encoder.x.lora_linear_layer.down.weight"), "lora", ("stable-diffusion-1",), ""),
    "oft": (shapes("lora_unet_x.oft_blocks"), "lora", ("stable-diffusion-1",), "it is an OFT"),
    "loha": (shapes("lora_unet_mid_block_x.hada_w1_a"), "lora", ("stable-diffusion-1",), "it is a LoHa"),
    "dora": (kohya(TO_K, 768) | shapes(f"{TO_K}.dora_scale"), "lora", ("stable-diffusion-1",), "it is a DoRA"),
    "mse": (
        shapes("decoder.conv_in.weight", size=(8, 4, 3, 3)),
        "vae",
        ("stable-diffusion-1", "stable-diffusion-2", "stable-diffusion-xl"),
        "",
    ),
    "sdxl_vae": (shapes("decoder.conv_in.weight", size=(8, 4, 3, 3)), "vae", ("stable-diffusion-xl",), ""),
    "depth": (shapes(*HINT) | shapes(HEARS, size=(4, 768)), "controlnet", ("stable-diffusion-1",), ""),
    "canny xl": (shapes(*HINT) | shapes(HEARS, size=(4, 2048)), "controlnet", ("stable-diffusion-xl",), ""),
    "first code": (
        shapes("control_model.input_hint_block.0.weight")
        | shapes("control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", size=(4, 1024)),
        "controlnet",
        ("stable-diffusion-2",),
        "",
    ),
    "deaf": (shapes(*HINT), "controlnet", (), ""),
    "union": (shapes(*HINT, "task_embedding"), "controlnet", (), "it is a ControlNet of several kinds at once"),
    "control lora": (shapes("lora_controlnet"), "controlnet", (), "it is a ControlNet in a LoRA's form"),
    "sixteen": (
        shapes("decoder.conv_in.weight", size=(8, 16, 3, 3)),
        "vae",
        ("flux-1", "stable-diffusion-3", "z-image", "chroma"),
        "",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_header_tells_what_a_file_is_made_for(tmp_path: Path, name: str) -> None:
    tensors, kind, bases, trouble = FILES[name]
    save_file(tensors, tmp_path / f"{name}.safetensors", {"ss_base_model_version": "anything"})
    (adapter,) = AdapterCatalogue([tmp_path]).all()
    info = adapter.info
    assert (info.kind, info.name, info.bases) == (kind, name, bases)
    assert info.trouble.startswith(trouble) and bool(info.trouble) == bool(trouble)
    assert info.bytes == adapter.file.stat().st_size and info.sha256 == ""


def test_what_is_neither_is_not_offered_and_what_is_torn_or_pickled_says_so(tmp_path: Path) -> None:
    save_file(shapes("model.diffusion_model.x"), tmp_path / "checkpoint.safetensors")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "torn.safetensors").write_bytes(b"\x00")
    (tmp_path / "old.pt").write_bytes(pickle.dumps({"x": 1}))
    save_file(kohya(TO_K), os.fsdecode(bytes(tmp_path / "name") + b"\xff.safetensors"))
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "gone")
    catalogue = AdapterCatalogue([tmp_path, tmp_path / "nowhere"])
    assert {a.info.name: a.info.trouble.partition(";")[0] for a in catalogue.all()} == {
        "torn": "it is no safetensors file, whatever it is called",
        "old": "it is pickled, and could run anything when it is opened",
    }
    save_file(kohya(TO_K), tmp_path / "broken.safetensors")
    os.truncate(tmp_path / "broken.safetensors", (tmp_path / "broken.safetensors").stat().st_size - 5)
    (broken,) = (adapter.info for adapter in catalogue.all() if adapter.info.name == "broken")
    assert broken.trouble.startswith("5 bytes of") and "the download broke off" in broken.trouble
    with pytest.raises(UnfitAdapter, match="“old” is of no use: it is pickled"):
        catalogue.find("lora", "old")


def test_a_name_cut_within_a_letter_can_be_said(tmp_path: Path) -> None:
    table = json.dumps({"x\ud83d": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}).encode()
    (tmp_path / "odd.safetensors").write_bytes(len(table).to_bytes(8, "little") + table + bytes(8))
    (odd,) = AdapterCatalogue([tmp_path]).all()
    assert odd.info.trouble and odd.info.trouble.encode()


def test_names_are_unique_and_reach_as_far_up_as_they_must(tmp_path: Path) -> None:
    for path in ("a/ink", "b/ink", "a/c/wash", "a/d/c/wash", "alone"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        save_file(kohya(TO_K), tmp_path / f"{path}.safetensors")
    catalogue = AdapterCatalogue([tmp_path, tmp_path / "a"])  # each file once, whichever way it is found
    names = {adapter.info.name: adapter.file for adapter in catalogue.all()}
    assert set(names) == {"a/ink", "b/ink", "a/c/wash", "d/c/wash", "alone"}
    assert catalogue.find("lora", "d/c/wash").file == tmp_path / "a" / "d" / "c" / "wash.safetensors"


def test_beside_a_model_are_its_loras_and_not_its_parts(tmp_path: Path) -> None:
    pipeline = adapter_files.checkpoint(tmp_path)
    model = described(tmp_path / "mine.safetensors")
    adapter_files.lora(pipeline.unet, tmp_path / "loras" / "deep" / "ink.safetensors")
    adapter_files.lora(pipeline.unet, tmp_path / "beside.safetensors", kohya=False)
    adapter_files.autoencoder(pipeline.vae, tmp_path / "VAE" / "other.safetensors")
    (tmp_path / "old.ckpt").write_bytes(b"x")  # a checkpoint of somebody's, and no business of ours
    infos = [adapter.info for adapter in AdapterCatalogue([], [model]).all()]
    assert [(info.kind, info.name) for info in infos] == [("lora", "beside"), ("lora", "ink"), ("vae", "other")]
    assert all(model.base in info.bases for info in infos)


def test_a_sum_is_made_once_and_anew_when_the_file_is(tmp_path: Path) -> None:
    file, sums = tmp_path / "ink.safetensors", tmp_path / "checksums.json"
    save_file(kohya(TO_K), file)
    catalogue = AdapterCatalogue([tmp_path], checksums=sums)

    def known(catalogue: AdapterCatalogue) -> AdapterInfo:
        return catalogue.described(catalogue.find("lora", "ink"))

    first = known(catalogue)
    assert first.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert catalogue.all()[0].info == AdapterCatalogue([tmp_path], checksums=sums).all()[0].info == first
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"\x01")
    os.utime(file, ns=(1, 1))
    assert catalogue.all()[0].info.sha256 == ""
    assert known(catalogue).sha256 == hashlib.sha256(file.read_bytes()).hexdigest() != first.sha256
    sums.write_text("[1, 2")
    assert AdapterCatalogue([tmp_path], checksums=sums).all()[0].info.sha256 == ""


def test_who_asks_for_a_sum_that_is_being_made_waits_for_it(tmp_path: Path, monkeypatch) -> None:
    save_file(kohya(TO_K), tmp_path / "ink.safetensors")
    catalogue, made = AdapterCatalogue([tmp_path]), []

    def slowly(path: Path) -> str:
        made.append(path)
        time.sleep(0.3)
        return "0" * 64

    monkeypatch.setattr(adapters, "content_sha256", slowly)
    ink = catalogue.find("lora", "ink")
    with ThreadPoolExecutor(4) as threads:
        assert {info.sha256 for info in threads.map(catalogue.described, [ink] * 4)} == {"0" * 64}
    assert len(made) == 1


def test_a_request_is_pinned_or_refused_by_name(tmp_path: Path) -> None:
    save_file(kohya(TO_K, 2048), tmp_path / "ink.safetensors")
    save_file(kohya(TO_K, 768), tmp_path / "wash.safetensors")
    save_file(shapes("decoder.conv_in.weight", size=(8, 4, 3, 3)), tmp_path / "other.safetensors")
    catalogue = AdapterCatalogue([tmp_path])
    model = replace(described("toybox"), name="xl", base="stable-diffusion-xl")
    asked = blockout(loras=(LoraFile(name="ink", weight=0.8),), vae=AdapterFile(name="other"))
    pinned = catalogue.pinned(asked, model)
    assert pinned.loras[0].sha256 == hashlib.sha256((tmp_path / "ink.safetensors").read_bytes()).hexdigest()
    assert pinned.vae is not None and len(pinned.vae.sha256) == 64
    assert catalogue.pinned(pinned, model) == pinned and catalogue.pinned(blockout(), model) == blockout()
    for loras, refusal, sentence in (
        (LoraFile(name="gone"), NoAdapter, "no LoRA “gone” here; there is ink, wash"),
        (LoraFile(name="wash"), UnfitAdapter, "“wash” is made for stable-diffusion-1, and xl is stable-diffusion-xl"),
        (LoraFile(name="ink", sha256="0" * 64), ChangedAdapter, "“ink” is another file"),
    ):
        with pytest.raises(refusal, match=sentence):
            catalogue.pinned(replace(asked, loras=(loras,)), model)
    with pytest.raises(UnfitAdapter, match="“ink” cannot be added to the quantised weights of xl: choose that"):
        catalogue.pinned(asked, replace(model, source="/models/xl-Q4_K_M.gguf"))


def test_a_controlnet_is_pinned_by_its_folder_s_name_and_what_is_made_for_another_model_refused(tmp_path: Path) -> None:
    for name, width in (("depth-15", 768), ("depth-xl", 2048)):
        (tmp_path / "controlnet" / name).mkdir(parents=True)
        save_file(
            shapes(*HINT) | shapes(HEARS, size=(4, width)),
            tmp_path / "controlnet" / name / "diffusion_pytorch_model.safetensors",
        )
    model = replace(described("toybox"), base="stable-diffusion-1")
    asked = blockout(control=ControlNet(name="depth-15", scale=0.5))
    catalogue = AdapterCatalogue([tmp_path])
    pinned = catalogue.pinned(asked, model)
    assert pinned.control is not None and len(pinned.control.sha256) == 64 and pinned.control.scale == 0.5
    file = tmp_path / "controlnet" / "depth-15" / "diffusion_pytorch_model.safetensors"
    assert catalogue.setup(pinned).control == (
        AdapterFile(name="depth-15", sha256=pinned.control.sha256),
        file.resolve(),
    )
    assert AdapterCatalogue([tmp_path]).pinned(pinned, model) == pinned
    with pytest.raises(UnfitAdapter, match="“depth-xl” is made for stable-diffusion-xl"):
        catalogue.pinned(blockout(control=ControlNet(name="depth-xl")), model)
    with pytest.raises(NoAdapter, match="There is no ControlNet “edges” here; there is depth-15, depth-xl"):
        catalogue.pinned(blockout(control=ControlNet(name="edges")), model)
    with pytest.raises(ChangedAdapter, match="“depth-15” is another file"):
        catalogue.pinned(blockout(control=ControlNet(name="depth-15", sha256="0" * 64)), model)


def test_a_controlnet_behind_a_link_keeps_its_configuration_and_its_folder_s_name(tmp_path: Path) -> None:
    """As a hub's cache has both: the content is called by its sum."""
    blobs, folder = tmp_path / "blobs", tmp_path / "snapshot" / "depth"
    blobs.mkdir()
    folder.mkdir(parents=True)
    save_file(shapes(*HINT) | shapes(HEARS, size=(4, 768)), blobs / "0a1b")
    (blobs / "2c3d").write_text("{}")
    for name, content in (("diffusion_pytorch_model.safetensors", "0a1b"), ("config.json", "2c3d")):
        (folder / name).symlink_to(blobs / content)
    (adapter,) = AdapterCatalogue([folder.parent, folder]).all()
    assert (adapter.info.name, adapter.file) == ("depth", folder / "diffusion_pytorch_model.safetensors")
    assert with_configuration(adapter.file) == (adapter.file, folder / "config.json")


def test_what_was_pinned_is_known_by_its_sum_when_a_namesake_comes(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    save_file(kohya(TO_K, 768), tmp_path / "b" / "ink.safetensors")
    model, asked = replace(described("toybox"), base="stable-diffusion-1"), blockout(loras=(LoraFile(name="ink"),))
    pinned = AdapterCatalogue([tmp_path]).pinned(asked, model)
    save_file(kohya(TO_K, 1024), tmp_path / "a" / "ink.safetensors")
    ((_, file),) = AdapterCatalogue([tmp_path]).setup(pinned).loras
    assert file == (tmp_path / "b" / "ink.safetensors").resolve()
    file.unlink()
    ((_, other),) = AdapterCatalogue([tmp_path]).setup(pinned).loras
    assert other == (tmp_path / "a" / "ink.safetensors").resolve(), "who loads it says that it is another"


def test_the_catalogue_needs_no_torch() -> None:
    program = "import sys; import server.adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "sg_core", "diffusers"} & {name.partition(".")[0] for name in done.stdout.split()}
