# SPDX-License-Identifier: MIT
"""What the server offers now: the models that were named, those of folders, and what goes on top of them."""

from dataclasses import dataclass, field

from addon.protocol.answers import ModelInfo

from ..adapters import AdapterCatalogue
from ..fingerprints import carded
from ..models.card_files import CardFiles
from ..models.facts import BESIDE, FOLDERS, folders_text, name_of, to_text
from ..models.library import ModelLibrary
from ..models.memory_needs import MemoryNeeds
from ..problems import UnknownModel
from ..queue.store import Store
from ..settings import ServerSettings

NAMED = 10  # models that a refusal names


@dataclass(frozen=True)
class Offers:
    """Models that were named, those of the library, and the files on top of them."""

    settings: ServerSettings
    store: Store
    library: ModelLibrary
    needs: MemoryNeeds
    adapters: AdapterCatalogue
    cards: CardFiles
    stated: dict[str, str] = field(default_factory=dict)  # what the queue is known to say, by the fact's name

    @staticmethod
    def of(settings: ServerSettings, store: Store) -> "Offers":
        """What these settings offer; the library does not look yet."""
        library = ModelLibrary(settings.folders, settings.listed_folders, settings.models)
        adapters = AdapterCatalogue(settings.adapters, settings.models, settings.checksums)
        return Offers(settings, store, library, MemoryNeeds(settings.needs), adapters, CardFiles(settings.cards))

    def stop(self) -> None:
        """Look and count no more."""
        self.library.stop()
        self.needs.stop()

    def all(self) -> tuple[ModelInfo, ...]:
        """The models on offer, each as its owner's cards have it; the first is the default."""
        return self.cards.stated(self._uncarded())

    def find(self, name: str) -> ModelInfo:
        """The model of that name. Raises UnknownModel."""
        models = self._uncarded()
        for model in models:
            if model.name == name:
                return self.cards.applied([model])[0]
        names = [model.name for model in models]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        later = "; the folders are still being looked through" if self.library.listing().scanning else ""
        offered = f"there is {', '.join(names[:NAMED])}{more}{later}"
        raise UnknownModel(f"There is no model {name!r} here; {offered}", path="model")

    def fingerprint(self, model: ModelInfo) -> str:
        """What tells the model from others of its name, with what its owner's cards say of it."""
        return carded(model.fingerprint, self.cards.values(model))

    def state(self, model: ModelInfo) -> None:
        """Have the worker know a model of a folder that a job asks for, and where everything that goes on top of any
        lies, so that it finds what was found here. Raises QueueUnavailable."""
        stated = {
            FOLDERS: folders_text(self.library.adapters),
            BESIDE: folders_text(self.catalogue().parents()),
        }
        if self.settings.model(model.name) is None:
            stated[name_of(model.name)] = to_text(model)
        for name, text in stated.items() - self.stated.items():
            self.store.state_fact(name, text)
            self.stated[name] = text

    def catalogue(self) -> AdapterCatalogue:
        """What goes on top of models, as far as folders are known now."""
        self.adapters.folders = (*self.settings.adapters, *self.library.adapters)
        self.adapters.models = self._uncarded()
        return self.adapters

    def _uncarded(self) -> tuple[ModelInfo, ...]:
        """The models on offer, as they were found: all that is needed where their defaults play no part."""
        return (*self.settings.models, *self.library.offers)
