# SPDX-License-Identifier: MIT
"""The job type for Flamenco, compiled as its manager does: tasks whose words the command line takes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from server.batch import command, join

SCRIPT = Path(command.__file__).parent / "farm" / "maquette_batch.js"
MANAGER = """
const fs = require("fs");
const tasks = [];
const author = {
    Task: (name, type) => ({
        name, type, commands: [], needs: [],
        addCommand(command) { this.commands.push(command); },
        addDependency(task) { this.needs.push(task.name); },
    }),
    Command: (name, parameters) => ({ name, parameters }),
};
const path = require("path").posix;
const frameChunker = (range, size) => {
    const frames = range.split(",").flatMap((part) => {
        const [, first, last] = part.match(/^(-?\\d+)(?:-(-?\\d+))?$/).map((text) => text && Number(text));
        return Array.from({ length: (last ?? first) - first + 1 }, (_, n) => first + n);
    });
    const chunks = [];
    for (let n = 0; n < frames.length; n += size) {
        const chunk = frames.slice(n, n + size);
        chunks.push(chunk.length > 1 ? `${chunk[0]}-${chunk[chunk.length - 1]}` : `${chunk[0]}`);
    }
    return chunks;
};
const source = fs.readFileSync(process.argv[1], "utf8");
const make = new Function("author", "path", "frameChunker", source + "; return { JOB_TYPE, compileJob };");
const { JOB_TYPE, compileJob } = make(author, path, frameChunker);
const settings = Object.fromEntries(JOB_TYPE.settings.map((one) => [one.key, one.default]));
compileJob({ settings: { ...settings, ...JSON.parse(process.argv[2]) }, addTask: (task) => tasks.push(task) });
console.log(JSON.stringify({ type: JOB_TYPE, tasks }));
"""
SHOT = {"frames": "1-5", "chunk_size": 2, "blendfile": "/shared/meadow.blend", "out": "/shared/out"}


def compiled(**settings: object) -> dict:
    """The job type and its tasks."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the job type is not evaluated")
    words = [node, "-e", MANAGER, str(SCRIPT), json.dumps(SHOT | settings)]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout)


def arguments(task: dict) -> list[str]:
    """What the one command of a task runs ``maquette`` with."""
    (only,) = task["commands"]
    assert (only["name"], only["parameters"]["exe"]) == ("exec", "{maquette}")
    return only["parameters"]["args"]


def test_a_task_a_chunk_and_one_that_joins_them() -> None:
    *chunks, last = compiled()["tasks"]
    assert [arguments(task)[:3] for task in chunks] == [
        ["batch", "/shared/meadow.blend", f"--frames={frames}"] for frames in ("1-2", "3-4", "5")
    ]
    assert last["needs"] == [task["name"] for task in chunks]
    assert arguments(last) == ["join", *(arguments(task)[4] for task in chunks), "--out", "/shared/out"]
    assert all(arguments(task)[4].startswith("/shared/out/parts/") for task in chunks)


def test_the_command_line_takes_the_words_of_every_task(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(command, "_painting", lambda words, work: asked.append(command.plan_of(words)) or 0)
    monkeypatch.setattr(join, "join", lambda *words: asked.append(words) or ())
    settings = "steps=20; castle.phrase=ruin"
    for task in compiled(cameras="all", seeds="0-3", model="toybox", settings=settings, masks=True)["tasks"]:
        verb, *words = arguments(task)
        assert {"batch": command.main, "join": join.main}[verb](words) == 0
    *plans, _ = asked
    assert [plan.frames for plan in plans] == [(1, 2), (3, 4), (5,)]
    assert all(plan.all_cameras and plan.seeds == (0, 1, 2, 3) for plan in plans)
    assert plans[0].settings == {"steps": 20} and plans[0].regions[0].value == "ruin"


def test_a_frame_below_0_is_no_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_painting", lambda words, work: len(command.plan_of(words).frames))
    task, _ = compiled(frames="-5")["tasks"]
    assert command.main(arguments(task)[1:]) == 1


def test_every_setting_is_one_that_flamenco_knows() -> None:
    kind = compiled()["type"]
    assert kind["label"] and all(one["type"] in ("string", "int32", "bool") for one in kind["settings"])
    assert {one["key"] for one in kind["settings"] if one.get("required")} == {"frames", "out", "blendfile"}
