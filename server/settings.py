# SPDX-License-Identifier: MIT
"""What a server is started with. Never the token: settings travel to the worker, and may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from addon.protocol.answers import ModelInfo
from addon.protocol.model_files import FOLDERS_FILE
from addon.protocol.paths import cards_folder, home
from addon.protocol.strict_json import Record

from .catalogue import offered
from .safeguards.choices import Safeguards

VERSION = version("maquette")


@dataclass(frozen=True, kw_only=True)
class ServerSettings(Record):
    """Every setting of the server.

    ``home``: folder of the queue, the pictures and the connection file. ``port``: 0 picks a free one. ``models``: what
    is offered; ``folders``: where more of them are looked for; ``cards``: folder of what artists say of them.
    ``adapters``: folders of LoRAs and autoencoders, besides those next to the models. ``devices``: what to compute on,
    ``cpu`` or ``cuda:N``, a worker each; none for one worker on whatever there is. ``engine``: "module:name" of the
    factory the worker calls. ``max_queued`` jobs may wait, ``max_kept`` are remembered once they are over, with
    pictures of ``max_bytes`` in all; ``max_streams`` clients may listen, ``max_connections`` be open, ``max_body``
    bytes be sent in one request. ``preview_seconds``: least time between two previews. ``patience``: seconds without a
    word after which a worker counts as stuck. ``drain``: seconds a stopping server waits for its worker, and a worker
    outlives its server. ``grace``: seconds that a cancelled job's step may go on before its worker is stopped.
    ``log_json``: whether the log is JSON. ``idle_unload``: seconds without a job after which the model's memory is
    given back; 0 keeps it. ``safeguards``: what goes into every picture that is kept, and who is asked before.
    """

    home: Path = field(default_factory=home)
    port: int = 0
    models: tuple[ModelInfo, ...] = field(default_factory=lambda: offered(()))
    folders: tuple[Path, ...] = ()
    cards: Path = field(default_factory=cards_folder)
    adapters: tuple[Path, ...] = ()
    devices: tuple[str, ...] = ()
    engine: str = "server.worker.engine:DiffusionEngine"
    max_queued: int = 64
    max_kept: int = 1000
    max_bytes: int = 8 * 2**30
    max_streams: int = 64
    max_connections: int = 256
    max_body: int = 8 * 2**20
    preview_seconds: float = 0.5
    patience: float = 900.0
    drain: float = 8.0
    grace: float = 8.0
    log_json: bool = False
    idle_unload: float = 1800.0
    safeguards: Safeguards = field(default_factory=Safeguards)

    @property
    def database(self) -> Path:
        """The queue."""
        return self.home / "jobs.sqlite"

    @property
    def shelf(self) -> Path:
        """The pictures."""
        return self.home / "shelf"

    @property
    def listed_folders(self) -> Path:
        """Which names more folders of models, and may change while the server runs."""
        return self.home / FOLDERS_FILE

    @property
    def needs(self) -> Path:
        """What is remembered of how much memory models take."""
        return self.home / "memory-needs.json"

    @property
    def checksums(self) -> Path:
        """What is remembered of LoRAs and autoencoders."""
        return self.home / "checksums.json"

    @property
    def connection(self) -> Path:
        """Where clients find the address and the token."""
        return self.home / "connection.json"

    def model(self, name: str) -> ModelInfo | None:
        """The offered model of that name."""
        by_name: Mapping[str, ModelInfo] = {model.name: model for model in self.models}
        return by_name.get(name)
