# SPDX-License-Identifier: MIT
"""Settings: what histories hold opens for ever, flags say all that they have to, and a blockout gets its part."""

import argparse
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from addon.camera.pose import CameraPose
from addon.protocol.blockout import DENOISING, AdapterFile, Blockout, ControlNet, Frame, LoraFile, pack_mask
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import ContractError, dump, loads
from addon.request.references import following, reference_of
from addon.request.settings import (
    DEFAULTS,
    FEW_NOISE,
    FLAGS,
    KEYS,
    MASKS,
    NOISE,
    SENT,
    Settings,
    add_flags,
    as_text,
    asks_alike,
    control_from,
    from_flags,
    part,
    sent,
    to_flags,
)
from addon.request.styles import Style, applied, changes, recovered

POSE = CameraPose(
    camera="Camera",
    matrix=tuple(map(float, range(16))),
    type="PERSP",
    sensor_fit="AUTO",
    lens=50.0,
    sensor_width=36.0,
    sensor_height=24.0,
    shift_x=0.0,
    shift_y=0.1,
    ortho_scale=6.0,
)
# As release 0.1.0 wrote it into histories, pending jobs and .blend files, before there were more fields.
KEPT = {"words": "a castle", "negative": "fog", "style": "Sunset", "size": 50, "exact": True, "shot": dump(POSE)}
SUNSET = Style(name="Sunset", text="at sunset", negative="rain", steps=20)
VARIED = {"variation": 0.25, "variation_seed": 9}
SET = Settings(prompt="a castle", negative="fog", style="Sunset", seed=7, steps=9, model="sd", size=50, exact=True)

INK = LoraFile(name="ink", sha256="0" * 64, weight=0.8)

