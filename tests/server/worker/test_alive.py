# SPDX-License-Identifier: MIT
"""A worker that loads for long: it says a word while it computes, and none where it merely waits."""

import threading
import time

from server.worker.alive import saying


def test_who_computes_says_a_word_now_and_then_and_who_waits_says_none():
    heard = threading.Semaphore(0)
    with saying(heard.release, 0.05):
        end = time.monotonic() + 20
        while not heard.acquire(blocking=False):
            assert time.monotonic() < end
    heard = threading.Semaphore(0)
    with saying(heard.release, 0.5):
        assert not heard.acquire(timeout=2)
    assert not heard.acquire(timeout=1), "and nobody says anything afterwards"
