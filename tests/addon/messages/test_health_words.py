# SPDX-License-Identifier: MIT
"""How the server is, in a row of any width."""

from dataclasses import replace

from addon.messages.health_words import GIGABYTE, health_forms, health_words
from tests.addon.session.samples import HEALTH

GPU = replace(
    HEALTH,
    device="NVIDIA GeForce RTX 4090",
    memory=24 * GIGABYTE,
    memory_free=round(18.2 * GIGABYTE),
)


def test_the_longest_form_that_fits_is_said():
    assert health_words(GPU, 100) == "NVIDIA GeForce RTX 4090 · 18.2 of 24 GB free · toybox in memory"
    assert health_words(GPU, 50) == "RTX 4090 · 18.2 of 24 GB free · toybox in memory"
    assert health_words(GPU, 34) == "RTX 4090 · 18.2 of 24 GB free"
    assert health_words(GPU, 25) == "RTX 4090 · 18.2 GB free"
    assert health_words(GPU, 3) == "RTX 4090"


def test_a_cpu_has_the_machine_s_memory():
    cpu = replace(GPU, device="CPU, 2 threads", memory_free=round(3.1 * GIGABYTE))
    assert health_words(cpu, 28) == "CPU, 2 threads · 3.1 GB free"


def test_an_older_server_says_what_it_says():
    assert health_forms(HEALTH) == ("CPU · toybox in memory", "CPU · toybox in memory", "CPU")
    assert health_words(replace(HEALTH, model=""), 40) == "CPU · no model in memory"
