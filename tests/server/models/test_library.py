# SPDX-License-Identifier: MIT
"""A folder of mixed files gives a list that an artist understands; nothing in it is opened that could run."""

import json
import os
import time
from pathlib import Path

import pytest

from addon.protocol.model_files import write_folders
from addon.protocol.strict_json import dump
from server.catalogue import offered
from server.models import walk
from server.models.library import ModelLibrary
from sg_core.models.cards import read_card
from tests.server.models.model_files import tensors_file, twenty
from tests.server.serving import wait_until

SENTENCES = {
    "torn": "5 bytes of 2.0 GB are missing: the download broke off; get it again.",
    "lora": "It is a LoRA, which goes on top of a model: put it into a folder of LoRAs.",
    "flux": "It is the network of FLUX.1 schnell, and needs the text encoders and the autoencoder of flux-1-schnell:",
    "eyes": "It is a ControlNet, which goes beside a model: put it into a folder of ControlNets.",
    "kl": "It is an autoencoder, which goes on top of a model: put it into a folder of VAEs.",
    "mystery": "It is nothing that Maquette knows: no model of a kind that it paints with.",
    "bare": "It lacks its autoencoder (VAE): get the file with the VAE baked in.",
    "big-00001-of-00003.safetensors": "1 of its 3 pieces are missing; get them.",
    "flux-Q4": "It is the network of FLUX.1 schnell",
    "empty.safetensors": "It is empty: its download never began; get it again.",
    "page.safetensors": "It is a web page that was saved under this name: get the file itself.",
    "classic.ckpt": "It is pickled: opening it could run anything, so it never is;",
    "coming.safetensors.part": "Its download is not over, or broke off.",
    "drawer.safetensors": "It is a folder that is called like a file.",
    "gone.safetensors": "It is a link that leads nowhere: put the file itself there, or mend the link.",
    "round.safetensors": "It is a link that leads nowhere: put the file itself there, or mend the link.",
    "pipe.safetensors": "It is no plain file, and is not opened.",
}


def looked(*folders: Path, listed: Path | None = None) -> ModelLibrary:
    """A library that has looked once."""
    library = ModelLibrary(folders, listed, offered(()))
    library.look()
    return library


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twenty(tmp_path_factory.mktemp("models") / "mixed")


@pytest.mark.parametrize("name", SENTENCES)
def test_each_file_that_is_no_model_says_why(folder: Path, name: str) -> None:
    (file,) = (file for file in looked(folder).listing().files if name in (file.name, Path(file.path).stem))
    assert file.trouble.startswith(SENTENCES[name])


def test_the_good_ones_are_offered_each_under_a_name_of_its_own(folder: Path) -> None:
    library = looked(folder)
    names = [model.name for model in library.offers]
    assert names == ["mixed/dreamer", "old/dreamer", "paint.fp16", "toybox.safetensors"]
    assert {model.family for model in library.offers} == {"stable-diffusion-1"}
    assert next(model.licence for model in library.offers if model.name == "mixed/dreamer") == "CreativeML Open RAIL-M"
    files = library.listing().files
    assert [file.name for file in files if not file.trouble] == names, "models come first"
    assert len(files) == len(names) + len(SENTENCES), "pickled files beside the same as safetensors are left out"


def test_pickled_files_are_never_opened(folder: Path) -> None:
    """Nor is one read behind its header: of those that were touched, the system says."""
    before = {path: path.stat().st_atime_ns for path in folder.glob("*.[cb][ki][pn]*")}
    for path in before:
        os.utime(path, ns=(1, path.stat().st_mtime_ns))  # long ago, so that any reading would show
        path.chmod(0)
    names = {file.name for file in looked(folder).listing().files}
    assert "classic.ckpt" in names and {path.stat().st_atime_ns for path in before} == {1}


def test_a_folder_is_watched(tmp_path: Path) -> None:
    """What is added, changed or removed is known at the next look; what stayed is not read again."""
    first = tensors_file(tmp_path / "first.safetensors")
    library = looked(tmp_path)
    known = dict(library._known)
    second = tensors_file(tmp_path / "second.safetensors", missing=3)
    library.look()
    assert library._known[str(first)][1] is known[str(first)][1]
    assert [bool(file.trouble) for file in library.listing().files] == [False, True]
    tensors_file(second)
    first.unlink()
    library.look()
    assert [model.name for model in library.offers] == ["second"]


