# SPDX-License-Identifier: MIT
"""How many bytes of tensors are alive at most while something runs: what a GPU would have to hold, counted on a CPU."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Census(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the storages of all tensors that operations return, for as long as anything holds them, autograd's graph
    included: a storage's Python object lives as long as it does. ``held`` are there from the start, and stay."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        storages = [tensor.untyped_storage() for tensor in tensors]
        self.alive = {storage._cdata: storage.nbytes() for storage in storages}
        self.most = sum(self.alive.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tensors(result):
            self._meet(tensor.untyped_storage())
        return result

    def _meet(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.alive:
            self.alive[key] = storage.nbytes()
            weakref.finalize(storage, self.alive.pop, key, None)
            self.most = max(self.most, sum(self.alive.values()))


def tensors(result: Any) -> Iterator[Tensor]:
    """Those in what an operation returns."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, (tuple, list)):
        for item in result:
            yield from tensors(item)


def peak(work: Callable[[], object], tensors: Iterable[Tensor] = ()) -> int:
    """The most bytes alive at once while ``work`` runs, those of ``held`` tensors, such as weights, included."""
    with Census(tensors) as census:
        work()
    return int(census.most)
