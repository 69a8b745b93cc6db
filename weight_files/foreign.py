# SPDX-License-Identifier: MIT
"""What a configuration may not ask for: code, kernels, and weights that are not what they seem."""

from typing import Any

FOREIGN = ("auto_map", "quantization_config", "custom_pipelines", "trust_remote_code")
ATTENTION = "attn_implementation"  # at the end of a key: a kernel, by its name


def foreign_key(config: Any) -> str:
    """The first key of a JSON document, at any depth, that asks for any of that; "" where none does.

    Raises RecursionError for a document that is nested without end.
    """
    if not isinstance(config, dict):
        return ""
    own = next((key for key in config if key in FOREIGN or key.endswith(ATTENTION)), "")
    return own or next((key for value in config.values() if (key := foreign_key(value))), "")
