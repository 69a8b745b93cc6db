# SPDX-License-Identifier: MIT
"""What models would take of a GPU's memory at their real size: ``maquette bench memory``. No GPU, no weights needed."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from sg_core import WeightsError
from sg_core.errors import RequestError
from sg_core.models.cards import CONFIGURATIONS, Card
from sg_core.models.estimate import Estimate, estimate, outline

GIBIBYTE = 2**30
COLUMNS = ("encoders", "network", "decoder", "free", "guided", "checkpointed", "decoding", "least")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 1 when a model cannot be outlined."""
    words = parser().parse_args(argv)
    rows: dict[str, Estimate] = {}
    dtype = torch.float32 if words.precision == "float32" else torch.bfloat16
    for source in words.model or [str(CONFIGURATIONS / name) for name in ("stable-diffusion-1", "stable-diffusion-xl")]:
        try:
            model = outline(source, dtype, parts_folder=words.parts, changes=words.card)
            side = round(model.card.area**0.5) // model.card.multiple * model.card.multiple
            rows[model.card.name] = estimate(model, words.width or side, words.height or side)
        except (WeightsError, RequestError) as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps({n: figures(row) for n, row in rows.items()}) if words.json else table(rows, words.precision))
    return 0


def parser() -> argparse.ArgumentParser:
    """Its flags."""
    flags = argparse.ArgumentParser(prog="maquette bench memory", description=__doc__)
    flags.add_argument("--model", action="append", help="a diffusers folder or a checkpoint file; of either no weights")
    flags.add_argument(
        "--parts", type=Path, help="for a file that holds a network alone, the folder of its other parts"
    )
    flags.add_argument(
        "--card", type=card_facts, default={}, help='what counts instead of the Card: {"layers": ["mid_block"]}'
    )
    flags.add_argument("--width", type=int, help="pixels; the model's own size if neither is given")
    flags.add_argument("--height", type=int, help="pixels")
    flags.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16", help="of the weights")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    return flags


def card_facts(text: str) -> dict[str, Any]:
    """Facts of a Card, as JSON. Raises ArgumentTypeError for others, ValueError for what is no JSON."""
    facts, known = json.loads(text), [field.name for field in fields(Card)]
    if not isinstance(facts, dict) or not set(facts) <= set(known):
        raise argparse.ArgumentTypeError(f"{text} is no object of {', '.join(known)}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}


def figures(row: Estimate) -> dict[str, float | None]:
    """In gibibytes."""
    whole = {**asdict(row), "least": row.least}
    return {name: None if whole[name] is None else round(whole[name] / GIBIBYTE, 2) for name in COLUMNS}


def table(rows: dict[str, Estimate], precision: str) -> str:
    """A line a model."""
    lines = [f"{f'GiB in {precision}':24}" + "".join(f"{name:>13}" for name in COLUMNS)]
    for name, row in rows.items():
        values = ("-" if value is None else f"{value:.2f}" for value in figures(row).values())
        lines.append(f"{name:24}" + "".join(f"{value:>13}" for value in values))
    return "\n".join(lines)
