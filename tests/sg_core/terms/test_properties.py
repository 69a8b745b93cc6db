# SPDX-License-Identifier: MIT
"""Properties of drawn blobs, whose middle, size and outline are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sg_core.terms import properties


def disc(x: float, y: float, radius: float, rows: int = 24, columns: int = 40, floor: float = 0.0) -> torch.Tensor:
    """A soft-edged disc on a flat floor, sizes in fractions of the height: (1, y, x)."""
    ys, xs = properties.cell_centres(torch.zeros(rows, columns, dtype=torch.float64))
    away = torch.hypot((xs - x) * columns / rows, ys[:, None] - y)
    return (floor + torch.sigmoid((radius - away) * 80))[None]


@given(x=st.floats(0.25, 0.75), y=st.floats(0.3, 0.7), radius=st.floats(0.1, 0.2), floor=st.floats(0, 5))
def test_centroid_is_the_middle_whatever_the_floor(x: float, y: float, radius: float, floor: float) -> None:
    found = properties.centroid(disc(x, y, radius, floor=floor))[0]
    assert found.tolist() == pytest.approx([x, y], abs=0.01)


def test_a_thing_at_the_border_is_found_there_despite_the_floor() -> None:
    """The published estimator, on raw attention, would say about 0.46."""
    blob = disc(0.12, 0.5, 0.1, floor=1.0)
    raw = (blob * properties.cell_centres(blob)[1]).sum() / blob.sum()
    assert raw > 0.45
    assert properties.centroid(blob)[0, 0].item() == pytest.approx(0.12, abs=0.02)


@pytest.mark.parametrize("radius", [0.1, 0.2, 0.35])
def test_size_is_the_area(radius: float) -> None:
    found = properties.size(disc(0.5, 0.5, radius, floor=0.3)).item()
    assert found == pytest.approx(torch.pi * radius**2 * 24 / 40, abs=0.01)


def test_shape_is_the_silhouette() -> None:
    blob = disc(0.4, 0.5, 0.25, floor=2.0)
    silhouette = properties.shape(blob)
    assert (silhouette - disc(0.4, 0.5, 0.25).round()).abs().mean() < 0.01
    assert (silhouette.min().item(), silhouette.max().item()) == (0.0, 1.0)


@pytest.mark.parametrize(("x", "expected"), [(0.1, 0.011), (0.2, 0.041), (0.3, 0.114), (0.5, 0.5), (0.8, 0.959)])
def test_soft_threshold_is_the_published_curve(x: float, expected: float) -> None:
    assert properties.shape(torch.tensor([[[0.0, x, 1.0]]]))[0, 0, 1].item() == pytest.approx(expected, abs=6e-4)


def test_appearance_is_the_mean_under_the_silhouette_and_moves_only_the_features() -> None:
    blob = disc(0.3, 0.5, 0.2).requires_grad_()
    left = (properties.cell_centres(blob)[1] < 0.5).double().expand(24, 40)
    features = torch.stack([left, 3.0 * (1 - left)])[None].requires_grad_()
    look = properties.appearance(blob, features)
    assert look[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-3)
    look.sum().backward()
    assert blob.grad is None
    assert features.grad is not None and features.grad.abs().sum() > 0


def test_rows_are_measured_alone() -> None:
    pair = torch.cat([disc(0.3, 0.3, 0.1), disc(0.7, 0.6, 0.3)])
    for measure in (properties.shape, properties.size, properties.centroid):
        assert torch.equal(measure(pair)[1:], measure(pair[1:]))


def test_a_flat_map_has_no_size_and_finite_gradients() -> None:
    flat = torch.full((1, 4, 5), 0.01, requires_grad=True)
    measured = properties.size(flat) + properties.centroid(flat).sum()
    assert properties.size(flat).item() == 0.0
    assert torch.isfinite(torch.autograd.grad(measured.sum(), flat)[0]).all()


@pytest.mark.parametrize("measure", [properties.shape, properties.size, properties.centroid])
def test_gradients_are_those_of_the_formula(measure) -> None:
    """Differences away from the extreme places: minimum and maximum are constants of the gradient."""
    torch.manual_seed(0)
    extremes = torch.tensor([[[0.0, 1.0]]], dtype=torch.float64)
    middle = (0.1 + 0.8 * torch.rand(1, 1, 10, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: measure(torch.cat([extremes, m], 2).reshape(1, 3, 4)), (middle,))
