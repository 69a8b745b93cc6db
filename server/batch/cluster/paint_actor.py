# SPDX-License-Identifier: MIT
"""What runs on a machine of the cluster: an engine with one model in memory. Knows nothing of Ray.

Requests and answers are JSON texts and PNG files, so that both ends may be of releases that read each other's records.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pkgutil import resolve_name
from types import MappingProxyType

from pydantic import TypeAdapter

from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump, loads

from ...adapters import AdapterCatalogue, Setup
from ...models.card_files import CardValues
from ...problems import NoModel, Refusal
from ...safeguards.content_filter import FilterGate
from ...safeguards.digital_source import source_type
from ...safeguards.finishing import Finishing
from ...settings import VERSION, ServerSettings
from ...worker.engine import Engine
from ...worker.png_files import handed_over


@dataclass(frozen=True)
class ActorAnswer:
    """A picture as a PNG file with what it shows, as JSON; or the ``problem``, as JSON, why there is none."""

    png: bytes = b""
    achieved: str = "[]"
    problem: str = ""


class PaintActor:
    """An engine as the settings (JSON) name it, and the model that it has in memory.

    ``cards`` are what the one who gave the command wrote of the models, by name: an actor's machine may have others.
    """

    def __init__(self, settings: str, cards: Mapping[str, CardValues] = MappingProxyType({})) -> None:
        self._settings = TypeAdapter(ServerSettings).validate_json(settings)
        self._engine: Engine = resolve_name(self._settings.engine)()
        self._cards = cards
        self._adapters = AdapterCatalogue(self._settings.adapters, self._settings.models, self._settings.checksums)
        self._finishing = Finishing.of(self._settings.safeguards, VERSION)
        self._gate = FilterGate(self._settings.safeguards.content_filter)
        self._loaded: tuple[ModelInfo, Setup] | None = None

    def ready(self) -> tuple[int, str]:
        """Its process id, and what it computes on: it can be given work."""
        return os.getpid(), self._engine.device

    def paint(self, request: str, references: Sequence[bytes] = ()) -> ActorAnswer:
        """The picture of a blockout as JSON, or what is wrong with it. Raises what an engine does, which is one row's
        failure, and may cost the model in memory."""
        try:
            return self._painted(loads(Blockout, request), references)
        except Refusal as refusal:
            return ActorAnswer(problem=json.dumps(dump(refusal.problem())))

    def _painted(self, blockout: Blockout, references: Sequence[bytes]) -> ActorAnswer:
        model = self._settings.model(blockout.model)
        if model is None:
            raise NoModel(f"This batch has no model {blockout.model}", fix="Name it with --model.")
        self._gate.request(blockout)
        files = {sha256(png).hexdigest(): png for png in references}
        setup = replace(self._adapters.setup(blockout), card=self._cards.get(model.name, ()))
        before, self._loaded = self._loaded, None
        if before != (model, setup):
            self._engine.load(model, setup)
        painting = self._engine.paint(blockout, lambda progress: None, *handed_over(blockout, files))
        self._loaded = model, setup
        self._gate.picture(painting.full, blockout)
        source = source_type(references)
        picture = self._finishing.finished(painting.picture, blockout, source)
        achieved: tuple[Achieved, ...] = painting.achieved
        return ActorAnswer(picture, json.dumps(dump(achieved)))
