# SPDX-License-Identifier: MIT
"""What a server answers: jobs and their news, models, its health, and how to reach it. Standard library only."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from .blockout import Checksum, Digest, Emphasis, Fraction, Mask, Name, Precision, Scheduler, Seed, Text
from .strict_json import Added, ContractError, Length, Range, Record, loads

__all__ = [
    "ENDED",
    "VERSION",
    "Achieved",
    "AdapterInfo",
    "AdapterKind",
    "Artifact",
    "Connection",
    "Digest",
    "Event",
    "Health",
    "Job",
    "ModelInfo",
    "Problem",
    "RegionField",
    "Scope",
    "State",
    "Stored",
    "WordGroup",
    "WorkerState",
    "read_connection",
]

VERSION = 2  # of the wire, the same for add-on and server; a field that is added, with a default, leaves it as it is

Count = Annotated[int, Range(0, 2**53)]
AdapterKind = Literal["lora", "vae", "controlnet"]
RegionField = Literal["strength", "start", "until", "description", "colour"]
State = Literal["queued", "leased", "running", "done", "failed", "cancelled"]
STARTING = "starting"  # the device of a worker that has not said yet what it computes on
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class WordGroup(Record):
    """Words that a model was taught, of one kind: ``name`` says which, in the plural."""

    name: Name
    words: Annotated[tuple[Name, ...], Length(0, 10_000)]


@dataclass(frozen=True, kw_only=True)
class ModelInfo(Record):
    """A model on offer: native area and side multiple in pixels, defaults, nouns; ``words`` if it knows no others.

    ``vocabulary`` is what else it was taught to say, by kind; ``region_fields`` what a region may have of its own.
    With fewer steps than ``few`` its layout shapes the noise, and nothing is emphasised or refined. ``base`` is what
    LoRAs and autoencoders must be made for; ``schedulers`` those that it walks with, all if none. ``precision`` is what
    this server computes it in, once that is known. ``parts_folder`` has all other parts of a network alone in its file.
    ``fingerprint`` tells a model on the server's disk from another of its name; one that a commit names has none.
    """

    name: Name
    family: Name
    source: Text
    revision: Text
    licence: Text
    area: Annotated[int, Range(1, 2**24)]
    multiple: Annotated[int, Range(1, 1024)]
    steps: Annotated[int, Range(1, 1000)]
    scale: Annotated[float, Range(1.0, 100.0)]
    strength: Fraction
    nouns: Annotated[tuple[Name, ...], Length(0, 10_000)] = ()
    words: Annotated[tuple[Name, ...], Length(0, 10_000)] = ()
    emphasis: Annotated[Emphasis, Added("0.2.0")] = 0.0
    refinement: Annotated[Fraction, Added("0.2.0")] = 0.0
    few: Annotated[Count, Added("0.2.0")] = 0
    vocabulary: Annotated[tuple[WordGroup, ...], Length(0, 100), Added("0.2.0")] = ()
    region_fields: Annotated[tuple[RegionField, ...], Length(0, 16), Added("0.2.0")] = ()
    base: Annotated[Text, Added("0.2.0")] = ""
    scheduler: Annotated[Scheduler, Added("0.2.0")] = "ddim"
    schedulers: Annotated[tuple[Scheduler, ...], Length(0, 100), Added("0.2.0")] = ()
    precision: Annotated[Precision, Added("0.2.0")] = ""
    parts_folder: Annotated[Text, Added("0.2.0")] = ""
    fingerprint: Annotated[Checksum, Added("0.2.0")] = ""


@dataclass(frozen=True, kw_only=True)
class AdapterInfo(Record):
    """A LoRA or an autoencoder that the server has, of so many ``bytes``; ``bases`` are those it may be made for.

    ``sha256`` is "" until somebody has asked for it; ``trouble`` says why it is of no use, where it is not.
    """

    kind: AdapterKind
    name: Name
    bases: Annotated[tuple[Name, ...], Length(0, 16)]
    bytes: Count
    sha256: Checksum = ""
    trouble: Text = ""


@dataclass(frozen=True, kw_only=True)
class Artifact(Record):
    """A stored file, fetched by its digest: the picture cropped to the frame, the full picture, or a preview."""

    sha256: Digest
    kind: Literal["picture", "full", "preview"]
    media_type: Name
    bytes: Count


@dataclass(frozen=True, kw_only=True)
class Stored(Record):
    """A picture that was sent, to be a reference of jobs."""

    sha256: Digest


@dataclass(frozen=True, kw_only=True)
class Achieved(Record):
    """What a finished picture shows of the region of that ``name``; mask, centroid and size are as Region's.

    Measured on the picture ``by`` the Judge of a model that carries one, else read off the model's own attention.
    Without mask and centroid, and with size 0, the picture does not show the region at all.
    """

    name: Name
    by: Literal["judge", "attention"]
    mask: Mask | None
    centroid: tuple[Fraction, Fraction] | None
    size: Fraction


@dataclass(frozen=True, kw_only=True)
class Problem(Record):
    """What went wrong, under the names of RFC 9457; ``fix`` says what to do, ``path`` where in the request it lies."""

    type: Name
    title: Name
    status: Annotated[int, Range(400, 599)]
    detail: Text
    fix: Text = ""
    path: Text = ""


@dataclass(frozen=True, kw_only=True)
class Job(Record):
    """A job as the server knows it. ``sequence`` grows with every change; ``created`` is in Unix seconds.

    ``achieved`` has an entry for each region once it is done. Of those that wait, the least ``position`` is next.
    ``attempt`` is how often a worker has begun it, and 1 before the first did.
    """

    id: Name
    state: State
    sequence: Count
    created: float
    phase: Text
    step: Count
    steps: Count
    artifacts: tuple[Artifact, ...]
    problem: Problem | None
    model: Name
    prompt: Text
    seed: Seed
    achieved: tuple[Achieved, ...] = ()
    position: Annotated[int, Range(-(2**53), 0), Added("0.2.0")] = 0
    attempt: Annotated[Count, Added("0.2.0")] = 1


@dataclass(frozen=True, kw_only=True)
class Event(Record):
    """News of a job. ``energies`` are (phrase or term, value) pairs; the job itself is always the truth.

    One that is ``restarted`` was begun by a worker before: this is its ``attempt``, and its steps count from 0.
    """

    id: Count
    job: Name
    sequence: Count
    kind: Literal["state", "progress", "preview", "restarted"]
    state: State
    phase: Text
    step: Count
    steps: Count
    artifact: Artifact | None
    energies: tuple[tuple[str, float], ...] = ()
    attempt: Annotated[Count, Added("0.2.0")] = 1


@dataclass(frozen=True, kw_only=True)
class Scope(Record):
    """Which jobs to cancel: those waiting, or all that are not over."""

    scope: Literal["waiting", "all"]


@dataclass(frozen=True, kw_only=True)
class WorkerState(Record):
    """One of a server's workers: where it computes, warm model, the job in hand ("" for none), why it cannot work.

    Memory is in bytes, and that of its device; where ``memory`` is 0 it has none of its own.
    """

    device: Text
    model: Text
    job: Text = ""
    trouble: Text = ""
    memory: Count = 0
    memory_free: Count = 0


@dataclass(frozen=True, kw_only=True)
class Health(Record):
    """How the server is: its own version, the contract's, where it computes, warm model, queue; why it cannot work.

    Memory is in bytes: that of the device, else of the machine; where ``memory`` is 0 nobody can say. ``workers`` are
    there where there are several: ``device`` and ``model`` then name all of theirs.
    """

    version: Name
    contract: Count
    device: Text
    model: Text
    queued: Count
    running: Count
    trouble: Text = ""
    memory: Annotated[Count, Added("0.2.0")] = 0
    memory_free: Annotated[Count, Added("0.2.0")] = 0
    workers: Annotated[tuple[WorkerState, ...], Length(0, 64), Added("0.2.0")] = ()


@dataclass(frozen=True, kw_only=True)
class Connection(Record):
    """How to reach a server on this machine; kept in a file only its owner can read."""

    address: Name
    token: Name
    version: Name


def read_connection(path: Path) -> Connection:
    """The connection in ``path``. Raises FileNotFoundError without a server, ContractError for a file not to trust."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ContractError(str(path), "is readable by others; remove it and start the server again")
    return loads(Connection, path.read_bytes())
