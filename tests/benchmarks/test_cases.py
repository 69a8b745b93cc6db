# SPDX-License-Identifier: MIT
"""What is asked for: so many things as were drawn, where nothing hides what should not be hidden."""

import numpy as np
import pytest

from benchmarks.placement.cases import AREAS, COUNTS, HIDDEN, KINDS, SMALL, CaseTarget, draw_case, draw_cases
from benchmarks.placement.ceiling import ceiling, extent, outlines, resized
from benchmarks.placement.rows import case_digest
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.scenes.atlas import Atlas, load_atlas


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(FALLBACK.nouns)


@pytest.fixture(scope="module")
def cases(atlas):
    return list(draw_cases("test", 2, atlas))


def test_every_number_of_things_is_drawn_as_often_as_any_other(cases):
    """The draw before this one put one thing into eleven of twelve blockouts."""
    counts = [(case.kind, case.count) for case in cases]
    assert counts == [(kind, count) for kind in KINDS for count in COUNTS for _ in range(2)]
    for case in cases:
        assert len(set(case.masks)) == case.count
        assert all(noun in case.prompt for noun in case.masks)


def test_more_cases_change_none_of_those_that_were_there(atlas, cases):
    again = draw_case("test", "silhouettes", 2, 1, atlas)
    (same,) = [case for case in cases if case.name == again.name]
    assert case_digest(same) == case_digest(again)
    other = draw_case("development", "silhouettes", 2, 1, atlas)
    assert case_digest(other) != case_digest(again)


def test_what_is_apart_is_apart_and_what_is_hidden_is_hidden(cases):
    for case in cases:
        shares = [1 - float(target.mask.sum() / target.whole.sum()) for target in case.targets]
        for target in case.targets:
            assert not (target.mask * target.front).any()
        if case.kind == "hidden":
            behind = shares[: max(1, case.count - 1)]
            assert all(HIDDEN[0] <= share <= HIDDEN[1] for share in behind)
        else:
            assert not any(shares)
            assert np.sum([target.mask for target in case.targets], axis=0).max() <= 1


def test_small_things_are_small_and_others_are_not(cases):
    for case in cases:
        for target in case.targets:
            assert (target.area < SMALL) >= (case.kind == "small")
            assert target.area < AREAS[1][1] * 1.2


def test_a_silhouette_of_the_noun_itself_reaches_its_own_mask(atlas):
    whole = np.zeros((128, 128), dtype=np.float32)
    cactus = resized(next(outlines("cactus", atlas)), 40, 60)
    whole[30:90, 50:90] = cactus
    none = np.zeros_like(whole)
    assert ceiling(CaseTarget("cactus", whole, whole, none), atlas) == pytest.approx(1.0)
    front = none.copy()
    front[:, 70:] = 1
    visible = CaseTarget("cactus", whole * (1 - front), whole, front)
    assert ceiling(visible, atlas) == pytest.approx(1.0)
    solid = none.copy()
    solid[30:90, 50:90] = 1
    assert 0.4 < ceiling(CaseTarget("cactus", solid, solid, none), atlas) < 0.8  # a cactus is no box
    assert extent(solid) == (50, 30, 90, 90)
