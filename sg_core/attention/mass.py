# SPDX-License-Identifier: MIT
"""How much attention goes to each word, without the matrix of all places by all keys.

Attention is a mean of values. Give every key a value that says which word it is, 1 in that word's column and 0 in the
others, and the mean *is* how much attention the word gets: exactly, under any mask, by the kernels that never write the
matrix down. In joint attention of 4,600 keys the matrix would be a gigabyte a layer.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from sg_core.tokens import Columns

PRECISE = frozenset({torch.float32, torch.float64})  # what is so needs no wider copy, which would be kept


def key_values(columns: Columns, first: int, keys: int, like: Tensor) -> Tensor:
    """Which word each key says, one word a column: (batch, key, column) of 0 and 1.

    Args:
        columns: for each row of the batch the tokens that are asked for; column i is the row's i-th.
        first: the key that is the first token.
    """
    values = like.new_zeros(len(columns), keys, max(map(len, columns), default=0))
    for row, tokens in enumerate(columns):
        values[row, [first + token for token in tokens], list(range(len(tokens)))] = 1.0
    return values


def attention_mass(
    query: Tensor, key: Tensor, values: Tensor, mask: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """How much of each query's attention goes to each column of values, mean over heads: (batch, query, column).

    In float32 at least: content words hold about a hundredth of the mass, too little for half precision. For the
    gradient query and key are kept, which the layer's own attention keeps anyway, and nothing that is as large as all
    places by all keys: what is in half precision, or under a mask, is computed a second time for that.

    Args:
        query: (batch, head, query, channel).
        key: (batch, head, key, channel); of fewer heads, each of which serves several of the query's.
        values: (batch, key, column).
        mask: boolean, or added to the scores, broadcast to (batch, head, query, key).
        scale: of the scores; channel^-1/2 by default.
    """
    exact = query.dtype in PRECISE and key.dtype == query.dtype and mask is None
    if torch.is_grad_enabled() and not exact:
        mass: Tensor = checkpoint(_mass, query, key, values, mask, scale, use_reentrant=False, preserve_rng_state=False)
        return mass
    return _mass(query, key, values, mask, scale)


def _mass(query: Tensor, key: Tensor, values: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    precise = torch.promote_types(query.dtype, torch.float32)
    heads = key.shape[1]
    query, key, values = query.to(precise), key.to(precise), values.to(precise)
    # kernels that do not write the matrix down want values as wide as keys
    parts = [_padded(part, query.shape[-1]) for part in torch.split(values, query.shape[-1], -1)]
    added = mask if mask is None or mask.dtype == torch.bool else mask.to(precise)
    # the operator itself: masks that are put under the tap change what the network's own call does, and not this one
    means = [
        torch.ops.aten.scaled_dot_product_attention(
            query, key, part[:, None].expand(-1, heads, -1, -1), added, scale=scale, enable_gqa=heads != query.shape[1]
        ).mean(1)
        for part in parts
    ]
    return torch.cat(means, -1)[..., : values.shape[-1]]


def _padded(values: Tensor, width: int) -> Tensor:
    return F.pad(values, (0, width - values.shape[-1]))


def condensed(columns: Sequence[Columns]) -> tuple[Columns, list[Columns]]:
    """All tokens of several sets of columns, once and in order for each row, and the sets counted among those."""
    rows = zip(*columns, strict=True)
    together = tuple(tuple(sorted({token for tokens in row for token in tokens})) for row in rows)
    counted = [
        tuple(tuple(row.index(token) for token in tokens) for row, tokens in zip(together, part, strict=True))
        for part in columns
    ]
    return together, counted
