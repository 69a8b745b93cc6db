# SPDX-License-Identifier: MIT
"""Floating-point operations of whatever runs inside, forwards and backwards: a cost that no other work on the machine
can change.

torch's own ``FlopCounterMode`` follows modules as well, which stumbles over ``torch.autograd.grad`` by a leaf, and it
leaves out the attention of CPUs; its table of formulas is used here, with those two added.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up products of matrices, convolutions and attention; ``total`` counts a multiplication and an addition
    as two. Elementwise work, which memory bounds, does not count."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        packet = func._overloadpacket
        if packet == ATTENTION:
            self.total += sdpa_flop_count(*(tensor.shape for tensor in args[:3]))  # type: ignore[no-untyped-call]
        elif packet == ATTENTION_BACKWARD:
            self.total += sdpa_backward_flop_count(*(t.shape for t in args[:4]))  # type: ignore[no-untyped-call]
        elif (formula := flop_registry.get(packet)) is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


@contextmanager
def counting() -> Iterator[FlopCounter]:
    """Count what runs inside."""
    with FlopCounter() as counter:
        yield counter


def flops(work: Callable[[], object]) -> int:
    """Of one call."""
    with counting() as counter:
        work()
    return counter.total
