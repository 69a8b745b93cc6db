# SPDX-License-Identifier: MIT
"""Everything the method refuses, and why.

SelfGuidanceError
├── AttentionError   a layer could not be listened to
├── EnergyError      an energy could not be read or followed
├── TokenError       a phrase is not in the prompt
│   └── TooLong      the prompt is
├── RequestError     sizes, seeds, modes that a model cannot serve
├── WeightsError     weights that may not or cannot be loaded
└── NotFinite        a model that gave numbers that are none
Cancelled            raised by a Watch to stop sampling: no error of the method
"""


class SelfGuidanceError(Exception):
    """What is wrong, where, and what to do about it, in one message for people."""


class AttentionError(SelfGuidanceError):
    """A named layer does not exist, was not heard, or computes attention in a way that cannot be overheard."""


class EnergyError(SelfGuidanceError):
    """An energy that has no gradient, or whose targets do not fit the batch."""


class TokenError(SelfGuidanceError):
    """Words that are not in the prompt, or that the text encoder would never see."""


class TooLong(TokenError):
    """A prompt that the text encoder would not read to its end: ``lost`` is that end, from a whole word on."""

    def __init__(self, prompt: str, lost: str, sizes: str) -> None:
        super().__init__(f"the prompt has {sizes}: shorten it, {lost!r} would be lost")
        self.prompt, self.lost = prompt, lost


class RequestError(SelfGuidanceError):
    """A picture that was asked for in a way this model cannot paint it."""


class WeightsError(SelfGuidanceError):
    """Weights that are missing, unpinned, or of a kind that runs code."""


class NotFinite(SelfGuidanceError):
    """A model that gave NaN or infinite numbers: its picture would be black, or nothing at all."""

    def __init__(self, model: str, part: str) -> None:
        super().__init__(
            f"{model} gave numbers that are none (NaN or infinite) in {part}: its weights are damaged, or too large "
            "for the precision they are computed in"
        )


class Cancelled(Exception):
    """Raise this inside a Watch: sampling stops after the step that just ended."""
