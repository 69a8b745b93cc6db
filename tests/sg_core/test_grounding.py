# SPDX-License-Identifier: MIT
"""What a finished picture shows: the Judge where it can tell, the model's own attention where it cannot."""

import pytest
import torch
from torch import Tensor

from sg_core.attention.tape import Tape
from sg_core.grounding import MASK_SIDE, attended, attention_mask, groundings, judged, reread
from sg_core.tokens import Phrase, Words
from sg_core.toybox.recipe import FALLBACK
from sg_core.toybox.segmenter import Segmenter, judge_of, save_judge
from sg_core.toybox.training.judge import new_judge

CASTLE = Phrase("castle")


class Planted(Segmenter):
    """A Judge that sees a planted picture: red is its first noun, green its second."""

    def forward(self, rgb: Tensor) -> Tensor:
        return 20 * torch.stack([0.5 * torch.ones_like(rgb[:, 0]), rgb[:, 0], rgb[:, 1]], 1)


def tape(share: float) -> Tape:
    """Ten by twenty places; those right of the middle give the phrase this much of their attention to words."""
    attention = torch.zeros(1, 10, 20, 3)
    attention[..., 0] = 0.5
    attention[..., 1] = 0.01
    attention[:, :, 10:, 1] = 0.5 * share
    attention[..., 2] = 0.5 - attention[..., 1]
    return Tape({"layer": attention}, Words({CASTLE: ((1,),)}, ((1, 2),)))


def test_attention_is_believed_where_it_is():
    mask = attention_mask(tape(0.8), CASTLE)
    assert mask is not None
    assert mask.shape == (10 * (MASK_SIDE // 20), 20 * (MASK_SIDE // 20))
    assert mask[:, 36:].min() > 0.9 and mask[:, :24].max() < 0.1


def test_what_hardly_any_attention_goes_to_is_not_there():
    assert attention_mask(tape(0.1), CASTLE) is None


def test_the_judge_answers_for_the_nouns_it_can_tell_apart():
    picture = torch.zeros(1, 3, 32, 64)
    picture[:, 0, :, 32:] = 1
    seen = judged(Planted(("apple", "cactus"), 8), ["a red apple", "cactus", "meadow"], picture)
    assert seen.keys() == {"a red apple", "cactus"}
    assert seen["a red apple"].mask.mean() == pytest.approx(0.5)
    assert seen["cactus"].mask is None
    assert {sight.by for sight in seen.values()} == {"judge"}
    assert judged(Planted(("apple",), 8), ["red apple", "green apple"], picture) == {}


def test_the_rest_is_asked_of_the_model(model):
    latent = torch.randn(1, *model.latent_shape(64, 64), generator=torch.Generator().manual_seed(0))
    judge, picture = Planted(("castle",), 8), model.decode(latent)
    seen = groundings(model, judge, "a castle on grass", ["castle", "grass"], latent, picture)
    assert {words: sight.by for words, sight in seen.items()} == {"castle": "judge", "grass": "attention"}
    alone = groundings(model, None, "a castle on grass", ["castle", "grass"], latent, picture)
    assert {sight.by for sight in alone.values()} == {"attention"}


def test_words_of_something_else_are_not_looked_for(model):
    """A description that says the phrase too is another's: painted apart, it is read apart."""
    prompt, other = "a castle , a toy castle", Phrase("a toy castle", 1)
    latent = torch.randn(1, *model.latent_shape(64, 64), generator=torch.Generator().manual_seed(0))
    own, all_said, first = (
        reread(model, prompt, phrases, latent).map(phrases[0])
        for phrases in ([CASTLE, other], [CASTLE], [Phrase("castle", 1)])
    )
    assert torch.equal(own, first) and not torch.equal(own, all_said)
    assert attended(model, prompt, [CASTLE], latent, [other, "moon"]).keys() == {CASTLE}


def test_rereading_is_repeatable_and_leaves_nothing_behind(model):
    latent = torch.zeros(1, *model.latent_shape(64, 64))
    one, two = (reread(model, "a castle", ["castle"], latent).map(CASTLE) for _ in range(2))
    assert torch.equal(one, two)
    assert not one.requires_grad
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_what_the_prompt_does_not_say_is_not_there(model):
    latent = torch.zeros(1, *model.latent_shape(64, 64))
    assert attended(model, "a castle", ["rocket"], latent)["rocket"].mask is None


def test_a_judge_comes_with_the_models_own_folder(model, folder):
    assert judge_of(model) is None
    save_judge(new_judge(FALLBACK), folder / "judge")
    found = judge_of(model)
    for part in (folder / "judge").iterdir():
        part.unlink()
    assert found is not None and found.nouns == FALLBACK.nouns
