# SPDX-License-Identifier: MIT
"""The folders of other programs: what is looked through, and which lists of paths can be read."""

from pathlib import Path

import pytest

from server.models.folders import interpret
from server.models.path_lists import read_paths

PATHS = """\
# copied from the program's own example
comfyui:
    base_path: {base}/comfy   # where it all is
    is_default: true
    checkpoints: |
        models/checkpoints/
        "more models"
    loras: 'models/loras'
    clip_vision: models/clip_vision/

#a1111:
other:
  diffusion_models: {base}/networks
"""


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
    return folder


def test_a_list_of_paths_is_read(tmp_path: Path) -> None:
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(PATHS.format(base=tmp_path))
    comfy = tmp_path / "comfy"
    assert read_paths(file) == [
        ("checkpoints", comfy / "models" / "checkpoints"),
        ("checkpoints", comfy / "more models"),
        ("loras", comfy / "models" / "loras"),
        ("clip_vision", comfy / "models" / "clip_vision"),
        ("diffusion_models", tmp_path / "networks"),
    ]


def test_several_programs_in_one_file_each_with_its_own_base(tmp_path: Path) -> None:
    """As an editor of Windows saves it: with a mark in front, and with the line that begins a document."""
    file = tmp_path / "extra_model_paths.yaml"
    sections = ("a111", "models/Stable-diffusion"), ("comfyui", "models/checkpoints"), ("größer", "Modelle")
    text = "".join(f"{name}:\r\n  base_path: {tmp_path / name}/\r\n  checkpoints: {sub}\r\n" for name, sub in sections)
    file.write_bytes(f"\ufeff# mine\r\n---\r\n{text}".encode())
    assert read_paths(file) == [("checkpoints", tmp_path / name / sub) for name, sub in sections]


def test_of_what_it_names_models_are_looked_for_where_models_are(tmp_path: Path) -> None:
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(PATHS.format(base=tmp_path))
    made(tmp_path / "comfy", "models/checkpoints", "models/loras", "more models")
    named = interpret(file)
    assert named.models == (tmp_path / "comfy" / "models" / "checkpoints", tmp_path / "comfy" / "more models")
    assert named.adapters == (tmp_path / "comfy" / "models" / "loras",)
    assert named.trouble == f"extra_model_paths.yaml names {tmp_path / 'networks'}, which is not there"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one:\n  two\n", "line 2 is no “key: path”: two"),
        ("one: /models\n", "line 1 names a path outside of any section"),
        ("one:\n  a: b\n    c: d\n", "line 3 is indented otherwise"),
        ("one:\n\ta: b\n", "line 2 is no “key: path”"),
        ("{a: [b]}\n", "line 1 names a path outside of any section"),
        (
            "one:\n  base_path: &base /models\n",
            "line 2 says its path in a way of YAML's that is not read; write it out",
        ),
        ("one:\n  base_path: /m\n  checkpoints: [a, b]\n", "line 3 says its path in a way of YAML's"),
        ("one:\n  checkpoints:\n    - a\n    - b\n", "line 3 is no “key: path”"),
    ],
)
def test_a_list_that_is_wrong_says_in_which_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "paths.yaml"
    file.write_text(text)
    named = interpret(file)
    assert words in named.trouble and named.trouble.startswith("paths.yaml cannot be understood")


def test_comfyui_and_its_extra_paths(tmp_path: Path) -> None:
    comfy = made(tmp_path / "ComfyUI", "models/checkpoints", "models/diffusion_models", "models/vae", "models/clip")
    elsewhere = made(tmp_path / "elsewhere", "x")
    (comfy / "extra_model_paths.yaml").write_text(f"more:\n  checkpoints: {elsewhere}\n")
    named = interpret(comfy)
    assert (named.kind, named.trouble) == ("ComfyUI", "")
    assert named.models == (comfy / "models/checkpoints", comfy / "models/diffusion_models", elsewhere)
    assert named.adapters == (comfy / "models/vae",)
    assert interpret(comfy / "models").models == named.models[:2], "its inner folder will do, too"


def test_a1111(tmp_path: Path) -> None:
    webui = made(tmp_path / "webui", "models/Stable-diffusion", "models/Lora", "models/VAE", "models/ESRGAN")
    named = interpret(webui)
    assert (named.kind, named.models) == ("A1111", (webui / "models/Stable-diffusion",))
    assert named.adapters == (webui / "models/Lora", webui / "models/VAE")


def test_any_folder_and_none(tmp_path: Path) -> None:
    assert interpret(tmp_path).models == (tmp_path,)
    assert interpret(tmp_path / "gone").trouble.startswith("there is no such folder")
    (tmp_path / "file.txt").touch()
    assert interpret(tmp_path / "file.txt").trouble.startswith("it is a file, and no list of paths")
