# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a part of the add-on raises for its artist to read. No bpy.

UserError                  something cannot be done; what to do about it
├── NoCamera               there is no camera to look through
├── PanoramicCamera        the camera's pictures are not flat
├── FrameTooLong           the camera's frame has a shape that no picture can have
├── CameraHeld             constraints, drivers or keyframes decide where the camera is
├── NothingMarked          no object or collection is a region
├── LockedObject           the object or camera belongs to another file
├── RegionGone             the region was removed or switched off meanwhile
├── RegionHidden           no surface of a region is visible: it is hidden in the view or from renders
│   ├── RegionBare         it has no surface
│   ├── RegionOutside      it is outside the frame
│   ├── RegionClipped      it is nearer or farther than the camera sees
│   └── RegionBehind       it is behind other objects
├── RegionTooSmall         less than 1 % of the frame shows the region
├── LimitExceeded          more regions, letters or steps than a request can hold
├── PhraseMissing          the prompt does not say what the region is
├── PhraseShared           several objects have one phrase, and nobody said that they are one region
├── StyleMissing           this Blender has no style of that name
├── ModelUnlisted          no server has said yet how the scene's model paints
├── ExactFailed            a render shows nothing that regions can be read from
├── SecondBlenderFailed    the second Blender ended without a capture
├── Misfit                 the picture does not fit the scene as it stands
│   └── Displaced          its camera has moved since
├── Unbakeable             what is projected onto an object cannot become an image of it
├── ViewGone               the projected view was removed meanwhile
├── TooManyViews           the scene has as many projectors as a material can carry
├── SequenceUnusable       a sequence has no pictures for the scene that is open
├── EntryGone              the picture is not in the history any more
├── ReferenceGone          the picture that another is to follow is not on this machine
├── TakenGone              nor is the one that a region is taken from, or it does not show it
├── NoRequest              a file carries no request that can be read
├── AccessNotAllowed       Blender's user has not allowed online access
├── WheelUnchosen          nobody has said where the server's wheel is
├── WheelDamaged           a wheel that is not the one of this add-on
├── PythonUnsuitable       an interpreter that cannot make environments for the server
├── PipMissing             it can, and has no pip to put into them
├── PackageMissing         no build of a package for this Python and system, or none in the folder of wheels
├── NetworkAbsent          an index or an address does not answer
├── DiskFull               there is no room
├── FolderUnwritable       there is a folder in which nothing may be written
├── InstallationFailed     anything else: its last words
└── HistoryUnreadable      a file of the history cannot be read or written

Why the server cannot be installed is in ``installation_errors.py``; what is said without being raised, in
``sentences.py``; what goes wrong on the way to the server, in ``client/exceptions.py``; which buttons stand below any
of them is in ``fixes.py``, by ``code``.
"""


class UserError(Exception):
    """Something cannot be done: ``message`` says what is wrong, ``fix`` what to do, both as whole sentences.

    ``code`` leads to the buttons, ``subject`` is what they are given: a phrase, a camera's name, an entry's name.
    """

    code: str

    def __init__(self, message: str, fix: str, subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"


class NoCamera(UserError):
    """There is no camera to look through."""

    code = "no-camera"


class PanoramicCamera(UserError):
    """A panorama's picture is not flat, so that no frustum holds it."""

    code = "panoramic-camera"


class FrameTooLong(UserError):
    """The camera's frame is so long and narrow that no picture of the model's area has its shape."""

    code = "frame-too-long"


class CameraHeld(UserError):
    """Constraints, drivers or keyframes decide where the camera is."""

    code = "camera-held"


class NothingMarked(UserError):
    """No object or collection is a region."""

    code = "nothing-marked"


class LockedObject(UserError):
    """The object or camera belongs to another file, where nothing may be changed."""

    code = "locked-object"


class RegionGone(UserError):
    """The region was removed, or switched off, since its button was drawn, or an earlier picture does not have it; by
    its phrase, where the button has one."""

    code = "region-gone"

    def __init__(self, phrase: str = "", where: str = "this scene any more") -> None:
        region = f"no region “{phrase}”" if phrase else "no such region"
        super().__init__(f"There is {region} in {where}.", "The list shows those that there are.")