WORDS = some.text(some.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
CHANGES = some.fixed_dictionaries(
    {},
    optional={
        "prompt": WORDS,
        "negative": WORDS,
        "seed": some.integers(0, 2**31 - 1),
        "variation": some.floats(0, 1),
        "variation_seed": some.integers(0, 2**31 - 1),
        "steps": some.integers(1, 1000),
        "strength": some.floats(0, 1),
        "scale": some.floats(1, 100),
        "masks": some.floats(0, 1),
        "refinement": some.floats(0, 1),
        "noise": some.integers(0, 3),
        "size": some.integers(1, 400),
        "denoising": some.floats(0, 1),
        "exact": some.just(True),
        "scheduler": some.sampled_from(["euler a", "lcm"]),
        "loras": some.just((INK, LoraFile(name='a "b"/c=1'))),
        "vae": some.just(AdapterFile(name="other", sha256="1" * 64)),
        "control": some.just(ControlNet(name="depth=1; x", sha256="2" * 64, scale=0.5, until=0.7)),
    },
)


def request(settings: Settings) -> Blockout:
    frame = Frame(left=0, top=0, width=64, height=48)
    return Blockout(regions=(), width=64, height=48, frame=frame, **sent(settings, TOYBOX))


def parsed(words: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return from_flags(parser.parse_args(words))


def test_what_was_kept_opens_for_ever() -> None:
    settings = loads(Settings, json.dumps(KEPT))
    old = Settings(prompt="a castle", negative="fog", style="Sunset", size=50, exact=True, camera=POSE)
    assert settings == old
    assert loads(Settings, json.dumps({**KEPT, "shot": None})).camera is None
    assert loads(Settings, "{}") == DEFAULTS


def test_the_keys_of_a_history_stay() -> None:
    document = dump(replace(SET, camera=POSE))
    assert {key: document[key] for key in KEPT} == KEPT
    assert loads(Settings, json.dumps(document)) == replace(SET, camera=POSE)
    for wrong in ({"prompt": "a castle"}, {"camera": None}, {"words": "x" * 2001}, {"seed": -1}, {"strength": 1.5}):
        with pytest.raises(ContractError):
            loads(Settings, json.dumps(KEPT | wrong))


def test_a_scene_keeps_everything_but_what_has_no_property() -> None:
    assert {field.name for field in fields(Settings)} - KEYS.keys() == {"camera", "scale"}
    assert all(key == f"maquette_{name}" for name, key in KEYS.items())


@given(CHANGES)
def test_flags_say_all_that_was_set(values: dict[str, Any]) -> None:
    assert parsed(to_flags(values)) == values


def test_flags_leave_out_what_is_not_set() -> None:
    assert parsed([]) == {}
    assert to_flags(part(DEFAULTS, FLAGS)) == [
        "--prompt=",
        "--negative=",
        "--seed=0",
        "--variation=0.0",
        "--variation-seed=0",
        "--size=100",
        "--denoising=0.4",
    ]
    assert to_flags({"style": "Sunset", "model": "sd", "camera": POSE}) == []
    assert Settings(**parsed(to_flags(part(SET, FLAGS)))) == replace(SET, style="", model="")


def test_a_blockout_gets_every_setting_that_it_has_a_field_for() -> None:
    names = ("prompt", "seed", "model", "steps", "strength", "scale", "negative", "masks", "emphasis", "noise")
    files = ("loras", "vae")
    assert (
        *names[:7],
        "scheduler",
        *names[7:],
        "variation",
        "variation_seed",
        *files,
        "denoising",
        "refinement",
        "control",
    ) == SENT
    assert sent(DEFAULTS, TOYBOX) == part(TOYBOX, ("steps", "strength", "scale", "emphasis", "refinement")) | {
        "prompt": "",
        "negative": "",
        "seed": 0,
        "model": "toybox",
        "masks": MASKS,
        "noise": NOISE,
        "variation": 0.0,
        "variation_seed": 0,
        "scheduler": "ddim",
        "loras": (),
        "vae": None,
        "precision": "",
        "fingerprint": "",
        "enlargement": 1.0,
        "denoising": DENOISING,
        "control": None,
    }
    few = replace(TOYBOX, scheduler="lcm", precision="bfloat16", fingerprint="f" * 64)
    of_model = part(few, ("scheduler", "precision", "fingerprint"))
    assert of_model.items() <= sent(DEFAULTS, few).items(), "and which of its name it is"
    assert sent(replace(SET, scheduler="euler", loras=(INK,)), few)["scheduler"] == "euler"
    assert (request(SET).steps, request(SET).seed, request(SET).strength) == (9, 7, TOYBOX.strength)


def test_a_controlnet_is_typed_in_words_and_looks_at_what_its_name_says() -> None:
    assert control_from("depth-xl") == ControlNet(name="depth-xl")
    assert control_from("Canny=0.5; until=0.6") == ControlNet(name="Canny", kind="edges", scale=0.5, until=0.6)
    assert control_from("canny-of-mine=1;kind=depth") == ControlNet(name="canny-of-mine")
    for wrong in ("x=3", "x=y", "x; kind=mood", "x; depth", "x; until=2", "=1", '{"name": "x", "more": 1}'):
        with pytest.raises(ValueError):
            control_from(wrong)


def test_a_controlnet_is_the_same_whatever_it_looked_at() -> None:
    asked = ControlNet(name="depth", scale=0.5)
    pinned = replace(asked, sha256="1" * 64, depth=pack_mask(1, 1, b"\x07"))
    settings = replace(SET, control=asked)
    assert asks_alike(settings, TOYBOX, replace(request(settings), control=pinned))
    assert control_from(as_text(pinned)) == replace(pinned, depth=None)
    for other in (None, replace(pinned, scale=1.0), replace(pinned, kind="edges"), replace(pinned, name="x")):
        assert not asks_alike(settings, TOYBOX, replace(request(settings), control=other))


def test_a_request_is_told_from_one_of_other_settings() -> None:
    again = replace(SET, seed=99, variation=0.5, variation_seed=3, size=25, exact=False)
    assert asks_alike(again, TOYBOX, request(SET)), "another seed is no other request"
    for other in ({"prompt": "a ship"}, {"strength": 0.1}, {"steps": 10}, {"masks": 0.0}, {"emphasis": 0.5}):
        assert not asks_alike(replace(SET, **other), TOYBOX, request(SET)), other
    assert not asks_alike(SET, replace(TOYBOX, name="other"), request(SET))
    assert not asks_alike(SET, TOYBOX, replace(request(SET), refinement=0.0))
    restyled = following(request(SET), reference_of("0" * 64, request(SET), keeps="layout"))
    assert restyled.refinement == 0.0 and asks_alike(SET, TOYBOX, restyled), "what is restyled is never refined"
    assert recovered(SET, restyled, None).refinement == SET.refinement, "and is not what the next ones are asked for by"


def test_what_is_larger_than_the_model_s_own_is_enlarged() -> None:
    def sends(**own: float) -> tuple[float, float]:
        values = sent(replace(DEFAULTS, **own), TOYBOX)
        return values["enlargement"], values["denoising"]

    assert sends() == sends(size=50, denoising=0.9) == (1.0, DENOISING), "one pass has no second one's settings"
    assert sends(size=150, denoising=0.9) == (1.5, 0.9)
    large = replace(SET, size=150, denoising=0.9)
    assert not asks_alike(SET, TOYBOX, request(large))
    assert recovered(DEFAULTS, request(large), None).size == 150, "a request says its size where it is enlarged"
    assert recovered(SET, request(SET), None).size == SET.size


def test_with_few_steps_the_noise_is_shaped_instead_and_the_pull_is_in_proportion() -> None:
    def sends(steps: int | None, **own: float) -> tuple[float, int, float, float]:
        values = sent(replace(DEFAULTS, steps=steps, **own), TOYBOX)
        return values["emphasis"], values["noise"], values["strength"], values["refinement"]

    assert sends(None) == sends(TOYBOX.few) == (TOYBOX.emphasis, NOISE, TOYBOX.strength, TOYBOX.refinement)
    assert sends(TOYBOX.few // 2) == (0.0, FEW_NOISE, TOYBOX.strength / 2, 0.0)
    said = {"emphasis": 5.0, "noise": 1, "strength": 0.9, "refinement": 0.2}
    assert sends(4, **said) == tuple(said.values()), "what the artist says stands"


def test_a_style_adds_its_words() -> None:
    worn = applied(SET, SUNSET)
    assert (worn.prompt, worn.negative, worn.style) == ("a castle at sunset", "fog, rain", "")
    assert part(worn, ("seed", "steps", "size")) == part(SET, ("seed", "steps", "size"))
    assert applied(SET, None) == replace(SET, style="")
    assert changes(SUNSET) == {"steps": 20, "style": "Sunset"}


LAYOUT = {"masks": MASKS, "noise": NOISE, "emphasis": TOYBOX.emphasis, "refinement": TOYBOX.refinement}


def test_what_was_asked_for_is_set_again() -> None:
    asked = replace(request(applied(SET, SUNSET)), seed=8, strength=0.25, **VARIED)
    own = replace(SET, model="toybox", seed=8, strength=0.25, scale=TOYBOX.scale, **LAYOUT, **VARIED, scheduler="ddim")
    assert recovered(SET, asked, SUNSET) == own
    plain = replace(own, prompt="a castle at sunset", negative="fog, rain", style="")
    assert recovered(SET, asked, None) == plain, "the style is gone"
    assert recovered(SET, asked, replace(SUNSET, text="at dusk")) == plain, "the style is not what it was"
    unstyled = replace(SET, style="")
    assert recovered(unstyled, request(unstyled), None).prompt == "a castle"
    assert recovered(DEFAULTS, asked, None) == replace(plain, size=100, exact=False), "from before there was a history"
