# SPDX-License-Identifier: MIT
"""This machine's own server is always reached; another machine's only when Blender's user allows it."""

import pytest

from addon.client.address import admit, loopback
from addon.client.exceptions import BadAddress, OnlineAccessOff

THIS_MACHINE = (
    "http://127.0.0.1:8000",
    "http://127.9.9.9",
    "http://[::1]:8000",
    "http://localhost:8000",
    "http://LOCALHOST:1",
)
ELSEWHERE = (
    "http://192.168.0.7:8000",
    "http://studio.example:8000",
    "http://localhost.evil.example",
    "http://evil.example/localhost",
    "http://evil.example#localhost",
    "http://localhost\\.evil.example",
    "http://127.0.0.1.evil.example",
    "http://0.0.0.0:8000",
    "http://[::2]:8000",
    "http://[2001:db8::1]:8000",
    "http://[::ffff:192.168.0.7]:8000",
    "http://[fe80::1%lo]:8000",
)
NO_ADDRESS = (
    "",
    "localhost:8000",
    "http://",
    "http://[::1",
    "http://localhost:port",
    "http://localhost:99999",
    "https://studio.example",
    "file:///etc/passwd",
    "http://localhost@evil.example",
    "http://127.0.0.1:80@evil.example",
    "http://studio..example:8000",
    f"http://{'a' * 64}.example:8000",
    "http://\u202estudio:8000",
)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("address", THIS_MACHINE)
def test_this_machine_is_always_allowed(address: str, online: bool) -> None:
    admit(address, online)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_another_machine_needs_online_access(address: str) -> None:
    admit(address, online=True)
    with pytest.raises(OnlineAccessOff, match="another machine"):
        admit(address, online=False)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("address", NO_ADDRESS)
def test_no_address_is_called_so(address: str, online: bool) -> None:
    with pytest.raises(BadAddress, match="no address"):
        admit(address, online)


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000", True),
        ("http://192.168.0.7:8000", False),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("", False),
    ],
)
def test_loopback_is_only_this_machine(address: str, ours: bool) -> None:
    assert loopback(address) is ours
