# SPDX-License-Identifier: MIT
"""Words look where the words of the reference looked that stood in their place."""

from collections import deque

import pytest
import torch
import torch.nn.functional as F

from sg_core import generate
from sg_core.edits.look import prompt_to_prompt
from sg_core.edits.prompt_to_prompt import (
    Alignment,
    MapReplacement,
    ReplacedMaps,
    aligned,
    recorded_maps,
    weights,
    word_layers,
    word_spans,
)
from sg_core.edits.reference import Reference, painted
from sg_core.errors import RequestError
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Moment
from tests.sg_core.flow_model import TinyFlow

CAPTION, OTHER, SIZE = "a castle on grass", "a rock on grass", {"width": 64, "height": 64, "steps": 4}


def reference(model: StableDiffusion1) -> tuple[torch.Tensor, Reference]:
    """A picture of CAPTION, and the reference that it is."""
    moments: deque[Moment] = deque(maxlen=1)
    picture = generate(model, CAPTION, watch=moments.append, **SIZE)
    return picture, painted(moments[0].latent, CAPTION, {}, seed=0)


def test_words_stand_in_the_place_of_others(model: StableDiffusion1) -> None:
    swapped = aligned(model, OTHER, CAPTION)  # start, then one token a word, then the end
    assert swapped.pairs == ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4)) and (swapped.own_end, swapped.their_end) == (5, 5)
    longer = aligned(model, "a rocket on grass", CAPTION)  # rock + et: both look where the castle was
    assert longer.pairs == ((0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 4)) and longer.own_end == 6
    added = aligned(model, "a blue castle on grass", CAPTION)
    assert added.pairs == ((0, 0), (1, 1), (3, 2), (4, 3), (5, 4)), "blue has a map of its own"
    assert Alignment(((0, 0), (2, 1)), 3, 2).columns(5) == ([0, 2, 3, 4], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a caf\u00e9 at night", ["a", "caf\u00e9", "at", "night"]),
        ("a cafe\u0301 at night", ["a", "cafe\u0301", "at", "night"]),
        ("\u0915\u093f\u0932\u093e _ 3d", ["\u0915\u093f\u0932\u093e", "3d"]),
        ("snake_case, (twice)", ["snake", "case", "twice"]),
    ],
)
def test_a_word_keeps_its_marks(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_spans(text)] == words


def test_words_that_are_read_alike_are_told_apart(model: StableDiffusion1) -> None:
    """Each has its own token; and a text with marks of its own is aligned too."""
    assert aligned(model, "castle Castle", "castle Castle").pairs[:3] == ((0, 0), (1, 1), (2, 2))
    assert len(aligned(model, "a cafe\u0301 on grass", CAPTION).pairs) > 3


def test_a_layer_looks_where_it_is_told() -> None:
    torch.manual_seed(0)
    query, key, value, before = (torch.randn(1, 2, 4, 8) for _ in range(4))
    own, theirs = weights(query, key, None, None), weights(before, key, None, None)
    with MapReplacement("layer", [ReplacedMaps({"layer": theirs}, None, 1.0)]):
        assert torch.allclose(F.scaled_dot_product_attention(query, key, value), theirs @ value, atol=1e-6)
    crossed = Alignment(((0, 1),), 4, 4)
    with MapReplacement("layer", [ReplacedMaps({"layer": theirs}, crossed, 0.5)]):
        expected = own.clone()
        expected[..., 0] += 0.5 * (theirs[..., 1] - own[..., 0])
        assert torch.allclose(F.scaled_dot_product_attention(query, key, value), expected @ value, atol=1e-6)
    assert torch.allclose(own @ value, F.scaled_dot_product_attention(query, key, value), atol=1e-6)
    mask = torch.tensor([[True, True, False, False]])
    assert weights(query, key, mask, None)[..., 2:].max() == 0


def test_the_reference_s_own_words_give_the_reference(model: StableDiffusion1) -> None:
    picture, before = reference(model)
    again = generate(model, CAPTION, prompt_to_prompt(model, before, CAPTION), seeds=[7], **SIZE)
    other = generate(model, CAPTION, seeds=[7], **SIZE)
    assert (again - picture).abs().mean() < 0.2 * (other - picture).abs().mean()


def test_other_words_change_the_picture_and_leave_no_hook(model: StableDiffusion1) -> None:
    picture, before = reference(model)
    layout = prompt_to_prompt(model, before, OTHER)
    swapped = generate(model, OTHER, layout, **SIZE)
    assert not torch.equal(swapped, generate(model, OTHER, **SIZE)) and not torch.allclose(swapped, picture, atol=1e-3)
    assert torch.equal(generate(model, OTHER, 0.0 * layout, **SIZE), generate(model, OTHER, **SIZE))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.network.modules())


def test_recorded_maps_are_those_of_the_layer(model: StableDiffusion1) -> None:
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    step, text = model.steps(4, "ddim").steps[1], model.encode([CAPTION])
    layers = word_layers(model, latent)
    with torch.no_grad(), recorded_maps(layers, model.network) as maps:
        heard = model.predict(latent, step, text)
    assert set(maps) == set(layers) and torch.equal(heard, model.predict(latent, step, text).detach())
    assert all(torch.allclose(one.sum(-1), torch.ones(one.shape[:-1]), atol=1e-5) for one in maps.values())


def test_a_family_that_cannot_says_so(flow: TinyFlow) -> None:
    latent = torch.zeros(1, *flow.latent_shape(64, 64))
    layout = prompt_to_prompt(flow, painted(latent, CAPTION, {}), CAPTION)
    with pytest.raises(RequestError, match="picture and words in the same layers"):
        generate(flow, CAPTION, layout, scheduler="euler", **SIZE)
