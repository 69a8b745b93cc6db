# SPDX-License-Identifier: MIT
"""Self-guidance (Epstein et al. 2023): pictures whose objects are where they should be, with no training.

model = load("toybox")
layout = shape("castle", mask) + 0.5 * centroid("rocket", 0.8, 0.3)
pictures = generate(model, "a castle and a rocket", layout, seeds=[0, 1], width=256, height=256)
"""

from sg_core.attention.tape import Grid, Tape, forgetting_after, listening
from sg_core.edits.collage import Cutting, blocking, collage
from sg_core.edits.likeness import appearance, rescale, same_shape, shift
from sg_core.edits.look import (
    carry,
    follow,
    freeze,
    hold,
    keep_layout,
    keep_look,
    opened,
    prompt_to_prompt,
    same_look,
    share,
)
from sg_core.edits.recipes import place
from sg_core.edits.reference import Reference, painted, pictured
from sg_core.edits.sequence import sequence
from sg_core.energy import Energy, Measure, Reading, Term, centroid, keep_out, presence, shape, size
from sg_core.errors import (
    AttentionError,
    Cancelled,
    EnergyError,
    NotFinite,
    RequestError,
    SelfGuidanceError,
    TokenError,
    TooLong,
    WeightsError,
)
from sg_core.generate import generate
from sg_core.grounding import Grounding, groundings
from sg_core.guidance import Guidance, Paper, Relative
from sg_core.inspection.insight import Insight
from sg_core.inspection.page import page
from sg_core.inspection.record import Inspection, inspected
from sg_core.judge import Judge
from sg_core.layout import Layout, confined, control, masks, shaped_noise
from sg_core.models.adapters import Fitting, Lora, with_autoencoder, with_loras
from sg_core.models.cards import CARDS, Card
from sg_core.models.companions.controlnet import controlnet
from sg_core.models.loading import load
from sg_core.models.model import Model
from sg_core.sample import Moment, Watch, sample
from sg_core.schedule import Schedule, between, fading, until
from sg_core.terms.leakage import apart, leakage
from sg_core.terms.score import colour, score
from sg_core.tokens import Phrase, appended

__all__ = [
    "CARDS",
    "AttentionError",
    "Cancelled",
    "Card",
    "Cutting",
    "Energy",
    "EnergyError",
    "Fitting",
    "Grid",
    "Grounding",
    "Guidance",
    "Insight",
    "Inspection",
    "Judge",
    "Layout",
    "Lora",
    "Measure",
    "Model",
    "Moment",
    "NotFinite",
    "Paper",
    "Phrase",
    "Reading",
    "Reference",
    "Relative",
    "RequestError",
    "Schedule",
    "SelfGuidanceError",
    "Tape",
    "Term",
    "TokenError",
    "TooLong",
    "Watch",
    "WeightsError",
    "apart",
    "appearance",
    "appended",
    "between",
    "blocking",
    "carry",
    "centroid",
    "collage",
    "colour",
    "confined",
    "control",
    "controlnet",
    "fading",
    "follow",
    "forgetting_after",
    "freeze",
    "generate",
    "groundings",
    "hold",
    "inspected",
    "keep_layout",
    "keep_look",
    "keep_out",
    "leakage",
    "listening",
    "load",
    "masks",
    "opened",
    "page",
    "painted",
    "pictured",
    "place",
    "presence",
    "prompt_to_prompt",
    "rescale",
    "same_look",
    "same_shape",
    "sample",
    "score",
    "sequence",
    "shape",
    "shaped_noise",
    "share",
    "shift",
    "size",
    "until",
    "with_autoencoder",
    "with_loras",
]