class RegionHidden(UserError):
    """No surface of a region is visible; where none would be from anywhere, view or renders hide it."""

    code = "region-hidden"


class RegionBare(RegionHidden):
    """A region is shown, and has no surface: an empty, hair, a volume, a mesh without faces."""

    code = "region-bare"


class RegionClipped(RegionHidden):
    """A region is in the direction of the frame, and nearer or farther than the camera's clip planes."""

    code = "region-clipped"


class RegionOutside(RegionHidden):
    """A region is outside the frame."""

    code = "region-outside"


class RegionBehind(RegionHidden):
    """A region is behind other objects."""

    code = "region-behind"


class RegionTooSmall(UserError):
    """Too little of the frame shows the region."""

    code = "region-too-small"


class LimitExceeded(UserError):
    """More regions or letters than a request can hold, or a number that lies outside its bounds."""

    code = "limit-exceeded"


class PhraseMissing(UserError):
    """The prompt does not say what the region is."""

    code = "phrase-missing"


class PhraseShared(UserError):
    """Several objects or collections have one phrase, and nobody has said that they are one region."""

    code = "phrase-shared"


class StyleMissing(UserError):
    """The scene asks for a style that this Blender does not have."""

    code = "style-missing"


class ModelUnlisted(UserError):
    """The scene asks for a model of which no server has said anything yet: not even in which size it paints."""

    code = "model-unlisted"

    def __init__(self, name: str) -> None:
        message = f"No server has said yet how “{name}” paints."
        super().__init__(message, "Wait until one answers, then press again.", name)


class ExactFailed(UserError):
    """A render shows nothing that regions can be read from."""

    code = "exact-failed"


class SecondBlenderFailed(UserError):
    """The second Blender ended without a capture."""

    code = "exposure-failed"


class Misfit(UserError):
    """The picture does not fit the scene as it stands."""

    code = "misfit"


class Displaced(Misfit):
    """The picture's camera stands elsewhere now, or is gone, or its frame has another shape."""

    code = "displaced"


class Unbakeable(UserError):
    """What is projected onto an object cannot become an image over its UVs."""

    code = "unbakeable"


class ViewGone(UserError):
    """The projected view was removed since its button was drawn."""

    code = "view-gone"

    def __init__(self) -> None:
        super().__init__("There is no such view in this scene any more.", "The list shows those that there are.")


class TooManyViews(UserError):
    """The scene has as many projectors as a material can carry."""

    code = "too-many-views"


class SequenceUnusable(UserError):
    """A sequence is of another scene, has no picture, is on the list no more, or its cameras share a lens."""

    code = "sequence-unusable"


class EntryGone(UserError):
    """The picture is neither in the file's history nor in that on disk."""

    code = "entry-gone"

    def __init__(self) -> None:
        super().__init__("This picture is not in the history any more.", "")


class ReferenceGone(UserError):
    """The picture that another one is to follow is not on this machine."""

    code = "reference-gone"

    def __init__(self) -> None:
        message = "The picture that this one is to follow is not on this machine."
        super().__init__(message, "Show a picture that is; where Keep Look is on, turn it off.")


class TakenGone(UserError):
    """The picture that a region is taken from is not on this machine any more, or does not show it; by the region's
    phrase and session id."""

    code = "taken-gone"

    def __init__(self, phrase: str, uid: int) -> None:
        message = f"The picture that “{phrase}” is taken from is not on this machine, or does not show it."
        super().__init__(
            message, "Press Taken from This, on the region: then it is painted as the others are.", str(uid)
        )


class NoRequest(UserError):
    """A file was opened that carries no request of ours, or one that cannot be read: ``reason`` says why."""

    code = "no-request"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} carries no request: {reason}.", "Open a PNG or JSON file that Maquette saved.")


class HistoryUnreadable(UserError):
    """A file of the history cannot be read, written or removed: ``failure`` says which act, ``error`` why."""

    code = "history-unreadable"

    def __init__(self, failure: str, error: Exception) -> None:
        super().__init__(f"{failure}: {str(error).strip()}.", "Look into the folder.")
