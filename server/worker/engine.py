# SPDX-License-Identifier: MIT
"""From a blockout to a picture: the seam between the worker and whatever paints."""

import gc
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout, Precision
from addon.protocol.step_counts import all_steps

from ..adapters import PLAIN, Setup, changed_words
from ..catalogue import address, parts_of, remedy
from ..fingerprints import carded
from ..problems import ChangedAdapter, NoModel, OutOfMemory, PromptTooLong, UnfitAdapter, Unpaintable
from .memory import gpu_room, within_memory
from .png_files import crop, png, sketch

if TYPE_CHECKING:
    from torch import Tensor

    import sg_core
    from sg_core.memory import Sparing
    from sg_core.models.adapters import FileState
    from sg_core.models.companions.preview_decoder import PreviewDecoder
    from sg_core.models.estimate import Estimate

    from .inspection import InspectionPage, PicturesInspected

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """So many steps are done, and this ``phase`` goes on. ``energies`` are (term, value) pairs; ``preview`` makes a PNG
    of the artist's frame so far, where a step was just done."""

    step: int
    energies: tuple[tuple[str, float], ...] = ()
    preview: Callable[[], bytes] | None = None
    phase: Literal["painting", "decoding", "measuring"] = "painting"


ProgressReport = Callable[[Progress], None]


@dataclass(frozen=True)
class Painting:
    """The result, as PNG files that carry their blockout: cropped to the artist's frame, and whole. ``achieved`` says
    where each region is in it."""

    picture: bytes
    full: bytes
    achieved: tuple[Achieved, ...] = ()


class Engine(Protocol):
    """What paints. Made once in each worker process, and called from one thread."""

    @property
    def device(self) -> str:
        """Where it computes, in words for people."""

    def precision(self, model: ModelInfo) -> Precision:
        """What it computes this model in, where nobody asks for another."""

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        """Makes the model ready, with what is to be on top of it and nothing else; quick when it is.

        Raises NoModel, NoAdapter, ChangedAdapter, UnfitAdapter.
        """

    def unload(self) -> None:
        """Gives the memory of the model back."""

    def paint(
        self, blockout: Blockout, report: ProgressReport, reference: bytes | None = None, collage: Sequence[bytes] = ()
    ) -> Painting:
        """Paints with the loaded model; ``reference`` is the PNG file that the blockout follows, ``collage`` those of
        its ``parts``. An engine that knows of neither is asked for neither.

        Calls ``report`` after each step, and before what takes its time after the last; what that raises ends the work.

        Raises Unpaintable with the path to what the model cannot follow, PromptTooLong, OutOfMemory.
        """


@dataclass(frozen=True)
class Ready:
    """A model in memory, as it was asked for, and its Judge and its small decoder where it has them."""

    info: ModelInfo
    precision: Precision
    fitting: "sg_core.Fitting"
    judge: "sg_core.Judge | None"
    sparing: "Sparing"
    setup: Setup = PLAIN
    previews: "PreviewDecoder | None" = None


