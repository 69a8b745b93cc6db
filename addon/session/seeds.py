# SPDX-License-Identifier: GPL-3.0-or-later
"""Which seed is asked for next. No bpy."""

import json
from collections.abc import Iterable
from dataclasses import replace

from ..protocol.records import SEED_MAX, Blockout
from ..protocol.strict_json import dump
from .task import Task


def unasked(blockout: Blockout, waiting: Iterable[Task]) -> Blockout:
    """The blockout with the first seed, from its own on, that is not waited for already: another picture is meant."""
    requested = {task.request for task in waiting}
    while json.dumps(dump(blockout)) in requested:
        blockout = successor(blockout)
    return blockout


def successor(blockout: Blockout) -> Blockout:
    """The same with the next seed."""
    return replace(blockout, seed=(blockout.seed + 1) % (SEED_MAX + 1))
