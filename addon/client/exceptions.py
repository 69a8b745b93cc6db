# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the server cannot be used, and what to do about it."""

from ..protocol.answers import Problem


class ClientError(Exception):
    """Base of what can go wrong between here and the server. ``fix`` says what to do, ``code`` leads to its button.

    ClientError
    |-- ServerAbsent      nothing answers
    |-- WrongToken        it answers, but the token is of an earlier start
    |-- VersionMismatch   its contract is another version
    |   |-- ServerOlder
    |   `-- AddonOlder
    |-- Garbled           what it said is no answer of ours
    |-- ServerProblem     it says no, and why
    |-- OnlineAccessOff   it is on another machine, which Blender's user has not allowed
    |-- BadAddress        what is set as its address is none
    |-- PictureUnsaved    a picture came that cannot be written to disk
    `-- PictureDamaged    it has lost a picture, or has other bytes than it promised
    """

    code: str

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}. {fix}" if fix else message)
        self.message, self.fix = message, fix


class ServerAbsent(ClientError):
    """There is no connection file, or nothing answers at the address in it."""

    code = "server-absent"


class WrongToken(ClientError):
    """The server does not know our token."""

    code = "wrong-token"


class VersionMismatch(ClientError):
    """Server and client speak different versions of the contract, or what answers speaks of none."""

    code = "garbled"


class ServerOlder(VersionMismatch):
    """The server's contract is older than ours."""

    code = "server-older"


class AddonOlder(VersionMismatch):
    """Our contract is older than the server's, or the server says something that ours has no field for."""

    code = "add-on-older"


class Garbled(ClientError):
    """An answer that is cut off, too large, or not of the contract."""

    code = "garbled"


class ServerProblem(ClientError):
    """The server refused; ``problem`` is what it said, ``retry_after`` in how many seconds it may be otherwise."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(f"{problem.title}: {problem.detail}", problem.fix)
        self.problem, self.code, self.retry_after = problem, problem.type, retry_after


class OnlineAccessOff(ClientError):
    """The server is on another machine, and Blender's user has not allowed that."""

    code = "online-access-off"


class BadAddress(ClientError):
    """What is set as the server's address is none."""

    code = "bad-address"


class PictureUnsaved(ClientError):
    """A picture came that cannot be written to disk."""

    code = "unkept"


class PictureDamaged(ClientError):
    """The server does not have a finished picture any more, or not as it was."""

    code = "unreadable"
