# SPDX-License-Identifier: MIT
"""Tiny models of the real classes, as artists have them: what is said to paint, loads; what lacks a part, says so."""

import json
import shutil
from collections.abc import Callable
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


WEIGHTS = Path("unet") / "diffusion_pytorch_model.safetensors"


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "unet").glob("*-of-*.safetensors"))


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "shard": (lambda folder: shards(folder)[-1].unlink(), "In it, unet/diffusion_pytorch_model-000"),
    "shard of another": (
        lambda folder: shutil.copy(shards(folder)[1], shards(folder)[0]),
        "In it, unet lacks ",
    ),
    "part": (lambda folder: shutil.rmtree(folder / "vae"), "Its vae is missing; get the whole folder."),
    "pickled": (
        lambda folder: (folder / WEIGHTS).unlink(),
        "Its unet has no safetensors, only pickled ones, which are never opened: get the folder again, with them.",
    ),
    "torn": (
        lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100]),
        f"In it, {WEIGHTS}: ",
    ),
    "other": (
        lambda folder: change(folder / "model_index.json", _class_name="ShapEPipeline"),
        "It is made for ShapEPipeline, which Maquette does not paint with.",
    ),
    "kernel": (
        lambda folder: change(folder / "vae" / "config.json", _attn_implementation="theirs/kernel"),
        "In it, vae/config.json asks for _attn_implementation: code and kernels of a model are never run.",
    ),
    "quantised": (
        lambda folder: change(folder / "unet" / "config.json", quantization_config={"load_in_4bit": True}),
        "In it, unet/config.json asks for quantization_config: its weights are quantised in a way that is not read;",
    ),
    "class": (
        lambda folder: change(folder / "model_index.json", text_encoder_2=["transformers", "CLIPTextModel"]),
        "Its text_encoder_2 is a CLIPTextModel, and a CLIPTextModelWithProjection is needed.",
    ),
    "words": (
        lambda folder: shutil.rmtree(folder / "tokenizer_2"),
        "Its tokenizer_2 is missing; get the whole folder.",
    ),
    "noise": (
        lambda folder: (folder / "scheduler" / "scheduler_config.json").unlink(),
        "Its scheduler_config.json cannot be read",
    ),
    "noise of another kind": (
        lambda folder: change(folder / "scheduler" / "scheduler_config.json", _class_name="EDMEulerScheduler"),
        "Its scheduler is of EDM's kind, whose noise Maquette does not walk.",
    ),
    "adapter": (
        lambda folder: (folder / "text_encoder" / "adapter_config.json").write_text("{}"),
        "In it, text_encoder/adapter_config.json is not ours to open: take it out of the folder.",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_folder_that_would_not_load_says_why(saved: Path, tmp_path: Path, name: str) -> None:
    """The list says it, and loading refuses the same."""
    folder, (spoil, words) = tmp_path / name, SPOILT[name]
    shutil.copytree(saved / ("shards" if "shard" in name else "plain"), folder)
    spoil(folder)
    assert troubles(folder.parent)[name].startswith(words)
    with pytest.raises(sg_core.WeightsError):
        sg_core.load(folder)


def test_a_tokenizer_says_which_packages_it_needs(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(saved / "plain", tmp_path / "pieces"))
    (folder / "tokenizer" / "spiece.model").write_bytes(b"")
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    monkeypatch.setattr("server.models.folder_settings.find_spec", lambda package: None)
    assert troubles(tmp_path)["pieces"] == "Its tokenizer needs two packages: pip install sentencepiece protobuf."
    monkeypatch.setattr("server.models.folder_settings.find_spec", lambda package: True)
    assert not troubles(tmp_path)["pieces"]
