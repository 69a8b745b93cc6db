# SPDX-License-Identifier: MIT
"""Files as they lie in artists' folders: whole, torn, and many that are no models at all."""

import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from weight_files.checkpoint_shapes import part_shapes
from weight_files.safetensors_header import WIDTHS
from weight_files.unet_shapes import TensorShape, TensorShapes

CONFIGURATIONS = Path(__file__).parents[3] / "sg_core" / "models" / "configurations"
VERSION_2 = {"cond_stage_model.model.token_embedding.weight": {"shape": [49408, 1024]}}


def whole(configuration: str) -> TensorShapes:
    """Every tensor of a checkpoint of one of the configurations that ship, at its real size."""
    shapes: TensorShapes = {}
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if (file := CONFIGURATIONS / configuration / part / "config.json").is_file():
            tensors = VERSION_2 if "diffusion-2" in configuration else {}
            shapes |= part_shapes(part, json.loads(file.read_text()), tensors)
    if "xl" in configuration:
        shapes = {name.replace("cond_stage_model.", "conditioner.embedders.0."): s for name, s in shapes.items()}
    return shapes


CHECKPOINT = whole("stable-diffusion-1")


def tensors_file(
    file: Path,
    names: Iterable[str] | Mapping[str, TensorShape] = CHECKPOINT,
    missing: int = 0,
    dtype: str = "F16",
    **notes: str,
) -> Path:
    """A safetensors file of zeros, of which no disk keeps any; so many bytes at its end are missing.

    Tensors of a checkpoint are as large as they are in one; any other has four bytes.
    """
    shapes = names if isinstance(names, Mapping) else {name: CHECKPOINT.get(name, ()) for name in names}
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        sides = list(shape) or [4 // WIDTHS[dtype]]
        begin, end = end, end + math.prod(sides) * WIDTHS[dtype]
        header[name] = {"dtype": dtype, "shape": sides, "data_offsets": [begin, end]}
    if notes:
        header["__metadata__"] = {name.replace("__", "."): value for name, value in notes.items()}
    text = json.dumps(header).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.write(struct.pack("<Q", len(text)) + text)
        opened.truncate(8 + len(text) + end - missing)
    return file


def gguf_file(
    file: Path,
    names: Iterable[str] = ("double_blocks.0.img_attn.x",),
    shape: tuple[int, ...] = (2,),
    kind: int = 1,
    *,
    size: int = 4,
    missing: int = 0,
    version: int = 3,
    facts: bytes = b"",
) -> Path:
    """A GGUF file with a tensor of two halves under each name, of which so many bytes at its end are missing.

    ``shape`` is as the file has it, columns first; ``facts`` stand behind the one that says the architecture.
    """
    names = list(names)
    counts = struct.pack("<IQQ", version, len(names), 1 + bool(facts))
    head = b"GGUF" + counts + gguf_text("general.architecture") + struct.pack("<I", 8) + gguf_text("flux") + facts
    for i, name in enumerate(names):
        head += gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, 32 * i)
    head += bytes(-len(head) % 32)
    whole = head + bytes(32 * max(len(names) - 1, 0) + size)
    file.write_bytes(whole[: len(whole) - missing])
    return file


def gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def twenty(folder: Path) -> Path:
    """A folder as artists have them: good, torn, pickled, unknown and half-downloaded, and no two alike."""
    folder.mkdir()
    tensors_file(folder / "dreamer.safetensors", modelspec__license="CreativeML Open RAIL-M")
    tensors_file(folder / "paint.fp16.safetensors")
    tensors_file(folder / "old" / "dreamer.safetensors")
    tensors_file(folder / "toybox.safetensors")
    tensors_file(folder / "torn.safetensors", missing=5)
    tensors_file(folder / "lora.safetensors", ["lora_unet_x.lora_down.weight"])
    tensors_file(folder / "flux.safetensors", ["double_blocks.0.img_mod.lin.weight"])
    tensors_file(folder / "eyes.safetensors", ["control_model.x"])
    tensors_file(folder / "kl.safetensors", ["decoder.up.0.x"])
    tensors_file(folder / "mystery.safetensors", ["a.tensor"])
    tensors_file(
        folder / "bare.safetensors", [name for name in CHECKPOINT if not name.startswith("first_stage_model.")]
    )
    tensors_file(folder / "big-00001-of-00003.safetensors", ["down_blocks.0.resnets.0.x"])
    tensors_file(folder / "big-00003-of-00003.safetensors", ["down_blocks.0.resnets.0.y"])
    gguf_file(folder / "flux-Q4.gguf")
    (folder / "empty.safetensors").touch()
    (folder / "page.safetensors").write_text(f"<!DOCTYPE html>{'x' * 100}")
    (folder / "classic.ckpt").write_bytes(b"PK\x03\x04pickle")
    (folder / "weights.bin").write_bytes(b"\x80\x02pickle")
    (folder / "dreamer.ckpt").write_bytes(b"the same, pickled")
    (folder / "coming.safetensors.part").write_bytes(b"\0" * 9)
    (folder / "drawer.safetensors").mkdir()
    (folder / "circle").symlink_to(folder)
    (folder / "gone.safetensors").symlink_to("nowhere")
    (folder / "round.safetensors").symlink_to("round.safetensors")
    os.mkfifo(folder / "pipe.safetensors")
    return folder
