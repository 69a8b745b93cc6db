# SPDX-License-Identifier: MIT
"""The extended binary Golay code: 12 bits in 24, of which any three may be wrong; read from soft values.

Source: Golay, Notes on digital coding, Proc. IRE 37 (1949), in its cyclic form with generator polynomial 0xAE3 and a
parity bit; all 4096 words are compared, which is the maximum-likelihood reading.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

BITS, CODE = 12, 24
GENERATOR = 0xAE3  # x^11 + x^9 + x^7 + x^6 + x^5 + x + 1


@cache
def codebook() -> NDArray[np.int8]:
    """All words as signs (4096, 24), by the number that they stand for."""
    words = np.array([_word(number) for number in range(2**BITS)], np.uint32)
    bits = words[:, None] >> np.arange(CODE, dtype=np.uint32) & 1
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def encoded(bits: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Signs (2 n,) that stand for ``bits`` (n,), n being a multiple of 12."""
    numbers = bits.reshape(-1, BITS).astype(np.int64) @ (1 << np.arange(BITS))
    signs: NDArray[np.int8] = codebook()[numbers].reshape(-1)
    return signs


def decoded(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The bits (n,) whose signs fit best to soft ``values`` (2 n,)."""
    numbers = (values.reshape(-1, CODE) @ codebook().T.astype(np.float64)).argmax(axis=1)
    bits: NDArray[np.uint8] = (numbers[:, None] >> np.arange(BITS) & 1).astype(np.uint8).reshape(-1)
    return bits


def _word(number: int) -> int:
    """Systematic: the number above, the remainder of its division below, and one bit that makes the ones even."""
    remainder = number << 11
    for bit in range(22, 10, -1):
        if remainder >> bit & 1:
            remainder ^= GENERATOR << (bit - 11)
    word = number << 11 | remainder
    return word << 1 | word.bit_count() & 1
