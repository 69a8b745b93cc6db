# SPDX-License-Identifier: MIT
"""Phrases are found where the tokenizer put them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from sg_core.attention.tape import listening
from sg_core.conditioning import Conditioning
from sg_core.errors import TokenError, TooLong
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.tokens import Phrase, claims, locate


def columns(model: StableDiffusion1, prompt: str, phrase: str | Phrase) -> tuple[int, ...]:
    wanted = phrase if isinstance(phrase, Phrase) else Phrase(phrase)
    return locate(model.tokenizer, [prompt], [wanted]).phrases[wanted][0]


@pytest.mark.parametrize(
    ("prompt", "phrase", "expected"),
    [
        ("a castle and a rocket", "castle", (2,)),
        ("a castle and a rocket", "rocket", (5, 6)),
        ("a blue castle, a castle", "blue castle", (2, 3)),
        ("a castle and a castle", "castle", (2, 5)),
        ("a castle and a castle", Phrase("castle", 2), (5,)),
        ("A  Blue   CASTLE!", "blue castle", (2, 3)),
        ("a rock and a rocket", "rock", (2,)),
        ("a castle", "a castle", (1, 2)),
    ],
)
def test_a_phrase_has_its_columns(
    model: StableDiffusion1, prompt: str, phrase: str | Phrase, expected: tuple[int, ...]
) -> None:
    assert columns(model, prompt, phrase) == expected


@given(data=st.data())
def test_columns_spell_the_phrase(data: st.DataObject, tokenizer: CLIPTokenizer) -> None:
    words = st.lists(st.sampled_from(["a", "blue", "and", "rocket"]), max_size=3)
    before, after = data.draw(words), data.draw(words)
    wanted = Phrase("rock castle")
    prompt = " ".join([*before, wanted.words, *after])
    (found,) = locate(tokenizer, [prompt], [wanted]).phrases[wanted]
    ids = tokenizer(prompt).input_ids
    assert tokenizer.decode([ids[i] for i in found]).split() == ["rock", "castle"]


@pytest.mark.parametrize("said", ["a rocket", "rocket", "a blue rocket"])
def test_words_that_one_phrase_picks_are_no_other_s(said: str) -> None:
    """Of a region's description, or of a region that the prompt does not name."""
    prompt = f"a rocket on grass, {said}"
    picked, rocket = Phrase(said, prompt.count(said)), Phrase("rocket")
    assert claims(prompt, [rocket, picked]) == {rocket: [(2, 8)], picked: [(19, len(prompt))]}
    alone = f"a castle, {said}"
    assert claims(alone, [rocket, Phrase(said, 1)])[rocket] == [(len(alone) - 6, len(alone))]  # with none of its own


def test_content_leaves_out_start_and_end(model: StableDiffusion1) -> None:
    assert locate(model.tokenizer, ["a castle", "a blue rocket"], []).content == ((1, 2), (1, 2, 3, 4))


@pytest.mark.parametrize("phrase", ["dragon", "cast", Phrase("castle", 2), Phrase("castle", 0), "", "castle castle"])
def test_what_the_prompt_does_not_say_is_named(model: StableDiffusion1, phrase: str | Phrase) -> None:
    with pytest.raises(TokenError, match="does not say"):
        columns(model, "a castle on grass", phrase)


def test_all_missing_words_are_named_at_once(model: StableDiffusion1) -> None:
    with pytest.raises(TokenError, match="'dragon', 'moat'"):
        locate(model.tokenizer, ["a castle"], [Phrase("castle"), Phrase("dragon"), Phrase("moat")])


def test_a_prompt_too_long_says_what_would_be_lost(model: StableDiffusion1) -> None:
    prompt = "a castle and " * 4 + "a blue rocket"
    with pytest.raises(TokenError, match=r"18 tokens and the model reads 16.*'rocket' would be lost"):
        model.words([prompt], [Phrase("rocket")])
    with pytest.raises(TooLong) as caught:
        model.encode([prompt])
    assert (caught.value.prompt, caught.value.lost) == (prompt, "rocket")


def test_what_would_be_lost_begins_with_a_whole_word(model: StableDiffusion1) -> None:
    """A word that is read in part is lost as a whole: "rocket" has two tokens here, and there is room for one."""
    prompt = "a castle and " * 4 + "a rocket, blue"
    with pytest.raises(TooLong) as caught:
        model.encode([prompt])
    assert caught.value.lost == "rocket, blue"


def test_the_key_of_one_word_changes_its_columns_only(model: StableDiffusion1) -> None:
    """A softmax couples all columns by one factor a place: ratios between other words' columns must not move."""
    prompt, phrase = "a castle and a rocket", Phrase("rocket")
    named = model.words([prompt], [phrase]).phrases[phrase][0]
    text = model.encode([prompt]).inputs["encoder_hidden_states"]
    other = text.clone()
    other[:, list(named)] += torch.randn(len(named), text.shape[2], generator=torch.Generator().manual_seed(1))
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    first = next(iter(model.layers(latent)))
    layer = model.network.get_submodule(first)
    for part in (layer.to_q, layer.to_k):  # a tape has the mean over heads: of heads that are alike, each of them
        part.weight.data = part.weight.data.unflatten(0, (layer.heads, -1))[:1].repeat(layer.heads, 1, 1).flatten(0, 1)
    logs = [heard(model, latent, first, t).log() for t in (text, other)]
    moved = (logs[0] - logs[1]) - (logs[0] - logs[1])[..., :1]
    changed = (moved.abs() > 1e-5).any(dim=(0, 1, 2)).nonzero().flatten().tolist()
    assert changed == list(named)


def heard(model: StableDiffusion1, latent: torch.Tensor, layer: str, text: torch.Tensor) -> torch.Tensor:
    step = model.steps(4, "ddim").steps[0]
    with torch.no_grad(), listening(model.network, {layer: model.layers(latent)[layer]}) as tape:
        model.predict(latent, step, Conditioning({"encoder_hidden_states": text}))
    return tape.attention[layer]
