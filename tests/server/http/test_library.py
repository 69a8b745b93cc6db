# SPDX-License-Identifier: MIT
"""The folders of models over a real socket: offered while the server runs, listed, and painted with."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from addon.client.api import Client
from addon.client.exceptions import ServerProblem
from addon.protocol.blockout import LoraFile
from addon.protocol.model_files import Library
from server.catalogue import described
from server.models.memory_needs import MARGIN, MemoryNeeds
from server.settings import ServerSettings
from tests.server.models.model_files import tensors_file, twenty
from tests.server.serving import at_home, blockout, ended, fake, painted, until

COUNTER = """
import json, sys
print(json.dumps({sys.argv[-1]: {"encoders": 1.0, "network": 4.0, "decoder": 0.5, "free": 0.1, "guided": 3.5,
                                 "decoding": 1.0, "checkpointed": 0.4}}))
"""


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted: that would take torch, and ten seconds."""
    monkeypatch.setattr(MemoryNeeds, "_count", lambda *_: 0)


async def library_of(client: Client) -> Library:
    async def known() -> bool:
        return not (await client.library()).scanning

    await until(known)
    return await client.library()


def with_folders(home: Path, *folders: Path) -> ServerSettings:
    return replace(fake(home), folders=folders)


@pytest.mark.usefixtures("uncounted")
def test_what_lies_in_a_folder_is_offered_and_listed(tmp_path: Path) -> None:
    folder = twenty(tmp_path / "mixed")

    async def ask() -> tuple[list[str], Library]:
        async with at_home(with_folders(tmp_path / "home", folder)) as client:
            library = await library_of(client)
            return [model.name for model in await client.models()], library

    models, library = asyncio.run(ask())
    assert models == ["toybox", "mixed/dreamer", "old/dreamer", "paint.fp16", "toybox.safetensors"]
    assert library.folders[0].path == str(folder) and len(library.files) == 21


@pytest.mark.usefixtures("uncounted")
def test_a_model_of_a_folder_is_painted_with_after_a_restart_too(tmp_path: Path) -> None:
    """The worker knows it from the job, before anybody has looked through the folders again."""
    tensors_file(tmp_path / "models" / "mine.safetensors")
    settings = with_folders(tmp_path / "home", tmp_path / "models")

    async def paint() -> tuple[str, str]:
        async with at_home(settings) as client:
            await library_of(client)
            first = await painted(client, blockout(model="mine"))
            waiting = await client.submit(blockout(model="mine", prompt="a slow cat", steps=200, seed=8), "later")
        async with at_home(replace(settings, folders=())) as client:

            async def over() -> bool:
                return (await client.job(waiting.id)).state in ("done", "failed")

            await until(over, 40.0)
            return first.state, (await client.job(waiting.id)).state

    assert asyncio.run(paint()) == ("done", "done")


@pytest.mark.usefixtures("uncounted")
def test_a_model_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    tensors_file(tmp_path / "models" / "mine.safetensors")

    async def ask() -> str:
        async with at_home(with_folders(tmp_path / "home", tmp_path / "models")) as client:
            await library_of(client)
            with pytest.raises(ServerProblem) as refused:
                await client.submit(blockout(model="yours"), "key")
            return str(refused.value)

    assert "There is no model 'yours' here; there is toybox, mine" in asyncio.run(ask())


def test_what_a_model_needs_is_counted_in_the_background_and_kept(tmp_path: Path) -> None:
    file, kept = tensors_file(tmp_path / "models" / "mine.safetensors"), tmp_path / "needs.json"

    async def model() -> object:
        async with at_home(with_folders(tmp_path / "home", file.parent)) as client:
            await library_of(client)
            return (await client.models())[1]

    info = asyncio.run(model())
    needs = MemoryNeeds(kept, (sys.executable, "-c", COUNTER))
    assert needs.of(info, on_gpu=False) == 0
    needs.settle()
    assert needs.of(info, on_gpu=False) == 9 * 2**30
    assert needs.of(replace(info, family="stable-diffusion-xl"), on_gpu=True) == 0, "another precision, another count"
    again = MemoryNeeds(kept, (sys.executable, "-c", "raise SystemExit(1)"))
    assert again.of(info, on_gpu=False) == 9 * 2**30
    assert needs.of(info, on_gpu=True) == 0
    needs.settle()
    assert needs.of(info, on_gpu=True) == int(5.5 * 2**30) + MARGIN, "encoders parked, and gradient checkpointing"


def test_what_the_owner_says_of_a_model_is_counted_with(tmp_path: Path) -> None:
    """Where it alters the count; all else shares one."""
    info = described(tensors_file(tmp_path / "mine.safetensors"))
    counter = COUNTER.replace("1.0,", "2.0 if '--card' in sys.argv else 1.0,", 1)
    needs, card = MemoryNeeds(None, (sys.executable, "-c", counter)), (("layers", ("mid_block",)), ("steps", 9))
    for own in (card, ()):
        needs.of(info, on_gpu=False, card=own)
        needs.settle()
    assert needs.of(info, on_gpu=False, card=card) == 10 * 2**30
    assert needs.of(info, on_gpu=False, card=card[1:]) == needs.of(info, on_gpu=False) == 9 * 2**30


def test_what_cannot_be_counted_is_not_tried_for_ever(tmp_path: Path) -> None:
    info = described(tensors_file(tmp_path / "mine.safetensors"))
    needs = MemoryNeeds(None, (sys.executable, "-c", "raise SystemExit(1)"))
    needs.of(info, on_gpu=False)
    needs.settle()
    assert needs.of(info, on_gpu=False) == 0 and not needs.counting


@pytest.mark.usefixtures("uncounted")
def test_links_that_lead_in_a_circle_hinder_nobody(tmp_path: Path) -> None:
    """LoRAs and autoencoders are looked for beside every model."""
    folder = twenty(tmp_path / "mixed")

    async def ask() -> list[str]:
        async with at_home(with_folders(tmp_path / "home", folder)) as client:
            await library_of(client)
            return [f"{adapter.kind} {adapter.name}" for adapter in await client.adapters()]

    assert asyncio.run(ask()) == ["lora lora"]


@pytest.mark.usefixtures("uncounted")
def test_a_named_model_is_painted_with_a_lora_of_another_program_s_folder(tmp_path: Path) -> None:
    """The worker looks where the server does: in a folder of LoRAs, and beside the models of folders."""
    comfy, plain = tmp_path / "comfy", tmp_path / "plain"
    (comfy / "checkpoints").mkdir(parents=True)
    tensors_file(comfy / "loras" / "ink.safetensors", ["prior.blocks.0.to_q.lora_A.weight"])
    tensors_file(plain / "good.safetensors")
    tensors_file(plain / "loras" / "wash.safetensors", ["prior.blocks.0.to_q.lora_A.weight"])

    async def paint() -> tuple[str, ...]:
        async with at_home(with_folders(tmp_path / "home", comfy, plain)) as client:
            await library_of(client)
            asked = [blockout(loras=(LoraFile(name=name),)) for name in ("ink", "wash")]
            jobs = [await ended(client, await client.submit(one, str(i))) for i, one in enumerate(asked)]
            return tuple(job.problem.detail if job.problem else job.state for job in jobs)

    assert asyncio.run(paint()) == ("done", "done")
