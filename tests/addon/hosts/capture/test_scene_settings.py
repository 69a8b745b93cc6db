# SPDX-License-Identifier: MIT
"""The settings in a scene: as custom properties, as the panel's, and written back."""

import bpy
import pytest
from bpy.props import FloatProperty

from addon.capture.scene_settings import read, write
from addon.request.settings import DEFAULTS, KEYS, Settings
from addon.ui import properties
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
    assert set(KEYS.values()) <= properties._of_scenes().keys()
