# SPDX-License-Identifier: MIT
"""What a file is that goes on top of a model, and what it is made for: told from a safetensors header, nothing else."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from addon.protocol.answers import AdapterInfo, AdapterKind

from .catalogue import NotAModel, header

PICKLED = frozenset({".pt", ".ckpt", ".bin", ".pth"})
UNET = ("stable-diffusion-1", "stable-diffusion-2", "stable-diffusion-xl")
LORA = re.compile(r"[._](?:lora_(?:down|up|A|B)|lora(?:_linear_layer)?\.(?:down|up))\b")
TO_KEYS = re.compile(
    r"attn2[._]to_k\.(?:lora_down|lora_A|lora\.down)\b.*weight$|attn2\.processor\.to_k_lora\.down\.weight$"
)
WIDTHS: Mapping[int, str] = {768: UNET[0], 1024: UNET[1], 2048: UNET[2]}  # of the words that a UNet hears
TELLING: Sequence[tuple[str, tuple[str, ...]]] = (
    (r"single_(?:transformer_)?blocks[._]|double_blocks[._]", ("flux-1", "flux-2-dev", "flux-2-klein", "chroma")),
    (r"joint_blocks[._]", ("stable-diffusion-3",)),
    (r"transformer_blocks[._]\d+[._]img_m", ("qwen-image",)),
    (r"^(?:transformer|diffusion_model|lora_unet)[._]layers[._]\d", ("z-image",)),
    (r"^transformer\.transformer_blocks\.\d+\.attn\.", ("stable-diffusion-3", "qwen-image", "flux-1")),
    (r"^transformer\.transformer_blocks\.\d+\.attn[12]\.", ("pixart-sigma", "sana")),
    (r"^lora_te2_|^text_encoder_2\.|^(?:lora_unet_|unet\.).*transformer_blocks[._]1[._]", ("stable-diffusion-xl",)),
    (r"^lora_unet_|^unet\.|^lora_te_|^text_encoder\.", ("stable-diffusion-1",)),
)
"""What a LoRA is made for, by the first of these that a name in it matches."""

CONTROL = re.compile(r"^controlnet_cond_embedding\.conv_in\.weight$|^(?:control_model\.)?input_hint_block\.0\.weight$")
HEARING = re.compile(r"(?:down|input)_blocks\..*attn2\.to_k\.weight$")  # of a ControlNet: a layer that hears words
CONTROL_UNREAD: Mapping[str, str] = {
    "task_embedding": "of several kinds at once",
    "lora_controlnet": "in a LoRA's form",
}
SHARED_STEM = "diffusion_pytorch_model"  # what diffusers calls the weights of every network

UNREAD: Mapping[str, str] = {
    r"\.hada_w1": "a LoHa",
    r"\.lokr_w1": "a LoKr",
    r"\.oft_(?:blocks|diag)$": "an OFT",
    r"\.dora_scale$": "a DoRA",
    r"\.lora_mid\.": "a LoRA in three parts",
    r"\.diff(?:_b)?$": "a LoRA with whole differences",
}
"""What is like a LoRA and is not read, by names in it."""

FOLDERS: Mapping[str, AdapterKind] = {"vae": "vae", "controlnet": "controlnet", "controlnets": "controlnet"}
"""What lies in folders of these names, in small letters, that does not say what it is."""

LATENTS: Mapping[int, tuple[str, ...]] = {
    4: UNET,
    16: ("flux-1", "stable-diffusion-3", "z-image", "chroma"),
    32: ("flux-2-dev", "flux-2-klein"),
}
"""What an autoencoder is made for, by the channels of its latents."""


def read(file: Path, size: int) -> AdapterInfo | None:
    """What a file says it is; None for one that is neither a LoRA nor an autoencoder nor a ControlNet."""
    kind = FOLDERS.get(file.parent.name.lower(), "lora")
    if file.suffix.lower() in PICKLED:
        trouble = "it is pickled, and could run anything when it is opened; get it as .safetensors"
        return AdapterInfo(kind=kind, name=file.stem, bases=(), bytes=size, trouble=trouble)
    try:
        tensors = header(file)
    except NotAModel as error:
        return AdapterInfo(kind=kind, name=file.stem, bases=(), bytes=size, trouble=error.problem)
    unread = [words for mark, words in UNREAD.items() if any(re.search(mark, name) for name in tensors)]
    if unread or any(LORA.search(name) for name in tensors):
        trouble = f"it is {unread[0]}, which Maquette does not read" if unread else ""
        return AdapterInfo(kind="lora", name=file.stem, bases=lora_bases(tensors), bytes=size, trouble=trouble)
    if any(CONTROL.search(name) for name in tensors) or "lora_controlnet" in tensors:
        why = next((words for mark, words in CONTROL_UNREAD.items() if mark in tensors), "")
        trouble = f"it is a ControlNet {why}, which Maquette does not read" if why else ""
        bases = control_bases(tensors)
        return AdapterInfo(kind="controlnet", name=title(file), bases=bases, bytes=size, trouble=trouble)
    if "decoder.conv_in.weight" in tensors:
        bases = vae_bases(tensors, file.stem)
        return AdapterInfo(kind="vae", name=file.stem, bases=bases, bytes=size)
    return None


def lora_bases(tensors: Mapping[str, Any]) -> tuple[str, ...]:
    """What a LoRA with these tensors may be made for; none named means that it does not say."""
    for name, facts in tensors.items():
        if TO_KEYS.search(name) and (base := WIDTHS.get(_size(facts, 1))):
            return (base,)
    return next((bases for mark, bases in TELLING if any(re.search(mark, name) for name in tensors)), ())


def control_bases(tensors: Mapping[str, Any]) -> tuple[str, ...]:
    """What a ControlNet is made for, by the width of the words that it hears; none named means that it does not say."""
    widths = (WIDTHS.get(_size(facts, 1)) for name, facts in tensors.items() if HEARING.search(name))
    return next(((base,) for base in widths if base), ())


def title(file: Path) -> str:
    """What a file is called: what its folder is where its own name is that of every network's weights."""
    return file.parent.name if file.stem.startswith(SHARED_STEM) else file.stem


def vae_bases(tensors: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """What an autoencoder may be made for. Those of one shape are told apart by their names alone."""
    bases = LATENTS.get(_size(tensors["decoder.conv_in.weight"], 1), ())
    return (UNET[2],) if bases == UNET and "xl" in name.lower() else bases


def _size(facts: Any, axis: int) -> int:
    shape = facts.get("shape", ()) if isinstance(facts, dict) else ()
    return shape[axis] if len(shape) > axis and isinstance(shape[axis], int) else 0
