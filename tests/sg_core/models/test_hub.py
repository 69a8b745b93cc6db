# SPDX-License-Identifier: MIT
"""Models of a hub arrive whole and as their commit names them, or not at all, however the hub behaves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from sg_core.errors import WeightsError
from sg_core.models import hub
from sg_core.models.hub import COMPLETE, download
from sg_core.models.loading import load
from sg_core.toybox import segmenter
from tests.sg_core.models.untrue_hub import COMMIT, UntrueHub, hub_of

WEIGHTS = bytes(range(256)) * 40
WANTED = ("model_index.json", "unet/*.safetensors", "unet/*.json")
TOYBOX = Path(segmenter.__file__).parent / "weights"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, a connection, and no waiting."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "PAUSE", 0.0)
    return tmp_path / "models--them--model" / "snapshots" / COMMIT


@pytest.fixture
def served(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UntrueHub]:
    """A hub that we may spoil."""
    untrue = UntrueHub(
        {"model_index.json": b"{}", "unet/config.json": b"{}\n", "unet/x.safetensors": WEIGHTS, "unet/x.bin": b"no"}
    )
    with hub_of(untrue) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        yield untrue


def test_what_is_wanted_comes_once_and_is_said(served: UntrueHub, cache: Path) -> None:
    said: list[tuple[int, int]] = []
    folder = download("them/model", COMMIT, WANTED, lambda done, total: said.append((done, total)))
    assert folder == cache and (folder / "unet" / "x.safetensors").read_bytes() == WEIGHTS
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == sorted(
        [COMPLETE, "model_index.json", "config.json", "x.safetensors"]
    )
    assert said[-1] == (len(WEIGHTS) + 5, len(WEIGHTS) + 5) and said == sorted(said)
    served.status = 500
    assert download("them/model", COMMIT, WANTED) == cache, "and nobody is asked again"


def test_one_that_breaks_off_goes_on_where_it_stopped(served: UntrueHub, cache: Path) -> None:
    served.breaks = 3000
    download("them/model", COMMIT, WANTED)
    starts = [start for name, start in served.asked if name == "unet/x.safetensors"]
    assert starts == [0, 3000, 6000, 9000]
    assert (cache / "unet" / "x.safetensors").read_bytes() == WEIGHTS


def test_and_in_a_later_run_too(served: UntrueHub, cache: Path) -> None:
    served.breaks, served.ranges = 3000, False
    with pytest.raises(WeightsError, match=r"3,000 of 10,240 bytes are kept"):
        download("them/model", COMMIT, WANTED)
    assert not (cache / "unet" / "x.safetensors").exists() and not (cache / COMPLETE).exists()
    served.breaks, served.ranges = 0, True
    served.asked.clear()
    download("them/model", COMMIT, WANTED)
    assert served.asked == [("unet/x.safetensors", 3000)]
    assert (cache / "unet" / "x.safetensors").read_bytes() == WEIGHTS


def test_a_hub_that_promises_more_than_it_sends_is_believed_its_commit_alone(served: UntrueHub, cache: Path) -> None:
    served.longer = 100
    download("them/model", COMMIT, WANTED)
    assert (cache / "unet" / "x.safetensors").read_bytes() == WEIGHTS


def test_a_hub_that_keeps_the_end_back_is_given_up(served: UntrueHub, cache: Path) -> None:
    """What came is kept for another day."""
    served.files, served.shorter = {"unet/x.safetensors": WEIGHTS}, 100
    with pytest.raises(WeightsError, match=r"10,140 of 10,240 bytes are kept"):
        download("them/model", COMMIT, WANTED)
    served.shorter = 0
    download("them/model", COMMIT, WANTED)
    assert (cache / "unet" / "x.safetensors").read_bytes() == WEIGHTS and served.asked[-1][1] == 10_140


def test_a_file_that_is_longer_than_its_commit_says_is_refused(served: UntrueHub, cache: Path) -> None:
    served.more = b"and more"
    with pytest.raises(WeightsError, match="longer than the 2 bytes that its commit says"):
        download("them/model", COMMIT, WANTED)


def test_changed_bytes_are_asked_for_again_and_then_refused(served: UntrueHub, cache: Path) -> None:
    served.files, served.changed = {"unet/x.safetensors": WEIGHTS}, 1
    download("them/model", COMMIT, WANTED)
    assert (cache / "unet" / "x.safetensors").read_bytes() == WEIGHTS and len(served.asked) == 2


@pytest.mark.parametrize("name", ["model_index.json", "unet/x.safetensors"])
def test_bytes_that_stay_wrong_are_never_kept(served: UntrueHub, cache: Path, name: str) -> None:
    """Large files by their sha256, small ones by git's own checksum."""
    served.files, served.changed = {name: served.files[name]}, 9
    with pytest.raises(WeightsError, match="is not what its commit names"):
        download("them/model", COMMIT, WANTED)
    assert not (cache / name).exists() and not list(cache.rglob("*.part"))