def test_a_folder_that_is_named_later_is_looked_into(tmp_path: Path) -> None:
    listed, folder = tmp_path / "home" / "model-folders.json", tmp_path / "models"
    library = ModelLibrary((), listed, offered(()))
    library.start()
    wait_until(lambda: not library.listing().scanning)
    tensors_file(folder / "late.safetensors")
    write_folders(listed, [folder])
    wait_until(lambda: [model.name for model in library.offers] == ["late"])
    library.stop()


def test_a_list_that_others_may_write_is_not_read(tmp_path: Path) -> None:
    listed = tmp_path / "model-folders.json"
    write_folders(listed, [tmp_path])
    assert looked(listed=listed).listing().folders
    listed.chmod(0o666)
    assert not looked(listed=listed).listing().folders
    listed.chmod(0o600)
    listed.write_text("{")
    assert not looked(listed=listed).listing().folders


def test_a_folder_without_end_is_given_up_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "ENTRIES", 100)
    for number in range(120):
        (tmp_path / f"{number}.txt").touch()
    begun = time.monotonic()
    (state,) = looked(tmp_path).listing().folders
    assert "and was not read to its end: name a folder inside it." in state.trouble
    assert time.monotonic() - begun < 5


def test_a_checkpoint_s_own_folder_is_no_model_of_its_own(tmp_path: Path) -> None:
    tensors_file(tmp_path / "mine.safetensors")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    files = looked(tmp_path).listing().files
    assert [Path(file.path).name for file in files] == ["mine.safetensors"]


def test_a_file_by_two_paths_is_listed_once(tmp_path: Path) -> None:
    file = tensors_file(tmp_path / "a" / "one.safetensors")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "again.safetensors").symlink_to(file)
    assert [model.name for model in looked(tmp_path / "a", tmp_path / "b").offers] == ["one"]


ODD = (
    '{"model.diffusion_model.input_blocks.0.0.weight": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]}}',
    '{"a": {"dtype": "F16", "shape": [Infinity], "data_offsets": [0, 2]}}',
    '{"a": {"dtype": "F16", "shape": 2, "data_offsets": [0, 1e999]}}',
    '{"model.diffusion_model.input_blocks.0.0.weight": {"dtype": [], "shape": {"1": 9}, "data_offsets": [0, 2]}}',
)


@pytest.mark.parametrize("text", ODD)
def test_an_odd_file_is_listed_and_costs_no_other(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(len(text).to_bytes(8, "little") + text.encode() + bytes(2))
    tensors_file(tmp_path / "good.safetensors")
    library = looked(Path("~nosuchuser"), tmp_path)
    assert [model.name for model in library.offers] == ["good"]
    assert [file.name for file in library.listing().files if file.trouble] in (["a"], ["a.safetensors"])
    assert "there is no such folder" in library.listing().folders[0].trouble.lower()


def test_names_that_are_no_utf_8_are_said_and_refused(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff"))
    tensors_file(folder / "good.safetensors")
    library = looked(folder)
    (file,) = library.listing().files
    assert file.path == f"{tmp_path}/m?/good.safetensors" and not library.offers
    assert file.trouble == "Its name, or that of its folder, is no text in UTF-8: rename it."
    json.dumps(dump(library.listing()), ensure_ascii=False).encode()


def test_a_folder_without_end_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "ENTRIES", 100)
    (tmp_path / "long").mkdir()
    for number in range(120):
        (tmp_path / "long" / f"{number}.txt").touch()
    tensors_file(tmp_path / "short" / "good.safetensors")
    library = looked(tmp_path / "long", tmp_path / "short")
    assert [model.name for model in library.offers] == ["good"]
    assert [bool(folder.trouble) for folder in library.listing().folders] == [True, False]


@pytest.mark.parametrize("name", ["a.sft", "a.SAFETENSORS"])
def test_safetensors_by_any_ending_is_read(tmp_path: Path, name: str) -> None:
    tensors_file(tmp_path / name)
    (info,) = looked(tmp_path).offers
    assert (info.name, read_card(tmp_path / name).family) == ("a", info.family)
