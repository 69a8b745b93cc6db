# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go on top of a model, against what a server has: which files fit, and why one that was chosen does not.

No bpy.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ..protocol.answers import AdapterInfo, AdapterKind, ModelInfo
from ..protocol.blockout import Blockout, ControlNet, LoraFile
from .settings import AskedFile, Settings, files

WORDS: Mapping[AdapterKind, str] = MappingProxyType({"lora": "LoRA", "vae": "VAE", "controlnet": "ControlNet"})


def of_kind(offered: Sequence[AdapterInfo], kind: AdapterKind) -> list[AdapterInfo]:
    """Those of one kind, in the server's order."""
    return [info for info in offered if info.kind == kind]


def find(offered: Sequence[AdapterInfo], kind: AdapterKind, name: str) -> AdapterInfo | None:
    """The one of that name."""
    return next((info for info in of_kind(offered, kind) if info.name == name), None)


def unfit(info: AdapterInfo, model: ModelInfo) -> str:
    """Why a file is of no use to a model, as what it is or does; "" where nothing is known against it."""
    if info.trouble:
        return info.trouble.partition(";")[0].removeprefix("it ")
    if info.bases and model.base and model.base not in info.bases:
        return f"is made for {' or '.join(info.bases)}"
    return ""


def kind_of(chosen: AskedFile) -> AdapterKind:
    """Which kind of file was chosen."""
    return "lora" if isinstance(chosen, LoraFile) else "controlnet" if isinstance(chosen, ControlNet) else "vae"


def fault(chosen: AskedFile, offered: Sequence[AdapterInfo], model: ModelInfo) -> str:
    """Why one that was chosen would be refused, as what it is or does; "" where nothing is known against it."""
    info = find(offered, kind_of(chosen), chosen.name)
    if info is None:
        return "is not on this server"
    changed = chosen.sha256 and info.sha256 and chosen.sha256 != info.sha256
    return unfit(info, model) or ("is another file than it was" if changed else "")


def faults(settings: Settings, offered: Sequence[AdapterInfo], model: ModelInfo) -> Iterator[str]:
    """What of the settings' files a server does not have as they were, in words."""
    for chosen in files(settings):
        if chosen is not None and (why := fault(chosen, offered, model)):
            yield f"the {WORDS[kind_of(chosen)]} “{chosen.name}”, which {why}"


def picked(info: AdapterInfo, weight: float = 1.0) -> LoraFile:
    """A LoRA as it is chosen from an offer."""
    return LoraFile(name=info.name, sha256=info.sha256, weight=weight)


def summary(request: Blockout) -> str:
    """What was on top of the model and beside it, and how it walked where it is not DDIM; "" for nothing."""
    loras = [f"{lora.name} {lora.weight:.2f}" for lora in request.loras]
    decoder = [request.vae.name] if request.vae else []
    control = request.control
    until = f" until {control.until:.2f}" if control and control.until < 1 else ""
    beside = [f"{control.name} {control.scale:.2f}{until}"] if control else []
    walk = [request.scheduler] if request.scheduler != "ddim" else []
    return ", ".join([*loras, *decoder, *beside, *walk])
