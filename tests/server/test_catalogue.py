# SPDX-License-Identifier: MIT
"""What a server offers: each model with the defaults of its own Card, and no two by one name."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from addon.protocol.default_model import TOYBOX
from server.catalogue import NotAModel, described, offered, offered_name
from server.cli.main import main

WEIGHTS = Path(__file__).parents[2] / "sg_core" / "toybox" / "weights"
CONFIGURATION = {
    "model_index.json": {"_class_name": "StableDiffusionPipeline"},
    "unet/config.json": {"sample_size": 64, "block_out_channels": [320, 640, 1280, 1280]},
    "vae/config.json": {"block_out_channels": [128, 256, 512, 512]},
}


def folder_of(folder: Path, files: Mapping[str, object] = CONFIGURATION) -> Path:
    """A folder with the configuration of Stable Diffusion 1.5, and these files instead, as JSON values or as text."""
    for name, document in {**CONFIGURATION, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))
    return folder


def copy_of_toybox(folder: Path) -> Path:
    """All of Toybox that a catalogue reads."""
    for name in (*CONFIGURATION, "card.json", "tokenizer/words.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(WEIGHTS / name, folder / name)
    return folder


def test_the_addon_knows_toybox_as_the_server_offers_it():
    """Words aside, which only who paints needs: before a server is known the add-on warns of none."""
    (toybox,) = offered(())
    assert replace(toybox, words=()) == TOYBOX
    assert set(TOYBOX.nouns) < set(toybox.words)


def test_a_folder_like_stable_diffusion_has_its_defaults(tmp_path):
    model = described(folder_of(tmp_path / "mine"))
    card = described("stable-diffusion-1.5")
    place = {"name": "mine", "source": str(tmp_path / "mine"), "revision": "local", "licence": "unknown"}
    assert model == replace(card, **place, fingerprint=model.fingerprint) and len(model.fingerprint) == 64
    assert (card.scale, card.strength, card.steps, card.area, card.multiple) == (7.5, 0.7, 30, 512 * 512, 64)
    assert card.source.count("/") == 1 and len(card.revision) == 40 and card.licence == "CreativeML Open RAIL-M"


def test_a_folder_s_own_card_comes_first(tmp_path):
    own = {"scale": 3.0, "licence": "MIT", "layers": ["mid_block"], "note": "x", "area": 4096, "nouns": ["castle"]}
    plain = described(folder_of(tmp_path / "mine"))
    model = described(folder_of(tmp_path / "mine", {"card.json": own}))
    own_facts = {"scale": 3.0, "licence": "MIT", "area": 4096, "nouns": ("castle",)}
    assert (
        model == replace(plain, **own_facts, fingerprint=model.fingerprint) and model.fingerprint != plain.fingerprint
    )


def test_a_copy_of_toybox_keeps_toybox_s_defaults(tmp_path):
    (toybox,) = offered(())
    copy = copy_of_toybox(tmp_path / "mine")
    mine = described(copy)
    assert mine == replace(toybox, name="mine", source=str(copy), fingerprint=mine.fingerprint)
    assert not toybox.fingerprint, "what ships is known by its revision"


def test_what_is_named_comes_first_and_toybox_once(tmp_path):
    names = [model.name for model in offered((folder_of(tmp_path / "mine"), "stable-diffusion-1.5"))]
    assert names == ["mine", "stable-diffusion-1.5", "toybox"]
    assert [model.name for model in offered(("toybox", tmp_path / "mine"))] == ["toybox", "mine"]


def test_no_two_models_have_one_name(tmp_path):
    """The first keeps it; Toybox is the one that ships, wherever it stands."""
    one, other = folder_of(tmp_path / "a" / "mine"), folder_of(tmp_path / "b" / "mine")
    assert [model.name for model in offered((one, other))] == ["mine", "b/mine", "toybox"]
    assert [model.name for model in offered((other, one))] == ["mine", "a/mine", "toybox"]
    named = folder_of(tmp_path / "c" / "toybox")
    assert [model.name for model in offered((named,))] == ["c/toybox", "toybox"]
    assert [model.name for model in offered(("toybox", named))] == ["toybox", "c/toybox"]
    assert offered_name(named) == "c/toybox", "what is named is painted with, not the one that ships"
    assert offered_name("toybox") == "toybox" and offered_name(one) == "mine"
    assert len(offered((one, one))) == 2


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"model_index.json": {"_class_name": "ShapEPipeline"}}, "made for ShapEPipeline, not for Stable"),
        ({"model_index.json": "{"}, r"its model_index\.json cannot be read"),
        ({"unet/config.json": "[" * 100_000}, r"its unet/config\.json cannot be read"),
        ({"unet/config.json": []}, "of another kind"),
        ({"unet/config.json": {"sample_size": None, "block_out_channels": [1]}}, "of another kind"),
        ({"unet/config.json": {"sample_size": 4096, "block_out_channels": [1]}}, "area: must lie in"),
        ({"vae/config.json": {}}, "of another kind"),
        ({"card.json": {"colour": "red"}}, r"its card\.json says colour"),
        ({"card.json": {"scale": 0.5}}, "scale: must lie in 1"),
        ({"card.json": {"scale": "high"}}, "scale: "),
    ],
)
def test_a_folder_that_no_client_could_read_is_refused_at_the_start(tmp_path, files, sentence, capsys):
    folder = folder_of(tmp_path / "mine", files)
    with pytest.raises(NotAModel, match=sentence):
        offered((folder,))
    assert main(["serve", "--model", str(folder), "--home", str(tmp_path / "home")]) == 1
    assert "holds no model Maquette can use" in capsys.readouterr().err


def test_a_name_that_no_client_could_read_is_refused(tmp_path):
    with pytest.raises(NotAModel, match="name: length must lie in 1 to 200"):
        described(folder_of(tmp_path / ("m" * 220)))


def test_what_is_neither_folder_nor_name_is_said(tmp_path):
    with pytest.raises(NotAModel, match=r"no folder, and none of toybox, stable-diffusion-1\.5"):
        described(tmp_path / "nowhere")


def test_the_catalogue_needs_no_torch():
    program = "import sys; from server.catalogue import offered; offered(()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "sg_core", "diffusers"} & {name.partition(".")[0] for name in done.stdout.split()}
