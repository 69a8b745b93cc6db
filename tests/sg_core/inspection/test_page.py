# SPDX-License-Identifier: MIT
"""The page holds everything itself, says what the numbers are, and a browser opens it from the disk."""

import base64
import io
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from sg_core import masks, place
from sg_core.inspection.curves import COLOURS, Curve, chart
from sg_core.inspection.images import map_address, outline_path, picture_address
from sg_core.inspection.page import page
from sg_core.inspection.record import Inspection, inspected
from sg_core.models.stable_diffusion_1 import StableDiffusion1

PROMPT = "a castle on grass"
LEFT = torch.zeros(8, 8)
LEFT[2:6, :3] = 1.0
PROMPT_OF_A_RASCAL = '</title><script>alert("x")</script> & a castle'


class Elements(HTMLParser):
    """Every element and its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture
def inspection(model: StableDiffusion1) -> Inspection:
    layout = place({"castle": LEFT}) + masks({"castle": LEFT})
    return inspected(model, PROMPT, layout, phrases=["grass"], width=64, height=64, steps=4)


def pixels(address: str) -> np.ndarray:
    """The picture in a ``data:`` address."""
    head, _, content = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def test_the_page_is_whole_in_itself(inspection: Inspection) -> None:
    text = page(inspection, PROMPT, {"seed": "3"}, {"The picture before": torch.rand(3, 32, 32)}, ["Painted again."])
    elements = Elements(text)
    images = elements.named("img")
    assert len(images) == 2 + 4 + 2 * 4  # the pictures; a preview and two maps a step
    assert all(pixels(image["src"] or "").ndim == 3 and image["alt"] for image in images)
    assert not elements.named("script") and not elements.named("link") and "http" not in text.partition("<body>")[2]
    assert "Painted again." in text and "The picture before" in text and "<dd>3</dd>" in text


def test_curves_have_a_point_for_each_step(inspection: Inspection) -> None:
    elements = Elements(page(inspection, PROMPT))
    lines = [len((line["points"] or "").split()) for line in elements.named("polyline")]
    assert lines.count(4) >= 2 + 2 + 2 + 2  # inside and presence; energies, errors; pull, correction
    heads = re.findall(r"<th>(\d) ?★?</th>", page(inspection, PROMPT))
    assert heads[:4] == ["1", "2", "3", "4"]


def test_what_people_write_stays_text(inspection: Inspection) -> None:
    rascal = {PROMPT_OF_A_RASCAL: LEFT}
    step = replace(inspection.steps[0].insight, maps={PROMPT_OF_A_RASCAL: torch.rand(1, 8, 8)})
    strange = Inspection(inspection.picture, (replace(inspection.steps[0], insight=step),), rascal)
    text = page(strange, PROMPT_OF_A_RASCAL, {PROMPT_OF_A_RASCAL: PROMPT_OF_A_RASCAL}, {}, [PROMPT_OF_A_RASCAL])
    assert not Elements(text).named("script")


def test_a_map_is_bright_where_it_is_largest() -> None:
    shown = pixels(map_address(LEFT * 0.01)).astype(int).sum(2)
    assert shown.shape == (8, 8) and shown[3, 1] > 600 and shown[0, 7] < 20
    assert pixels(map_address(torch.zeros(4, 4))).max() < 20


def test_a_picture_keeps_its_colours_and_shrinks() -> None:
    half = torch.zeros(3, 600, 1200)
    half[0] = 1.0
    shown = pixels(picture_address(half))
    assert shown.shape == (256, 512, 3) and (shown[0, 0] == (255, 0, 0)).all()


def test_an_outline_goes_round() -> None:
    assert sorted(re.findall(r"M(\d+) (\d+)([HV])(\d+)", outline_path(LEFT))) == sorted(
        [("0", "250", "H", "375"), ("0", "750", "H", "375"), ("0", "250", "V", "750"), ("375", "250", "V", "750")]
    )
    assert outline_path(torch.zeros(4, 4)) == ""


def test_a_chart_breaks_where_there_is_no_value() -> None:
    text = chart("t", "w", [Curve("a", [1.0, 2.0, None, 3.0]), Curve("b", [0.0, 0.0, 0.0, 0.0], len(COLOURS))], top=4.0)
    assert len(Elements(text).named("polyline")) == 2 and len(Elements(text).named("circle")) == 1
    assert 'stroke-dasharray="6 3"' in text
    powers = chart("t", "w", [Curve("a", [1e-3, 1e-1, 0.0])], logarithmic=True)
    assert ">0.01</text>" in powers and len(Elements(powers).named("polyline")) == 1


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser: chromium is not installed")
def test_a_real_browser_opens_it_from_the_disk(inspection: Inspection, tmp_path) -> None:
    probe = (
        "<script>onload = () => { document.title = [...document.images].filter((i) => i.naturalWidth).length }</script>"
    )
    text = (
        page(inspection, PROMPT)
        .replace("</body>", f"{probe}</body>")
        .replace("style-src", "script-src 'unsafe-inline'; style-src")
    )
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*words, "--virtual-time-budget=5000", "--dump-dom", file.as_uri()], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "<title>13</title>" in done.stdout
