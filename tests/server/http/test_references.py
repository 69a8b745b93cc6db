# SPDX-License-Identifier: MIT
"""Pictures sent to be followed: kept as long as a job refers to them, and refused where they are none."""

import asyncio
import http.client
import json
from dataclasses import replace

import pytest
from PIL import Image

from addon.client.exceptions import ServerProblem
from addon.protocol.blockout import CollagePart, Likeness, ReferencePicture
from server.queue.store import Store
from server.worker.png_files import png
from tests.server.serving import at_home, blockout, ended, fake

PICTURE = png(Image.new("RGB", (64, 48), (1, 2, 3)))


def test_a_picture_that_a_job_follows_outlives_the_server(tmp_path):
    settings = fake(tmp_path)

    async def paint() -> str:
        async with at_home(settings) as client:
            digest = await client.refer(PICTURE)
            assert await client.refer(PICTURE) == digest
            reference = ReferencePicture(picture=digest, caption="a cat")
            job = await ended(client, await client.submit(blockout(reference=reference), "key"))
            assert job.state == "done"
            return digest

    digest = asyncio.run(paint())
    store = Store(settings.database)
    store.sweep()
    kept = store.artifacts.find(digest)
    assert kept is not None and kept.read_bytes() == PICTURE
    assert store.prune(0, 0) == 0, "the newest job stays, and what it follows"
    (job,) = store.jobs(1)
    assert not any(picture.sha256 == digest for picture in job.artifacts), "it is none of the job's own"
    store.close()


def test_what_was_never_sent_is_refused_before_it_waits(tmp_path):
    async def submit() -> None:
        async with at_home(fake(tmp_path)) as client:
            await client.submit(blockout(reference=ReferencePicture(picture="0" * 64, caption="a cat")), "key")

    with pytest.raises(ServerProblem) as refused:
        asyncio.run(submit())
    assert (refused.value.problem.type, refused.value.problem.path) == ("unknown-reference", "reference.picture")


def test_what_is_no_png_is_refused(tmp_path):
    async def refer() -> None:
        async with at_home(fake(tmp_path)) as client:
            await client.refer(b"GIF89a")

    with pytest.raises(ServerProblem, match="no PNG"):
        asyncio.run(refer())


def test_a_picture_may_be_larger_than_a_request_and_not_without_end(served):
    png_type = {"Content_Type": "image/png"}
    assert served.request("POST", "/v1/references", PICTURE + bytes(9 * 2**20), **png_type)[0] == 201
    link = http.client.HTTPConnection(served.connection.address.removeprefix("http://"), timeout=10)
    token = f"Bearer {served.connection.token}"
    link.putrequest("POST", "/v1/references")
    for name, value in (("Authorization", token), ("Content-Type", "image/png"), ("Content-Length", str(2**26 + 1))):
        link.putheader(name, value)
    link.endheaders()
    answer = link.getresponse()
    problem = json.loads(answer.read())
    link.close()
    assert (answer.status, problem["type"]) == (413, "too-large") and "fewer pixels" in problem["fix"]


PART = {"region": "cat", "picture": "1" * 64, "caption": "a cat", "phrase": "cat"}


@pytest.mark.parametrize(
    ("field", "part"),
    [("collage", CollagePart(**PART)), ("likenesses", Likeness(**PART, properties=("appearance",)))],
)
def test_what_a_region_takes_is_kept_and_refused_like_what_is_followed(tmp_path, field, part):
    settings = fake(tmp_path)

    async def paint() -> str:
        async with at_home(settings) as client:
            with pytest.raises(ServerProblem) as refused:
                await client.submit(blockout(**{field: (part,)}), "first")
            assert (refused.value.problem.type, refused.value.problem.path) == ("unknown-reference", field)
            digest = await client.refer(PICTURE)
            asked = blockout(**{field: (replace(part, picture=digest),)})
            assert (await ended(client, await client.submit(asked, "second"))).state == "done"
            return digest

    digest = asyncio.run(paint())
    store = Store(settings.database)
    store.sweep()
    assert store.artifacts.find(digest) is not None
    store.close()
