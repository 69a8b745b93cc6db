# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a scene, in an artist's words.

CaptureError           the scene cannot be captured as it is
├── NoCamera           there is nothing to look through
├── PanoramicCamera    its pictures are not flat
├── FrameTooLong       its frame has a shape that no picture can have
├── NothingMarked      no object or collection is a region
├── RegionHidden       a marked thing is not seen: it is hidden in the view or from renders
│   ├── RegionBare     it has no surface
│   ├── RegionOutside  it is outside the frame
│   └── RegionBehind   it is behind others
├── RegionTooSmall     less than 1 % of the frame is visible
├── PhraseMissing      the prompt does not say what the region is
└── PhraseShared       two marked things have one phrase
"""


class CaptureError(Exception):
    """Why there is no blockout, and what to do; ``code`` leads to its cure. ``subject`` is the phrase it is about."""

    code: str

    def __init__(self, message: str, fix: str, subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"


class NoCamera(CaptureError):
    """There is nothing to look through."""

    code = "no-camera"


class PanoramicCamera(CaptureError):
    """A panorama's picture is not flat, so that no frustum holds it."""

    code = "panoramic-camera"


class FrameTooLong(CaptureError):
    """The camera's frame is so long and narrow that no picture of the model's area has its shape."""

    code = "frame-too-long"


class NothingMarked(CaptureError):
    """No object or collection is a region."""

    code = "nothing-marked"


class RegionHidden(CaptureError):
    """No surface of a marked thing is seen; where none would be seen from anywhere, view or renders hide it."""

    code = "region-hidden"


class RegionBare(RegionHidden):
    """A marked thing is shown, and has no surface: an empty, hair, a volume, a mesh without faces."""

    code = "region-bare"


class RegionOutside(RegionHidden):
    """A marked thing is outside the frame."""

    code = "region-outside"


class RegionBehind(RegionHidden):
    """A marked thing is behind others."""

    code = "region-behind"


class RegionTooSmall(CaptureError):
    """Too little of the frame shows the region."""

    code = "region-too-small"


class PhraseMissing(CaptureError):
    """The prompt does not say what the region is."""

    code = "phrase-missing"


class PhraseShared(CaptureError):
    """Two marked things have one phrase, and nobody has said that they are one region."""

    code = "phrase-shared"
