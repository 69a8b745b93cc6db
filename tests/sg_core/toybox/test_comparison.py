# SPDX-License-Identifier: MIT
"""Measures of painted pictures: true scenes are as good as can be, and each fault is noticed by its own measure."""

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.models.cards import CARDS
from sg_core.models.loading import find
from sg_core.toybox.comparison import BATCH, SCENE_SEEDS, Laboratory, compare, matching_scenes
from sg_core.toybox.quality import (
    best_outline,
    boxed,
    colour_references,
    frechet,
    gradient_energy,
    obeys_size,
    outlines,
    visible_colour,
)
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import Scene, SceneObject, Vocabulary, draw_scene
from sg_core.toybox.segmenter import load_judge


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


def shown(atlas: Atlas, noun: str, colour: str | None = None, place: str = "sea") -> tuple[Tensor, Tensor]:
    item = SceneObject(noun, atlas.of(noun)[0], colour, colour is not None, 0.5, 0.5, 0.6, 0.6, angle=0.1)
    pictures = compose([Scene(place, 0.6, (0.3,) * 8, (item,), "")], atlas, 128, 128)
    return pictures.rgb, pictures.full[0, 0] > 0.5


def test_a_blurred_picture_has_less_energy(atlas):
    rgb, inside = shown(atlas, "castle")
    blurred = F.avg_pool2d(rgb, 5, stride=1, padding=2)
    assert gradient_energy(blurred, inside[None]) < 0.5 * gradient_energy(rgb, inside[None])


def test_the_frechet_distance_is_that_of_gaussians():
    torch.manual_seed(0)
    one = torch.randn(4000, 3)
    assert frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet(one, one + torch.tensor([3.0, 0, 0])) == pytest.approx(9, rel=1e-3)
    assert frechet(torch.randn(200_000, 2), 3 * torch.randn(200_000, 2)) == pytest.approx(8, rel=0.05)


def test_a_true_outline_is_known_and_a_square_is_no_castle(atlas):
    known = outlines("castle", atlas)
    _, mask = shown(atlas, "castle")
    assert best_outline(mask, known) > 0.9
    square = torch.zeros(128, 128, dtype=torch.bool)
    square[30:90, 20:100] = True
    assert best_outline(square, known) < 0.8
    assert best_outline(torch.zeros(8, 8, dtype=torch.bool), known) == 0


def test_a_mask_fills_its_box():
    mask = torch.zeros(40, 60, dtype=torch.bool)
    mask[10:20, 30:50] = True
    assert boxed(mask).all()
    assert 0.75 < boxed(mask, 0.9, 0.9).float().mean() < 0.9


@pytest.mark.parametrize("place", ["sea", "sunset"])
def test_a_colour_is_told_in_the_light_of_its_place(atlas, place):
    for noun in ("castle", "car", "elephant"):
        references = colour_references(noun, place, atlas)
        for colour in ("red", "green", "blue", "purple"):
            rgb, inside = shown(atlas, noun, colour, place)
            assert visible_colour(rgb[0], inside, references) == colour
    assert visible_colour(rgb[0], torch.zeros_like(inside), references) is None


def test_sizes_are_obeyed_with_some_tolerance():
    mask = torch.zeros(100, 100, dtype=torch.bool)
    assert not obeys_size("small", mask)
    mask[40:60, 40:60] = True
    assert obeys_size("small", mask)
    assert not obeys_size("big", mask)
    mask[20:80, 20:80] = True
    assert obeys_size("big", mask)
    assert not obeys_size("small", mask)


def laboratory(atlas: Atlas, spoil: bool) -> Laboratory:
    """A painter that shows the true scene of a caption, or one that blurs it and turns its colours."""
    vocabulary = Vocabulary(FALLBACK.nouns, FALLBACK.places)
    judge, folder = load_judge(), find(CARDS["toybox"].address) / "second-judge"
    scenes: dict[str, Scene] = {}

    def paint(captions: list[str], seeds: Sequence[int]) -> Tensor:
        rgb = compose([scenes[caption] for caption in captions], atlas, 128, 128).rgb
        return F.avg_pool2d(rgb.flip(1), 5, stride=1, padding=2) if spoil else rgb

    made = Laboratory(paint, atlas, vocabulary, judge, load_judge(folder), 128)
    for scene in expected(made):
        scenes[scene.caption] = scene
    return made


def expected(made: Laboratory) -> list[Scene]:

    mixed = [draw_scene(SCENE_SEEDS + k, made.atlas, made.vocabulary, count=1 + k % 3, test=True) for k in range(BATCH)]
    coloured = matching_scenes(made, BATCH, lambda scene: scene.objects[0].said)
    sized = matching_scenes(made, BATCH, lambda scene: scene.objects[0].sized != "")
    return [*mixed, *coloured, *sized]


def mean(values: list[float] | float) -> float:
    return sum(values) / len(values) if isinstance(values, list) else values


def test_true_scenes_are_as_good_as_can_be_and_spoiled_ones_are_not(atlas):
    true = {name: mean(value) for name, value in compare(laboratory(atlas, spoil=False), BATCH).items()}
    spoiled = {name: mean(value) for name, value in compare(laboratory(atlas, spoil=True), BATCH).items()}
    assert true["sharpness"] == pytest.approx(1, abs=0.05)
    assert true["frechet"] < 0.2 * spoiled["frechet"]
    assert true["outline"] == pytest.approx(true["outline_true"], abs=0.05)
    assert true["outline"] > 0.8
    assert true["colour"] > 0.8 > spoiled["colour"]
    assert true["size"] > 0.8
    assert spoiled["sharpness"] < 0.6
