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


class UserError(Exception):
    """Why there is no blockout, and what to do; ``code`` leads to its cure. ``subject`` is the phrase it is about."""

    code: str

    def __init__(self, message: str, fix: str, subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"


class NoCamera(UserError):
    """There is nothing to look through."""

    code = "no-camera"


class PanoramicCamera(UserError):
    """A panorama's picture is not flat, so that no frustum holds it."""

    code = "panoramic-camera"


class FrameTooLong(UserError):
    """The camera's frame is so long and narrow that no picture of the model's area has its shape."""

    code = "frame-too-long"


class NothingMarked(UserError):
    """No object or collection is a region."""

    code = "nothing-marked"


class RegionHidden(UserError):
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


class RegionTooSmall(UserError):
    """Too little of the frame shows the region."""

    code = "region-too-small"


class PhraseMissing(UserError):
    """The prompt does not say what the region is."""

    code = "phrase-missing"


class PhraseShared(UserError):
    """Two marked things have one phrase, and nobody has said that they are one region."""

    code = "phrase-shared"


class StyleMissing(UserError):
    """The scene asks for a style that this Blender does not have."""

    code = "style-missing"


class LockedObject(UserError):
    """The object or camera belongs to another file, where nothing may be changed."""

    code = "locked-object"


class CameraHeld(UserError):
    """Something else decides where the camera is."""

    code = "camera-held"


class TooManyViews(UserError):
    """The scene has as many projectors as a material can carry."""

    code = "too-many-views"


class ExactFailed(UserError):
    """A render shows nothing that regions can be read from, and what to do."""

    code = "exact-failed"


class SecondBlenderFailed(UserError):
    """The second Blender ended without a capture."""

    code = "exposure-failed"


class Misfit(UserError):
    """The picture does not fit the scene as it stands."""

    code = "misfit"


class Displaced(Misfit):
    """The picture's camera stands elsewhere now."""

    code = "displaced"
