# SPDX-License-Identifier: MIT
"""Folders that cannot be written, for root too: tests of a container run as root, whom no permission stops."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CAPABILITY_VERSION = 0x20080522
OVERRIDES = 1 << 1 | 1 << 2 | 1 << 3  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
MORTAL = "-dac_override,-dac_read_search,-fowner"


@contextmanager
def without_root_rights() -> Iterator[None]:
    """This thread may write only where its user may; nothing changes for a user who is not root (Linux)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    before = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, before) == 0
    lesser = (ctypes.c_uint32 * 6)(*before)
    lesser[0] &= ~OVERRIDES  # the effective ones of the first 32; the permitted stay, to come back to
    assert libc.capset(header, lesser) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


def mortally(words: list[str]) -> list[str]:
    """A command line, run without root's rights where root runs it (setpriv of util-linux)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return words
    return ["setpriv", f"--bounding-set={MORTAL}", f"--inh-caps={MORTAL}", *words]
