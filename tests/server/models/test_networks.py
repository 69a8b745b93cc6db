# SPDX-License-Identifier: MIT
"""Networks alone in their files are offered once some folder of their family gives them what they lack."""

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from server import catalogue
from server.catalogue import offered
from server.models import verdicts
from server.models.library import ModelLibrary
from server.worker.engine import DiffusionEngine
from sg_core.memory import counted
from sg_core.models.folder import quiet
from tests.server.models.model_files import gguf_file, tensors_file
from tests.server.worker.sample_request import ASKED, pixels, unwatched
from tests.sg_core.models.families import pipelines

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny FLUX.1 schnell, as a folder in diffusers' format."""
    folder = tmp_path_factory.mktemp("models") / "flow"
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(folder)
    return folder


def comfy(folder: Path, whole: Path) -> Path:
    """A network in ``unet``, its other parts in ``diffusers``, as ComfyUI sorts them."""
    (folder / "unet").mkdir()
    shutil.copytree(whole, folder / "diffusers" / "parts")
    shutil.move(folder / "diffusers" / "parts" / WEIGHTS, folder / "unet" / "mine.safetensors")
    return folder


def troubles(library: ModelLibrary) -> dict[str, str]:
    library.look()
    return {file.name: file.trouble for file in library.listing().files}


def test_a_network_is_painted_with_the_parts_of_a_folder(whole: Path, tmp_path: Path) -> None:
    library = ModelLibrary((comfy(tmp_path, whole),), None, ())
    assert troubles(library) == {
        "mine": "",
        "parts": "It has no network, and gives its other parts to files with one of flux-1-schnell.",
    }
    (offer,) = library.offers
    assert (offer.name, offer.family, offer.parts_folder) == ("mine", "flux-1-schnell", f"{tmp_path}/diffusers/parts")
    engine = DiffusionEngine()
    engine.load(offer)
    asked = replace(ASKED, model="mine", scale=1.0, steps=4)
    ours = engine.paint(asked, unwatched)
    engine.load(offered((str(whole),))[0])
    assert np.array_equal(pixels(ours.full), pixels(engine.paint(asked, unwatched).full))


def test_a_network_takes_the_memory_that_its_whole_folder_takes(whole: Path, tmp_path: Path) -> None:
    folder = comfy(tmp_path, whole)
    file, parts = folder / "unet" / "mine.safetensors", folder / "diffusers" / "parts"
    ours = counted(str(file), "bfloat16", 64, 64, parts)
    assert ours is not None and ours == counted(str(whole), "bfloat16", 64, 64)


def test_a_network_waits_for_its_folder_and_is_read_once(whole: Path, tmp_path: Path) -> None:
    folder = comfy(tmp_path, whole)
    parts = (folder / "diffusers").rename(folder / ".elsewhere")
    library = ModelLibrary((folder,), None, ())
    needed = (
        "It is the network of FLUX.1 schnell, and needs the text encoders and the autoencoder of flux-1-schnell: put"
    )
    assert troubles(library)["mine"].startswith(needed) and not library.offers
    parts.rename(folder / "diffusers")
    assert not troubles(library)["mine"]
    offer = library.offers[0]
    library.look()
    assert library._joined[folder / "unet" / "mine.safetensors"][2].info is not None and library.offers[0] == offer
    shutil.rmtree(folder / "diffusers")
    assert troubles(library)["mine"].startswith(needed) and not library.offers


WHOLE = {
    **{f"double_blocks.{i}.img_attn.x": () for i in range(2)},
    **{f"single_blocks.{i}.x": () for i in range(2)},
    "img_in.weight": (32, 64),
    "txt_in.weight": (32, 32),
}
OTHER_SIZES = {
    "one with more blocks": ({**WHOLE, "double_blocks.7.x": ()}, "has 8 and 2 single blocks"),
    "one that lost some": ({n: s for n, s in WHOLE.items() if n != "single_blocks.1.x"}, "has 2 and 1 single blocks"),
    "a wider one": ({**WHOLE, "img_in.weight": (64, 64)}, "has 2 and 2 single blocks, 64 wide, told words 32 wide"),
    "one of another encoder": ({**WHOLE, "txt_in.weight": (32, 48)}, "told words 48 wide"),
}


