# SPDX-License-Identifier: MIT
"""A mark in a picture's pixels that nobody sees: 32 bits that outlive JPEG files and half the size.

It lies in the luminance of the picture brought to 256 × 256 pixels, whatever its own size, so that a change of size
moves nothing; there in the middle frequencies of 8 × 8 blocks, as a keyed sequence of signs. Half of them are known to
every reader (the pilot): their correlation says whether there is a mark at all. The other half carry the bits, and 16
more that check them, in a Golay code. What the picture has there by chance is reckoned with: only as much is added as
the correlation lacks, more where the picture is rough; and as much more, down to LIMIT, as it takes for it to be read
after ATTACKS.

For a sequence drawn by chance the correlation of whatever picture exceeds t with a probability of exp(-t²/2) at most
(Hoeffding), which is 1e-6 at 5.26; THRESHOLD is above.

Sources: Cox et al., Secure spread spectrum watermarking for multimedia, IEEE TIP 6 (1997); Malvar and Florêncio,
Improved spread spectrum, IEEE TSP 51 (2003).
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .golay import decoded, encoded

Greys = NDArray[np.float32]

SIDE, BLOCK = 256, 8
BAND = tuple((row, column) for row in range(BLOCK) for column in range(BLOCK) if 3 <= row + column <= 5)
CONTENT, CHECK = 4, 2  # bytes
BITS = 8 * (CONTENT + CHECK)
CODE = 2 * BITS
CHIPS = (SIDE // BLOCK) ** 2 * len(BAND)
PER_BIT = CHIPS // 2 // CODE
KEY = b"maquette.mark.1"  # known to all: the mark is to be read by anybody
THRESHOLD = 6.0
LEAST_SIDE, LEAST_AREA = 384, 500 * 500  # pixels; of less, half the size leaves too little
LIMIT = 40.0  # dB, the least peak signal-to-noise ratio of a marked picture
STRENGTHS = (0.1, 0.14, 0.2, 0.28, 0.4, 0.55)  # of the correlation a chip; the first that is read after ATTACKS
MARGIN = 7.0  # the score that is wanted then, for other programs make other files
ROUNDS = 4
FLOOR = 6.0  # of a block's own scale, in grey levels: in even areas less would be rounded away
GREY = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class PixelMark:
    """What was read: ``score``, above THRESHOLD, is how sure it is that there is a mark; its ``content`` are four
    bytes, or none where they cannot be read any more."""

    content: bytes
    score: float


@dataclass(frozen=True)
class Sequence:
    """The keyed signs (CHIPS,), and which of the chips are the pilot's, and each code bit's (CODE, PER_BIT)."""

    signs: Greys
    pilot: NDArray[np.intp]
    bits: NDArray[np.intp]


def fits(size: tuple[int, int]) -> bool:
    """Whether a picture of this width and height is large enough for a mark."""
    return min(size) >= LEAST_SIDE and size[0] * size[1] >= LEAST_AREA


def marked(image: Image.Image, content: bytes) -> Image.Image | None:
    """The picture (RGB) with four bytes in its pixels; None where it is too small, or would not stay above LIMIT."""
    if not fits(image.size):
        return None
    assert len(content) == CONTENT
    code = encoded(np.unpackbits(np.frombuffer(content + _check(content), np.uint8)))
    pixels, best = np.asarray(image, np.float32), None
    for strength in STRENGTHS:
        candidate = Image.fromarray(_embedded(pixels, code, strength))
        if decibels(image, candidate) < LIMIT:
            break
        best = candidate
        if all(_holds(attack(candidate), content) for attack in ATTACKS):
            break
    return best


def read(image: Image.Image) -> PixelMark | None:
    """The mark of a picture of any size and mode; None where there is none."""
    keyed = sequence()
    values = _values(_coefficients(_small(np.asarray(image.convert("RGB"), np.float32))))[0] * keyed.signs
    pilot = values[keyed.pilot]
    score = float(pilot.sum() / (np.sqrt(np.square(pilot).sum()) + 1e-9))
    if score < THRESHOLD:
        return None
    soft = values[keyed.bits].sum(axis=1, dtype=np.float64)
    text = np.packbits(decoded(soft)).tobytes()
    content = text[:CONTENT]
    return PixelMark(content if text == content + _check(content) else b"", score)


def _check(content: bytes) -> bytes:
    return hashlib.sha256(KEY + content).digest()[:CHECK]


@cache
def sequence() -> Sequence:
    """The same on every machine for ever: drawn from a hash of the key."""
    stream = hashlib.shake_256(KEY).digest(9 * CHIPS)
    order = np.argsort(np.frombuffer(stream[: 8 * CHIPS], "<u8"), kind="stable")
    signs = np.where(np.frombuffer(stream[8 * CHIPS :], np.uint8) & 1, 1, -1).astype(np.float32)
    of_bits = order[: CODE * PER_BIT].reshape(CODE, PER_BIT)
    return Sequence(signs, order[CODE * PER_BIT :], of_bits)


def _embedded(pixels: Greys, code: NDArray[np.int8], strength: float) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) whose correlations are ``strength`` a chip, as near as rounding lets them be.

    What is added is measured on the result and corrected, ROUNDS times: sizes that change and values that are
    cut off at black and white take some of it away.
    """
    keyed = sequence()
    target = keyed.signs.copy()
    target[keyed.bits] *= code[:, None]
    added, result = np.zeros(CHIPS, np.float32), pixels
    scale = _values(_coefficients(_small(pixels)))[1]
    root = np.sqrt(scale)  # rough blocks take more of it, and yet not so much as they hide
    size = (pixels.shape[1], pixels.shape[0])
    for _ in range(ROUNDS):
        agreement = _values(_coefficients(_small(result)))[0] * target
        for group in (keyed.pilot, *keyed.bits):
            lack = max(0.0, strength - float(agreement[group].mean()))
            added[group] += lack * root[group] / (1 / root[group]).mean()
        residual = Image.fromarray(_picture(added * target)).resize(size, Image.Resampling.BICUBIC)
        result = np.clip(np.rint(pixels + np.asarray(residual)[..., None]), 0, 255)
    return result.astype(np.uint8)


