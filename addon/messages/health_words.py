# SPDX-License-Identifier: GPL-3.0-or-later
"""How the server is, in as many words as there is room for. No bpy."""

from ..protocol.answers import Health

GIGABYTE = 2**30
BRANDS = ("NVIDIA ", "GeForce ")  # of a device's name, where there is little room


def health_words(health: Health, letters: int) -> str:
    """Where it computes, how much memory is free, which model is loaded: the longest of the forms that fit."""
    forms = health_forms(health)
    return next((words for words in forms if len(words) <= letters), forms[-1])


def health_forms(health: Health) -> tuple[str, ...]:
    """All of it; then with less and less, the device alone at last. An older server does not say its memory."""
    device = health.device
    for brand in BRANDS:
        device = device.replace(brand, "")
    free, total = health.memory_free / GIGABYTE, health.memory / GIGABYTE
    model = f"{health.model} in memory" if health.model else "no model in memory"
    if not health.memory:
        return f"{health.device} · {model}", f"{device} · {model}", device
    room = f"{free:.1f} of {total:.0f} GB free"
    return (
        f"{health.device} · {room} · {model}",
        f"{device} · {room} · {model}",
        f"{device} · {room}",
        f"{device} · {free:.1f} GB free",
        device,
    )