class DiffusionEngine:
    """Self-guided diffusion by sg_core, which is imported on first use: torch stays out of every other process."""

    def __init__(self, room: Callable[[], int] | None = None) -> None:
        """``room`` says how many bytes a picture and its model may take, 0 for any number; a GPU's by default."""
        self._ready: Ready | None = None
        self._room = room or gpu_room
        self._sums: dict[FileState, str] = {}  # of the files on top of the model
        self._estimates: dict[tuple[int, int], Estimate | None] = {}  # of the model in memory, by size

    @property
    def device(self) -> str:
        """The GPU's name, or the number of threads."""
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'s' if threads > 1 else ''}"

    def precision(self, model: ModelInfo) -> Precision:
        """As ``sg_core.memory`` says for this device."""
        from sg_core.memory import precision

        words: Precision = str(precision(_device(), model.family)).removeprefix("torch.")  # type: ignore[assignment]
        return words

    def load(self, model: ModelInfo, setup: Setup = PLAIN) -> None:
        """Loads the weights unless they are the ones in hand, and fits what is to be on top of them."""
        precision = setup.precision or self.precision(model)
        ready = self._ready
        if ready is None or (ready.info, ready.precision, ready.setup.card) != (model, precision, setup.card):
            ready = self._ready = None  # two models need not fit
            self._estimates = {}
            ready = self._ready = self._loaded(model, precision, replace(PLAIN, card=setup.card))
        self._fit(ready, setup)

    def unload(self) -> None:
        """On a GPU what was reserved for it, too."""
        import torch

        self._ready = None
        self._sums.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _loaded(self, model: ModelInfo, precision: Precision, bare: Setup) -> Ready:
        import torch

        import sg_core
        from sg_core.memory import Sparing
        from sg_core.models.companions.preview_decoder import preview_decoder
        from sg_core.models.parts import Hardware
        from sg_core.toybox.segmenter import judge_of

        try:
            with within_memory(f"The model {model.name}"):
                dtype, changes = getattr(torch, precision), dict(bare.card)
                loaded = sg_core.load(
                    address(model), device=_device(), dtype=dtype, changes=changes, parts=parts_of(model)
                )
                previews = preview_decoder(loaded, Hardware(_device(), dtype))
                fitting, sparing = sg_core.Fitting(loaded), Sparing(loaded)
                return Ready(model, precision, fitting, judge_of(loaded), sparing, bare, previews)
        except sg_core.WeightsError as error:
            raise NoModel(f"{model.name}: {error}", fix=remedy(model)) from error

    def _fit(self, ready: Ready, setup: Setup) -> None:
        import sg_core
        from sg_core.memory import Sparing
        from sg_core.models.adapters import fingerprint, state_of

        try:
            states = [state_of(file) for _, file in setup.files]
            self._sums = {state: self._sums.get(state) or fingerprint(state.file) for state in states}
            for (adapter, _), state in zip(setup.files, states, strict=True):
                if adapter.sha256 not in ("", self._sums[state]):
                    raise ChangedAdapter(changed_words(adapter.name))
            with within_memory(f"The model {ready.info.name} with what is on top of it"):
                loras = [sg_core.Lora(file, lora.weight) for lora, file in setup.loras]
                model = ready.fitting.fit(loras, *(pair and pair[1] for pair in (setup.vae, setup.control)))
            if setup != ready.setup or model is not ready.sparing.model:  # other encoders say something else
                self._ready = replace(ready, sparing=Sparing(model), setup=setup)
        except OutOfMemory:
            self._ready = None  # half of it may be changed
            raise
        except sg_core.WeightsError as error:
            names = [f"“{adapter.name}”" for adapter, file in setup.files if str(file) in str(error)]
            raise UnfitAdapter(f"{', '.join(names)} does not fit {ready.info.name}: {error}") from error

    def paint(
        self, blockout: Blockout, report: ProgressReport, reference: bytes | None = None, collage: Sequence[bytes] = ()
    ) -> Painting:
        """Translates, samples, measures, crops."""
        from . import reference_latents, references, translate

        stated = self._stated(blockout)
        with self._painting(stated) as (ready, read):
            stated = replace(stated, tiled=ready.sparing.plan.tiles)
            keeping = references.keeping(ready.sparing, ready.judge, read, reference, collage)
            keeping += references.control(ready.fitting.control, read)
            picture, latent = translate.paint(ready.sparing, read, self._watch(report, stated), keeping)
            report(Progress(all_steps(stated), phase="measuring"))
            achieved = translate.achieved(ready.sparing, ready.judge, read, latent, picture)
        return finished(picture[0], stated, achieved, reference_latents.latent_text(latent))

    def inspect(self, blockout: Blockout, report: ProgressReport, files: "PicturesInspected") -> "InspectionPage":
        """Paints it with the loaded model and looks into every step; raises what ``paint`` does."""
        from . import inspection

        with self._painting(self._stated(blockout)) as (ready, read):
            watch, control = self._watch(report, blockout), ready.fitting.control
            return inspection.inspected_page(ready.sparing, ready.judge, read, watch, files, control)

    def _stated(self, blockout: Blockout) -> Blockout:
        """The request with its model's fingerprint and, unless that is float32, the precision it is computed in."""
        ready = self._ready
        assert ready is not None, "load comes first"
        blockout = replace(blockout, fingerprint=carded(ready.info.fingerprint, ready.setup.card))
        return blockout if ready.precision == "float32" else replace(blockout, precision=ready.precision)

    @contextmanager
    def _painting(self, blockout: Blockout) -> Iterator[tuple[Ready, Blockout]]:
        """The model and the request as it reads it; what goes wrong with them in the words of a refusal."""
        import sg_core

        from . import vocabulary

        assert self._ready is not None, "load comes first"
        info, read = self._ready.info, vocabulary.readable(blockout, self._ready.info.words)
        try:
            with within_memory(f"A picture of {blockout.width} x {blockout.height} pixels", self._plan(blockout)):
                yield self._ready, read
        except OutOfMemory as error:
            if any(region.colour for region in blockout.regions):
                error.fix = f"Take the colours off the regions, for these need the most. {OutOfMemory.fix}"
            raise
        except sg_core.TooLong as error:
            text, lost = vocabulary.title_of(error.prompt, read), vocabulary.end(error.lost)
            raise PromptTooLong(f"{text} is too long for {info.name}: it would not read {lost}.") from error
        except sg_core.TokenError as error:
            raise Unpaintable(str(error), path="prompt", fix="Use each phrase in the prompt, word for word.") from error
        except sg_core.NotFinite as error:
            raise NoModel(str(error), fix="Get the model's files again, or choose another model.") from error
        except sg_core.SelfGuidanceError as error:
            raise Unpaintable(str(error)) from error

    def _watch(self, report: Callable[[Progress], None], blockout: Blockout) -> "sg_core.Watch":
        from .translate import image_of

        assert self._ready is not None, "load comes first"
        small = self._ready.previews

        def watch(moment: "sg_core.Moment") -> None:
            def preview() -> bytes:
                pictures = moment.preview() if small is None else small.pictures(moment.clean())
                return sketch(image_of(pictures[0]), blockout.frame, (blockout.width, blockout.height))

            energies = tuple((term, value) for term, value in moment.energies.items() if math.isfinite(value))
            report(Progress(moment.step, energies, preview))
            if moment.step == moment.steps:
                report(Progress(moment.step, energies, phase="decoding"))

        return watch

    def _plan(self, blockout: Blockout) -> str:
        """Have the model save as much memory as this picture needs; in words, how much that is."""
        from sg_core.memory import GIBIBYTE, MemoryPlan, counted, plan

        assert self._ready is not None, "load comes first"
        ready, info, room = self._ready, self._ready.info, self._room()
        room = max(1, room - ready.fitting.beside) if room else 0
        key = (blockout.width, blockout.height)
        if room and key not in self._estimates:
            self._estimates[key] = counted(address(info), ready.precision, *key, parts_of(info), dict(ready.setup.card))
        estimate = self._estimates[key] if room else None
        chosen = MemoryPlan() if estimate is None else plan(estimate, room)
        chosen = replace(chosen, tiles=chosen.tiles or blockout.tiled)
        ready.sparing.follow(chosen)
        needed, available = chosen.needed / GIBIBYTE, room / GIBIBYTE
        return "" if estimate is None else f"; by estimate it needs {needed:.1f} of {available:.1f} GiB"


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def finished(picture: "Tensor", blockout: Blockout, achieved: tuple[Achieved, ...], latent: str = "") -> Painting:
    """A picture (3, height, width) in 0..1 as the PNG files of the result; both carry the latent of the whole."""
    from .translate import image_of

    full, frame = image_of(picture), blockout.frame
    return Painting(png(crop(full, frame), blockout, latent), png(full, blockout, latent), achieved)
