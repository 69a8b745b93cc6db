# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses may be asked: this machine's own always, any other only when Blender's user allows online access."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from .exceptions import BadAddress, OnlineAccessOff


def admit(address: str, online: bool) -> None:
    """Raise BadAddress for what is no http://host:port, OnlineAccessOff for another machine unless ``online``."""
    if not _is_plain_http(address):
        raise BadAddress(
            f"“{address}” is no address of a server",
            "Write http://host:port in Preferences › Add-ons › Maquette, or nothing for this machine's server.",
        )
    if not online and not loopback(address):
        raise OnlineAccessOff(
            "Blender's online access is off, and this server is on another machine",
            "Allow Online Access in Preferences › System, or clear the address to use this machine's server.",
        )


def _is_plain_http(address: str) -> bool:
    """Whether it is http, a host and perhaps a port: an https would be spoken to in plain text, token and all."""
    try:
        parts = urlsplit(address)
        (parts.hostname or "").encode("idna")  # as whoever looks it up writes it
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:  # an unclosed bracket, a port that is no number, a name with an empty or endless part
        return False


def loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(address).hostname or ""
    with suppress(ValueError):  # a name, not a number
        return ip_address(host).is_loopback
    return host == "localhost"
