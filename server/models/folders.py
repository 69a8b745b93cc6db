# SPDX-License-Identifier: MIT
"""What an artist's folder is taken for: one of ComfyUI or A1111, ComfyUI's list of paths, or any folder.

Of the folders of another program only those that hold models are looked through; what goes on top of a model lies in
others, which are named apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .path_lists import read_paths

PATHS_FILE = "extra_model_paths.yaml"
MODELS = ("checkpoints", "diffusion_models", "unet", "diffusers")  # keys of ComfyUI, and its folders in models/
ADAPTERS = ("loras", "vae", "controlnet")
A1111 = ("Stable-diffusion", "diffusers")
A1111_ADAPTERS = ("Lora", "LyCORIS", "VAE", "ControlNet")


@dataclass(frozen=True)
class NamedFolder:
    """A folder as it was named: what it is taken for, where models are looked for, where LoRAs and autoencoders lie,
    and why it cannot be understood."""

    path: Path
    kind: str
    models: tuple[Path, ...] = ()
    adapters: tuple[Path, ...] = ()
    trouble: str = ""


def interpret(path: Path) -> NamedFolder:
    """What a path leads to; ``trouble`` says why to nothing."""
    try:
        if path.suffix in (".yaml", ".yml") and path.is_file():
            return _listed(path, path)
        if not path.is_dir():
            missing = "there is no such folder" if not path.exists() else "it is a file, and no list of paths"
            return NamedFolder(path, "", trouble=f"{missing}: correct its path, or take it off the list")
        inner = path / "models" if (path / "models").is_dir() else path
        if (inner / "checkpoints").is_dir():
            own = NamedFolder(path, "ComfyUI", _in(inner, MODELS), _in(inner, ADAPTERS))
            extra = path / PATHS_FILE
            return _joined(own, _listed(path, extra)) if extra.is_file() else own
        if (inner / "Stable-diffusion").is_dir():
            return NamedFolder(path, "A1111", _in(inner, A1111), _in(inner, A1111_ADAPTERS))
    except OSError as error:
        return NamedFolder(path, "", trouble=f"it cannot be read: {error.strerror or error}")
    return NamedFolder(path, "folder", (path,))


def _in(path: Path, names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path / name for name in names if (path / name).is_dir())


def _listed(path: Path, file: Path) -> NamedFolder:
    """What ComfyUI's list of paths names, and which of that is not there."""
    try:
        pairs = read_paths(file)
    except (OSError, ValueError) as error:
        return NamedFolder(path, "ComfyUI", trouble=f"{file.name} cannot be understood: {error}")
    models = tuple(folder for key, folder in pairs if key in MODELS)
    adapters = tuple(folder for key, folder in pairs if key in ADAPTERS)
    absent = [str(folder) for folder in models if not folder.is_dir()]
    trouble = f"{file.name} names {absent[0]}, which is not there" if absent else ""
    if not pairs:
        trouble = f"{file.name} names no folders: take the # away in front of its lines"
    present = tuple(folder for folder in models if folder.is_dir())
    return NamedFolder(path, "ComfyUI", present, tuple(folder for folder in adapters if folder.is_dir()), trouble)


def _joined(one: NamedFolder, other: NamedFolder) -> NamedFolder:
    models = tuple(dict.fromkeys((*one.models, *other.models)))
    adapters = tuple(dict.fromkeys((*one.adapters, *other.adapters)))
    trouble = other.trouble if "names no folders" not in other.trouble else ""  # as ComfyUI ships it
    return NamedFolder(one.path, one.kind, models, adapters, trouble)
