# SPDX-License-Identifier: MIT
"""What makes two pictures the same one, before either is painted."""

import json
from hashlib import sha256

from .answers import ModelInfo
from .blockout import Blockout
from .strict_json import dump


def content_key(blockout: Blockout, model: ModelInfo) -> str:
    """The sha256 of all that alters pixels: the request, its adapters' own sha256s among it, and which model it is,
    by the fingerprint of its files and of all that configures it.

    Not of the machine: the same request on another one is the same picture.
    """
    identity = [model.name, model.family, model.source, model.revision, model.precision]
    identity += [model.fingerprint] if model.fingerprint else []  # without one the keys of before
    text = json.dumps([dump(blockout), identity], sort_keys=True)
    return sha256(text.encode()).hexdigest()
