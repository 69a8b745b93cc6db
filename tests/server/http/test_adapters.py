# SPDX-License-Identifier: MIT
"""LoRAs and autoencoders over the wire: listed, asked for one by one, pinned in what is queued, refused by name."""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from addon.client.api import Client
from addon.client.exceptions import ServerProblem
from addon.protocol.blockout import AdapterFile, Blockout, ControlNet, LoraFile
from addon.protocol.strict_json import loads
from server.catalogue import described
from tests.server.serving import at_home, blockout, ended, fake, serving

MODEL = replace(described("toybox"), name="xl", base="stable-diffusion-xl")
TO_K = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "loras"
    path.mkdir()
    for name, width in (("ink", 2048), ("wash", 768)):
        save_file({f"{TO_K}.lora_down.weight": torch.zeros(2, width)}, path / f"{name}.safetensors")
    save_file({"decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}, path / "xl-vae.safetensors")
    return path


def asking(folder: Path, question: Callable[[Client], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        async with at_home(fake(folder.parent / "home", adapters=(folder,), models=(MODEL,))) as client:
            return await question(client)

    return asyncio.run(ask())


def digest(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()


def test_what_is_there_is_listed_and_its_sum_made_when_it_is_asked_for(folder: Path) -> None:
    async def ask(client: Client) -> Any:
        before = await client.adapters()
        one = await client.adapter("vae", "xl-vae")
        return before, one, await client.adapters()

    before, one, after = asking(folder, ask)
    assert [(info.kind, info.name, info.bases, info.sha256) for info in before] == [
        ("lora", "ink", ("stable-diffusion-xl",), ""),
        ("lora", "wash", ("stable-diffusion-1",), ""),
        ("vae", "xl-vae", ("stable-diffusion-xl",), ""),
    ]
    assert one == after[2] == replace(before[2], sha256=digest(folder, "xl-vae"))
    remembered = asking(folder, lambda client: client.adapters())
    assert remembered == after


def test_what_is_queued_says_the_sum_of_every_file(folder: Path) -> None:
    asked = blockout(model="xl", loras=(LoraFile(name="ink", weight=0.5),), vae=AdapterFile(name="xl-vae"))

    async def ask(client: Client) -> Any:
        job, again = await client.submit(asked, "key"), await client.submit(asked, "key")
        assert job.id == again.id
        await ended(client, job)
        picture = next(artifact for artifact in (await client.job(job.id)).artifacts if artifact.kind == "full")
        carried = Image.open(io.BytesIO(await client.artifact(picture.sha256))).text["maquette.blockout"]
        return await client.pinned(asked), loads(Blockout, carried)

    pinned, carried = asking(folder, ask)
    assert carried == pinned
    assert pinned.loras == (LoraFile(name="ink", weight=0.5, sha256=digest(folder, "ink")),)
    assert pinned.vae == AdapterFile(name="xl-vae", sha256=digest(folder, "xl-vae"))


@pytest.mark.parametrize(
    ("lora", "code", "sentence"),
    [
        (LoraFile(name="gone"), "no-adapter", "There is no LoRA “gone” here; there is ink, wash"),
        (
            LoraFile(name="wash"),
            "unfit-adapter",
            "“wash” is made for stable-diffusion-1, and xl is stable-diffusion-xl",
        ),
        (LoraFile(name="ink", sha256="0" * 64), "changed-adapter", "“ink” is another file"),
    ],
)
def test_what_cannot_be_painted_with_is_refused_before_it_is_queued(
    folder: Path, lora: LoraFile, code: str, sentence: str
) -> None:
    async def ask(client: Client) -> ServerProblem:
        with pytest.raises(ServerProblem) as refused:
            await client.submit(blockout(model="xl", loras=(lora,)), "key")
        assert await client.jobs() == []
        return refused.value

    problem = asking(folder, ask)
    assert (problem.code, problem.problem.status) == (code, 422)
    assert sentence in problem.problem.detail and problem.problem.fix


def test_a_controlnet_is_pinned_and_asked_for_once(folder: Path) -> None:
    seeing = {"controlnet_cond_embedding.conv_in.weight": torch.zeros(8, 3, 3, 3)}
    save_file(seeing, folder / "depth.safetensors")
    asked = blockout(model="xl", control=ControlNet(name="depth", scale=0.5))

    async def ask(client: Client) -> Any:
        job, again = await client.submit(asked, "key"), await client.submit(asked, "key")
        with pytest.raises(ServerProblem) as refused:
            await client.submit(replace(asked, control=None), "key")
        return job.id == again.id, refused.value.code, (await client.pinned(asked)).control

    same, code, control = asking(folder, ask)
    assert (same, code) == (True, "key-reused")
    assert control == ControlNet(name="depth", scale=0.5, sha256=digest(folder, "depth"))


def test_a_question_for_no_kind_is_refused(folder: Path) -> None:
    async def ask(client: Client) -> str:
        with pytest.raises(ServerProblem) as refused:
            await client.adapter("hypernetwork", "ink")  # type: ignore[arg-type]
        return refused.value.code

    assert asking(folder, ask) == "invalid"


def test_folders_are_named_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (folder / "ink.safetensors").rename(tmp_path / "more" / "ink.safetensors")
    with serving(tmp_path / "served", "--loras", str(folder), "--loras", str(tmp_path / "more")) as served:
        status, infos = served.json("GET", "/v1/adapters")
    assert (status, [info["name"] for info in infos]) == (200, ["ink", "wash", "xl-vae"])


def test_a_request_that_is_sent_again_is_answered_whatever_is_there_by_now(folder: Path) -> None:
    asked = blockout(model=MODEL.name, loras=(LoraFile(name="ink"),))

    async def ask(client: Client) -> Any:
        first = await client.submit(asked, "key")
        (folder / "ink.safetensors").unlink()
        again = await client.submit(asked, "key")
        with pytest.raises(ServerProblem) as refused:
            await client.submit(asked, "another key")
        return first.id == again.id, refused.value.problem.type

    assert asking(folder, ask) == (True, "no-adapter")
