# SPDX-License-Identifier: MIT
"""Muon (Jordan et al., 2024) in float32, for processors on which torch's own, which computes in bf16, is slow."""

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315  # of the Newton-Schulz iteration, as torch's
ITERATIONS = 5
FLOOR = 1e-7


class Float32Muon(torch.optim.Muon):
    """torch's Muon with Nesterov's momentum, its steps matched in size to AdamW's; all of it is in float32.

    Its matrices (out, in) are moved by 0.2 sqrt(max(out, in)) times the rate along their orthogonalised momentum.
    """

    def __init__(self, matrices: list[Tensor], rate: float, weight_decay: float) -> None:
        super().__init__(matrices, lr=rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                mean = self.state[matrix].setdefault("momentum_buffer", torch.zeros_like(matrix))
                mean.lerp_(matrix.grad, 1 - momentum)
                update = orthogonalised(matrix.grad.lerp(mean, momentum))
                matrix.mul_(1 - rate * group["weight_decay"])
                matrix.add_(update, alpha=-0.2 * rate * max(matrix.shape) ** 0.5)


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix (rows, columns) with singular values brought near one, most to 0.68 to 1.14, by a few products."""
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    wide = wide / wide.norm().clamp(min=FLOOR)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=B, alpha=C), wide, beta=A)
    return wide.T if tall else wide
