# SPDX-License-Identifier: MIT
"""A model's fingerprint changes with all that alters its pictures, and with nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from server.catalogue import described
from server.fingerprints import carded
from server.models.library import ModelLibrary
from tests.server.models.model_files import CONFIGURATIONS, tensors_file
from weight_files.fingerprint import FIRST, SMALL, content_sha256, fingerprint

CHECK = "first_stage_model.encoder.conv_in.weight"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tensors_file(tmp_path / "mine.safetensors")


def spoil(file: Path, place: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(place)
        opened.write(b"x")


def folder_beside(file: Path, **card: object) -> None:
    """The configuration that ships, and this card."""
    beside = file.with_suffix("")
    shutil.copytree(CONFIGURATIONS / "stable-diffusion-1", beside, dirs_exist_ok=True)
    (beside / "card.json").write_text(json.dumps(card))


OTHERS: dict[str, Callable[[Path], object]] = {
    "a YAML file": lambda file: file.with_suffix(".yaml").write_text('parameterization: "v"'),
    "its notes": lambda file: tensors_file(file, modelspec__prediction_type="v"),
    "its precision": lambda file: tensors_file(file, dtype="F32"),
    "its last weights": lambda file: spoil(file, file.stat().st_size - 1),
    "its first weights": lambda file: spoil(file, FIRST - 1),
    "a folder beside it": lambda file: folder_beside(file),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_alters_pixels_is_in_it_and_is_seen_at_the_next_look(file: Path, name: str) -> None:
    library = ModelLibrary([file.parent], None, ())
    library.look()
    (before,) = library.offers
    assert len(before.fingerprint) == 64
    OTHERS[name](file)
    library.look()
    after = next(model for model in library.offers if model.name == "mine")
    assert after.fingerprint != before.fingerprint


def test_what_does_not_is_not(file: Path) -> None:
    """A copy under another name, elsewhere and later, is the same model; so is one with another licence."""
    before = described(file).fingerprint
    file.with_suffix(".yaml").write_text("model: the one that everybody has")
    (file.parent / "other").mkdir()
    copy = tensors_file(file.parent / "other" / "dreamer.safetensors")
    assert described(copy).fingerprint == described(file).fingerprint == before
    folder_beside(copy)
    before = described(copy).fingerprint
    folder_beside(copy, licence="MIT", steps=9)
    assert described(copy).steps == 9 and described(copy).fingerprint == before
    folder_beside(copy, layers=["mid_block"])
    assert described(copy).fingerprint != before
    own, other = (("layers", ("mid_block",)),), (("licence", "MIT"), ("steps", 9))
    assert carded(before, own) not in (before, carded("", own)) and carded(before, other) == before


def test_a_large_file_is_sampled_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    with file.open("wb") as opened:
        opened.truncate(SMALL + 1)
    seen = {fingerprint({}, [("a", file)])}
    for place in (0, FIRST, SMALL):
        spoil(file, place)
        seen.add(fingerprint({}, [("a", file)]))
    assert len(seen) == 4
    assert fingerprint({"x": 1}, [("a", file)]) not in seen and fingerprint({}, [("b", file)]) not in seen


def test_a_file_is_known_by_what_configures_it(tmp_path: Path) -> None:
    """A ControlNet that is called as diffusers calls it has its configuration beside it, and any other has none."""
    named, other = tmp_path / "diffusion_pytorch_model.fp16.safetensors", tmp_path / "depth.safetensors"
    named.write_bytes(b"weights")
    shutil.copy(named, other)
    assert content_sha256(named) == content_sha256(other)
    (tmp_path / "config.json").write_text("{}")
    changed = content_sha256(named)
    assert changed != content_sha256(other)
    (tmp_path / "config.json").write_text('{"attention_head_dim": 4}')
    assert content_sha256(named) != changed