def _small(pixels: Greys) -> Greys:
    """The luminance (SIDE, SIDE) of pixels (height, width, 3)."""
    return np.asarray(Image.fromarray(pixels @ GREY).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


@cache
def _cosines() -> Greys:
    """The orthonormal DCT-II of BLOCK values, as a matrix (frequency, position)."""
    rows = np.cos(np.pi * (np.arange(BLOCK) + 0.5) * np.arange(BLOCK)[:, None] / BLOCK) * np.sqrt(2 / BLOCK)
    rows[0] /= np.sqrt(2)
    cosines: Greys = rows.astype(np.float32)
    return cosines


def _coefficients(small: Greys) -> Greys:
    """Those of the band, (block, len(BAND)), of a luminance (SIDE, SIDE)."""
    count, cosines = SIDE // BLOCK, _cosines()
    blocks = small.reshape(count, BLOCK, count, BLOCK).transpose(0, 2, 1, 3)
    transformed = (cosines @ blocks @ cosines.T).reshape(-1, BLOCK, BLOCK)
    rows, columns = zip(*BAND, strict=True)
    return transformed[:, rows, columns]


def _picture(chips: Greys) -> Greys:
    """The luminance (SIDE, SIDE) whose coefficients in the band are ``chips`` (CHIPS,), and all others 0."""
    count, cosines = SIDE // BLOCK, _cosines()
    blocks = np.zeros((count * count, BLOCK, BLOCK), np.float32)
    rows, columns = zip(*BAND, strict=True)
    blocks[:, rows, columns] = chips.reshape(-1, len(BAND))
    back = (cosines.T @ blocks @ cosines).reshape(count, count, BLOCK, BLOCK)
    return back.transpose(0, 2, 1, 3).reshape(SIDE, SIDE)


def _values(coefficients: Greys) -> tuple[Greys, Greys]:
    """Coefficients (CHIPS,) over the scale of their block, lest rough ones outweigh the others; and that scale."""
    scale = np.sqrt(np.square(coefficients).mean(axis=1, keepdims=True)) + FLOOR
    return (coefficients / scale).reshape(-1), np.repeat(scale, coefficients.shape[1])


def _holds(image: Image.Image, content: bytes) -> bool:
    mark = read(image)
    return mark is not None and mark.content == content and mark.score >= MARGIN


def decibels(image: Image.Image, other: Image.Image) -> float:
    """The peak signal-to-noise ratio of two pictures of one size."""
    difference = np.asarray(image, np.float32) - np.asarray(other, np.float32)
    return float(10 * np.log10(255**2 / max(float(np.square(difference).mean()), 1e-12)))


def jpeg(image: Image.Image, quality: int = 80) -> Image.Image:
    """The picture as a JPEG file has it, with half the colours' resolution."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def half(image: Image.Image) -> Image.Image:
    """The picture at half its sides."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)


ATTACKS: tuple[Callable[[Image.Image], Image.Image], ...] = (jpeg, half, lambda image: jpeg(half(image)))