@pytest.mark.parametrize("name", OTHER_SIZES)
def test_a_network_of_another_size_says_so_before_it_is_loaded(whole: Path, tmp_path: Path, name: str) -> None:
    """Of a family that comes in sizes, such as FLUX.2 Klein, another size has other encoders."""
    tensors, words = OTHER_SIZES[name]
    tensors_file(tmp_path / "big.safetensors", tensors)
    shutil.copytree(whole, tmp_path / "flow")
    library = ModelLibrary((tmp_path,), None, ())
    trouble = troubles(library)["big"]
    assert trouble.startswith("It is the network of FLUX.1 schnell, and has") and words in trouble
    assert trouble.endswith("2 and 2 single blocks, 32 wide, told words 32 wide: get the folder of this very model.")
    assert [offer.name for offer in library.offers] == ["flow"]
    with pytest.raises(catalogue.NotAModel, match="get the folder of this very model"):
        catalogue.described(tmp_path / "big.safetensors", parts=tmp_path / "flow")


def test_models_that_are_named_complete_each_other(whole: Path, tmp_path: Path) -> None:
    folder = comfy(tmp_path, whole)
    file, parts = folder / "unet" / "mine.safetensors", folder / "diffusers" / "parts"
    mine = offered((str(file), str(parts)))[0]
    assert (mine.name, mine.parts_folder) == ("mine", str(parts))
    library = ModelLibrary((folder / "unet",), None, offered((str(whole),)))
    assert not troubles(library)["mine"] and library.offers[0].parts_folder == str(whole)


@pytest.mark.parametrize(
    ("names", "dtype", "words"),
    [
        (["double_blocks.0.x", "double_blocks.0.scale_weight"], "F16", "quantised in a way that is not read"),
        (["double_blocks.0.qweight"], "F16", "quantised in a way that is not read"),
        (["double_blocks.0.x"], "I8", "its weights are in I8: get it in half precision"),
    ],
)
def test_quantised_networks_are_refused_by_their_name(tmp_path: Path, names: list[str], dtype: str, words: str) -> None:
    tensors_file(tmp_path / "small.safetensors", names, dtype=dtype)
    trouble = troubles(ModelLibrary((tmp_path,), None, ()))["small"]
    assert trouble.startswith("It is the network of FLUX.1 schnell, and") and words in trouble


def test_a_gguf_file_says_what_to_install(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And once that is there, it is a network like any other."""
    gguf_file(tmp_path / "small.gguf", ["double_blocks.0.img_attn.x", "double_blocks.1.img_attn.x"])
    shutil.copytree(whole, tmp_path / "flow")
    library = ModelLibrary((tmp_path,), None, ())
    for module in (verdicts, catalogue):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == "gguf" else find_spec(name))
    words = (
        "It is the network of FLUX.1 schnell as a GGUF file, and needs the package gguf: pip install 'maquette[gguf]'."
    )
    assert troubles(library)["small"] == words
    with pytest.raises(catalogue.NotAModel, match="needs the package gguf"):
        catalogue.described(tmp_path / "small.gguf", parts=tmp_path / "flow")
    for module in (verdicts, catalogue):
        monkeypatch.setattr(module, "find_spec", lambda name: True if name == "gguf" else find_spec(name))
    library = ModelLibrary((tmp_path,), None, ())
    assert not troubles(library)["small"]
    assert {offer.name: offer.parts_folder for offer in library.offers} == {"flow": "", "small": str(tmp_path / "flow")}


def test_other_gguf_files_say_what_they_are(tmp_path: Path) -> None:
    gguf_file(tmp_path / "torn.gguf", missing=1)
    gguf_file(tmp_path / "words.gguf", ["blk.0.attn_q.weight"])
    gguf_file(tmp_path / "old.gguf", ["cond_stage_model.transformer.x"])
    gguf_file(tmp_path / "unet.gguf", ["input_blocks.0.0.weight", "middle_block.0.in_layers.0.weight"])
    said = troubles(ModelLibrary((tmp_path,), None, ()))
    only = "as a GGUF file, and of those only the networks of transformer families are read."
    assert said["words"] == f"It is a text encoder {only}" and said["old"] == f"It is a whole checkpoint {only}"
    assert said["unet"] == f"It is a network (UNet) without the rest of its checkpoint {only}"
    assert (
        said["torn.gguf"] == "1 bytes of double_blocks.0.img_attn.x are missing: the download broke off; get it again."
    )
