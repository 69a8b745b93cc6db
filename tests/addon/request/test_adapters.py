# SPDX-License-Identifier: MIT
"""What was chosen against what a server has: what fits, why not, and in which words."""

from dataclasses import replace

import pytest

from addon.protocol.answers import AdapterInfo
from addon.protocol.blockout import AdapterFile, ControlNet, LoraFile
from addon.protocol.default_model import TOYBOX
from addon.request import adapters
from addon.request.settings import DEFAULTS, asks_alike, sent
from tests.addon.session.samples import blockout

XL = replace(TOYBOX, name="xl", base="stable-diffusion-xl")
INK = AdapterInfo(kind="lora", name="ink", bases=("stable-diffusion-xl",), bytes=9, sha256="1" * 64)
OFFERED = (
    INK,
    replace(INK, name="wash", bases=("stable-diffusion-1", "stable-diffusion-2")),
    replace(INK, name="old", bases=(), trouble="it is pickled, and could run anything; get another"),
    replace(INK, name="any", bases=(), sha256=""),
    replace(INK, kind="vae", name="ink"),
)


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (LoraFile(name="ink"), ""),
        (LoraFile(name="ink", sha256="1" * 64), ""),
        (LoraFile(name="ink", sha256="2" * 64), "is another file than it was"),
        (LoraFile(name="any", sha256="2" * 64), ""),  # nobody has looked yet
        (LoraFile(name="wash"), "is made for stable-diffusion-1 or stable-diffusion-2"),
        (LoraFile(name="old"), "is pickled, and could run anything"),
        (LoraFile(name="gone"), "is not on this server"),
        (AdapterFile(name="ink"), ""),
        (AdapterFile(name="wash"), "is not on this server"),
    ],
)
def test_what_is_known_against_a_choice(chosen: LoraFile | AdapterFile, why: str) -> None:
    assert adapters.fault(chosen, OFFERED, XL) == why


def test_everything_that_is_missing_is_named() -> None:
    settings = replace(DEFAULTS, loras=(LoraFile(name="ink"), LoraFile(name="gone")), vae=AdapterFile(name="kl"))
    assert list(adapters.faults(settings, OFFERED, XL)) == [
        "the LoRA “gone”, which is not on this server",
        "the VAE “kl”, which is not on this server",
    ]
    assert list(adapters.faults(DEFAULTS, OFFERED, XL)) == []


def test_a_choice_is_known_by_its_sum_where_that_is_known() -> None:
    assert adapters.picked(INK, 0.5) == LoraFile(name="ink", sha256="1" * 64, weight=0.5)


def test_what_is_on_top_is_said_in_a_line() -> None:
    request = blockout()
    assert adapters.summary(request) == ""
    full = replace(request, loras=(LoraFile(name="ink", weight=0.8),), vae=AdapterFile(name="kl"), scheduler="lcm")
    assert adapters.summary(full) == "ink 0.80, kl, lcm"
    control = ControlNet(name="depth", scale=0.8)
    assert adapters.summary(replace(request, control=control)) == "depth 0.80"
    assert adapters.summary(replace(request, control=replace(control, until=0.5))) == "depth 0.80 until 0.50"


def test_a_request_is_alike_whichever_file_it_was_where_nobody_says() -> None:
    settings = replace(DEFAULTS, prompt="a castle", loras=(LoraFile(name="ink"),), vae=AdapterFile(name="kl"))
    asked = replace(blockout(), **sent(settings, XL))
    pinned = replace(asked, loras=(adapters.picked(INK),), vae=AdapterFile(name="kl", sha256="3" * 64))
    assert asks_alike(settings, XL, asked) and asks_alike(settings, XL, pinned)
    assert asks_alike(replace(settings, loras=pinned.loras), XL, pinned)
    for loras in ((), (LoraFile(name="ink", weight=0.5),), (LoraFile(name="ink", sha256="2" * 64),), pinned.loras * 2):
        assert not asks_alike(replace(settings, loras=loras), XL, pinned)
    assert not asks_alike(replace(settings, vae=None), XL, pinned)
