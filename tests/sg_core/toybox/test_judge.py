# SPDX-License-Identifier: MIT
"""The Judge's reading of a picture, on pictures whose truth is known."""

import pytest
import torch
from torch import Tensor

from sg_core.judge import against, detect, detection, iou, noun_of
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import load_atlas
from sg_core.toybox.segmenter import NETWORKS, Segmenter, load_judge, save_judge
from sg_core.toybox.training.judge import classes, new_judge
from sg_core.toybox.training.stream import TEST_SEEDS, stream


class Planted(Segmenter):
    """A Judge that sees a planted picture: red is its first noun, green its second."""

    def forward(self, rgb: Tensor) -> Tensor:
        return 20 * torch.stack([0.5 * torch.ones_like(rgb[:, 0]), rgb[:, 0], rgb[:, 1]], 1)


def picture(rows: slice, columns: slice, channel: int, height: int = 48, width: int = 64) -> Tensor:
    rgb = torch.zeros(3, height, width)
    rgb[channel, rows, columns] = 1
    return rgb


def test_it_finds_what_is_there_where_it_is():
    judge = Planted(("apple", "cactus"), 8)
    red = picture(slice(12, 36), slice(32, 64), 0)
    seen = detect(judge, red[None], [["apple", "cactus"]])[0]
    assert seen["apple"].present
    assert seen["apple"].centroid == pytest.approx((0.75, 0.5))
    assert seen["apple"].area == pytest.approx(0.25)
    assert not seen["cactus"].present
    assert seen["cactus"].centroid is None


def test_less_than_a_hundredth_of_the_frame_is_not_present():
    judge = Planted(("apple", "cactus"), 8)
    speck = picture(slice(0, 5), slice(0, 6), 0)
    assert not detect(judge, speck[None], [["apple"]])[0]["apple"].present


def test_sides_that_are_no_multiples_of_sixteen_are_read_at_their_own_size():
    judge = Planted(("apple", "cactus"), 8)
    red = picture(slice(20, 40), slice(10, 50), 0, height=50, width=90)
    seen = detect(judge, red[None], [["apple"]])[0]["apple"]
    assert seen.mask.shape == (50, 90)
    assert seen.area == pytest.approx(20 * 40 / 4500, rel=0.1)


def test_a_block_half_filled():
    judge = Planted(("apple", "cactus"), 8)
    target = torch.zeros(48, 64)
    target[:, 32:] = 1
    sight = detect(judge, picture(slice(0, 24), slice(32, 64), 0)[None], [["apple"]])[0]["apple"]
    scores = against(sight, target)
    assert scores["iou"] == pytest.approx(0.5)
    assert scores["offset"] == pytest.approx(0.25 / 2**0.5)
    assert against(detection(torch.zeros(1, 4, 4), torch.ones(4, 4), 0), target)["iou"] == 0


def test_iou_of_nothing_is_nothing():
    nothing = torch.zeros(4, 4, dtype=torch.bool)
    assert iou(nothing, nothing) == 0


def test_a_phrase_is_known_by_its_last_known_word():
    assert noun_of("a big blue castle", ("castle", "car")) == "castle"
    assert noun_of("the castle car", ("castle", "car")) == "car"
    assert noun_of("a zeppelin", ("castle",)) is None


def test_classes_are_those_of_the_things_that_cover_most():
    batch = next(stream(FALLBACK, load_atlas(FALLBACK.nouns), TEST_SEEDS, 4))
    truth = classes(batch, FALLBACK.nouns)
    for row, scene in enumerate(batch.scenes):
        for slot, item in enumerate(scene.objects):
            inside = batch.pictures.visible[row, slot] > 0.6
            assert (truth[row][inside] == 1 + FALLBACK.nouns.index(item.noun)).all()


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
def test_a_judge_comes_back_as_it_was_saved(architecture, tmp_path):
    judge = new_judge(FALLBACK, architecture).eval()
    save_judge(judge, tmp_path)
    rgb = torch.rand(1, 3, 32, 48)
    assert torch.allclose(judge.probabilities(rgb), load_judge(tmp_path).probabilities(rgb), atol=1e-2)
    assert judge(rgb).shape == (1, 25, 32, 48)
