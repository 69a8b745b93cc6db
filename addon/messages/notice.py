# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong, as the panel says it: a sentence, what to do, and a code that leads to its buttons. No bpy."""

from dataclasses import dataclass

from ..client.exceptions import ClientError, ServerProblem
from ..protocol.answers import Problem
from .errors import UserError

LINKS = frozenset(  # codes of what is over once a server answers
    {
        "server-absent",
        "model-unlisted",
        "live-offline",
        "address-set",
        "server-runs",
        "server-died",
        "server-unknown",
        "command-fails",
        "bad-address",
        "wrong-token",
        "server-older",
        "add-on-older",
        "garbled",
        "online-access-off",
    }
)


OF_A_FILE = frozenset(  # codes of what is said of a scene, its picture or its request, and so over with its file
    {
        "no-camera",
        "panoramic-camera",
        "frame-too-long",
        "camera-held",
        "nothing-marked",
        "nothing-selected",
        "whole-scene",
        "region-hidden",
        "region-held",
        "region-gone",
        "region-bare",
        "region-outside",
        "region-clipped",
        "region-behind",
        "region-too-small",
        "limit-exceeded",
        "phrase-missing",
        "phrase-shared",
        "strange-words",
        "style-missing",
        "style-bare",
        "exact-failed",
        "exposure-failed",
        "unlike",
        "misfit",
        "displaced",
        "unseen",
        "no-editor",
        "sequence-unusable",
        "cameras-gone",
        "scene-gone",
        "locked-object",
        "view-gone",
        "too-many-views",
        "already-painted",
        "entry-gone",
        "reference-gone",
        "taken-gone",
        "picture-absent",
        "camera-elsewhere",
        "no-request",
        "opened-in-part",
        "unreadable",
        "too-large",
        "invalid",
        "unknown-model",
        "unknown-reference",
        "no-adapter",
        "changed-adapter",
        "changed-model",
        "unfit-adapter",
        "content-refused",
        "adapter-gone",
        "loras-full",
        "too-costly",
        "unpaintable",
        "unbakeable",
        "inspection-failed",
        "prompt-too-long",
        "smallest",
        "live-failed",
        "live-unseen",
    }
)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A plain sentence about what is wrong, and what to do about it; ``code`` leads to the buttons (``fixes.py``).

    ``subject`` is what these are given, ``trace`` what whoever mends a bug would want to read. A warning stops nothing.
    It stands in the ``section`` of the panel whose button met it; "" is under Generate.
    """

    message: str
    fix: str = ""
    code: str = ""
    subject: str = ""
    trace: str = ""
    warning: bool = False
    section: str = ""

    @property
    def report(self) -> str:
        """All of it, to be pasted somewhere."""
        lines = (f"{self.message} {self.fix}", f"{self.code} {self.subject}", self.trace)
        return "\n".join(line.strip() for line in lines if line.strip())


def complaint(problem: Problem, job: str = "") -> Notice:
    """A server's problem in the panel's words; ``job`` is the one that met it."""
    path = f" ({problem.path})" if problem.path else ""
    words = problem.detail or problem.title
    if path or not words.endswith(("!", "?", "…")):
        words = f"{words.removesuffix('.')}{path}."  # an engine's own words may have no end
    return Notice(message=words, fix=problem.fix, code=problem.type, subject=job)


def notice(error: ClientError | UserError) -> Notice:
    """What was raised, in the panel's words. The client has a tree of its own; here the two meet."""
    if isinstance(error, ServerProblem):
        return complaint(error.problem)
    if isinstance(error, UserError):
        return Notice(message=error.message, fix=error.fix, code=error.code, subject=error.subject)
    return Notice(message=f"{error.message}.", fix=error.fix, code=error.code)
