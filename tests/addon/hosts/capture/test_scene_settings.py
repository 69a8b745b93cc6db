# SPDX-License-Identifier: MIT
"""The settings in a scene: as custom properties, as the panel's, and written back."""

import bpy
import pytest
from bpy.props import FloatProperty

from addon.capture.scene_settings import read, write
from addon.protocol.blockout import LORAS, AdapterFile, ControlNet, LoraFile, pack_mask
from addon.request.settings import ADDED, CONTROL, DECODER, DEFAULTS, KEYS, Settings
from addon.ui import adapter_properties, properties
from tests.addon.hosts.sample_scenes import fresh

SET = Settings(
    prompt="a castle",
    negative="fog",
    style="Sunset",
    model="sd",
    seed=7,
    steps=9,
    strength=0.3,
    size=50,
    masks=0.4,
    noise=1,
    emphasis=3.0,
    refinement=0.3,
    scheduler="euler a",
    loras=(LoraFile(name="ink", sha256="0" * 64, weight=0.8), LoraFile(name="wash")),
    vae=AdapterFile(name="other"),
    control=ControlNet(name="depth", scale=0.5),
)


@pytest.fixture
def strength_property():
    """As the panel registers it, with a default of the chosen model's."""
    key = KEYS["strength"]
    setattr(bpy.types.Scene, key, FloatProperty(get=lambda scene: scene.get(key, 0.7)))
    yield
    delattr(bpy.types.Scene, key)


def test_a_scene_without_settings_has_the_defaults():
    assert read(fresh()) == DEFAULTS


def test_what_is_written_is_read():
    scene = fresh()
    write(scene, {**vars(SET), "scale": 3.0, "camera": None})
    assert read(scene) == SET
    assert {key for key in list(scene.keys()) if key.startswith("maquette_")} == set(KEYS.values())


def test_what_is_not_named_stays():
    scene = fresh()
    write(scene, vars(SET))
    write(scene, {"seed": 8, "style": "", "strength": None})
    assert (read(scene).seed, read(scene).style, read(scene).prompt) == (8, "", "a castle")
    assert KEYS["strength"] not in scene


def test_the_panel_knows_the_models_defaults(strength_property):
    scene = fresh()
    assert read(scene).strength == pytest.approx(0.7)
    write(scene, {"strength": 0.3})
    assert read(scene).strength == scene.maquette_strength == pytest.approx(0.3)
    assert read(scene).steps is None


def test_every_setting_of_a_scene_is_in_the_panel():
    """Files on top of the model are chosen in menus."""
    assert set(KEYS.values()) - {ADDED, DECODER, CONTROL} <= properties._of_scenes().keys()


def test_sliders_set_the_weights_and_nothing_else_of_loras():
    scene, weights = fresh(), adapter_properties.WEIGHTS
    setattr(bpy.types.Scene, weights, adapter_properties.of_adapters()[weights])
    try:
        assert list(getattr(scene, weights)) == [1.0] * LORAS
        setattr(scene, weights, [0.5] * LORAS)
        assert ADDED not in scene, "there is no LoRA to weigh"
        write(scene, vars(SET))
        getattr(scene, weights)[1] = 0.35
        assert read(scene).loras == (SET.loras[0], LoraFile(name="wash", weight=0.35))
        getattr(scene, weights)[0] = 1.0
        assert read(scene).loras[0] == LoraFile(name="ink", sha256="0" * 64)
    finally:
        delattr(bpy.types.Scene, weights)


@pytest.mark.parametrize(
    ("slider", "field"), [(adapter_properties.CONTROL_SCALE, "scale"), (adapter_properties.CONTROL_UNTIL, "until")]
)
def test_a_slider_of_a_controlnet_sets_its_own_number_and_nothing_else(slider, field):
    scene = fresh()
    setattr(bpy.types.Scene, slider, adapter_properties.of_adapters()[slider])
    try:
        assert getattr(scene, slider) == 1.0
        setattr(scene, slider, 0.5)
        assert CONTROL not in scene, "there is no ControlNet to weigh"
        kept = ControlNet(name="canny", sha256="1" * 64, kind="edges", scale=0.8, until=0.6)
        write(scene, {"control": ControlNet(**{**vars(kept), "depth": pack_mask(1, 1, b"x")})})
        assert read(scene).control == kept, "what it looked at is no setting"
        assert getattr(scene, slider) == pytest.approx(getattr(kept, field))
        setattr(scene, slider, 0.35)
        assert read(scene).control == ControlNet(**{**vars(kept), field: 0.35})
    finally:
        delattr(bpy.types.Scene, slider)


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "ink", "hue": 1}]', 7])
def test_files_that_cannot_be_read_are_none(text):
    scene = fresh()
    scene[ADDED] = scene[DECODER] = text
    scene[CONTROL] = text if text in ("", "{", 7) else "{}"
    assert (read(scene).loras, read(scene).vae, read(scene).control) == ((), None, None)
