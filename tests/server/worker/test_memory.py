# SPDX-License-Identifier: MIT
"""Memory: read off the machine, kept as a fact, and unknown where nobody can say."""

import sys
from pathlib import Path

import pytest

from server.worker.memory import MemoryState, from_fact, of_device, of_machine, to_fact

MEMINFO = "MemTotal:       24576000 kB\nMemFree: 512000 kB\nMemAvailable:    3145728 kB\nHugePages_Total: 0\n"


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no Linux")
def test_this_machine_has_some():
    state = of_machine()
    assert 0 < state.free <= state.total


def test_what_linux_says_is_available_is_free(tmp_path):
    file = tmp_path / "meminfo"
    assert not of_machine(file)
    file.write_text(MEMINFO)
    assert of_machine(file) == MemoryState(24576000 * 1024, 3145728 * 1024)
    file.write_text("MemTotal: 24576000 kB\n")
    assert not of_machine(file)


def test_a_fact_comes_back():
    for state in (MemoryState(), MemoryState(24 * 10**9, 18 * 10**9)):
        assert from_fact(to_fact(state)) == state
    assert not from_fact("")


def test_a_machine_without_a_gpu_has_no_device_memory():
    torch = pytest.importorskip("torch")
    assert "torch" in sys.modules
    if torch.cuda.is_available():
        assert 0 < of_device().free <= of_device().total
    else:
        assert not of_device()
