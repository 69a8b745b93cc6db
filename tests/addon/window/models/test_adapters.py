# SPDX-License-Identifier: MIT
"""A tiny checkpoint of Stable Diffusion XL with LoRAs paints from the panel, in a real window with the real engine."""

import shlex
import sys
from pathlib import Path

import pytest

from addon.protocol.blockout import Mask, unpack_mask
from tests.addon.window.run_blender import ROOT, SECONDS, flat_colour_server, run_scenario
from tests.server import adapter_files
from tests.server.models.model_files import twenty


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    folder = tmp_path_factory.mktemp("adapters")
    return run_scenario(blender, "adapters", folder, server(folder))


def server(folder: Path) -> str:
    """One that offers a checkpoint, LoRAs and an autoencoder, all real files."""
    pipeline = adapter_files.checkpoint(folder)
    adapter_files.lora(pipeline.unet, folder / "loras" / "ink.safetensors")
    adapter_files.lora(pipeline.unet, folder / "loras" / "wash.safetensors", kohya=False, seed=2)
    adapter_files.autoencoder(pipeline.vae, folder / "vae" / "other.safetensors")
    adapter_files.controlnet(pipeline.unet, folder / "controlnet" / "depth.safetensors")
    (folder / "loras" / "old.pt").write_bytes(b"pickled")
    serve = ["serve", "--model", str(folder / "mine.safetensors")]
    return shlex.join(["env", f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=1", sys.executable, "-m", "server", *serve])


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_the_panel_offers_what_lies_beside_the_model(report: dict) -> None:
    assert report["model"] == "mine"
    listed = [["controlnet", "depth", ""]]
    listed += [["lora", "ink", ""], ["lora", "old", "it is pickled"], ["lora", "wash", ""], ["vae", "other", ""]]
    assert report["offered"] == listed


def test_what_is_chosen_is_in_the_request_and_changes_the_picture(report: dict) -> None:
    pictures = report["pictures"]
    assert {picture["state"] for picture in pictures.values()} == {"done"}, pictures
    request = pictures["with all"]["request"]
    assert [(lora["name"], lora["weight"], len(lora["sha256"])) for lora in request["loras"]] == [
        ("ink", 0.8, 64),
        ("wash", 1.0, 64),
    ]
    assert (request["vae"]["name"], request["scheduler"]) == ("other", "euler a")
    assert len({pictures[name]["picture"] for name in ("plain", "with all", "nothing of ink")}) == 3


def test_taken_off_again_nothing_of_them_is_left(report: dict) -> None:
    """A LoRA of weight 0 is still in the request, and so in the picture's file; its pixels are those without."""
    pictures = report["pictures"]
    assert pictures["as if plain"]["request"]["loras"][0]["weight"] == 0.0
    assert report["pixels"]["plain"] == report["pixels"]["as if plain"] != report["pixels"]["with all"]


def test_a_controlnet_looks_at_the_blocks(report: dict) -> None:
    pictures, pixels = report["pictures"], report["pixels"]
    names = ("half with depth", "with depth", "with edges", "nothing of it")
    asked = [pictures[name]["request"]["control"] for name in names]
    assert [(one["kind"], one["scale"], one.get("until", 1.0)) for one in asked] == [
        ("depth", 0.8, 0.5),
        ("depth", 0.8, 1.0),
        ("edges", 0.8, 1.0),
        ("edges", 0.0, 1.0),
    ]
    shades = {shade for one in asked for shade in unpack_mask(Mask(**one["depth"]))}
    assert {0, 255} <= shades, "the nearest of the blocks, and nothing around them"
    assert len({pixels[name] for name in ("as if plain", *names[:3])}) == 4
    assert pixels["nothing of it"] == pixels["plain"] and report["no control"]


def test_a_file_that_changed_or_is_gone_is_said_with_a_way_on(report: dict) -> None:
    assert [lora["name"] for lora in report["again"]] == ["ink", "wash"]
    assert report["changed"].startswith("“ink” is another file")
    assert report["missing"][0] == "no-adapter"
    assert "the LoRA “ink”, which is not on this server" in report["missing"][1]
    assert report["left"] == ["wash"]


@pytest.mark.timeout(SECONDS + 30)
def test_a_folder_is_named_read_and_painted_from(blender: str, tmp_path: Path) -> None:
    twenty(tmp_path / "mixed")
    report = run_scenario(blender, "model_folders", tmp_path, flat_colour_server())
    assert report["ok"], report["trace"]
    good = [name for name, trouble in report["files"].items() if not trouble]
    assert good == ["mixed/dreamer", "old/dreamer", "paint.fp16", "toybox.safetensors"]
    assert all(trouble.endswith(".") for name, trouble in report["files"].items() if name not in good)
    assert report["kinds"] == ["folder"]
    assert report["painted with"] == [["paint.fp16", "done"]]
    assert report["models in the end"] == ["toybox"]
