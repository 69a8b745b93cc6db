# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the installation is, as a frozen value, and the functions that move it on. No bpy."""

from dataclasses import dataclass, replace
from typing import Literal

from ..messages.errors import UserError
from ..messages.notice import Notice, notice
from .pip_output import Report
from .plan import STEPS, InstallStep

DOWNLOAD = 0.7  # of a step's time, where it downloads
Stage = Literal["absent", "interrupted", "working", "installed", "removing"]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What a panel shows: the stage, the step and what it is at, all of it 0 to 1, and what went wrong."""

    stage: Stage = "absent"
    step: str = ""
    words: str = ""
    factor: float = 0.0
    notice: Notice | None = None

    @property
    def busy(self) -> bool:
        """Something is being done."""
        return self.stage in ("working", "removing")


def begun(installation: Installation, step: InstallStep) -> Installation:
    """A step has begun; what went wrong before is over."""
    before = sum(each.share for each in STEPS[: STEPS.index(step)])
    return replace(installation, stage="working", step=step.label, words="", factor=before, notice=None)


def reported(installation: Installation, step: InstallStep, report: Report, expected: float) -> Installation:
    """The step says what it is at; of the bytes it is to bring, ``expected``, so many have come. The bar never goes
    back, and leaves a part of the step to what comes after the download."""
    before = sum(each.share for each in STEPS[: STEPS.index(step)])
    come = min(1.0, report.arrived / expected) if expected else 0.0
    factor = max(installation.factor, before + step.share * DOWNLOAD * come)
    return replace(installation, words=report.words, factor=factor)


def unpacked(installation: Installation, step: InstallStep, begun: float, packages: int, of: int) -> Installation:
    """So many ``of`` the packages that the step unpacks, its last part, are there; the bar was at ``begun`` before."""
    end = sum(each.share for each in STEPS[: STEPS.index(step) + 1])
    factor = begun + max(0.0, end - begun) * min(1.0, packages / of)
    words = f"Unpacking packages: {packages} of {of}"
    return replace(installation, words=words, factor=max(installation.factor, factor))


def failed(installation: Installation, error: UserError) -> Installation:
    """It stopped, and can be gone on with once that is mended."""
    return replace(installation, stage="interrupted", words="", notice=notice(error))


def cancelled(installation: Installation) -> Installation:
    """The artist has stopped it."""
    return replace(installation, stage="interrupted", words="Stopped; what is done is kept", notice=None)


def completed(installation: Installation) -> Installation:
    """All of it is there."""
    return Installation(stage="installed", step="Installed", factor=1.0)


def removing(installation: Installation) -> Installation:
    """It is being removed."""
    return Installation(stage="removing", step="Removing the server")


def removed(installation: Installation) -> Installation:
    """Nothing of it is left."""
    return Installation()
