# SPDX-License-Identifier: MIT
"""What fails a job for a safeguard's sake; the tree of all refusals is in ``problems``."""

from ..problems import Failure


class ContentRefused(Failure):
    """The owner's content filter does not let the request, or the picture, through."""

    type, title, status = "content-refused", "The content filter refused it", 422
    fix = "Ask for something else; which, the owner of this server decides by the filter that it was started with."


class FilterFailed(Failure):
    """The owner's content filter raised: nothing is painted, or shown, that it did not see."""

    type, title, status = "filter-failed", "The content filter failed", 500
    fix = "The server's log has the details; the filter has to be mended, or the server started without it."


class NotSigned(Failure):
    """The picture cannot be signed with the owner's certificate."""

    type, title, status = "not-signed", "The picture cannot be signed", 500
    fix = "See whether the certificate has expired; start the server with another, or without one."
