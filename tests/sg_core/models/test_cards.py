# SPDX-License-Identifier: MIT
"""What a model is and how it likes to be used, by name and by folder."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sg_core.errors import WeightsError
from sg_core.models import stable_diffusion_1
from sg_core.models.cards import CARDS, CATALOGUE, OWN_CARD, new_card, read_card
from sg_core.models.loading import FAMILIES, load

FAMILY = "stable-diffusion-1"


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def write(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(before | values))


def test_cards_are_pinned_and_licensed() -> None:
    for name, card in CARDS.items():
        assert card.name == name
        assert card.licence not in ("", "unknown")
        assert name == "toybox" or re.fullmatch(r"[0-9a-f]{40}", card.revision)
    assert "not yet run" in CARDS["stable-diffusion-1.5"].note


def test_every_family_has_defaults_and_a_loader() -> None:
    assert CATALOGUE["families"].keys() == FAMILIES.keys()


def test_the_server_s_list_asks_for_the_parts_that_are_loaded() -> None:
    for name, loader in FAMILIES.items():
        first = {**stable_diffusion_1.COMPONENTS, "tokenizer": stable_diffusion_1.TOKENIZERS}
        parts = first if loader.family is None else loader.family.parts
        listed = CATALOGUE["parts"][CATALOGUE["families"][name]["pipeline"]]
        assert {part: tuple(kinds) for part, kinds in listed.items()} == {p: tuple(k) for p, k in parts.items()}
    assert CATALOGUE["parts"].keys() == {facts["pipeline"] for facts in CATALOGUE["families"].values()}


def test_stable_diffusion_likes_what_its_family_likes() -> None:
    card = CARDS["stable-diffusion-1.5"]
    assert (card.steps, card.scale, card.strength, card.area, card.multiple) == (30, 7.5, 0.7, 512 * 512, 64)
    assert card.layers == ("mid_block", "up_blocks.1")


def test_a_folder_has_its_family_s_defaults_and_its_own_sizes(folder: Path) -> None:
    card = read_card(folder)
    assert card == new_card(
        FAMILY, name=folder.name, source=str(folder.resolve()), revision="local", area=64 * 64, multiple=16
    )
    assert card.scale == 7.5 and card.strength == 0.7


def test_a_card_in_the_folder_comes_before_the_family(copy: Path) -> None:
    own = {"licence": "MIT", "scale": 5, "strength": 1.0, "layers": ["up_blocks.0"], "nouns": ["castle"], "area": 4096}
    plain = read_card(copy)
    write(copy, OWN_CARD, **own)
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in own.items()}
    assert read_card(copy) == load(copy).card == replace(plain, **kept)


def test_a_copy_of_toybox_is_used_as_toybox_is(tmp_path: Path) -> None:
    toybox = CARDS["toybox"]
    weights = Path(__file__).parents[3] / toybox.source
    for name in (OWN_CARD, "model_index.json", "unet/config.json", "vae/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(weights / name, tmp_path / name)
    assert read_card(tmp_path, name=toybox.name, source=toybox.source) == toybox


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        (OWN_CARD, {"colour": "red"}, "says colour; it may say revision, licence"),
        (OWN_CARD, {"name": "mine"}, "says name"),
        (OWN_CARD, {"scale": "high"}, "scale is 'high', and must be of the kind number"),
        ("model_index.json", {"_class_name": "ShapEPipeline"}, "made for ShapEPipeline, and Maquette reads Stable"),
        ("unet/config.json", {"sample_size": None}, "cannot be read as a model"),
    ],
)
def test_a_folder_that_says_something_else_is_refused(copy: Path, name: str, values: dict, sentence: str) -> None:
    write(copy, name, **values)
    with pytest.raises(WeightsError, match=sentence):
        read_card(copy)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_a_configuration_that_is_none_is_refused(copy: Path, text: str) -> None:
    (copy / "unet" / "config.json").write_text(text)
    with pytest.raises(WeightsError, match="cannot be read as a model"):
        read_card(copy)


def test_a_family_that_there_is_not_is_named() -> None:
    with pytest.raises(WeightsError, match="no family 'cubism': choose one of stable-diffusion-1"):
        new_card("cubism", name="x", source="y")


def test_a_card_of_a_family_without_a_loader_is_refused(folder: Path) -> None:
    card = replace(new_card(FAMILY, name="x", source=str(folder)), family="cubism")
    with pytest.raises(WeightsError, match="x is of the family 'cubism'"):
        load(card=card)


def test_every_family_is_in_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference.md").read_text("utf-8")
    for family, facts in CATALOGUE["families"].items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{family}` |"))
        assert f"| `{facts['pipeline']}` |" in row and f"| {facts['steps']} | {facts['scale']:g} |" in row
