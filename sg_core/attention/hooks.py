# SPDX-License-Identifier: MIT
"""Being inside a layer of a network while it runs, and nowhere else, with nothing left behind."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sg_core.errors import AttentionError


@contextmanager
def active_inside(module: nn.Module, mode: TorchFunctionMode) -> Iterator[None]:
    """Until the block ends, every call of torch's functions that the module makes goes through the mode.

    Of two modes on one module, the one that was attached last lies on top: it sees a call first and hands it on.
    """

    def enter(*_: object) -> None:
        mode.__enter__()  # type: ignore[no-untyped-call]

    def leave(*_: object) -> None:
        mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    # always_call: a layer that raises must not leave its mode behind
    with module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True):
        yield


def submodule(network: nn.Module, name: str) -> nn.Module:
    """A layer by its name. Raises AttentionError when there is none."""
    try:
        return network.get_submodule(name)
    except AttributeError as missing:
        raise AttentionError(f"the network has no layer {name}: {missing}") from missing


def all_modules(network: nn.Module) -> list[nn.Module]:
    """Every module, as ``network.modules()`` in any order, some perhaps twice: that walks through a generator for each
    level, which of some hundred modules takes a hundredth of a guided step."""
    modules = [network]
    for module in modules:  # which grows
        modules.extend(child for child in module._modules.values() if child is not None)
    return modules


def refuse_compiled(network: nn.Module) -> None:
    """Raise AttentionError for a compiled network: its attention neither passes through hooks nor through modes."""
    # not hasattr: of a name that it does not have, a module searches everything it holds, hundreds of them a step
    if any("_orig_mod" in m._modules or m._compiled_call_impl is not None for m in all_modules(network)):
        raise AttentionError(
            "the network is compiled, and compiled attention cannot be overheard: use the eager network"
        )


def recomputing() -> bool:
    """Whether this forward runs inside a backward pass, as gradient checkpointing does: it ran before."""
    return torch._C._current_graph_task_id() != -1
