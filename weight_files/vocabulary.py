# SPDX-License-Identifier: MIT
"""Whether a tokenizer's folder holds the words that it knows: without them transformers reads every word as none."""

from pathlib import Path

WHOLE = ("tokenizer.json", "vocab.txt", "tekken.json")  # each says all by itself, as do files of SentencePiece
PAIR = ("vocab.json", "merges.txt")
PIECES = "*.model"  # of SentencePiece


def has_vocabulary(tokenizer: Path) -> bool:
    """Whether one of the files is there that a tokenizer's words are kept in."""
    whole = any((tokenizer / name).is_file() for name in WHOLE) or any(tokenizer.glob(PIECES))
    return whole or all((tokenizer / name).is_file() for name in PAIR)
