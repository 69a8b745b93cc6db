# SPDX-License-Identifier: MIT
"""What there is to look at: the contact sheet, and the page, read as a browser reads it."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from server.batch.page import PAGE, SHEET, TEMPLATE, outline
from server.cli.main import main
from tests.server.batch.batches import requests

DATA = re.compile(r"^const DATA = (.*);$", re.MULTILINE)
KEYS = ("ArrowRight", "ArrowLeft", "Enter", "Escape", "o", "c")

# As much of a browser as the page's program uses: elements that keep what is put into them, and no layout.
BROWSER = """
const fs = require("fs");
const byId = {};
class Element {
  constructor(tag) { this.tagName = tag.toUpperCase(); this.children = []; this.dataset = {}; this.attributes = {};
    this.hidden = false; this.value = ""; this.textContent = ""; const names = new Set(); this.classList = {
      toggle: (name) => names.has(name) ? names.delete(name) : names.add(name), remove: (name) => names.delete(name),
      contains: (name) => names.has(name) }; }
  append(...items) { this.children.push(...items); }
  setAttribute(name, value) { this.attributes[name] = value; }
  focus() { document.activeElement = this; }
  scrollIntoView() {}
  click() { this.onclick(); }
  querySelector() { const all = (e) => [e, ...e.children.flatMap(all)];
    return all(this).find((e) => e.tagName === "BUTTON"); }
}
const heard = {};
globalThis.Option = class extends Element { constructor(text, value) { super("option"); this.value = value; } };
globalThis.document = { body: new Element("body"), activeElement: null,
  getElementById: (id) => byId[id] ??= new Element("x"), createElement: (tag) => new Element(tag),
  createElementNS: (_, tag) => new Element(tag), addEventListener: (name, listener) => { heard[name] = listener; } };
document.activeElement = document.body;
byId.overlap = new Element("input"); byId.overlap.value = "0";
const copied = [];
const clipboard = { writeText: async (text) => { copied.push(text); } };
Object.defineProperty(globalThis, "navigator", { value: { clipboard } });
const text = fs.readFileSync(process.argv[1], "utf8");
eval(text.match(/<script>([^]*)<\\/script>/)[1].replace('"use strict";', ""));
const figures = document.getElementById("pictures").children;
const press = (key) => heard.keydown({ key, target: document.activeElement, preventDefault() {} });
const shown = () => figures.filter((f) => !f.hidden).map((f) => f.dataset.name);
const result = { all: shown(), images: figures.map((f) => f.children[0].children[0].src) };
byId.seed.value = "0008"; byId.seed.onchange(); result.seed = shown(); result.count = byId.count.textContent;
byId.seed.value = ""; byId.overlap.value = "50"; byId.overlap.oninput(); result.overlap = shown();
byId.overlap.value = "0"; byId.overlap.oninput();
press("ArrowRight"); result.first = document.activeElement.dataset.name;
press("ArrowRight"); result.second = document.activeElement.dataset.name;
press("ArrowLeft"); press("Enter"); result.large = document.body.classList.contains("large");
press("c"); press("o"); result.bare = document.body.classList.contains("bare");
result.copied = copied;
console.log(JSON.stringify(result));
"""


@pytest.fixture(scope="module")
def out(served, tmp_path_factory):
    """A batch of two frames by two seeds, one frame of which loses its cat."""
    folder = tmp_path_factory.mktemp("batch")
    requests(folder / "in", 1)
    requests(folder / "lost", 1, prompt="a cat to lose </script><b>")
    lost = folder / "in/cats/Camera/seed0007/0002.blockout.json"
    (folder / "lost/cats/Camera/seed0007/0001.blockout.json").rename(lost)
    words = ["paint", str(folder / "in"), "--seeds", "7-8", "--out", str(folder / "out")]
    assert main([*words, "--server", str(served.home / "connection.json")]) == 0
    return folder / "out"


def test_the_sheet_has_every_picture(out):
    with Image.open(out / SHEET) as sheet:
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(2**24)}
    assert {(7, 0, 1), (8, 0, 1)} <= colours  # the engine paints the seed


def test_the_page_is_of_its_own(out):
    """No request leaves it, and no text of a prompt gets out of its string."""
    text = (out / PAGE).read_text()
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(text)
    assert [tag for tag, _ in tags].count("script") == 1
    assert not [tag for tag, attributes in tags if tag in ("link", "iframe") or "src" in attributes]
    assert "https:" not in text and "default-src 'none'" in text


def test_the_page_knows_targets_and_what_was_achieved(out):
    entries = json.loads(DATA.search((out / PAGE).read_text())[1])
    assert [(entry["frame"], entry["seed"]) for entry in entries] == [
        ("0001", "0007"),
        ("0001", "0008"),
        ("0002", "0007"),
        ("0002", "0008"),
    ]
    kept, lost = entries[0], entries[2]
    assert kept["target"] == kept["achieved"] and kept["target"][0].startswith("M")
    assert lost["achieved"] == [""] and lost["overlap"] == 0.0 and kept["overlap"] == pytest.approx(1.0)
    assert lost["prompt_text"] == "a cat to lose </script><b>"
    assert kept["request"] == "maquette render cats/Camera/seed0007/0001.blockout.json --out again"


@pytest.mark.skipif(shutil.which("node") is None, reason="node, which runs the page's program, is not installed")
def test_the_page_s_program(out):
    """Filters, keys and copying, in a JavaScript engine with as much of a document as it asks for."""
    words = ["node", "-e", BROWSER, str(out / PAGE)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    names = [f"cats/Camera/seed000{seed}/000{frame}" for frame in (1, 2) for seed in (7, 8)]
    assert result["all"] == names
    assert all((out / unquote(image)).is_file() for image in result["images"])
    assert (result["seed"], result["count"]) == ([names[1], names[3]], "2 of 4")
    assert result["overlap"] == names[:2]
    assert (result["first"], result["second"]) == (names[0], names[1])
    assert (result["large"], result["bare"]) == (True, True)
    assert result["copied"] == [f"maquette render {names[0]}.blockout.json --out again"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser: chromium is not installed")
def test_a_real_browser_opens_it_from_the_disk(out, tmp_path):
    """Headless: every picture is loaded, every figure there, and nothing complains."""
    loaded = "[...document.images].filter((image) => image.naturalWidth).length"
    probe = f"<script>onload = () => {{ document.title = {loaded} }}</script>"
    page = out / "probed.html"
    page.write_text((out / PAGE).read_text().replace("</body>", f"{probe}</body>").replace('"lazy"', '"eager"'))
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    words += ["--virtual-time-budget=5000", "--dump-dom", page.as_uri()]
    done = subprocess.run(words, capture_output=True, text=True)
    page.unlink()
    assert done.returncode == 0, done.stderr
    assert "<title>4</title>" in done.stdout
    assert done.stdout.count("<figure") == 4 and "4 of 4" in done.stdout


def test_every_key_is_said_on_the_page():
    text = TEMPLATE.read_text()
    assert all(f"  {key}:" in text for key in KEYS)


def test_an_outline_goes_round():
    cells = np.zeros((4, 4), bool)
    cells[1:3, 1:3] = True
    assert sorted(outline(cells)) == [(1, 1, 1, 3), (1, 1, 3, 1), (1, 3, 3, 3), (3, 1, 3, 3)]
    assert list(outline(np.zeros((2, 2), bool))) == []
