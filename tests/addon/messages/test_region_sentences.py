# SPDX-License-Identifier: MIT
"""What the list of regions says: short where there is little room, and as sentences under the pointer."""

import pytest

from addon.messages import region_sentences as say
from addon.messages.fixes import of


@pytest.mark.parametrize(
    ("notice", "message", "operators"),
    [
        (say.unknown_phrase("toybox", "walls"), "toybox does not know “walls”", ()),
        (say.unsaid_phrase("castle"), "The prompt does not say “castle”", ("maquette.insert_phrase",)),
        (say.hidden("from renders", "castle"), "Hidden from renders", ("maquette.show_region", "maquette.leave_out")),
        (say.behind("house", "castle"), "Hidden behind house", ("maquette.find_region", "maquette.leave_out")),
        (say.outside("castle"), "Outside the frame", ("maquette.fit_camera", "maquette.leave_out")),
        (say.too_small(0.001, "castle"), "Only 0.1% of the frame", ("maquette.find_region", "maquette.leave_out")),
        (say.too_small(0.0002, "castle"), "Only a speck of the frame", ("maquette.find_region", "maquette.leave_out")),
        (say.bare("castle"), "The view has no surface of it", ("maquette.find_region", "maquette.leave_out")),
    ],
)
def test_each_cause_has_its_words_and_the_buttons_of_its_error(notice, message, operators):
    assert notice.message == message
    assert tuple(button.operator for button in of(notice)) == operators
    assert all(notice.subject == "castle" for _ in operators)


def test_what_is_visible():
    assert (
        say.visible_words(0.08, 0.34, "house")
        == "34% of it is visible: 8.0% of the frame. Most of the rest is behind house."
    )
    assert say.visible_words(0.08, 1.0, "") == "100% of it is visible: 8.0% of the frame."


def test_what_was_achieved():
    assert say.achieved_short(0.041, 0.708) == "Δ4 ∩.71"
    assert say.achieved_short(0.0, 1.0) == "Δ0 ∩1.00"
    assert say.achieved_short(None, None) == "absent"
    words = say.achieved_words("castle", "judge", 0.041, 0.708, False)
    assert words == "The picture shows “castle” 4.1% of the frame away from its block, overlap 0.71."
    assert say.achieved_words("castle", "judge", None, None, False) == "The picture does not show “castle”."
    believed = say.achieved_words("castle", "attention", 0.041, 0.708, True)
    assert "says the model itself" in believed and believed.endswith("what is asked for has changed since.")


@pytest.mark.parametrize(
    ("size", "short", "words"),
    [
        (0.62, "Δ4 ×.62", "0.62 times as large as that"),
        (0.95, "Δ4 ×.95", "as large as that"),
        (1.64, "Δ4 ×1.64", "1.6 times as large as that"),
        (0.0, "Δ4 ×.00", "0 times as large as that"),
    ],
)
def test_what_is_held_to_its_place_and_size_alone_is_judged_by_both(size, short, words):
    assert say.achieved_short(0.041, 0.3, size) == short
    said = say.achieved_words("castle", "judge", 0.041, 0.3, False, size)
    assert said == f"The picture shows “castle” 4.1% of the frame away from its block, {words}."
    assert "× size, where Loose" in say.legend()


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("kind", "advice"),
    [("GREASEPENCIL", "convert it"), ("VOLUME", "outline"), ("EMPTY", "mark what has one"), ("MESH", "Give it faces")],
)
def test_what_has_no_surface_is_told_what_helps(kind, advice, exact):
    message, fix = say.bare_words("line", kind, exact)
    assert message == f"{'A render' if exact else 'The view'} has no surface of line."
    assert advice in fix and not (exact and "Exact" in fix)


def test_what_is_marked_in_a_background_scene_is_named():
    assert say.in_sets(("fence", "gate")) == "Marked in the background scene, where they only hide: fence, gate"


def test_what_the_view_only_nearly_shows_is_approximate():
    says = say.approximate("castle", ("hair", "modifiers"))
    assert says == "castle is approximate: hair, modifiers"
