# SPDX-License-Identifier: MIT
"""What a network is told beside latent and time. The loop never looks inside: each family puts in what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """Prompts as a network takes them.

    Attributes:
        rows: by the network's own names, tensors of one row a prompt: hidden states of one encoder or of several,
            pooled vectors, sizes.
        shared: what all rows have in common, such as positions.
    """

    rows: Mapping[str, Tensor]
    shared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """Rows and what they share, as keyword arguments."""
        return {**self.rows, **self.shared}

    @property
    def count(self) -> int:
        """How many prompts."""
        return len(next(iter(self.rows.values())))

    @property
    def device(self) -> torch.device:
        """Where the rows lie."""
        return next(iter(self.rows.values())).device

    def repeated(self, count: int) -> "Conditioning":
        """One prompt for ``count`` pictures."""
        return replace(self, rows={name: row.expand(count, *row.shape[1:]) for name, row in self.rows.items()})

    def guided(self, scale: float) -> "Conditioning":
        """For networks whose guidance was distilled into them, and is told as a number."""
        return replace(self, rows={**self.rows, "guidance": torch.full((self.count,), scale, device=self.device)})

    def cast(self, dtype: torch.dtype) -> "Conditioning":
        """In a network's precision; what counts or selects stays as it is."""
        rows = {name: row.to(dtype) if row.is_floating_point() else row for name, row in self.rows.items()}
        return replace(self, rows=rows)
