# SPDX-License-Identifier: MIT
"""Pictures read for contact sheets in this host: one a tick, and nothing of them in the open file."""

import time
from pathlib import Path

import numpy as np

from addon.pictures.textures import Textures
from tests.addon.hosts.sample_scenes import fingerprint, fresh, paint

WIDE, TALL, BROKEN, ABSENT = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def test_pictures_are_read_one_a_tick_and_let_go(tmp_path: Path) -> None:
    fresh()
    paint(tmp_path / f"{WIDE}.png", np.zeros((4, 8, 3), np.float32))
    paint(tmp_path / f"{TALL}.png", np.ones((8, 4, 3), np.float32))
    (tmp_path / f"{BROKEN}.png").write_bytes(b"no picture")
    before, textures, names = fingerprint(), Textures(tmp_path, 6), (WIDE, TALL, BROKEN, ABSENT)
    assert [textures.aspect(name) for name in names] == [None] * 4
    assert [textures.tick(names) for _ in range(5)] == [True] * 4 + [False]
    assert [textures.aspect(name) for name in names] == [2.0, 0.5, 0.0, 0.0]
    assert textures.find(BROKEN) is None and textures.find(ABSENT) is None
    assert not textures.tick((TALL,)) and textures.aspect(WIDE) is None and textures.aspect(TALL) == 0.5
    assert not textures.tick(()) and textures.aspect(TALL) is None
    assert fingerprint() == before


def test_a_large_picture_is_read_without_a_pause(tmp_path: Path, record_property) -> None:
    fresh()
    noise = np.random.default_rng(0).random((64, 64, 3), np.float32).repeat(16, 0).repeat(16, 1)
    paint(tmp_path / f"{WIDE}.png", noise)
    took = []
    for _ in range(5):
        textures, begun = Textures(tmp_path, 1024), time.thread_time()
        assert textures.tick((WIDE,))
        took.append(time.thread_time() - begun)
    record_property("seconds", min(took))
    assert min(took) < 0.05
