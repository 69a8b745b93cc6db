# SPDX-License-Identifier: MIT
"""Every parametrisation agrees with its definition, and with a change of noise."""

import pytest
import torch

from sg_core.parametrisation import PARAMETRISATIONS

OUTPUTS = {
    "epsilon": lambda x, e, alpha, sigma: e,
    "v_prediction": lambda x, e, alpha, sigma: alpha * e - sigma * x,
    "flow": lambda x, e, alpha, sigma: e - x,
    "sample": lambda x, e, alpha, sigma: x,
}
ANGLES = [(0.8, 0.6), (0.1, 0.995**0.5), (0.99, 0.0199**0.5)]


def draw(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", PARAMETRISATIONS)
@pytest.mark.parametrize(("alpha", "sigma"), ANGLES)
def test_outputs_are_read_and_made(name: str, alpha: float, sigma: float) -> None:
    alpha, sigma = (1 - sigma, sigma) if name == "flow" else (alpha, (1 - alpha**2) ** 0.5)
    clean, noise = draw(0), draw(1)
    latent, kind = alpha * clean + sigma * noise, PARAMETRISATIONS[name]
    output = OUTPUTS[name](clean, noise, alpha, sigma)
    assert torch.allclose(kind.to_clean(output, latent, alpha, sigma), clean)
    assert torch.allclose(kind.to_noise(output, latent, alpha, sigma), noise)
    assert torch.allclose(kind.from_noise(noise, latent, alpha, sigma), output)
    assert torch.allclose(kind.from_clean(clean, latent, alpha, sigma), output)


@pytest.mark.parametrize("name", PARAMETRISATIONS)
@pytest.mark.parametrize(("alpha", "sigma"), ANGLES)
def test_slope_is_the_change_of_output_for_a_change_of_noise(name: str, alpha: float, sigma: float) -> None:
    latent, noise, change, kind = draw(0), draw(1), draw(2), PARAMETRISATIONS[name]
    moved = kind.from_noise(noise + change, latent, alpha, sigma) - kind.from_noise(noise, latent, alpha, sigma)
    assert torch.allclose(moved, kind.slope(alpha, sigma) * change)
