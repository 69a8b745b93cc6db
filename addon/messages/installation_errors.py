# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the server cannot be installed, and what to do: raised by ``installation``, read by the artist. No bpy.

Their tree is drawn in ``errors.py``.
"""

from .errors import UserError

CHOOSE = "Name another in Install the Server…"


class AccessNotAllowed(UserError):
    """What is to be downloaded needs Blender's Allow Online Access."""

    code = "access-not-allowed"

    def __init__(self) -> None:
        fix = "Allow Online Access in Preferences › System, or name the wheel's file and a folder of wheels."
        super().__init__("Blender's online access is off, and the server is to be downloaded.", fix)


class WheelUnchosen(UserError):
    """No file is chosen, and no address is set, or none with a checksum; ``name`` is the wheel that is wanted."""

    code = "wheel-unchosen"

    def __init__(self, name: str) -> None:
        message = "This add-on has no address that it may download the server from."
        super().__init__(message, f"Choose the file of the server's wheel{f', {name}' if name else ''}.")


class WheelDamaged(UserError):
    """The wheel's checksum is another: cut off, changed, or of another version."""

    code = "wheel-damaged"

    def __init__(self, source: str) -> None:
        super().__init__(f"{source} is not the server that belongs to this add-on, or is damaged.", CHOOSE)


class PythonUnsuitable(UserError):
    """``python`` does not run, is too old or too new, or has no module that makes environments."""

    code = "python-unsuitable"

    def __init__(self, python: str, reason: str) -> None:
        super().__init__(f"{python} cannot make the server's environment: {reason}.", CHOOSE)


class PipMissing(UserError):
    """``python``, of a ``version`` as 3.13, has no ensurepip: some systems pack it by itself."""

    code = "pip-missing"

    def __init__(self, python: str, version: str) -> None:
        package = f"python{version}-venv on Debian and Ubuntu"
        fix = f"Install it ({package}), name another Python, or a folder of wheels with one of pip."
        super().__init__(f"{python} has no ensurepip, and so no pip to install with.", fix)


class PackageMissing(UserError):
    """No wheel of ``package`` fits; ``where`` was looked for one."""

    code = "package-missing"

    def __init__(self, package: str, where: str) -> None:
        fix = "Add it there, or name another folder or Python."
        super().__init__(f"There is no {package} for this Python and system in {where}.", fix)


class NetworkAbsent(UserError):
    """What was to be downloaded does not come; ``reason`` is the last that was heard."""

    code = "network-absent"

    def __init__(self, reason: str) -> None:
        fix = "What has come is kept: try again when there is a network, or name a folder of wheels."
        super().__init__(f"The download broke off: {reason}.", fix)


class DiskFull(UserError):
    """There is no room at ``folder``; ``free`` and ``needed`` are amounts in words."""

    code = "disk-full"

    def __init__(self, folder: str, free: str, needed: str) -> None:
        super().__init__(f"The disk of {folder} is full: {free} are free, {needed} needed.", "Make room there.", folder)


class FolderUnwritable(UserError):
    """Nothing can be written at ``folder``."""

    code = "folder-unwritable"

    def __init__(self, folder: str, reason: str) -> None:
        fix = "Give yourself the right to write there."
        super().__init__(f"{folder} cannot be written: {reason}.", fix, folder)


class InstallationFailed(UserError):
    """A step ended otherwise than it should; ``words`` are the last of its log."""

    code = "installation-failed"

    def __init__(self, step: str, words: str) -> None:
        super().__init__(f"{step} did not end well: {words or 'it said nothing'}", "Its log has the rest.")
