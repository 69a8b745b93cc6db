# SPDX-License-Identifier: MIT
"""Which device a worker computes on: said by what its process may see, so that no engine needs to know of others."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence

DEVICE = re.compile(r"cpu|cuda(?::(\d{1,3}))?")
VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
THREADS = "OMP_NUM_THREADS"
MOST = 64  # workers


def devices(text: str) -> tuple[str, ...]:
    """``cuda:0,cuda:1`` as its parts. Raises ArgumentTypeError for what names no device of this machine."""
    names = tuple(part.strip().lower() for part in text.split(","))
    wrong = [name for name in names if DEVICE.fullmatch(name) is None]
    if wrong or len(names) > MOST:
        name = wrong[0] if wrong else text
        raise argparse.ArgumentTypeError(f"{name!r} is no device: say cpu, cuda:0, or cuda:0,cuda:1")
    return names


def process_environment(name: str, all_devices: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker on the device of that name, of all those that there are; "" for whatever there is.

    A number counts among the GPUs that this process itself may see. Workers on the CPU share its cores.
    """
    changed = dict(environ)
    match = DEVICE.fullmatch(name)
    if match is None:
        return changed
    if name == "cpu":
        sharing = sum(other == "cpu" for other in all_devices)
        changed.setdefault(THREADS, str(max(1, (os.cpu_count() or 1) // sharing)))
        return changed | dict.fromkeys(VISIBLE, "")
    number = int(match[1] or 0)
    for variable in VISIBLE:
        if environ.get(variable):
            visible = environ[variable].split(",")
            changed[variable] = visible[number] if number < len(visible) else ""  # none, which the worker then says
        else:
            changed[variable] = str(number)
    return changed
