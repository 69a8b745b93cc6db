# SPDX-License-Identifier: MIT
"""Where a prompt's own tokens stand in what an encoder reads: in a template, in small letters."""

import pytest

from sg_core.models.family import around, lowered_spans


def template(text: str) -> str:
    return f"<user>a prompt: {text}<end><assistant>"


@pytest.mark.parametrize("prompt", ["castle", "assistant", "a", "user", "<end>"])
def test_a_prompt_that_the_template_says_too_is_found_where_it_was_put(prompt: str) -> None:
    assert around(template, prompt) == ("<user>a prompt: ", "<end><assistant>")


class Letters:
    """A tokenizer of which every letter is a token."""

    def __call__(self, text: str, **options: object) -> dict[str, list[tuple[int, int]]]:
        return {"offset_mapping": [(index, index + 1) for index in range(len(text))] + [(0, 0)]}


@pytest.mark.parametrize("prompt", ["a Castle", "  a Castle ", "İİ a Castle", " İx İ", "ŞİŞLİ"])
def test_tokens_of_small_letters_say_the_prompt_s_own(prompt: str) -> None:
    """Of which some are two letters when they are small, as the Turkish İ is."""
    blanks = len(prompt) - len(prompt.lstrip())
    letters = [(index, index + 1) for index, sign in enumerate(prompt.strip(), blanks) for _ in sign.lower()]
    assert lowered_spans(Letters(), prompt, 100) == [*letters, (0, 0)]
