# SPDX-License-Identifier: MIT
"""From a blockout to a picture: the seam between the worker and whatever paints."""

import io
import json
import logging
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from PIL import Image, PngImagePlugin

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout, Frame
from addon.protocol.png import plain
from addon.protocol.strict_json import dump

from ..problems import NoModel, OutOfMemory, PromptTooLong, Unpaintable

if TYPE_CHECKING:
    from torch import Tensor

    import sg_core

log = logging.getLogger(__name__)

NO_MEMORY = re.compile(r"can't allocate memory|out of memory", re.IGNORECASE)
COMMIT = re.compile(r"[0-9a-f]{40}")
BLOCKOUT_KEY, LATENT_KEY = "maquette.blockout", "maquette.latent"
QUOTED = 40  # characters
PREVIEW_SIDE = 384  # pixels; a panel shows less


@dataclass(frozen=True)
class Progress:
    """So many steps are done, and this ``phase`` goes on. ``energies`` are (term, value) pairs; ``preview`` makes a PNG
    of the artist's frame so far, where a step was just done."""

    step: int
    energies: tuple[tuple[str, float], ...] = ()
    preview: Callable[[], bytes] | None = None
    phase: Literal["painting", "decoding", "measuring"] = "painting"


@dataclass(frozen=True)
class Painting:
    """The result, as PNG files that carry their blockout: cropped to the artist's frame, and whole.

    ``achieved`` says where each region is in it.
    """

    picture: bytes
    full: bytes
    achieved: tuple[Achieved, ...] = ()


class Engine(Protocol):
    """What paints. Made once in each worker process, and called from one thread."""

    @property
    def device(self) -> str:
        """Where it computes, in words for people."""

    def load(self, model: ModelInfo) -> None:
        """Makes the model ready; quick when it is. Raises NoModel."""

    def paint(self, blockout: Blockout, report: Callable[[Progress], None], reference: bytes | None = None) -> Painting:
        """Paints with the loaded model; ``reference`` is the PNG file that the blockout refers to.

        Calls ``report`` after each step, and before what takes its time after the last one; what that raises stops the
        painting.

        Raises Unpaintable with the path to what the model cannot follow, PromptTooLong, OutOfMemory.
        """


class DiffusionEngine:
    """Self-guided diffusion by sg_core, which is imported on first use: torch stays out of every other process."""

    def __init__(self) -> None:
        self._loaded: tuple[ModelInfo, sg_core.Model, sg_core.Judge | None] | None = None

    @property
    def device(self) -> str:
        """The GPU's name, or the number of threads."""
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'s' if threads > 1 else ''}"

    def load(self, model: ModelInfo) -> None:
        """Loads the weights unless they are the ones in hand."""
        import torch

        import sg_core
        from sg_core.memory import precision
        from sg_core.toybox.segmenter import judge_of

        if self._loaded is not None and self._loaded[0] == model:
            return
        self._loaded = None  # two models need not fit
        try:
            with _in_memory(f"The model {model.name}"):
                device = "cuda" if torch.cuda.is_available() else "cpu"
                loaded = sg_core.load(address(model), device=device, dtype=precision(device, model.family))
                self._loaded = (model, loaded, judge_of(loaded))
        except sg_core.WeightsError as error:
            raise NoModel(f"{model.name}: {error}", fix=_fix(model)) from error

    def paint(self, blockout: Blockout, report: Callable[[Progress], None], reference: bytes | None = None) -> Painting:
        """Translates, samples, measures, crops."""
        import sg_core

        from . import references, translate

        assert self._loaded is not None, "load comes first"
        try:
            info, model, judge = self._loaded
            read = translate.readable(blockout, info.words)
            with _in_memory(f"A picture of {blockout.width} x {blockout.height} pixels"):
                keeping = references.keeping(model, judge, read, reference)
                picture, latent = translate.paint(model, read, _watch(report, blockout.frame), keeping)
                report(Progress(blockout.steps, phase="measuring"))
                achieved = translate.achieved(model, judge, read, latent, picture)
        except sg_core.TooLong as error:
            text = "The prompt" if error.prompt in (read.prompt, translate.wording(read).prompt) else "What to avoid"
            raise PromptTooLong(f"{text} is too long for {info.name}: it would not read {end(error.lost)}.") from error
        except sg_core.TokenError as error:
            raise Unpaintable(str(error), path="prompt", fix="Use each phrase in the prompt, word for word.") from error
        except sg_core.NotFinite as error:
            raise NoModel(str(error), fix="Get the model's files again, or choose another model.") from error
        except sg_core.SelfGuidanceError as error:
            raise Unpaintable(str(error)) from error
        return finished(picture[0], blockout, achieved, references.latent_text(latent))


def address(model: ModelInfo) -> str:
    """What sg_core loads: ``owner/name@commit`` of a hub repository, otherwise the source."""
    return f"{model.source}@{model.revision}" if COMMIT.fullmatch(model.revision) else model.source


def _fix(model: ModelInfo) -> str:
    if COMMIT.fullmatch(model.revision):
        return "Check the connection to the hub; or download the model yourself and serve its folder."
    return "Check that the model's folder is there and whole."


@contextmanager
def _in_memory(subject: str) -> Iterator[None]:
    """Raises OutOfMemory where memory runs out inside: each device says that in its own way."""
    import torch

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not NO_MEMORY.search(str(error)):
            raise
        log.warning("out of memory: %s", error)
        device = "this machine"
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # what the failed picture held would be missing from a smaller one
            device = torch.cuda.get_device_name()
        raise OutOfMemory(f"{subject} does not fit into the memory of {device}") from error


def _watch(report: Callable[[Progress], None], frame: Frame) -> "sg_core.Watch":
    def watch(moment: "sg_core.Moment") -> None:
        energies = tuple((term, value) for term, value in moment.energies.items() if math.isfinite(value))
        report(Progress(moment.step, energies, lambda: sketch(image_of(moment.preview()[0]), frame)))
        if moment.step == moment.steps:
            report(Progress(moment.step, energies, phase="decoding"))

    return watch


def end(lost: str) -> str:
    """The end of a prompt in quotes, QUOTED characters of it and whole words."""
    return f"“… {textwrap.shorten(lost, QUOTED, placeholder=' …')}”"


def finished(picture: "Tensor", blockout: Blockout, achieved: tuple[Achieved, ...], latent: str = "") -> Painting:
    """A picture (3, height, width) in 0..1 as the PNG files of the result; both carry the latent of the whole."""
    full, frame = image_of(picture), blockout.frame
    return Painting(png(crop(full, frame), blockout, latent), png(full, blockout, latent), achieved)


def sketch(full: Image.Image, frame: Frame) -> bytes:
    """The artist's part of a picture in the making as a PNG file, small because it is sent so often; and so plain that
    Blender's Python reads it without making an image of it, for which Blender would have every view drawn again."""
    small = crop(full, frame)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return plain(*small.size, small.convert("RGB").tobytes())


def crop(full: Image.Image, frame: Frame) -> Image.Image:
    """The artist's part of the picture."""
    return full.crop((frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))


def image_of(picture: "Tensor") -> Image.Image:
    """A picture (3, height, width) in 0..1 as 8-bit RGB, rounded to nearest."""
    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())


def png(image: Image.Image, blockout: Blockout | None = None, latent: str = "") -> bytes:
    """An image as a PNG file; it carries a blockout under BLOCKOUT_KEY, and a latent as text under LATENT_KEY."""
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    if blockout is not None:
        text.add_text(BLOCKOUT_KEY, json.dumps(dump(blockout)))
    if latent:
        text.add_text(LATENT_KEY, latent)
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()
