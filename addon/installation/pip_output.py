# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip prints, as what an artist is told: which package, and how much has come. No bpy."""

import re
from dataclasses import dataclass, replace

PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
WHEEL = re.compile(
    r"\s*(?:Downloading|Using cached|Processing) (?:\S*[\\/])?(\w[\w.]*?)-\d\S*\.whl\S*(?: \(([\d.]+ [kMG]?B)\))?"
)
COLLECTING = re.compile(r"Collecting ([\w.-]+)")
UNPACKING = re.compile(r"Installing collected packages: (.*)")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What pip is at, in ``words``: whose file comes, how many bytes of it, and how many of those ``before`` it; in
    the end how many ``packages`` it unpacks, which it does without a word."""

    words: str = ""
    package: str = ""
    received: int = 0
    before: int = 0
    packages: int = 0

    @property
    def arrived(self) -> int:
        """Bytes that came in this step."""
        return self.before + self.received


def heard(report: Report, line: str) -> Report:
    """What pip is at after one more line; the same where the line says nothing of that."""
    if amounts := PROGRESS.match(line):
        received, size = int(amounts[1]), int(amounts[2])
        of = f" of {size / 1e6:.0f}" if size else ""
        return replace(report, words=f"{report.package or 'Server'}: {received / 1e6:.0f}{of} MB", received=received)
    if wheel := WHEEL.match(line):
        size_told = f" ({wheel[2]})" if wheel[2] else ""
        return Report(words=f"{wheel[1]}{size_told}", package=wheel[1], before=report.arrived)
    if collecting := COLLECTING.match(line):
        return replace(report, words=f"Looking for {collecting[1]}")
    if unpacking := UNPACKING.match(line):
        packages = unpacking[1].count(",") + 1
        return replace(report, words=f"Unpacking packages: {packages}", packages=packages)
    return report
