# SPDX-License-Identifier: MIT
"""The mark in the pixels: read again after JPEG and at half the size, unseen, and never where there is none."""

import sys

import numpy as np
import pytest
from PIL import Image

from server.safeguards import pixel_mark
from server.safeguards.golay import BITS, codebook, decoded, encoded
from server.safeguards.pixel_mark import ATTACKS, CONTENT, LIMIT, PixelMark, decibels, half, jpeg, marked, read
from tests.server.safeguards.pictures import cloud, kinds, noise, toybox

SIZES = ((512, 512), (768, 512), (1024, 1024))
NAMED = {"jpeg 80": jpeg, "half size": half, "half size, then jpeg 80": lambda image: jpeg(half(image))}
BOUND = 5.26  # exp(-t²/2) is 1e-6 here


def right_bits(mark: PixelMark | None, content: bytes) -> float:
    """The share of the content's bits that were read, half of them where nothing was."""
    if mark is None or not mark.content:
        return 0.5
    wrong = int.from_bytes(mark.content, "big") ^ int.from_bytes(content, "big")
    return 1 - wrong.bit_count() / (8 * CONTENT)


@pytest.mark.parametrize("size", [SIZES[0], (768, 512)])
def test_it_is_read_again_and_not_seen(size):
    chance = np.random.default_rng(3)
    for kind, image in kinds(size, seed=1):
        content = chance.bytes(CONTENT)
        assert read(image) is None, kind
        picture = marked(image, content)
        assert picture is not None and decibels(image, picture) >= LIMIT, kind
        for attack in ATTACKS:
            mark = read(attack(picture))
            assert mark is not None and mark.content == content, kind


def test_other_programs_make_pictures_smaller_in_other_ways():
    picture = marked(toybox(2, (512, 512)), b"abcd")
    methods = Image.Resampling
    for method in (methods.BOX, methods.HAMMING, methods.BICUBIC, methods.LANCZOS, methods.NEAREST):
        assert read(picture.resize((256, 256), method)).content == b"abcd", method
    assert read(picture.convert("L")).content == read(picture.resize((400, 360))).content == b"abcd"
    assert read(jpeg(picture, 60)).content == b"abcd"


def test_small_pictures_stay_as_they_are():
    assert marked(toybox(0, (256, 256)), b"abcd") is None
    assert marked(toybox(0, (2048, 256)), b"abcd") is None
    assert marked(toybox(0, (682, 384)), b"abcd") is not None, "512² in another shape"


def test_the_same_picture_is_marked_the_same_way():
    one, other = (marked(toybox(5, (512, 512)), b"1234") for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_what_is_damaged_beyond_reading_says_nothing_wrong():
    """Of many pictures with too much noise, none is read as something else."""
    picture = np.asarray(marked(noise((512, 512), np.random.default_rng(0)), b"abcd"), np.float32)
    chance, contents = np.random.default_rng(1), set()
    for deviation in np.linspace(20, 400, 60):
        values = np.clip(picture + deviation * chance.standard_normal(picture.shape), 0, 255)
        mark = read(Image.fromarray(values.astype(np.uint8)))
        contents.add(mark.content if mark is not None else None)
    assert contents <= {b"abcd", b"", None} and len(contents) > 1


def test_three_wrong_bits_of_a_word_are_mended():
    chance = np.random.default_rng(0)
    bits = chance.integers(0, 2, 20 * BITS).astype(np.uint8)
    code = encoded(bits).astype(np.float64).reshape(20, -1)
    for word in code:
        word[chance.choice(24, 3, replace=False)] *= -1
    assert (decoded(code.reshape(-1)) == bits).all()
    products = codebook()[:50].astype(int) @ codebook().T.astype(int)
    assert sorted(set(products.ravel())) == [-24, -8, 0, 8, 24], "words differ in 8 places at least"


def scores(image: Image.Image, keys: np.ndarray) -> np.ndarray:
    """What the pilot of each key (chips, keys) would make of a picture."""
    pixels = np.asarray(image.convert("RGB"), np.float32)
    values = pixel_mark._values(pixel_mark._coefficients(pixel_mark._small(pixels)))[0]
    values = values[pixel_mark.sequence().pilot]
    return (values @ keys) / np.sqrt(np.square(values).sum())


def test_a_picture_without_a_mark_has_none_by_chance():
    """Sequences of 2000 keys on 16 pictures: none comes near, and they spread as they must."""
    chance = np.random.default_rng(0)
    keys = chance.choice(np.array([-1, 1], np.float32), (len(pixel_mark.sequence().pilot), 2000))
    every = np.concatenate([scores(image, keys) for image in (toybox(n, (512, 512)) for n in range(16))])
    assert abs(every.std() - 1) < 0.05 and abs(every.mean()) < 0.05
    assert every.max() < BOUND < pixel_mark.THRESHOLD


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_figures_of_many_pictures(capsys):
    """The share of right bits after each attack, decibels, and the scores of unmarked pictures under many keys."""
    chance, bits, quality = np.random.default_rng(7), {name: [] for name in NAMED}, []
    for seed in range(24):
        for kind, image in kinds(SIZES[seed % len(SIZES)], seed):
            content = chance.bytes(CONTENT)
            picture = marked(image, content)
            assert picture is not None and read(image) is None, kind
            quality.append(decibels(image, picture))
            for name, attack in NAMED.items():
                bits[name].append(right_bits(read(attack(picture)), content))
    every = strange_scores(chance)
    shares = {name: float(np.mean(values)) for name, values in bits.items()}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(quality)} pictures: right bits {shares}, worst {min(map(min, bits.values()))}")
        sys.stdout.write(
            f"; {min(quality):.1f} dB at least, median {np.median(quality):.1f}\n{every.size} scores without"
        )
        sys.stdout.write(f"out a mark: highest {every.max():.2f}, {np.sum(every > BOUND)} above {BOUND}\n")
    assert min(shares.values()) >= 0.99 and min(quality) >= LIMIT
    assert np.mean(every > BOUND) <= 1e-6 and not np.any(every > pixel_mark.THRESHOLD)


def strange_scores(chance: np.random.Generator) -> np.ndarray:
    """A million scores: 200 clouds and Toybox's 16 pictures, under 5000 keys."""
    keys = chance.choice(np.array([-1, 1], np.float32), (len(pixel_mark.sequence().pilot), 5000))
    clouds = [cloud((512, 512), chance, 0.7 + 0.1 * (number % 8)) for number in range(200)]
    return np.concatenate([scores(image, keys) for image in (*clouds, *(toybox(n, (512, 512)) for n in range(16)))])
