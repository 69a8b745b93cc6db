# SPDX-License-Identifier: MIT
"""Jobs, events and blockouts of the smallest kind."""

from dataclasses import replace

from addon.protocol.answers import VERSION, Event, Health, Job
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.protocol.default_model import TOYBOX
from addon.session import reducer
from addon.session.state import Session
from addon.session.task import Task, Viewpoint

VIEW = Viewpoint(scene=1, camera=2, pose=(0.0,))
HEALTH = Health(version="0.1.0", contract=VERSION, device="CPU", model="toybox", queued=0, running=0)
JOB = Job(
    id="a",
    state="queued",
    sequence=1,
    created=100.0,
    phase="",
    step=0,
    steps=10,
    artifacts=(),
    problem=None,
    model="toybox",
    prompt="a castle",
    seed=0,
)


def job(name: str = "a", **changes) -> Job:
    """A job that waits, unless ``changes`` say otherwise."""
    return replace(JOB, id=name, **changes)


def event(name: str = "a", **changes) -> Event:
    """News of a step of that job, unless ``changes`` say otherwise."""
    plain = Event(
        id=1,
        job=name,
        sequence=2,
        kind="progress",
        state="running",
        phase="sampling",
        step=3,
        steps=10,
        artifact=None,
    )
    return replace(plain, **changes)


def with_jobs(*jobs: Job) -> Session:
    """A session with a server that has these jobs of ours."""
    session = reducer.server_answered(Session(), HEALTH, (TOYBOX,))
    for one in jobs:
        session = reducer.job_submitted(session, Task(job=one, view=VIEW, request="{}"))
    return session


def blockout(steps: int = 3) -> Blockout:
    """A small request that takes so many steps."""
    region = Region(
        name="castle",
        phrase="castle",
        mask=pack_mask(8, 8, bytes([255] * 64)),
        centroid=(0.5, 0.5),
        size=1.0,
        visible=1.0,
        depth=0,
    )
    return Blockout(
        prompt="a castle",
        regions=(region,),
        width=64,
        height=64,
        frame=Frame(left=0, top=0, width=64, height=64),
        seed=1,
        model="toybox",
        steps=steps,
        strength=0.7,
        scale=4.0,
    )
