# SPDX-License-Identifier: MIT
"""Muon in float32: torch's own, but for what bf16 rounds."""

import pytest
import torch

from sg_core.toybox.training.muon import Float32Muon, orthogonalised


@pytest.mark.parametrize("shape", [(24, 60), (60, 24), (32, 32)])
def test_singular_values_are_brought_near_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
    assert 0.6 < values.min() < values.max() < 1.2


def test_nothing_stays_nothing():
    assert torch.equal(orthogonalised(torch.zeros(4, 6)), torch.zeros(4, 6))


def test_it_steps_as_torch_does_but_for_what_bf16_rounds():
    torch.manual_seed(0)
    first = torch.randn(24, 60)
    ours, theirs = first.clone().requires_grad_(), first.clone().requires_grad_()
    mine = Float32Muon([ours], 0.02, 0.01)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        gradient = torch.randn(24, 60)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
    moved = (theirs - first).norm()
    assert moved > 0.3
    assert (ours - theirs).norm() < 0.03 * moved
    assert not torch.equal(ours, theirs)


def test_a_matrix_without_a_gradient_stays():
    matrix = torch.ones(3, 4, requires_grad=True)
    Float32Muon([matrix], 0.1, 0.01).step()
    assert torch.equal(matrix, torch.ones(3, 4))
