# SPDX-License-Identifier: MIT
"""Tiny models of the real classes, as artists have them: what is said to paint, loads; what lacks a part, says so."""

import shutil
from pathlib import Path

import pytest

import sg_core
from server.models.library import ModelLibrary
from sg_core.models.folder import quiet
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in full precision, one in half, one in shards, one checkpoint with its configuration beside."""
    folder = tmp_path_factory.mktemp("models")
    pipeline = pipelines.stable_diffusion_xl()
    with quiet():
        pipeline.save_pretrained(folder / "plain")
        pipeline.save_pretrained(folder / "half", variant="fp16")
        pipeline.save_pretrained(folder / "shards", max_shard_size="200KB")
        checkpoint_file.save(pipeline, folder / "single.safetensors")
    ignored = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(folder / "plain", folder / "single", ignore=ignored)
    for part in ("unet", "vae"):
        (folder / "plain" / part / "diffusion_pytorch_model.bin").write_bytes(b"pickled, beside the same")
    return folder


def troubles(folder: Path) -> dict[str, str]:
    library = ModelLibrary((folder,), None, ())
    library.look()
    return {file.name: file.trouble for file in library.listing().files}


def test_what_is_said_to_paint_loads(saved: Path) -> None:
    library = ModelLibrary((saved,), None, ())
    library.look()
    assert [model.name for model in library.offers] == ["half", "plain", "shards", "single"]
    assert {model.family for model in library.offers} == {"stable-diffusion-xl"}
    assert not [file.trouble for file in library.listing().files if file.trouble]
    for model in library.offers:
        assert sg_core.load(model.source).card.family == "stable-diffusion-xl", model.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shard", "In it, unet/diffusion_pytorch_model-000"),
        ("part", "Its vae is missing; get the whole folder."),
        (
            "pickled",
            "Its unet has no safetensors, only pickled ones, which are never opened: get the folder again, with them.",
        ),
        ("torn", "In it, unet/diffusion_pytorch_model.safetensors: "),
        ("other", "It is made for ShapEPipeline, which Maquette does not paint with."),
    ],
)
def test_a_folder_that_is_not_whole_says_what_it_lacks(saved: Path, tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / name
    shutil.copytree(saved / ("shards" if name == "shard" else "plain"), folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    if name == "shard":
        sorted((folder / "unet").glob("*-of-*.safetensors"))[-1].unlink()
    elif name == "part":
        shutil.rmtree(folder / "vae")
    elif name == "pickled":
        weights.unlink()
    elif name == "torn":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        index = folder / "model_index.json"
        index.write_text(index.read_text().replace("StableDiffusionXLPipeline", "ShapEPipeline"))
    assert troubles(folder.parent)[name].startswith(words)
