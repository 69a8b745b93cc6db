# SPDX-License-Identifier: MIT
"""What a region has of its own: kept as custom properties, read by a capture, gone with the mark."""

import pytest

from addon.messages.errors import PhraseMissing
from addon.regions.marks import (
    COLOUR,
    DESCRIPTION,
    ENFORCE,
    KEYS,
    START,
    STRENGTH,
    UNNAMED,
    UNTIL,
    mark,
    read,
    recall,
    unmark,
    write,
)
from addon.request.phrases import asks_alike
from addon.ui.region_properties import hold_of
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.sample_scenes import box, fresh


def test_a_capture_has_them():
    scene = fresh()
    thing = box("thing", (-1, 0, 0))
    mark(thing, enforce=("centroid", "size"))
    mark(box("other", (1, 0, 0)))
    thing[STRENGTH], thing[DESCRIPTION], thing[COLOUR] = 0.5, " of  red brick ", (0.8, 0.1, 0.1)
    thing[START], thing[UNTIL] = 0.25, 0.75
    region, other = capture(scene, prompt="a thing and other").regions
    assert (region.start, region.until, other.start, other.until) == (0.25, 0.75, 0.0, 1.0)
    assert (region.strength, region.description, region.enforce) == (0.5, "of red brick", ("centroid", "size"))
    assert region.colour == pytest.approx((0.8, 0.1, 0.1))
    assert (other.strength, other.description, other.colour) == (1.0, "", None)


def test_a_request_gives_them_back():
    scene = fresh()
    thing = box("thing")
    mark(thing)
    (plain,) = capture(scene, prompt="a thing").regions
    write(thing, ENFORCE, "centroid size")
    for key, value in ((STRENGTH, 0.5), (START, 0.1), (UNTIL, 0.6), (DESCRIPTION, "red"), (COLOUR, (1.0, 0.0, 0.0))):
        write(thing, key, value)
    (own,) = capture(scene, prompt="a thing").regions
    recall(thing, plain)
    assert capture(scene, prompt="a thing").regions == (plain,)
    assert not any(thing.get(key) is not None for key in (STRENGTH, START, UNTIL, DESCRIPTION, COLOUR))
    recall(thing, own)
    assert capture(scene, prompt="a thing").regions == (own,)
    assert asks_alike(read(thing), own) and not asks_alike(read(thing), plain)


def test_the_prompt_need_not_say_what_is_unnamed():
    scene = fresh()
    thing = box("thing")
    mark(thing)
    with pytest.raises(PhraseMissing):
        capture(scene, prompt="a meadow")
    thing[UNNAMED] = True
    (region,) = capture(scene, prompt="a meadow").regions
    assert (region.phrase, region.unnamed) == ("thing", True)
    (named,) = capture(scene, prompt="a Thing").regions
    assert (named.phrase, named.unnamed) == ("Thing", False)
    recall(thing, named)
    assert thing.get(UNNAMED) is None
    recall(thing, region)
    assert capture(scene, prompt="a meadow").regions == (region,)


def test_unmarking_takes_them_away():
    fresh()
    thing = box("thing")
    mark(thing)
    write(thing, STRENGTH, 0.5)
    write(thing, DESCRIPTION, "red")
    write(thing, COLOUR, (1.0, 0.0, 0.0))
    write(thing, STRENGTH, None)
    assert thing.get(STRENGTH) is None and read(thing).strength == 1.0
    unmark(thing)
    assert not any(thing.get(key) is not None for key in KEYS)


@pytest.mark.parametrize("colour", ["red", 7, (1.0, 0.0)])
def test_what_is_no_colour_is_none(colour):
    fresh()
    thing = box("thing")
    mark(thing)
    thing[COLOUR] = colour
    assert read(thing).colour is None


def test_each_set_of_properties_is_loose_a_silhouette_or_custom():
    assert hold_of({"shape"}) == "silhouette"
    assert hold_of({"centroid", "size"}) == "loose"
    for names in (set(), {"shape", "centroid"}, {"size"}, {"shape", "centroid", "size"}):
        assert hold_of(names) == "custom"
