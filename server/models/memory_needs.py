# SPDX-License-Identifier: MIT
"""How much memory a guided picture of a model's own size takes, counted in the background and remembered.

The count is that of ``maquette bench memory``, in a process of its own: it needs torch, and this process has none. It
begins when somebody first asks, one model after another; models of one configuration share a count.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from addon.protocol.answers import ModelInfo

from ..catalogue import is_gguf
from .card_files import CardValues

log = logging.getLogger(__name__)

GIBIBYTE = 2**30
MARGIN = 3 * GIBIBYTE // 4  # a GPU's own share, as ``sg_core.memory`` leaves it
WEIGHTS = ("encoders", "network", "decoder")
NICE = 10
WEIGHED = ("area", "multiple", "layers", "guided_by")  # what a Card says that alters a count
UNCOUNTED = -1  # what cannot be counted is not tried again
Figures = Mapping[str, float | None]


class MemoryNeeds:
    """Counts, kept in ``file``; ``counter`` is the command that counts, which takes the flags of ``bench memory``."""

    def __init__(self, file: Path | None, counter: tuple[str, ...] = ()) -> None:
        self._file = file
        self._counter = counter or (sys.executable, "-m", "server", "bench", "memory")
        self._lock, self._waiting = threading.Lock(), dict[str, tuple[ModelInfo, str, str, bool]]()
        self._counts: dict[str, int] = _read(file)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def of(self, model: ModelInfo, on_gpu: bool, card: CardValues = ()) -> int:
        """Bytes, where its owner's cards say this of the model; 0 while nobody has counted, and of what cannot be
        counted. Never waits."""
        precision, changes = likely_precision(model, on_gpu), {name: value for name, value in card if name in WEIGHED}
        said = json.dumps(changes) if changes else ""  # without one the keys of before
        key = _key(model, f"{precision} {on_gpu} {said}".rstrip())
        with self._lock:
            count = self._counts.get(key, 0)
            if not count and key not in self._waiting and not self._stopped and Path(model.source).exists():
                self._waiting[key] = model, said, precision, on_gpu
                if len(self._waiting) == 1:
                    self._thread = threading.Thread(target=self._count_all, name="memory needs", daemon=True)
                    self._thread.start()
        return max(0, count)

    def settle(self) -> None:
        """Wait until all that was asked for so far is counted."""
        while self._thread is not None and self.counting:
            self._thread.join(1.0)

    def stop(self) -> None:
        """Count no more."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    @property
    def counting(self) -> bool:
        """Whether a count is under way."""
        return bool(self._waiting)

    def _count_all(self) -> None:
        while not self._stopped:
            with self._lock:
                if not self._waiting:
                    return
                key, (model, said, precision, on_gpu) = next(iter(self._waiting.items()))
            count = self._count(model, said, precision, on_gpu)
            with self._lock:
                if not self._stopped:
                    self._counts[key] = count
                    _write(self._file, self._counts)
                self._waiting.pop(key, None)

    def _count(self, model: ModelInfo, said: str, precision: str, on_gpu: bool) -> int:
        words = [*self._counter, "--json", "--precision", precision, "--model", model.source]
        words += ["--parts", model.parts_folder] if model.parts_folder else []
        words += ["--card", said] if said else []
        try:
            with self._lock:
                if self._stopped:
                    return UNCOUNTED
                self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with suppress(OSError, AttributeError):  # Windows has no such word
                os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)
            output, _ = self._process.communicate()
            (figures,) = json.loads(output).values()
            return bytes_of(figures, on_gpu)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            log.info("the memory that %s needs cannot be counted: %s", model.source, error)
            return UNCOUNTED


def bytes_of(figures: Figures, on_gpu: bool) -> int:
    """What a line of ``bench memory --json`` comes to: on a GPU by the plan of the worker's that takes the least, with
    encoders parked and gradient checkpointing; else with everything in memory at once.
    """
    one = {name: value or 0.0 for name, value in figures.items()}
    weights, guided = sum(one[name] for name in WEIGHTS), one["guided"]
    if not on_gpu:
        return int((weights + max(one["free"], guided, one["decoding"])) * GIBIBYTE)
    guided = min(guided, one["checkpointed"] or guided)
    painting = one["network"] + one["decoder"] + max(one["free"], guided, one["decoding"])
    reading = min(weights, one["encoders"] + one["decoder"] + one["free"])
    return int(max(reading, painting) * GIBIBYTE) + MARGIN


def likely_precision(model: ModelInfo, on_gpu: bool) -> str:
    """In what the worker computes a model, as ``sg_core.memory`` decides on a GPU of our days."""
    if model.precision:
        return model.precision
    return "bfloat16" if on_gpu and not model.family.startswith("stable-diffusion-1") else "float32"


def _key(model: ModelInfo, kind: str) -> str:
    """The same for models that are set up alike: of a folder its configurations, of a file what it is told by."""
    source = Path(model.source)
    folder = source if source.is_dir() else Path(model.parts_folder or source.with_suffix(""))
    texts = [f"{model.family} {model.base} {model.area} {model.multiple} {kind}"]
    if is_gguf(source):
        with suppress(OSError):
            texts.append(str(source.stat().st_size))  # quantised to more or fewer bits
    if (folder / "model_index.json").is_file():
        files = sorted([*folder.glob("*.json"), *folder.glob("*/config.json")])
        for file in (file for file in files if file.is_file()):
            with suppress(OSError):
                texts.append(file.read_text("utf-8", "replace"))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _read(file: Path | None) -> dict[str, int]:
    try:
        kept: Any = json.loads(file.read_bytes()) if file else {}
        return {str(key): int(count) for key, count in kept.items() if count > 0}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(file: Path | None, counts: Mapping[str, int]) -> None:
    if file is None:
        return
    part = file.with_suffix(".part")
    with suppress(OSError):  # it is only a memory
        part.write_text(json.dumps(counts))
        part.replace(file)
