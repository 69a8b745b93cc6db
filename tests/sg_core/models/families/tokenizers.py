# SPDX-License-Identifier: MIT
"""Tiny tokenizers of every class that the families read with: real classes, a few words, the rest is spelt."""

import string

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import CLIPTokenizer, GemmaTokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer, T5Tokenizer

WORDS = ("a", "the", "and", "on", "in", "castle", "rocket", "cat", "dog", "huge", "red", "sky", "user", "prompt")
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
QWEN_NAMES = ("endoftext", "im_start", "im_end", "vision_start", "vision_end", "vision_pad", "image_pad", "video_pad")
QWEN_MARKS = [f"<|{name}|>" for name in QWEN_NAMES]
QWEN_TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}"
    "{%- endif %}"
)
MISTRAL_MARKS = ["<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]", "[IMG]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
MISTRAL_TEMPLATE = (
    "{{- bos_token }}{%- for m in messages %}{%- if m.role == 'system' %}"
    "{{- '[SYSTEM_PROMPT]' + m.content[0].text + '[/SYSTEM_PROMPT]' }}"
    "{%- else %}{{- '[INST]' + m.content[0].text + '[/INST]' }}{%- endif %}{%- endfor %}"
)


def merges(words: list[str], end: str = "") -> tuple[list[tuple[str, str]], list[str]]:
    """What spells each word from left to right, and the pieces that this makes."""
    pairs: list[tuple[str, str]] = []
    for word in words:
        parts = [*word[:-1], word[-1] + end]
        while len(parts) > 1:
            pairs.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
    unique = list(dict.fromkeys(pairs))
    return unique, [first + second for first, second in unique]


def clip() -> CLIPTokenizer:
    """Of 77 tokens."""
    pairs, pieces = merges(list(WORDS), "</w>")
    tokens = [*BYTES, *(f"{byte}</w>" for byte in BYTES), *pieces, "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, pad_token="<|endoftext|>", model_max_length=77)


def t5() -> T5Tokenizer:
    """Pieces with scores."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(sign, -4.0) for sign in string.ascii_letters + string.digits + ".,;:!?'\"()-_"]
    pieces += [(f"▁{word}", -3.0) for word in WORDS if len(word) > 1]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def gemma() -> GemmaTokenizer:
    """Pieces that merge, bytes for what is unknown."""
    pairs, pieces = merges([f"▁{word}" for word in WORDS] + list(WORDS))
    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens = dict.fromkeys([*marks, "▁", "\n", *string.printable.strip(), *pieces])
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return GemmaTokenizer(vocab=vocabulary, merges=pairs, model_max_length=300, padding_side="right")


def _bytes() -> tuple[dict[str, int], list[tuple[str, str]]]:
    pairs, pieces = merges([f"Ġ{word}" for word in WORDS] + list(WORDS))
    return {token: i for i, token in enumerate(dict.fromkeys([*BYTES, *pieces]))}, pairs


def qwen() -> Qwen2Tokenizer:
    """Bytes that merge, and a chat."""
    vocabulary, pairs = _bytes()
    vocabulary |= {mark: len(vocabulary) + i for i, mark in enumerate(QWEN_MARKS)}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=pairs, model_max_length=1024)
    tokenizer.add_special_tokens({"additional_special_tokens": QWEN_MARKS[1:]})
    tokenizer.chat_template = QWEN_TEMPLATE
    return tokenizer


def mistral() -> PreTrainedTokenizerFast:
    """Bytes that merge, and a chat with a system message; what is shorter is filled up on the left."""
    vocabulary, pairs = _bytes()
    vocabulary |= {mark: len(vocabulary) + i for i, mark in enumerate(MISTRAL_MARKS)}
    whole = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    whole.add_special_tokens([AddedToken(mark, special=True) for mark in MISTRAL_MARKS])
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    options = {"model_max_length": 2048, "padding_side": "left"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=whole, **options, **marks)
    tokenizer.chat_template = MISTRAL_TEMPLATE
    return tokenizer
