# SPDX-License-Identifier: MIT
"""LoRAs, a VAE, a ControlNet and a scheduler, as they are typed: a checkpoint file, files beside it, a real engine."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from addon.protocol.blockout import Blockout, ControlNet, pack_mask
from addon.protocol.png import BLOCKOUT_KEY
from addon.protocol.strict_json import dump, loads
from server.catalogue import described
from server.cli.main import main
from tests.server import adapter_files
from tests.server.worker.sample_request import ASKED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    pipeline = adapter_files.checkpoint(path)
    adapter_files.lora(pipeline.unet, path / "elsewhere" / "styles" / "ink=1.safetensors")
    adapter_files.autoencoder(pipeline.vae, path / "vae" / "other.safetensors")
    adapter_files.controlnet(pipeline.unet, path / "controlnet" / "canny.safetensors")
    (path / "request.blockout.json").write_text(json.dumps(dump(replace(ASKED, model="mine", steps=2))))
    return path


def render(folder: Path, out: Path, *flags: str) -> int:
    words = ["render", str(folder / "request.blockout.json"), "--model", str(folder / "mine.safetensors")]
    return main([*words, "--loras", str(folder / "elsewhere"), "--out", str(out), *flags])


def test_what_is_typed_is_painted_and_said(folder: Path, tmp_path: Path, own_home: Path) -> None:
    typed = ["--lora", "ink=1=0.8", "--vae", "other", "--scheduler", "euler a"]
    assert render(folder, tmp_path / "plain") == 0
    assert render(folder, tmp_path / "typed", *typed) == 0
    blockout = loads(Blockout, (tmp_path / "typed" / "blockout.json").read_bytes())
    ink, vae = blockout.loras[0], blockout.vae
    content = (folder / "elsewhere" / "styles" / "ink=1.safetensors").read_bytes()
    assert (ink.name, ink.weight, ink.sha256) == ("ink=1", 0.8, hashlib.sha256(content).hexdigest())
    assert vae is not None and (vae.name, len(vae.sha256), blockout.scheduler) == ("other", 64, "euler a")
    picture = Image.open(tmp_path / "typed" / "picture.png")
    carried = loads(Blockout, picture.text[BLOCKOUT_KEY])
    assert carried == replace(blockout, fingerprint=described(folder / "mine.safetensors").fingerprint)
    assert picture.tobytes() != Image.open(tmp_path / "plain" / "picture.png").tobytes()


def test_a_controlnet_that_is_typed_looks_at_what_the_request_knows_of_depth(
    folder: Path, tmp_path: Path, own_home: Path
) -> None:
    depth = pack_mask(2, 1, bytes([255, 9]))
    request = replace(ASKED, model="mine", steps=2, control=ControlNet(name="gone", depth=depth))
    (folder / "request.blockout.json").write_text(json.dumps(dump(request)))
    assert render(folder, tmp_path / "typed", "--control", "canny=0.5; until=0.6") == 0
    (folder / "request.blockout.json").write_text(json.dumps(dump(replace(request, control=None))))
    asked = loads(Blockout, (tmp_path / "typed" / "blockout.json").read_bytes()).control
    content = (folder / "controlnet" / "canny.safetensors").read_bytes()
    known = ControlNet(name="canny", kind="edges", scale=0.5, until=0.6, depth=depth)
    assert asked == replace(known, sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--lora", "gone"], "There is no LoRA “gone” here; there is ink=1"),
        (["--control", "depth"], "There is no ControlNet “depth” here; there is canny"),
        (["--vae", "ink=1"], "There is no VAE “ink=1” here; there is other"),
        (["--lora", "ink=1=11"], "loras.0.weight: must lie in -10"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    folder: Path, tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str], flags: list[str], sentence: str
) -> None:
    assert render(folder, tmp_path / "out", *flags) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
