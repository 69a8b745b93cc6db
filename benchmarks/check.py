# SPDX-License-Identifier: MIT
"""Does a model do here what it must, and which of its layers know best where words are? ``maquette check MODEL``.

For whoever has weights that we have not: it proves or mends a family in ten minutes. Layers are held against an
independent judge's boxes; without one, a sheet shows them to the eyes.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from addon.protocol.paths import cards_folder
from benchmarks.model_check import card_writer, layer_maps, layer_ranking, map_sheet, owl
from benchmarks.model_check.verdicts import CheckedModel, Verdict, line, verdicts_of
from server.cli.terminal import complain, say
from sg_core import RequestError, WeightsError, load
from sg_core.models.model import Model, painted_sides
from sg_core.models.parts import Hardware
from sg_core.toybox.segmenter import judge_of

STEPS = 6  # of each picture that is only compared


@dataclass(frozen=True)
class LayerReport:
    """What was learnt of the layers: the pictures, their ranking where a judge saw anything, and why not otherwise."""

    pictures: Sequence[layer_maps.ProbePicture]
    ranking: layer_ranking.Ranking | None
    judge: str
    trouble: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """The command: 0 when all is as it must be."""
    words = parser().parse_args(argv)
    hardware = Hardware(words.device, torch.bfloat16 if words.half else torch.float32)
    begun = time.monotonic()
    try:
        own = card_writer.users_values(words.model, words.cards, words.parts)
        model = load(words.model, device=hardware.device, dtype=hardware.dtype, changes=own, parts=words.parts)
        finder = _finder(words, model)
        side = words.side or round(model.card.area**0.5) // model.card.multiple * model.card.multiple
        sides = painted_sides(model.card, side, side)  # the pipeline knows nothing of a Card's least
    except (WeightsError, RequestError) as error:
        complain(str(error))
        return 1
    subject = CheckedModel(model, sides, words.steps or STEPS)
    loaded = Verdict("loads", True, f"{model.card.family}, {time.monotonic() - begun:.0f} s")
    verdicts = [loaded]
    _show(words, line(loaded))
    for verdict in verdicts_of(subject):
        verdicts.append(verdict)
        _show(words, line(verdict))
    good = all(verdict.good for verdict in verdicts)
    report = probed(words, model, finder, sides) if words.pictures else None
    lines = [] if report is None else _concluded(words, model, report, good)
    _show(words, *lines)
    if words.json:
        say(json.dumps({"verdicts": [asdict(v) for v in verdicts], "layers": _figures(report), "words": lines}))
    return 0 if good else 1


def parser() -> argparse.ArgumentParser:
    """Its flags."""
    flags = argparse.ArgumentParser(prog="maquette check", description=__doc__)
    flags.add_argument("model", help="a model's name, folder or checkpoint file")
    flags.add_argument(
        "--parts", type=Path, help="for a file that holds a network alone, the folder of its other parts"
    )
    flags.add_argument("--side", type=int, help="pixels of the picture; the model's own size by default")
    flags.add_argument(
        "--steps", type=int, help=f"of each picture; {STEPS} of those compared, the Card's of the others"
    )
    flags.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    flags.add_argument("--half", action="store_true", help="weights in bfloat16; the pictures then differ more")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead of lines")
    flags.add_argument("--judge", type=Path, help="a folder of OWLv2 or OWL-ViT, who says where things are")
    flags.add_argument("--threshold", type=float, default=owl.THRESHOLD, help="least likelihood of its boxes, 0 to 1")
    flags.add_argument("--pictures", type=int, default=6, help="to hear the layers in; 0 leaves that out")
    flags.add_argument(
        "--nouns", type=lambda text: text.split(","), default=[], help="what they show, two each: cat,dog"
    )
    flags.add_argument("--sheet", type=Path, help="a PNG file of what each layer looks at; without a judge always")
    flags.add_argument("--cards", type=Path, default=cards_folder(), help="the folder in which the Card is written")
    flags.add_argument("--layers", type=lambda text: text.split(","), help="the Card's, chosen by eye: mid_block,…")
    flags.add_argument("--overwrite", action="store_true", help="also over a Card that is there")
    return flags


def probed(
    words: argparse.Namespace, model: Model, finder: layer_maps.ObjectFinder | None, size: tuple[int, int]
) -> LayerReport:
    """Paints the pictures, and holds the layers against the judge."""
    card = model.card
    steps = {"steps": words.steps or card.steps, "scale": card.scale, "scheduler": card.scheduler}
    options: dict[str, Any] = {"width": size[0], "height": size[1], **steps}
    nouns = words.nouns or card.nouns
    pictures = list(layer_maps.probe_pictures(model, finder, words.pictures, nouns, options))
    if finder is None:
        return LayerReport(pictures, None, "", "Without --judge nobody says where things are: look at the sheet.")
    heard = list(model.layers(torch.zeros(1, *model.latent_shape(*size))))
    try:
        return LayerReport(pictures, layer_ranking.ranking(pictures, heard), finder.name)
    except layer_ranking.NothingSeen as error:
        return LayerReport(pictures, None, finder.name, f"Nothing is known of the layers: {error}.")


def _finder(words: argparse.Namespace, model: Model) -> layer_maps.ObjectFinder | None:
    """Who says where things are: the folder's detector, else the model's own Judge. Raises WeightsError."""
    if words.judge is not None:
        return owl.load_detector(words.judge, Hardware(words.device), words.threshold)
    own = judge_of(model)
    return None if own is None else layer_maps.SegmentingFinder(own)


def _concluded(words: argparse.Namespace, model: Model, report: LayerReport, good: bool) -> list[str]:
    """What there is to say in the end; writes sheet and Card."""
    result = report.ranking
    lines = ["", layer_ranking.table(result, model.card.layers) if result else report.trouble]
    sheet = words.sheet or (
        None if result else Path(f"{card_writer.card_file(Path(), model.card.name).stem}-layers.png")
    )
    if sheet is not None:
        map_sheet.map_sheet(report.pictures, result.layers if result else ()).save(sheet)
        lines.append(f"What each layer looks at is in {sheet}.")
    layers = words.layers or _layers(model, result)
    if not layers:
        return [*lines, "" if result else "Choose with --layers BLOCK,BLOCK what the Card is to say."]
    if not good:
        return [*lines, "No Card is written, for not all is as it must be."]
    text = card_writer.card_text(model.card.name, layers, _remarks(report, chosen=bool(words.layers)))
    file = card_writer.card_file(words.cards, model.card.name)
    return [*lines, card_writer.write_card(file, text, overwrite=words.overwrite)]


def _layers(model: Model, result: layer_ranking.Ranking | None) -> Sequence[str]:
    """What the Card is to say: the best, where they lead; else what it says; nothing where nobody knows."""
    if result is None or not result.knows:
        return ()
    return result.blocks if result.leads else model.card.layers


def _remarks(report: LayerReport, *, chosen: bool) -> list[str]:
    if chosen or report.ranking is None:
        return ["The layers were chosen by eye. All else is the family's."]
    result = report.ranking
    return [
        f"{len(report.pictures)} pictures, {result.sightings} objects seen by {report.judge}. Overlap with them: "
        f"{', '.join(result.blocks)} {result.best:.3f}, what was heard before {result.card:.3f}, "
        f"by chance {result.chance:.3f}.",
        "All else is the family's.",
    ]


def _figures(report: LayerReport | None) -> dict[str, Any] | None:
    return None if report is None or report.ranking is None else asdict(report.ranking)


def _show(words: argparse.Namespace, *lines: str) -> None:
    if not words.json:
        for text in lines:
            say(text)


if __name__ == "__main__":
    sys.exit(main())
