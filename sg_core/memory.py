# SPDX-License-Identifier: MIT
"""Tricks that save memory, and what they do to a gradient.

Some give one that is wrong, or not a number, without a word: offloading moves weights away that the backward pass still
needs, casting keeps them in a precision that has no backward, quantised products have one of another function. So a
network may guide only as plain weights, until a test has compared the gradient of a trick; gradient checkpointing has
passed such a test. Sampling without energies is free to use them all.
"""

from collections.abc import Iterator

import torch
from torch import nn

from sg_core.errors import RequestError

PRECISIONS = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})
HOOKS = ("_diffusers_hook", "_hf_hook")  # diffusers': casting, offloading by groups, caches; accelerate's: offloading


def precision(device: str, family: str) -> torch.dtype:
    """Of a model's weights: half as wide on a GPU that computes in bfloat16, and float32 everywhere else.

    Toybox and Stable Diffusion 1 are small and stay as they were. float16 is not used: gradients may vanish in it.
    """
    small = family == "stable-diffusion-1"
    half = device.startswith("cuda") and not small and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if half else torch.float32


def refuse_untested(network: nn.Module) -> None:
    """Raise RequestError when a network keeps its weights in a way whose gradient no test has compared."""
    if tricks := sorted(set(_tricks(network))):
        raise RequestError(
            f"this network is set up with {' and '.join(tricks)}, and gradients through that are wrong or unproven: "
            "load it plainly, or paint without energies (masks are free of this)"
        )


def _tricks(network: nn.Module) -> Iterator[str]:
    for module in network.modules():
        for name in HOOKS:
            if hasattr(module, name):
                kinds = getattr(getattr(module, name), "hooks", {"offloading": None})
                yield from (kind.replace("_", " ") for kind in kinds)
    for weight in network.parameters():
        if type(weight.data) is not torch.Tensor:
            yield f"weights of the kind {type(weight.data).__name__}"
        elif weight.dtype not in PRECISIONS:
            yield f"weights in {weight.dtype}"
