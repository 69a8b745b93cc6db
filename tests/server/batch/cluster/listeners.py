# SPDX-License-Identifier: MIT
"""Which processes a process has started, and on which addresses they listen (Linux)."""

import socket
from contextlib import suppress
from pathlib import Path

LISTENING = "0A"  # of the kernel's table


def descendants(process: int) -> set[int]:
    """Its children, theirs, and so on."""
    everyone = set[int]()
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                everyone |= {child} | descendants(child)
    return everyone


def listening(processes: set[int]) -> set[str]:
    """The addresses, without ports, of the sockets that they listen on."""
    inodes = set[str]()
    for process in processes:
        for path in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):
                inodes.add(str(path.readlink()))
    addresses = set[str]()
    for table, size in (("tcp", 4), ("tcp6", 16)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in inodes:
                addresses.add(_spelled(bytes.fromhex(fields[1].partition(":")[0]), size))
    return addresses


def environment(process: int) -> dict[str, str]:
    """What it was started with."""
    pairs = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return dict(pair.decode(errors="replace").split("=", 1) for pair in pairs if b"=" in pair)


def _spelled(raw: bytes, size: int) -> str:
    """An address of the kernel's, which turns each four bytes round."""
    straight = b"".join(raw[start : start + 4][::-1] for start in range(0, size, 4))
    if size == 16 and straight.startswith(bytes(10) + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, straight[12:])
    return socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, straight)