def test_another_commit_than_was_asked_for_is_refused(served: UntrueHub, cache: Path) -> None:
    served.commit = "b" * 40
    with pytest.raises(WeightsError, match="with commit bbbb"):
        download("them/model", COMMIT, WANTED)


@pytest.mark.parametrize("name", ["unet/../../../x.json", "/unet/x.json", "..\\unet/x.json", "C:/x.json"])
def test_a_name_outside_of_the_folder_is_refused(served: UntrueHub, cache: Path, name: str) -> None:
    served.files[name] = b"x"
    with pytest.raises(WeightsError, match="lies outside of its folder"):
        download("them/model", COMMIT, WANTED)


@pytest.mark.parametrize(("status", "words"), [(401, "wants a token"), (403, "must be accepted"), (404, "answers 404")])
def test_what_the_hub_refuses_is_said(served: UntrueHub, cache: Path, status: int, words: str) -> None:
    served.status = status
    with pytest.raises(WeightsError, match=words):
        download("them/model", COMMIT, WANTED)


def test_without_a_connection_what_is_there_will_do(
    served: UntrueHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        download("them/model", COMMIT, WANTED)
    cache.mkdir(parents=True)
    (cache / "model_index.json").write_text("{}")
    assert download("them/model", COMMIT, WANTED) == cache


def test_full_precision_alone_where_there_is_both(served: UntrueHub, cache: Path) -> None:
    served.files["unet/x.fp16.safetensors"] = WEIGHTS[:2000]
    served.files["unet/y.fp16.safetensors"] = WEIGHTS[:2000]
    download("them/model", COMMIT, WANTED)
    assert sorted(path.name for path in (cache / "unet").glob("*.safetensors")) == [
        "x.safetensors",
        "y.fp16.safetensors",
    ]


def test_a_model_of_a_hub_paints_as_the_one_it_is(served: UntrueHub, cache: Path) -> None:
    """Toybox, by way of a hub that breaks off every 300,000 bytes."""
    parts = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
    files = [TOYBOX / "model_index.json", *(file for part in parts for file in sorted((TOYBOX / part).iterdir()))]
    served.files = {file.relative_to(TOYBOX).as_posix(): file.read_bytes() for file in files}
    served.breaks = 300_000
    model = load(f"them/model@{COMMIT}")
    assert json.loads((cache / "model_index.json").read_text())["_class_name"] == "StableDiffusionPipeline"
    assert model.card.name == "model" and model.card.family == "stable-diffusion-1"


def test_nobody_is_asked_where_the_environment_says_so(
    served: UntrueHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE says not to ask"):
        download("them/model", COMMIT, WANTED)
    cache.mkdir(parents=True)
    (cache / "model_index.json").write_bytes(b"{}")
    assert download("them/model", COMMIT, WANTED) == cache and not served.asked
