# SPDX-License-Identifier: MIT
"""What pictures are computed on, asked in a process of its own: a torch that crashes is only a finding."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from ..worker.memory import MemoryState, of_machine

PATIENCE = 120.0  # seconds; a first import from a slow disk takes half a minute
WORDS = 300  # letters of an error that are repeated
PROGRAM = """
import json, torch
cuda = torch.cuda.is_available()
card = torch.cuda.get_device_properties(0) if cuda else None
print(json.dumps({
    "torch": torch.__version__, "built_for": torch.version.cuda or torch.version.hip or "", "gpu": card and card.name,
    "memory": card.total_memory if cuda else 0, "free": torch.cuda.mem_get_info()[0] if cuda else 0,
    "bfloat16": bool(cuda and torch.cuda.is_bf16_supported(including_emulation=False)),
    "works": float(torch.ones(2, device="cuda" if cuda else "cpu").sum()) == 2.0, "threads": torch.get_num_threads(),
}))
"""


@dataclass(frozen=True)
class DeviceReport:
    """What torch says of itself; ``trouble`` is its last word where it does not work. Memory is the device's."""

    torch: str = ""
    built_for: str = ""
    gpu: str = ""
    bfloat16: bool = False
    threads: int = 1
    memory: MemoryState = field(default_factory=MemoryState)
    trouble: str = ""


def device_report() -> DeviceReport:
    """What there is to compute on."""
    try:
        answered = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        answer: dict[str, Any] = json.loads(answered.stdout)
    except subprocess.TimeoutExpired:
        return DeviceReport(memory=of_machine(), trouble=f"torch did not answer for {PATIENCE:.0f} seconds")
    except ValueError:
        last = (answered.stderr.strip().splitlines() or [f"it ended with code {answered.returncode}"])[-1]
        return DeviceReport(memory=of_machine(), trouble=last[-WORDS:])
    memory = MemoryState(answer["memory"], answer["free"]) if answer["gpu"] else of_machine()
    trouble = "" if answer["works"] else "torch computes one and one wrongly"
    gpu, built = answer["gpu"] or "", answer["built_for"]
    return DeviceReport(answer["torch"], built, gpu, answer["bfloat16"], answer["threads"], memory, trouble)
