# SPDX-License-Identifier: MIT
"""Only safetensors, only pinned, only classes we name."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sg_core.errors import WeightsError
from sg_core.models.cards import CARDS, new_card
from sg_core.models.folder import PROGRESS_BARS, bars_in_terminals_only
from sg_core.models.loading import describe, find, load, named
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from tests.sg_core.models.test_strangers import Touch


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}))


def test_a_folder_becomes_a_model_in_float32_without_gradients(model: StableDiffusion1) -> None:
    assert not model.network.training
    for part in (model.network, model.autoencoder, model.text_encoder):
        assert {p.dtype for p in part.parameters()} == {torch.float32}
        assert not any(p.requires_grad for p in part.parameters())


def test_a_half_precision_folder_is_read_in_float32(model: StableDiffusion1, copy: Path) -> None:
    model.network.half().save_pretrained(copy / "unet")
    assert load(copy).network.dtype == torch.float32


def test_a_folder_without_a_card_is_listened_to_as_its_family_is(folder: Path) -> None:
    layers = load(folder).layers(torch.zeros(1, 4, 8, 8))
    assert {name.rpartition(".attentions")[0] for name in layers} == {"mid_block", "up_blocks.1"}


def test_a_card_without_layers_is_listened_to_everywhere(model: StableDiffusion1) -> None:
    assert len(model.layers(torch.zeros(1, 4, 8, 8))) == 7


@pytest.mark.parametrize("name", ["unet/diffusion_pytorch_model.bin", "vae/x.pt", "model.ckpt", "unet/a.py", "x.pkl"])
def test_what_runs_code_is_never_opened(copy: Path, name: str) -> None:
    (copy / name).write_bytes(pickle.dumps(Touch(copy / "ran")))
    load(copy)
    assert not (copy / "ran").exists()


def test_pickles_alone_are_no_weights(copy: Path) -> None:
    (copy / "unet" / "diffusion_pytorch_model.safetensors").rename(copy / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"no safetensors.*pytorch_model\.bin may run code when it is read"):
        load(copy)


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_custom_code_is_refused(copy: Path, part: str) -> None:
    change(copy / part / "config.json", auto_map={"AutoModel": "theirs.Model"})
    with pytest.raises(WeightsError, match="asks for auto_map: custom code"):
        load(copy)


def test_another_class_is_refused(copy: Path) -> None:
    change(copy / "model_index.json", unet=["theirs", "UNet"])
    with pytest.raises(WeightsError, match="needs a UNet2DConditionModel"):
        load(copy)


def test_missing_safetensors_are_named(copy: Path) -> None:
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(WeightsError, match="unet has no safetensors"):
        load(copy)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no model_index\.json"):
        load(tmp_path)


@pytest.mark.parametrize(
    "source", ["owner/name", "owner/name@main", "owner/name@" + "A" * 40, "owner/name@" + "a" * 39]
)
def test_a_hub_repository_must_be_pinned(source: str) -> None:
    with pytest.raises(WeightsError, match="owner/name is not pinned"):
        load(source)


@pytest.mark.parametrize("source", ["nowhere", "https://host/owner/name", "../elsewhere", "/no/such/folder"])
def test_a_source_that_is_nothing_is_named(source: str) -> None:
    with pytest.raises(WeightsError, match=rf"{re.escape(source)}.*neither a folder"):
        load(source)


def test_a_pinned_repository_has_a_card(folder: Path) -> None:
    commit = "0123456789" * 4
    address = f"owner/name@{commit}"
    card = describe(address, folder)
    assert (card.name, card.source, card.revision, card.address) == ("name", "owner/name", commit, address)


@pytest.mark.parametrize(
    ("world", "words"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "is not on this disk, and HF_HUB_OFFLINE says not to ask for it"),
        ({"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be downloaded: "),
    ],
)
def test_without_a_connection_the_hub_s_model_is_named(tmp_path: Path, world: dict[str, str], words: str) -> None:
    program = "import sg_core\ntry: sg_core.load('stable-diffusion-1.5')\nexcept sg_core.WeightsError as e: print(e)"
    around = os.environ | {"HF_HOME": str(tmp_path)} | world
    done = subprocess.run([sys.executable, "-c", program], env=around, capture_output=True, text=True, check=True)
    assert re.match(rf"stable-diffusion-v1-5/stable-diffusion-v1-5@[0-9a-f]{{40}} {words}", done.stdout)


def test_the_toybox_ships_with_the_package() -> None:
    import sg_core

    assert find(CARDS["toybox"].address) == Path(sg_core.__file__).parent / "toybox" / "weights"
    assert load(CARDS["toybox"].address).card is CARDS["toybox"]


def test_a_name_and_an_address_mean_one_card() -> None:
    for card in CARDS.values():
        assert named(card.name) is named(card.address) is card
    assert named("owner/name") is None


def test_a_card_may_override(folder: Path) -> None:
    card = new_card("stable-diffusion-1", name="mine", source=str(folder), multiple=16, layers=("mid_block",))
    model = load("anything", card=card)
    assert list(model.layers(torch.zeros(1, 4, 8, 8))) == ["mid_block.attentions.0.transformer_blocks.0.attn2"]


def test_loading_is_silent_in_a_log() -> None:
    """No bars in pieces, and no notice of what nobody can act on, such as image processors that no part here needs."""
    program = "import sg_core; from sg_core.toybox import bench, segmenter; segmenter.judge_of(sg_core.load())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_bars_are_left_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    before = [kind.is_progress_bar_enabled() for kind in PROGRESS_BARS]
    with bars_in_terminals_only():
        assert not any(kind.is_progress_bar_enabled() for kind in PROGRESS_BARS)
    assert [kind.is_progress_bar_enabled() for kind in PROGRESS_BARS] == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_keeps_its_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    ours, theirs = pty.openpty()
    with open(ours, "rb"), open(theirs, "w") as terminal, monkeypatch.context() as swap:
        swap.setattr(sys, "stderr", terminal)
        with bars_in_terminals_only():
            assert all(kind.is_progress_bar_enabled() for kind in PROGRESS_BARS)
