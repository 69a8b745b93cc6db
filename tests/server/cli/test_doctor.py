# SPDX-License-Identifier: MIT
"""The doctor and the list of models on the command line: what is wrong is said, with what mends it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from addon.protocol.model_files import FOLDERS_FILE, Library, ModelFile
from server.catalogue import PACKAGE_NEEDED
from server.cli.doctor import of_models, unmet
from server.cli.main import main
from tests.server.models.model_files import tensors_file, twenty
from tests.server.serving import environment, serving


def asked(home: Path, *words: str, **changes: str) -> tuple[int, dict[str, Any], str]:
    """A verb in a process of its own: exit code, its JSON, and its complaints."""
    line = [sys.executable, "-m", "server", *words, "--quick", "--json"]
    done = subprocess.run(line, env=environment(home) | changes, capture_output=True, text=True, timeout=100)
    return done.returncode, json.loads(done.stdout), done.stderr


def by_name(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {finding["name"]: finding for finding in document["findings"]}


def test_a_sound_machine_is_said_to_be_sound(tmp_path: Path) -> None:
    tensors_file(tmp_path / "models" / "mine.safetensors")
    code, document, _ = asked(tmp_path / "home", "doctor", "--models", str(tmp_path / "models"))
    findings = by_name(document)
    assert code == 0 and not [name for name, finding in findings.items() if finding["state"] == "bad"]
    assert {"Python", "Maquette", "Toybox", "torch", "device", "home", "model"} <= set(findings)
    assert findings["server"]["fix"] and findings["server"]["state"] == "note"
    assert findings["model"]["words"] == "mine: stable-diffusion-1"


def test_a_torch_that_does_not_work_is_bad(tmp_path: Path) -> None:
    """It is asked in a process of its own, so the doctor lives to tell."""
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')\n")
    path = f"{tmp_path}:{environment(tmp_path)['PYTHONPATH']}"
    code, document, _ = asked(tmp_path / "home", "doctor", PYTHONPATH=path)
    assert code == 1 and "libcudart.so.12: cannot open" in by_name(document)["torch"]["words"]
    assert "Repair the installation" in by_name(document)["torch"]["fix"]


def test_a_home_that_cannot_be_and_a_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    code, document, _ = asked(tmp_path / "home", "doctor", "--models", str(tmp_path / "gone"))
    findings = by_name(document)
    assert code == 1 and findings["home"]["state"] == findings["folder"]["state"] == "bad"
    assert "There is no such folder" in findings["folder"]["words"]


def test_a_running_server_is_named(tmp_path: Path) -> None:
    with serving(tmp_path / "home"):
        _, document, _ = asked(tmp_path / "home", "doctor")
    assert by_name(document)["server"]["state"] == "good"


def test_packages_that_are_absent_or_of_another_version() -> None:
    needs = [
        "pytest>=1",
        "pytest<1",
        "no-such-package>=2",
        "elsewhere; sys_platform == 'never'",
        "other; extra == 'dev'",
    ]
    assert [need for need, _ in unmet(needs)] == ["pytest<1", "no-such-package>=2"]


def test_networks_in_gguf_without_the_package_are_a_note() -> None:
    quantised = ModelFile(
        name="small", path="/small.gguf", kind="GGUF", trouble=f"It is a network, and {PACKAGE_NEEDED}."
    )
    (note,) = [finding for finding in of_models(Library(folders=(), files=(quantised,))) if finding.name == "GGUF"]
    assert note.state == "note" and note.fix == "Install it: pip install 'maquette[gguf]'."


def test_models_are_listed_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = twenty(tmp_path / "mixed")
    assert main(["models", "--models", str(folder), "--home", str(tmp_path / "home"), "--quick"]) == 0
    text = capsys.readouterr().out
    assert f"{folder}  (folder)\n\n4 to paint with:\n" in text
    assert "17 that cannot be painted with:" in text
    assert max(map(len, text.splitlines())) <= 140


def test_folders_are_named_and_taken_off_again(tmp_path: Path) -> None:
    tensors_file(tmp_path / "models" / "mine.safetensors")
    words = ("models", "--add", str(tmp_path / "models"))
    assert asked(tmp_path / "home", *words)[1]["files"][0]["name"] == "mine"
    assert asked(tmp_path / "home", "models")[1]["files"][0]["name"] == "mine"
    left = asked(tmp_path / "home", "models", "--remove", str(tmp_path / "models"))[1]
    assert not left["files"] and not asked(tmp_path / "home", "models")[1]["files"]


def test_a_list_of_folders_that_cannot_be_read_is_not_written_anew(tmp_path: Path, capsys) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    listed = home / FOLDERS_FILE
    words = ["models", "--home", str(home), "--quick", "--add", str(tmp_path)]
    for text, rights, said in (('["/a", "/b",]', 0o600, "cannot be read"), ('["/a"]', 0o664, "others may write it")):
        listed.write_text(text)
        listed.chmod(rights)
        assert main(words) == 1
        assert f"{listed} stays as it is: " in (error := capsys.readouterr().err) and said in error
        assert listed.read_text() == text
    listed.chmod(0o600)
    assert main([*words[:4], "--remove", "/nowhere"]) == 1
    assert "/nowhere: no folder of" in capsys.readouterr().err
    many = [f"/{number}" for number in range(120)]
    listed.write_text(json.dumps(many))
    assert main(words) == 0
    assert json.loads(listed.read_text()) == [*many, str(tmp_path)]
