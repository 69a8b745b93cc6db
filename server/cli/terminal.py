# SPDX-License-Identifier: MIT
"""What the command line says to people."""

import sys
from functools import partial

from tqdm import tqdm

bar = partial(tqdm, disable=None)
"""A progress bar, as tqdm's; none where standard error is no terminal, for a log would hold it in pieces."""


def say(text: str) -> None:
    """A line on standard output, at once."""
    print(text, flush=True)  # noqa: T201


def complain(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
