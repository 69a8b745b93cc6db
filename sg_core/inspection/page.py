# SPDX-License-Identifier: MIT
"""A run as a page that a browser opens from the disk: pictures and curves inside it, no network, no script."""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from sg_core.inspection.curves import Curve, chart, colour_of
from sg_core.inspection.images import map_address, outline_path, picture_address
from sg_core.inspection.record import InspectedStep, Inspection, chosen_steps

TEMPLATE = Path(__file__).with_name("page.html")
COLUMNS = 16  # steps that are shown as pictures


def page(
    inspection: Inspection,
    title: str,
    facts: Mapping[str, str] | None = None,
    beside: Mapping[str, Tensor] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The whole page.

    Args:
        title: such as the prompt.
        facts: what else is known of the run, in words: name to value.
        beside: more pictures (3, y, x) in 0..1 by what they are, such as the one that this follows.
        remarks: sentences under the title.
    """
    body = "\n".join(
        [
            f"<h1>{html.escape(title)}</h1>",
            *(f"<p>{html.escape(remark)}</p>" for remark in remarks),
            _facts(facts or {}),
            _pictures(inspection, beside or {}),
            *_steps(inspection),
            *_charts(inspection),
            _numbers(inspection),
        ]
    )
    return TEMPLATE.read_text("utf-8").replace("<!--TITLE-->", html.escape(title)).replace("<!--BODY-->", body)


def _facts(facts: Mapping[str, str]) -> str:
    rows = (f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts.items())
    return f"<dl>{''.join(rows)}</dl>"


def _pictures(inspection: Inspection, beside: Mapping[str, Tensor]) -> str:
    outlines = _outlines(inspection, inspection.targets)
    figures = [_figure(picture_address(inspection.picture), "The picture, and where its regions were to be", outlines)]
    figures += [_figure(picture_address(picture), words, "") for words, picture in beside.items()]
    return f'<div class="pictures">{"".join(figures)}</div>'


def _figure(address: str, words: str, outlines: str) -> str:
    element = f'<div class="picture large"><img src="{address}" alt="{html.escape(words)}">{outlines}</div>'
    return f"<figure>{element}<figcaption>{html.escape(words)}</figcaption></figure>"


def _outlines(inspection: Inspection, phrases: Iterable[str]) -> str:
    paths = (
        f'<path d="{outline_path(inspection.targets[words])}" stroke="{_colour(inspection, words)}"/>'
        for words in phrases
        if words in inspection.targets
    )
    drawn = "".join(paths)
    return f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none">{drawn}</svg>' if drawn else ""


def _colour(inspection: Inspection, words: str) -> str:
    return colour_of(inspection.phrases.index(words)) if words in inspection.phrases else "#e4e4e7"


def _steps(inspection: Inspection) -> Iterator[str]:
    """A row of predicted pictures, and one of attention for each phrase; a column a step."""
    yield "<h2>What each step looks at</h2>"
    yield (
        "<p>The picture that the model predicts at each step, and how much each of its cells looks at each phrase: "
        "dark is not at all, bright the most of that map; the line is where the region was to be. The number is the "
        "part of the attention that falls inside. Steps with a star were pulled by the layout.</p>"
    )
    chosen = chosen_steps(len(inspection.steps), COLUMNS)
    steps = [step for number, step in enumerate(inspection.steps, 1) if number in chosen]
    heads = "".join(f"<th>{step.step}{' ★' if step.insight.guided else ''}</th>" for step in steps)
    rows = [_preview_row(inspection, steps)]
    rows += [_map_row(inspection, words, steps) for words in inspection.phrases]
    table = f"<thead><tr><th>step</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
    yield f'<div class="scroll"><table class="steps">{table}</table></div>'


def _preview_row(inspection: Inspection, steps: Sequence[InspectedStep]) -> str:
    outlines = _outlines(inspection, inspection.phrases)
    cells = []
    for step in steps:
        element = ""
        if step.preview is not None:
            address = picture_address(step.preview)
            words = f"predicted at step {step.step}"
            element = f'<div class="picture preview"><img src="{address}" alt="{words}">{outlines}</div>'
        cells.append(f"<td>{element}</td>")
    return f"<tr><th>predicted</th>{''.join(cells)}</tr>"


def _map_row(inspection: Inspection, words: str, steps: Sequence[InspectedStep]) -> str:
    outline = _outlines(inspection, (words,))
    inside = inspection.share_inside(words) if words in inspection.targets else None
    cells = []
    for step in steps:
        address, said = map_address(step.insight.maps[words][0]), html.escape(f"{words} at step {step.step}")
        share = "" if inside is None else f"<small>{inside[inspection.steps.index(step)]:.0%}</small>"
        image = f'<img src="{address}" alt="{said}" title="{said}">'
        cells.append(f'<td><div class="picture">{image}{outline}</div>{share}</td>')
    swatch = f'<span class="swatch" style="background:{_colour(inspection, words)}"></span>'
    return f"<tr><th>{swatch}{html.escape(words)}</th>{''.join(cells)}</tr>"


def _charts(inspection: Inspection) -> Iterator[str]:
    yield "<h2>How it went</h2><p>Over the steps; steps that the layout pulled have a lighter ground.</p>"
    guided = [step.insight.guided for step in inspection.steps]
    charts = [
        *_attention_charts(inspection, guided),
        *_term_charts(inspection, guided),
        *_size_charts(inspection, guided),
    ]
    yield f'<div class="charts">{"".join(charts)}</div>'


def _attention_charts(inspection: Inspection, guided: Sequence[bool]) -> Iterator[str]:
    numbered = list(enumerate(inspection.phrases))
    inside = [Curve(w, inspection.share_inside(w), number) for number, w in numbered if w in inspection.targets]
    if inside:
        words = "The part of a phrase's attention that falls where it was to be."
        yield chart("Inside", words, inside, top=1.0, guided=guided)
    if numbered:
        present = [Curve(words, inspection.share_of_words(words), number) for number, words in numbered]
        words = (
            "A phrase's share of the attention to all words, where that is largest: under a fifth it may be missing."
        )
        yield chart("Presence", words, present, top=1.0, guided=guided)


def _term_charts(inspection: Inspection, guided: Sequence[bool]) -> Iterator[str]:
    """One for the weighted energy, and one for the error, of each kind of term."""
    kinds: dict[str, list[str]] = {}
    for name in inspection.terms:
        kinds.setdefault(name.partition(" of ")[0], []).append(name)
    for kind, names in kinds.items():
        readable = kind.replace("_", " ")
        energies, errors = (
            [Curve(_subject(name), _values(inspection, name, field), _index(inspection, name, names)) for name in names]
            for field in ("energies", "errors")
        )
        yield chart(f"Energy: {readable}", "As weighted: what the gradient is of.", energies, guided=guided)
        yield chart(f"Error: {readable}", "In tolerances; at 1 and below it is met.", errors, mark=1.0, guided=guided)


def _values(inspection: Inspection, name: str, field: str) -> list[float | None]:
    return [getattr(step.insight, field).get(name) for step in inspection.steps]


def _subject(name: str) -> str:
    return name.partition(" of ")[2] or name


def _index(inspection: Inspection, name: str, names: Sequence[str]) -> int:
    """A phrase has one colour in all charts."""
    subject = _subject(name)
    return inspection.phrases.index(subject) if subject in inspection.phrases else names.index(name)


def _size_charts(inspection: Inspection, guided: Sequence[bool]) -> Iterator[str]:
    sizes = [step.insight.sizes for step in inspection.steps]
    gradients = [size.gradient for size in sizes]
    if any(gradient is not None for gradient in gradients):
        words = "Root mean square of the energy's gradient by the latent, on a logarithmic axis."
        yield chart("Gradient", words, [Curve("gradient", gradients)], logarithmic=True, guided=guided)
    curves = [Curve("classifier-free correction", [size.correction for size in sizes], 1)]
    if any(size.push for size in sizes):
        curves.append(Curve("pull of the layout", [size.push for size in sizes], 0))
    if any(size.kept for size in sizes):
        curves.append(Curve("kept of the reference", [size.kept for size in sizes], 2))
    yield chart("Changes", "Root mean square of what was added to the network's output.", curves, guided=guided)


def _numbers(inspection: Inspection) -> str:
    """All of it, as a table."""
    terms = inspection.terms
    heads = ["step", "gradient", "pull", "correction", "kept", *(f"{name} (energy)" for name in terms), *terms]
    rows = []
    for step in inspection.steps:
        insight, sizes = step.insight, step.insight.sizes
        values = [sizes.gradient, sizes.push, sizes.correction, sizes.kept]
        values += [insight.energies.get(name) for name in terms] + [insight.errors.get(name) for name in terms]
        cells = "".join(f"<td>{'' if value is None else f'{value:.4g}'}</td>" for value in values)
        rows.append(f"<tr><th>{step.step}</th>{cells}</tr>")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<h2>Numbers</h2><details><summary>every step</summary><div class="scroll">{table}</div></details>'
