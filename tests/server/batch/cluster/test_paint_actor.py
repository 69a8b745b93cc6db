# SPDX-License-Identifier: MIT
"""A machine of a cluster, without one: its pictures say what a server's say, and its filter is asked."""

import io
import json
from dataclasses import replace
from hashlib import sha256

from PIL import Image
from pydantic import TypeAdapter

from addon.protocol.blockout import ReferencePicture
from addon.protocol.strict_json import dump
from server.batch.cluster.paint_actor import PaintActor
from server.safeguards.choices import Safeguards
from server.safeguards.digital_source import digital_source
from server.settings import ServerSettings
from tests.server.safeguards.test_content_filter import package  # noqa: F401  # a fixture
from tests.server.serving import blockout, fake


def actor(home, **choices) -> PaintActor:
    settings = fake(home, safeguards=Safeguards(**choices))
    return PaintActor(TypeAdapter(ServerSettings).dump_json(settings).decode())


def test_its_pictures_say_where_they_come_from(tmp_path):
    answer = actor(tmp_path).paint(json.dumps(dump(blockout())))
    assert answer.problem == "" and digital_source(answer.png) == "trainedAlgorithmicMedia"
    silent = actor(tmp_path, digital_source=False, request=False).paint(json.dumps(dump(blockout())))
    assert digital_source(silent.png) == "" and b"maquette.blockout" not in silent.png


def test_its_models_have_the_cards_of_who_gave_the_command(tmp_path):
    settings, card = fake(tmp_path), (("layers", ("mid_block",)),)
    (model, *_) = settings.models
    painter = PaintActor(TypeAdapter(ServerSettings).dump_json(settings).decode(), {model.name: card})
    loaded = []
    painter._engine.load = lambda model, setup: loaded.append(setup.card)
    assert painter.paint(json.dumps(dump(blockout(model=model.name)))).problem == ""
    assert loaded == [card]


def test_its_filter_is_asked(tmp_path, package):  # noqa: F811
    answer = actor(tmp_path, content_filter="strict").paint(json.dumps(dump(blockout(prompt="a knight and a cat"))))
    assert (answer.png, json.loads(answer.problem)["type"]) == (b"", "content-refused")


def test_the_pictures_that_a_request_refers_to_are_handed_over(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    reference = ReferencePicture(picture=sha256(file.getvalue()).hexdigest(), caption="a cat")
    asked = json.dumps(dump(replace(blockout(), reference=reference)))
    answer = actor(tmp_path).paint(asked, (file.getvalue(),))
    assert answer.problem == "" and digital_source(answer.png) == "compositeWithTrainedAlgorithmicMedia"
    assert json.loads(actor(tmp_path).paint(asked).problem)["type"] == "unknown-reference"
