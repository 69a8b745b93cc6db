# SPDX-License-Identifier: MIT
"""The server over a real socket: every address, as a client meets it."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from addon.client.exceptions import ServerProblem
from addon.protocol.answers import VERSION
from addon.protocol.blockout import Blockout, Frame
from addon.protocol.strict_json import dump, loads
from server.catalogue import offered
from tests.server.serving import at_home, blockout, encoded, ended, fake, until


def test_a_picture_is_painted(tmp_path):
    async def paint():
        async with at_home(fake(tmp_path)) as client:
            job = await ended(client, await client.submit(blockout(seed=300), "key"))
            return job, {a.kind: await client.artifact(a.sha256) for a in job.artifacts}

    job, files = asyncio.run(paint())
    assert (job.state, job.step, job.problem) == ("done", 5, None)
    full, picture = Image.open(io.BytesIO(files["full"])), Image.open(io.BytesIO(files["picture"]))
    assert full.size == (64, 48)
    assert picture.size == (64, 36)
    assert picture.getpixel((0, 0)) == (300 % 256, 1, 1)


def test_a_picture_carries_its_blockout(tmp_path):
    async def paint():
        async with at_home(fake(tmp_path)) as client:
            job = await ended(client, await client.submit(blockout(prompt="a cát"), "key"))
            return [await client.artifact(artifact.sha256) for artifact in job.artifacts]

    for png in asyncio.run(paint()):
        assert loads(Blockout, Image.open(io.BytesIO(png)).text["maquette.blockout"]) == blockout(prompt="a cát")


def test_events_tell_the_whole_story(tmp_path):
    async def listen():
        async with at_home(fake(tmp_path, preview_seconds=0.05)) as client:
            job = await client.submit(blockout(prompt="slow cat", steps=12), "key")
            return [event async for event in client.events(job=job.id)]

    events = asyncio.run(listen())
    states = [event.state for event in events if event.kind == "state"]
    assert states == ["queued", "leased", "running", "done"]
    assert [event.sequence for event in events] == sorted({event.sequence for event in events})
    assert {"loading the model", "painting"} <= {event.phase for event in events}
    assert any(event.artifact and event.artifact.kind == "preview" for event in events)
    assert any(event.energies for event in events)


def test_a_model_in_memory_is_not_said_to_load(tmp_path):
    async def phases():
        async with at_home(fake(tmp_path)) as client:
            jobs = [await client.submit(blockout(seed=seed), str(seed)) for seed in range(2)]
            return [[event.phase async for event in client.events(job=job.id)] for job in jobs]

    first, second = asyncio.run(phases())
    assert "loading the model" in first
    assert "loading the model" not in second and "painting" in second


def test_listening_to_all_jobs(tmp_path):
    async def listen():
        async with at_home(fake(tmp_path)) as client:
            wanted = [(await client.submit(blockout(seed=seed), str(seed))).id for seed in range(3)]
            done = []
            async for event in client.events(after=0):
                if event.state == "done":
                    done.append(event.job)
                if len(done) == 3:
                    break
            return wanted, done

    wanted, done = asyncio.run(listen())
    assert done == wanted


def test_events_can_be_taken_up_at_every_boundary(tmp_path):
    async def listen():
        async with at_home(fake(tmp_path)) as client:
            job = await ended(client, await client.submit(blockout(), "key"))
            whole = [event async for event in client.events(job=job.id)]
            parts = [[event async for event in client.events(after=event.id, job=job.id)] for event in whole]
            return whole, parts

    whole, parts = asyncio.run(listen())
    assert parts == [whole[index + 1 :] for index in range(len(whole))]


def test_cancel_takes_effect_within_one_step(tmp_path):
    """Nothing is written once cancel has answered, and the worker is free for the next job one step later."""

    async def cancel():
        async with at_home(fake(tmp_path)) as client:
            job = await client.submit(blockout(prompt="slow cat", steps=1000), "key")
            async for event in client.events(job=job.id):
                if event.step >= 3 and event.state == "running":
                    break
            cancelled = await client.cancel(job.id)
            following = await asyncio.wait_for(ended(client, await client.submit(blockout(), "next")), 5.0)
            return cancelled, following, await client.job(job.id)

    cancelled, following, later = asyncio.run(cancel())
    assert (cancelled.state, following.state) == ("cancelled", "done")
    assert cancelled == later
    assert {artifact.kind for artifact in cancelled.artifacts} <= {"preview"}


def test_cancel_scopes(tmp_path):
    async def cancel():
        async with at_home(fake(tmp_path)) as client:
            jobs = [await client.submit(blockout(prompt="slow cat", steps=1000), str(n)) for n in range(4)]
            await until(lambda: state(client, jobs[0], "running"))
            waiting = await client.cancel_many("waiting")
            rest = await client.cancel_many("all")
            return [job.id for job in jobs], [job.id for job in waiting], [job.id for job in rest]

    async def state(client, job, wanted):
        return (await client.job(job.id)).state == wanted

    jobs, waiting, rest = asyncio.run(cancel())
    assert waiting == jobs[1:]
    assert rest == jobs[:1]


def test_the_queue_is_ordered(tmp_path):
    """The third is moved before the second, which another replaces; what is painted already stays where it is."""

    async def order():
        async with at_home(fake(tmp_path)) as client:
            jobs = [await client.submit(blockout(prompt="slow cat", steps=20, seed=n), str(n)) for n in range(3)]
            await until(lambda: state(client, jobs[0], "running"))
            assert (await client.move_to_front(jobs[2].id)).position == -1
            other = await client.replace(jobs[1].id, blockout(seed=9), "other")
            refused = []
            for ordering in (client.move_to_front(jobs[0].id), client.replace(jobs[0].id, blockout(), "no")):
                with pytest.raises(ServerProblem) as caught:
                    await ordering
                refused.append((caught.value.problem.status, caught.value.problem.type))
            assert refused == [(409, "not-waiting")] * 2
            await until(lambda: state(client, other, "done"))
            starts = [event async for event in events_until(client, other.id)]
            return [job.id for job in (jobs[0], jobs[2], other)], starts

    async def state(client, job, wanted):
        return (await client.job(job.id)).state == wanted

    async def events_until(client, job):
        async for event in client.events(after=0):
            if (event.kind, event.state) == ("state", "running"):
                yield event.job
                if event.job == job:
                    return

    expected, started = asyncio.run(order())
    assert started == expected


def test_a_full_queue_says_when_to_come_back(tmp_path):
    async def fill():
        async with at_home(fake(tmp_path, max_queued=1)) as client:
            for number in range(3):
                await client.submit(blockout(prompt="slow cat", steps=1000), str(number))

    with pytest.raises(ServerProblem) as caught:
        asyncio.run(fill())
    assert caught.value.problem.type == "queue-full"


def test_health_models_jobs(served):
    status, _, body = served.request("GET", "/v1/health")
    assert status == 200
    health = json.loads(body)
    assert health["contract"] == VERSION
    if Path("/proc/meminfo").exists():
        assert 0 < health["memory_free"] <= health["memory"]
    assert json.loads(served.request("GET", "/v1/models")[2]) == [dump(model) for model in offered(())]
    made = [json.loads(served.request("POST", "/v1/jobs", encoded(dump(blockout(seed=n))))[2]) for n in range(3)]
    listed = json.loads(served.request("GET", "/v1/jobs?limit=2")[2])
    assert [job["id"] for job in listed] == [made[2]["id"], made[1]["id"]]


def test_submitting_twice_with_one_key(served):
    body = encoded(dump(blockout(seed=77)))
    first = served.request("POST", "/v1/jobs", body, Idempotency_Key="twice")
    second = served.request("POST", "/v1/jobs", body, Idempotency_Key="twice")
    assert (first[0], second[0]) == (201, 200)
    assert first[1]["Location"] == second[1]["Location"] == f"/v1/jobs/{json.loads(first[2])['id']}"
    assert served.request("POST", "/v1/jobs", encoded(dump(blockout())), Idempotency_Key="twice")[0] == 409


GOOD = dump(blockout())


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "type", "where"),
    [
        ("POST", "/v1/jobs", {**GOOD, "seed": -1}, 422, "invalid", "seed"),
        ("POST", "/v1/jobs", {**GOOD, "colour": 1}, 422, "unknown-field", "colour"),
        (
            "POST",
            "/v1/jobs",
            {**GOOD, "regions": [{**GOOD["regions"][0], "points": []}]},
            422,
            "unknown-field",
            "regions.0.points",
        ),
        (
            "POST",
            "/v1/jobs",
            {**GOOD, "frame": dump(Frame(left=1, top=0, width=64, height=48))},
            422,
            "invalid",
            "frame",
        ),
        ("POST", "/v1/jobs", {**GOOD, "model": "sdxl"}, 422, "unknown-model", "model"),
        ("POST", "/v1/jobs", {**GOOD, "fingerprint": "f" * 64}, 422, "changed-model", "fingerprint"),
        ("POST", "/v1/jobs", [], 422, "invalid", ""),
        ("POST", "/v1/cancel", {"scope": "some"}, 422, "invalid", "scope"),
        ("GET", "/v1/jobs/nobody", None, 404, "unknown-job", ""),
        ("GET", "/v1/jobs/nobody/events", None, 404, "unknown-job", ""),
        ("POST", "/v1/jobs/nobody/cancel", None, 404, "unknown-job", ""),
        ("POST", "/v1/jobs/nobody/front", None, 404, "unknown-job", ""),
        ("POST", "/v1/jobs/nobody/replace", GOOD, 404, "unknown-job", ""),
        ("POST", "/v1/jobs/nobody/replace", {**GOOD, "seed": -1}, 422, "invalid", "seed"),
        ("GET", f"/v1/artifacts/{'0' * 64}", None, 404, "unknown-artifact", ""),
        ("GET", "/v1/jobs?limit=0", None, 422, "invalid", "limit"),
        ("GET", "/v1/jobs?limit=x", None, 422, "invalid", "limit"),
        ("GET", "/v2/jobs", None, 404, "no-route", ""),
        ("GET", "/v1/jobs/", None, 404, "no-route", ""),
        ("DELETE", "/v1/jobs", None, 405, "no-route", ""),
    ],
)
def test_problems(served, method, path, document, status, type, where):
    answer, headers, body = served.request(method, path, None if document is None else encoded(document))
    problem = json.loads(body)
    assert (answer, problem["status"], problem["type"], problem["path"]) == (status, status, type, where)
    assert headers["Content-Type"] == "application/problem+json"


def test_a_fault_deep_inside_is_named(served):
    document = dump(blockout())
    document["regions"][0]["mask"]["data"] = "zzzz"
    problem = json.loads(served.request("POST", "/v1/jobs", encoded(document))[2])
    assert problem["path"] == "regions.0.mask.data"


def test_last_event_id_must_be_a_number(served):
    for bad in ("x", "-1", "1.5", "9" * 30):
        assert served.request("GET", "/v1/events", Last_Event_ID=bad)[0] == 422


def test_the_loop_never_blocks(tmp_path):
    """While a job runs and clients poll, the event loop is never away for longer than a moment."""

    async def watch():
        async with at_home(fake(tmp_path)) as client:
            gaps, loop = [], asyncio.get_running_loop()
            job = await client.submit(blockout(prompt="slow cat", steps=20, regions=blockout().regions * 20), "key")

            async def beat():
                while True:
                    before = loop.time()
                    await asyncio.sleep(0.005)
                    gaps.append(loop.time() - before)

            beating = asyncio.create_task(beat())
            await ended(client, job)
            beating.cancel()
            return gaps

    gaps = sorted(asyncio.run(watch()))
    assert len(gaps) > 20
    assert gaps[len(gaps) * 9 // 10] < 0.05
