# SPDX-License-Identifier: MIT
"""What networks predict, in one table: noise, velocity, flow, or the clean latent itself.

With latent z = alpha * x + sigma * e, for clean latent x and unit noise e:

    epsilon        e                                      Ho et al. 2020
    v_prediction   v = alpha * e - sigma * x              Salimans & Ho 2022 (alpha^2 + sigma^2 = 1)
    flow           u = e - x                              Lipman et al. 2023 (alpha = 1 - sigma)
    sample         x
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

Conversion = Callable[[Tensor, Tensor, float, float], Tensor]
"""(values, latent, alpha, sigma) -> values."""

FLOOR = 0.01  # of alpha in slopes


@dataclass(frozen=True)
class Parametrisation:
    """One kind of output. ``to_noise`` and ``to_clean`` read it; ``from_noise`` makes it (not at alpha or sigma 0), as
    ``from_clean`` does (not at sigma 0).

    ``slope(alpha, sigma)`` is the change of output for a unit change of noise: guidance is a change of noise. Where
    there is nothing but noise (alpha 0, as flows begin) it would be infinite, so alpha counts as FLOOR at least.
    """

    to_noise: Conversion
    to_clean: Conversion
    from_noise: Conversion
    from_clean: Conversion
    slope: Callable[[float, float], float]


PARAMETRISATIONS: Mapping[str, Parametrisation] = MappingProxyType(
    {
        "epsilon": Parametrisation(
            to_noise=lambda e, z, alpha, sigma: e,
            to_clean=lambda e, z, alpha, sigma: (z - sigma * e) / alpha,
            from_noise=lambda e, z, alpha, sigma: e,
            from_clean=lambda x, z, alpha, sigma: (z - alpha * x) / sigma,
            slope=lambda alpha, sigma: 1.0,
        ),
        "v_prediction": Parametrisation(
            to_noise=lambda v, z, alpha, sigma: alpha * v + sigma * z,
            to_clean=lambda v, z, alpha, sigma: alpha * z - sigma * v,
            from_noise=lambda e, z, alpha, sigma: (e - sigma * z) / alpha,
            from_clean=lambda x, z, alpha, sigma: (alpha * z - x) / sigma,
            slope=lambda alpha, sigma: 1.0 / max(alpha, FLOOR),
        ),
        "flow": Parametrisation(
            to_noise=lambda u, z, alpha, sigma: z + alpha * u,
            to_clean=lambda u, z, alpha, sigma: z - sigma * u,
            from_noise=lambda e, z, alpha, sigma: (e - z) / alpha,
            from_clean=lambda x, z, alpha, sigma: (z - x) / sigma,
            slope=lambda alpha, sigma: 1.0 / max(alpha, FLOOR),
        ),
        "sample": Parametrisation(
            to_noise=lambda x, z, alpha, sigma: (z - alpha * x) / sigma,
            to_clean=lambda x, z, alpha, sigma: x,
            from_noise=lambda e, z, alpha, sigma: (z - sigma * e) / alpha,
            from_clean=lambda x, z, alpha, sigma: x,
            slope=lambda alpha, sigma: -sigma / max(alpha, FLOOR),
        ),
    }
)
