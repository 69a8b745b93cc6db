# SPDX-License-Identifier: MIT
"""Files on top of a model, on their way: known from the first, pinned before they are sent, and so in what is kept."""

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from addon.protocol.blockout import LoraFile
from addon.session.seeds import Seeds
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_online, until
from tests.addon.session.samples import VIEW, blockout


def offering(settings: ServerSettings, folder: Path) -> ServerSettings:
    name = "transformer.blocks.0.to_q.lora_A.weight"
    save_file({name: torch.zeros(2, 4)}, folder / "ink.safetensors")
    return replace(settings, adapters=(folder,))


def test_a_request_is_kept_with_the_sums_of_its_files(settings: ServerSettings, tmp_path: Path) -> None:
    """By them it is known: the same again is there already, and the same with another weight is not."""
    asked = replace(blockout(), loras=(LoraFile(name="ink", weight=0.5),))

    async def story() -> None:
        async with running(offering(settings, tmp_path)), dispatching(tmp_path / "pictures") as dispatcher:
            await until(dispatcher, is_online)
            assert [info.name for info in dispatcher.session.link.adapters] == ["ink"]
            await dispatcher.submit(asked, VIEW)
            request = dispatcher.session.tasks[0].request
            digest = hashlib.sha256((tmp_path / "ink.safetensors").read_bytes()).hexdigest()
            assert json.loads(request)["loras"] == [{"name": "ink", "sha256": digest, "weight": 0.5}]
            fixed = Seeds(fixed=True, painted=lambda text: "here" if text == request else "")
            await dispatcher.submit(asked, VIEW, seeds=fixed)
            assert len(dispatcher.session.tasks) == 1
            assert dispatcher.session.notice is not None and dispatcher.session.notice.code == "already-painted"
            await dispatcher.submit(replace(asked, loras=(LoraFile(name="ink"),)), VIEW, seeds=fixed)
            assert len(dispatcher.session.tasks) == 2

    asyncio.run(story())


def test_a_file_that_is_gone_is_said_and_nothing_is_sent(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(offering(settings, tmp_path)), dispatching(tmp_path / "pictures") as dispatcher:
            await until(dispatcher, is_online)
            (tmp_path / "ink.safetensors").unlink()
            await dispatcher.submit(replace(blockout(), loras=(LoraFile(name="ink"),)), VIEW)
            assert dispatcher.session.tasks == ()
            assert dispatcher.session.notice is not None and dispatcher.session.notice.code == "no-adapter"

    asyncio.run(story())
