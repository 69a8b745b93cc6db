# SPDX-License-Identifier: MIT
"""Every method that is measured: a name, a group, a small function of (model, case, seed, steps, settings), and its
settings. A new one is a line here.

Peers stand twice: with the settings that ``baselines/settings.json`` says a sweep on the development cases found best
(under their plain name), and as published.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from benchmarks.baselines import (
    attend_and_excite,
    best_of,
    boxdiff,
    dense_diffusion,
    layer_fusion,
    layout_guidance,
    region_boundary,
    words,
)
from benchmarks.placement import guided
from benchmarks.placement.cases import Case
from benchmarks.placement.rows import ROOT, SHARED, code_digest, digest
from sg_core.layout import UNTIL
from sg_core.models.cards import CARDS
from sg_core.models.model import Model

SWEPT = Path(__file__).parents[1] / "baselines" / "settings.json"
OURS = "ours"
NONE = "none"

Paint = Callable[[Model, Case, int, int, Any], Tensor]


@dataclass(frozen=True)
class Method:
    """One row of the tables. ``group`` is control, ours, ablation, strength, layers, peer or published."""

    name: str
    group: str
    paint: Paint
    settings: Any = None

    def __call__(self, model: Model, case: Case, seed: int, steps: int) -> Tensor:
        """The picture (3, y, x) in 0..1."""
        return self.paint(model, case, seed, steps, self.settings)

    @property
    def digest(self) -> str:
        """Of what it does: its settings, the file that holds it, and all that methods share."""
        file = Path(inspect.getfile(self.paint)).relative_to(ROOT).as_posix()
        settings = asdict(self.settings) if self.settings is not None else {}
        return digest(self.paint.__name__, settings, code_digest((*SHARED, file)))


PEERS: Mapping[str, tuple[Paint, Any]] = MappingProxyType(
    {
        "words": (words.words, words.WordsSettings),
        "best-of-k": (best_of.best_of, best_of.BestOfSettings),
        "layout-guidance": (layout_guidance.layout_guidance, layout_guidance.LayoutGuidanceSettings),
        "boxdiff": (boxdiff.boxdiff, boxdiff.BoxDiffSettings),
        "attend-and-excite": (attend_and_excite.attend_and_excite, attend_and_excite.AttendAndExciteSettings),
        "r-and-b": (region_boundary.region_boundary, region_boundary.RegionBoundarySettings),
        "dense-diffusion": (dense_diffusion.dense_diffusion, dense_diffusion.DenseDiffusionSettings),
        "layer-fusion": (layer_fusion.layer_fusion, layer_fusion.LayerFusionSettings),
    }
)

STRENGTHS = (0.25, 0.5, 0.75)
BOTH = guided.GuidedSettings(masks=UNTIL, emphasis=CARDS["toybox"].emphasis)  # as shipped, but for refinement

OWN: Mapping[str, tuple[str, guided.GuidedSettings]] = MappingProxyType(
    {
        OURS: ("ours", BOTH),
        "refined": ("ablation", replace(BOTH, refinement=CARDS["toybox"].refinement)),
        "energies": ("ablation", guided.GuidedSettings()),
        "relative": ("ablation", guided.GuidedSettings()),
        "masks": ("ablation", guided.GuidedSettings(energy="none", masks=UNTIL)),
        "noise": ("ablation", guided.GuidedSettings(guidance="unheard", noise=3)),
        "with noise": ("ablation", replace(BOTH, noise=3)),
        "no emphasis": ("ablation", replace(BOTH, emphasis=0.0)),
        "with leakage": ("ablation", replace(BOTH, leakage=0.25)),
        "soft masks": ("ablation", replace(BOTH, softness=1.0)),
        "masks to the end": ("ablation", replace(BOTH, masks=1.0)),
        "paper": ("ablation", guided.GuidedSettings(guidance="paper", strength=7500.0)),
        "random gradient": ("ablation", guided.GuidedSettings(guidance="random")),
        "shuffled words": ("ablation", guided.GuidedSettings(energy="shuffled")),
        "no presence": ("ablation", replace(BOTH, present=0.0)),
        "no keep-out": ("ablation", replace(BOTH, apart=0.0)),
        "no shape": ("ablation", replace(BOTH, energy="shapeless")),
        "shape alone": ("ablation", replace(BOTH, energy="outlines")),
        "no easing": ("ablation", replace(BOTH, decay=0.0)),
        "to the end": ("ablation", replace(BOTH, until=1.0)),
        "only down_blocks.0": ("layers", replace(BOTH, layers=("down_blocks.0",))),
        "all layers": ("layers", replace(BOTH, layers=())),
    }
    | {f"strength {share:g}": ("strength", replace(BOTH, strength=share)) for share in STRENGTHS}
)


@cache
def methods() -> Mapping[str, Method]:
    """All of them by name."""
    return MappingProxyType({method.name: method for method in (*own(), *peers(swept()))})


def own() -> Iterator[Method]:
    """The picture without a layout, ours, and what ours is without one part."""
    yield Method(NONE, "control", guided.unguided)
    for name, (group, settings) in OWN.items():
        yield Method(name, group, guided.shipped if name == OURS else guided.guided, settings)


def peers(best: Mapping[str, Mapping[str, Any]]) -> Iterator[Method]:
    """Each peer with its best settings, and as published where those differ."""
    for name, (paint, settings) in PEERS.items():
        tuned = with_values(settings, best.get(name, {}))
        yield Method(name, "peer", paint, tuned)
        if tuned != settings():
            yield Method(f"{name} (published)", "published", paint, settings())


def with_values(settings: Any, values: Mapping[str, Any]) -> Any:
    """Settings of a class with these values, lists as the tuples they were."""
    names = {field.name for field in fields(settings)}
    return settings(**{name: tuples(value) for name, value in values.items() if name in names})


def tuples(value: Any) -> Any:
    """JSON's lists are tuples in settings."""
    return tuple(map(tuples, value)) if isinstance(value, list) else value


@cache
def swept() -> Mapping[str, Mapping[str, Any]]:
    """Each peer's best settings of the sweep that is in the repository."""
    record = json.loads(SWEPT.read_text("utf-8")) if SWEPT.is_file() else {}
    return {name: entry["best"] for name, entry in record.get("peers", {}).items()}


def best_peer() -> str:
    """The peer that the sweep found best on the development cases."""
    overlaps: dict[str, float] = {name: e["iou"] for name, e in json.loads(SWEPT.read_text("utf-8"))["peers"].items()}
    return max(overlaps, key=lambda name: overlaps[name])
