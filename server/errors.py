# SPDX-License-Identifier: MIT
"""What a command of the command line cannot do, in a sentence."""


class CommandError(Exception):
    """Why a command cannot do its job, as a sentence for people; it ends with this exit code."""

    exit_code = 1
