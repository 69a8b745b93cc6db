# SPDX-License-Identifier: MIT
"""Paint other benchmarks' layouts: a folder of pictures for their own evaluation, and a table of what we find there."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.external import overlay_bench, seven_bench
from benchmarks.external.request import ExternalRequest, SampleError, coverage
from benchmarks.placement.measures import area_under, box_iou
from benchmarks.sheet import to_image
from sg_core import Judge, Layout, Model, generate, groundings, load
from sg_core.edits.recipes import place
from sg_core.errors import SelfGuidanceError
from sg_core.layout import masks as hold
from sg_core.toybox.segmenter import judge_of

FORMATS = MappingProxyType({"7bench": seven_bench.requests, "overlaybench": overlay_bench.requests})


@dataclass(frozen=True)
class Line:
    """One phrase of one picture: what was asked and found. ``by`` is the Judge or the model's own attention; where a
    picture could not be painted ``refused`` says why, and the rest is empty."""

    name: str
    group: str
    seed: int
    file: str
    prompt: str
    phrase: str
    boxes: str
    by: str = ""
    present: bool = False
    box_iou: float = 0.0
    refused: str = ""


def paint(model: Model, judge: Judge | None, request: ExternalRequest, seed: int, out: Path) -> Iterator[Line]:
    """One picture into its file, and a line for each of its phrases."""
    masks = {phrase: coverage(boxes, native_side(model)) for phrase, boxes in request.boxes.items()}
    file = request.file.format(seed=seed)
    lines = [
        Line(request.name, request.group, seed, file, request.prompt, phrase, json.dumps(boxes))
        for phrase, boxes in request.boxes.items()
    ]
    try:
        picture, latent = painted(model, request.prompt, place(masks) + hold(masks), seed)
    except SelfGuidanceError as error:
        yield from (replace(line, refused=str(error)) for line in lines)
        return
    (out / file).parent.mkdir(parents=True, exist_ok=True)
    to_image(picture).save(out / file)
    totals = groundings(model, judge, request.prompt, list(masks), latent, picture[None])
    for line in lines:
        mask, by = totals[line.phrase].mask, totals[line.phrase].by
        region_mask = torch.zeros(1, 1) if mask is None else mask
        overlap = box_iou((region_mask >= 0.5).numpy(), coverage(request.boxes[line.phrase], len(region_mask)))
        yield replace(line, by=by, present=mask is not None, box_iou=round(overlap, 4))


def painted(model: Model, prompt: str, layout: Layout, seed: int) -> tuple[Tensor, Tensor]:
    """One picture (3, y, x) in 0..1 with the model's own defaults, and its clean latent (1, channel, y, x)."""
    latents: list[Tensor] = []
    pictures = generate(
        model,
        prompt,
        layout,
        seeds=[seed],
        width=native_side(model),
        height=native_side(model),
        steps=model.card.steps,
        scale=model.card.scale,
        strength=model.card.strength,
        watch=lambda moment: latents.append(moment.latent),
    )
    return pictures[0], latents[-1]


def native_side(model: Model) -> int:
    """The side of a square picture of the model's native area, in pixels."""
    return round(math.sqrt(model.card.area) / model.card.multiple) * model.card.multiple


def summary(lines: Sequence[Line]) -> dict[str, Any]:
    """By group and over all: pictures, how many phrases were refused, presence, mean box IoU, area under accuracy."""
    groups = dict.fromkeys(line.group for line in lines)
    return {"all": figures(lines)} | {name: figures([x for x in lines if x.group == name]) for name in groups}


def figures(lines: Sequence[Line]) -> Mapping[str, float]:
    """Of some lines; what was refused counts in nothing but its own number."""
    painted = [line for line in lines if not line.refused]
    overlaps = [line.box_iou for line in painted]
    shares = {"present": sum(line.present for line in painted), "box": sum(overlaps)}
    return {
        "pictures": len({line.file for line in painted}),
        "phrases": len(painted),
        "refused": len(lines) - len(painted),
        **{name: round(total / len(painted), 4) if painted else 0.0 for name, total in shares.items()},
        "auc": round(area_under(overlaps), 4) if painted else 0.0,
    }


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench layouts`."""
    args = parser().parse_args(words)
    try:
        requests = list(islice(FORMATS[args.format](args.file), args.limit))
    except (SampleError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    model = load(args.model)
    judge = judge_of(model)
    pairs = [(request, seed) for request in requests for seed in range(args.seeds)]
    lines = [x for request, seed in tqdm(pairs, unit="picture") for x in paint(model, judge, request, seed, args.out)]
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(Line.__dataclass_fields__))
        table.writeheader()
        table.writerows(map(asdict, lines))
    totals = summary(lines)
    if args.json:
        print(json.dumps(totals))
    else:
        print("\n".join(f"{name:>24}  {json.dumps(values)}" for name, values in totals.items()))
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench layouts`."""
    flags = argparse.ArgumentParser(prog="maquette bench layouts", description=__doc__)
    flags.add_argument("file", type=Path, help="the benchmark's file: 7bench.csv, or a split of OverLayBench as .jsonl")
    flags.add_argument("--format", choices=sorted(FORMATS), required=True, help="whose file it is")
    flags.add_argument("--out", type=Path, default=Path("out/layouts"), help="folder for pictures and table.csv")
    flags.add_argument("--model", default="toybox", help="a model's name or folder")
    flags.add_argument("--seeds", type=int, default=1, help="pictures a sample: seeds 0 to N-1")
    flags.add_argument("--limit", type=int, help="only the first so many samples")
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    return flags
