# SPDX-License-Identifier: MIT
"""Calls of every verb of a batch that nobody means: each ends with a sentence and a code, and paints nothing."""

import pytest

from server.cli.main import main
from tests.server.batch.batches import MEADOW, jobs, requests

FLAG, FAULT, SERVER = 2, 1, 3  # a word that is none; something that is not as it must be; no server
ODD = {
    "frames that go down": ("batch MEADOW --frames 9-1", FLAG, "must go up"),
    "frames of no number": ("batch MEADOW --frames 1-x", FLAG, "neither a number nor a range"),
    "frames without end": ("batch MEADOW --frames 99999999", FLAG, "must go up, and lie in"),
    "a million frames and one": ("capture MEADOW --frames 0-1000000", FLAG, "more than 1,000,000 numbers"),
    "no scene": ("batch", FLAG, "the following arguments are required: scenes"),
    "an absent scene": ("batch ABSENT.blend", FAULT, "There is no file ABSENT.blend"),
    "a folder for a scene": ("batch IN", FAULT, "There is no file"),
    "a scene twice": ("batch MEADOW MEADOW", FAULT, "Several scenes are called meadow"),
    "seeds below 0": ("paint IN --seeds=-1", FLAG, "lie in 0 to 2147483647"),
    "seeds of two ways": ("paint IN --seeds 1 --best 2", FAULT, "leave --seeds out"),
    "best of less than none": ("paint IN --best=-1", FAULT, "--best takes 1 to"),
    "best of all there are": ("paint IN --best 2000000000", FAULT, "--best takes 1 to"),
    "best of a word": ("paint IN --best all", FLAG, "invalid int value"),
    "a setting that is none": ("paint IN --set strenth=1", FAULT, "there is no setting 'strenth'"),
    "a switch that is none": ("batch MEADOW --set exact=maybe", FAULT, "say yes or no"),
    "a strength that is none": ("paint IN --set strength=nan", FAULT, "strength"),
    "steps without end": ("paint IN --set steps=1e9", FAULT, "--set 'steps=1e9'"),
    "a setting of a capture": ("paint IN --set size=50", FAULT, "capture it anew"),
    "no prompts": ("batch MEADOW --prompts ABSENT", FAULT, "holds no prompts: "),
    "prompts of a folder": ("batch MEADOW --prompts IN", FAULT, "Is a directory"),
    "a model of nobody": ("paint IN --model nobody", FAULT, "has no model nobody"),
    "a model of nobody for a scene": ("batch MEADOW --model nobody", FAULT, "The server has no model nobody; it has"),
    "a model that is none": ("capture MEADOW --model ABSENT", FAULT, "ABSENT"),
    "no Blender": ("batch MEADOW --blender ABSENT", FAULT, "ABSENT cannot be run"),
    "no Blender for a capture": ("capture MEADOW --blender ABSENT", FAULT, "ABSENT cannot be run"),
    "a look of nothing": ("paint IN --keep-look ABSENT", FAULT, "neither 'first' nor a picture"),
    "two ways that do not meet": ("batch MEADOW --in-turn --best 2", FAULT, "goes without --best"),
    "absent requests": ("paint ABSENT", FAULT, "There is no file ABSENT"),
    "an empty folder": ("paint EMPTY", FAULT, "holds no file *.blockout.json"),
    "a scene for a request": ("paint MEADOW", FAULT, "is no blockout"),
    "an absent server": ("paint IN --server ABSENT", SERVER, "No server is running"),
    "a server that is no file": ("paint IN --server EMPTY", SERVER, ""),
    "patience of no number": ("paint IN --patience nan", FLAG, "no time to wait"),
    "patience below 0": ("paint IN --patience=-1", FLAG, "no time to wait"),
    "actors without a cluster": ("paint IN --actors 2", FAULT, "say --ray too"),
    "a server and a cluster": ("paint IN --ray local --server c.json", FAULT, "leave one of them out"),
    "fewer actors than none": ("paint IN --ray local --actors=-1", FLAG, "no number of actors"),
    "a cluster of nobody": ("paint IN --ray=", FLAG, "say the address of a cluster"),
    "nothing to join": ("join EMPTY --out OUT", FAULT, "There is no manifest with pictures in"),
    "joined to nowhere": ("join EMPTY", FLAG, "required: --out"),
    "a verb that is none": ("batches MEADOW", FLAG, 'There is no verb "batches'),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_call_ends_in_a_sentence(tmp_path, served, monkeypatch, capsys, kind):
    words, code, said = ODD[kind]
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").mkdir()
    requests(tmp_path / "IN", 1)
    before = len(jobs(served))
    try:
        ended = main([str(MEADOW) if word == "MEADOW" else word for word in words.split()])
    except SystemExit as ending:
        ended = ending.code
    told = capsys.readouterr()
    assert ended == code and said in told.err and "Traceback" not in told.err
    assert len(jobs(served)) == before and list(tmp_path.rglob("*.png")) == []


def test_a_blender_that_says_nothing_costs_its_own_scene(tmp_path, served, monkeypatch, capsys):
    """One that hangs would end a night; here it may for a second."""
    from server.batch import capture

    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    monkeypatch.setattr(capture, "SILENCE", 1.0)
    silent = tmp_path / "blender"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    assert main(["batch", str(MEADOW), "--blender", str(silent), "--out", str(tmp_path / "out")]) == 1
    assert "Blender said nothing for 0 minutes, and was ended" in capsys.readouterr().err


def test_a_blender_that_says_too_much_is_read_on(tmp_path, served, monkeypatch, capsys):
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    loud = tmp_path / "blender"
    loud.write_text("#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\\\0' x\necho; echo last words; exit 7\n")
    loud.chmod(0o755)
    assert main(["batch", str(MEADOW), "--blender", str(loud), "--out", str(tmp_path / "out")]) == 1
    assert "Blender ended with code 7" in (said := capsys.readouterr().err) and "last words" in said
