# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture of ours was asked for and what it shows, and which of the scene's regions that is now. No bpy."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..cooperative import Slices
from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout
from ..protocol.strict_json import ContractError, load, loads
from ..request.phrases import Mark
from .figure import Finding, finding
from .targets import Target, requested


@dataclass(frozen=True, eq=False)
class Measured:
    """A picture of ours: what it was asked for, and what it shows by region's phrase. ``request`` is None of one that
    another version of us has written."""

    targets: tuple[Target, ...]
    findings: Mapping[str, Finding]
    aspect: float
    request: Blockout | None = None


def measured(request: str, achieved: str) -> Slices[Measured]:
    """Read it off a picture's texts, a slice a region; nothing of one that another version of us has written."""
    try:
        blockout = loads(Blockout, request)
        answers = load(tuple[Achieved, ...], json.loads(achieved))
    except ContractError:  # the picture stays a picture
        return Measured((), {}, 1.0)
    targets: list[Target] = []
    for region in blockout.regions:
        targets.append(requested(region, blockout))
        yield
    findings: dict[str, Finding] = {}
    for target, answer in zip(targets, answers, strict=False):
        findings[target.phrase.casefold()] = finding(target, answer, blockout)
        yield
    return Measured(tuple(targets), findings, blockout.frame.width / blockout.frame.height, blockout)


def uids_now(picture: Measured, regions: Iterable[tuple[int, Mark]]) -> tuple[int, ...]:
    """The session ids of the picture's regions, in their order, where only phrases and names lead to the ``regions``
    (session id, mark) that there are now; below 0 where none does."""
    by_name: dict[str, int] = {}
    by_phrase: dict[str, int] = {}
    for uid, mark in regions:
        by_name.setdefault(mark.name, uid)
        by_phrase.setdefault(mark.phrase.casefold(), uid)
    return tuple(
        by_phrase.get(target.phrase.casefold()) or by_name.get(target.name) or -number
        for number, target in enumerate(picture.targets, 1)
    )


def matched(picture: Measured, uids: Sequence[int], regions: Iterable[tuple[int, Mark]]) -> dict[str, Finding]:
    """What the picture shows, by the phrases that the scene's ``regions`` (session id, mark) have now.

    A region is the one of its session id, for it may have been renamed; ``uids`` has those of the picture's regions in
    their order, where they are known. Else it is the one of its phrase, or of its name.
    """
    by_uid = dict(zip(uids, picture.targets, strict=False))
    by_phrase = {target.phrase.casefold(): target for target in picture.targets}
    by_name = {target.name: target for target in picture.targets}
    matches: dict[str, Finding] = {}
    for uid, mark in regions:
        phrase = mark.phrase.casefold()
        target = by_uid.get(uid) or (None if uids else by_phrase.get(phrase) or by_name.get(mark.name))
        if target is not None and target.phrase.casefold() in picture.findings:
            matches.setdefault(phrase, picture.findings[target.phrase.casefold()])
    return matches
