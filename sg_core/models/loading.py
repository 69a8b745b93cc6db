# SPDX-License-Identifier: MIT
"""Loading models: safetensors only, from a local folder or a pinned commit of a hub; nothing that runs code.

Pickled weights (.bin, .pt, .ckpt) run code when read, and a hub's branch or tag can change after it was looked at.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import diffusers.utils.logging
import transformers.utils.logging
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from huggingface_hub import snapshot_download
from transformers import CLIPTextModel, CLIPTokenizer

from sg_core.errors import WeightsError
from sg_core.models.cards import CARDS, TOYBOX, Card
from sg_core.models.stable_diffusion_1 import UNet

TOYBOX_FOLDER = Path(__file__).parents[1] / "toybox" / "weights"
RUNS_CODE = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py"})
COMPONENTS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "unet": (UNet2DConditionModel,),
        "vae": (AutoencoderKL, AutoencoderTiny),
        "text_encoder": (CLIPTextModel,),
        "tokenizer": (CLIPTokenizer,),
    }
)
FOLDERS = (*COMPONENTS, "scheduler")
BARS = (diffusers.utils.logging, transformers.utils.logging)
WANTED = ("model_index.json", *(f"{part}/{kind}" for part in FOLDERS for kind in ("*.json", "*.txt", "*.safetensors")))


def load(source: str | Path = "toybox", *, device: str = "cpu", card: Card | None = None) -> UNet:
    """A model ready to paint, in float32, without gradients for its weights.

    Args:
        source: the name of a Card (``toybox``), a local folder in diffusers' format, or a hub repository with its
            commit, ``owner/name@<40 hexadecimal digits>``.
        card: overrides the Card that the source is known by. A folder without one is listened to in every
            cross-attention layer.

    Raises WeightsError when the source is missing, not pinned, or holds anything that runs code.
    """
    card = card or describe(source)
    with untorn():
        folder = find(card)
        check(folder)
        unet, vae, text_encoder = (_module(folder, part).to(device) for part in ("unet", "vae", "text_encoder"))
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    noise = MappingProxyType(_json(folder / "scheduler" / "scheduler_config.json"))
    return UNet(card, unet, vae, text_encoder, tokenizer, MappingProxyType({"prediction_type": "epsilon", **noise}))


@contextmanager
def untorn() -> Iterator[None]:
    """Inside, no library draws progress bars unless standard error is a terminal: a log would hold them in pieces."""
    drawing = [kind for kind in BARS if kind.is_progress_bar_enabled() and not sys.stderr.isatty()]
    for kind in drawing:
        kind.disable_progress_bar()
    try:
        yield
    finally:
        for kind in drawing:
            kind.enable_progress_bar()


def describe(source: str | Path) -> Card:
    """The Card of a source: a known one, or one made for a folder or a pinned repository."""
    text = str(source)
    if text in CARDS:
        return CARDS[text]
    if Path(source).is_dir():
        return Card(name=Path(source).name, family="unet", source=text, licence="unknown", multiple=16)
    name, _, revision = text.partition("@")
    return Card(name=name, family="unet", source=name, revision=revision, licence="unknown")


def find(card: Card) -> Path:
    """The folder of a Card's weights; a hub repository is downloaded once, at its pinned commit."""
    if card.source == TOYBOX.source:
        return TOYBOX_FOLDER
    if Path(card.source).is_dir():
        return Path(card.source)
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", card.source):
        raise WeightsError(f"{card.source!r} is neither a folder nor a hub repository (owner/name) nor a known model")
    if not re.fullmatch(r"[0-9a-f]{40}", card.revision):
        raise WeightsError(
            f"{card.source} is not pinned: name its commit, {card.source}@<40 hexadecimal digits>, "
            f"instead of {card.revision or 'no commit'}"
        )
    return Path(snapshot_download(card.source, revision=card.revision, allow_patterns=list(WANTED)))


def check(folder: Path) -> None:
    """Raise WeightsError unless a folder is a Stable-Diffusion-like model of safetensors and plain configuration."""
    if not (folder / "model_index.json").is_file():
        raise WeightsError(f"{folder} has no model_index.json: it is not a model in diffusers' format")
    read = [path for place in (folder, *(folder / part for part in FOLDERS)) for path in sorted(place.glob("*"))]
    if code := [path.name for path in read if path.suffix in RUNS_CODE]:
        raise WeightsError(f"{folder} holds {', '.join(code)}, which can run code: keep only safetensors and JSON")
    index = _json(folder / "model_index.json")
    for part, kinds in COMPONENTS.items():
        names = [kind.__name__ for kind in kinds]
        if index.get(part, [None, None])[1] not in names:
            raise WeightsError(f"{folder}: {part} is {index.get(part)}, and this family needs a {' or '.join(names)}")
    if custom := [path for path in read if path.suffix == ".json" and _custom(path)]:
        raise WeightsError(f"{custom[0]} asks for custom code (auto_map): such models are not loaded")


def _custom(path: Path) -> bool:
    document = _json(path)
    return isinstance(document, dict) and "auto_map" in document


def _module(folder: Path, part: str) -> Any:
    if not any((folder / part).glob("*.safetensors")):
        raise WeightsError(f"{folder / part} has no safetensors: convert its weights first")
    # diffusers warns when accelerate is missing unless told not to want it; transformers knows no such option.
    options = {} if part == "text_encoder" else {"low_cpu_mem_usage": False}
    named = _json(folder / "model_index.json")[part][1]
    kind = next(kind for kind in COMPONENTS[part] if kind.__name__ == named)
    module = kind.from_pretrained(folder / part, use_safetensors=True, local_files_only=True, **options)
    return module.float().requires_grad_(False).eval()


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
