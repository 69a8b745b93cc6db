# SPDX-License-Identifier: MIT
"""From a blockout to a picture with real diffusers classes at a tiny size: no fake engine here."""

import asyncio
import io
import json
from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image

import sg_core
from addon.protocol.answers import ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import dump, loads
from server.adapters import PLAIN
from server.catalogue import described, offered
from server.problems import NoModel, PromptTooLong, Unpaintable
from server.settings import ServerSettings
from server.worker import translate
from server.worker.engine import DiffusionEngine, address
from sg_core.memory import counted
from tests.server.serving import at_home, ended
from tests.server.worker.sample_request import ASKED, pixels, unwatched

OF_THE_SERVER = {"precision", "words", "region_fields", "fingerprint"}  # of an offer: what no Card says


def stated(asked: Blockout, model: ModelInfo) -> Blockout:
    """As the picture's file carries it: with which model it was."""
    return replace(asked, fingerprint=model.fingerprint)


def test_a_folder_becomes_an_offer(tiny):
    """With the defaults of its family, not Toybox's."""
    assert (tiny.name, tiny.area, tiny.multiple) == ("tiny", 64 * 64, 16)
    assert (tiny.family, tiny.steps, tiny.scale, tiny.strength) == ("stable-diffusion-1", 30, 7.5, 0.7)
    assert (tiny.nouns, tiny.words, tiny.licence, tiny.revision) == ((), (), "unknown", "local")


def test_the_picture_is_the_frame_of_the_full_one(engine):
    painting = engine.paint(ASKED, unwatched)
    full, picture = pixels(painting.full), pixels(painting.picture)
    assert full.shape == (64, 128, 3)
    assert picture.shape == (60, 112, 3)
    assert np.array_equal(full[2:62, 8:120], picture)
    assert full.std() > 1


def test_the_same_blockout_is_the_same_picture(engine):
    assert engine.paint(ASKED, unwatched) == engine.paint(ASKED, unwatched)
    plain = pixels(engine.paint(ASKED, unwatched).full)
    for changes in ({"seed": 4}, {"variation": 0.3, "variation_seed": 4}):
        assert not np.array_equal(pixels(engine.paint(replace(ASKED, **changes), unwatched).full), plain), changes
    unvaried = engine.paint(replace(ASKED, variation_seed=4), unwatched)
    assert np.array_equal(pixels(unvaried.full), plain), "of another seed's noise, none"


def test_guidance_reaches_the_picture_and_strength_0_is_the_model_alone(engine):
    alone = pixels(engine.paint(replace(ASKED, regions=()), unwatched).full)
    assert np.array_equal(pixels(engine.paint(replace(ASKED, strength=0.0), unwatched).full), alone)
    assert not np.array_equal(pixels(engine.paint(ASKED, unwatched).full), alone)


def test_the_picture_is_sg_cores_own(engine, tiny):
    """The engine adds nothing but rounding: what the library paints is what arrives."""
    layout = sg_core.place({region.phrase: translate.coverage(region.mask) for region in ASKED.regions})
    picture = sg_core.generate(
        sg_core.load(tiny.source),
        ASKED.prompt,
        layout,
        seeds=(3,),
        width=128,
        height=64,
        steps=4,
        scale=4.0,
        strength=0.7,
    )
    expected = (picture[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert np.array_equal(pixels(engine.paint(ASKED, unwatched).full), expected)


def test_every_step_is_reported_with_energies_and_a_preview(engine):
    reports = []
    engine.paint(ASKED, lambda progress: reports.append((progress, progress.preview and progress.preview())))
    phases = [(progress.phase, progress.step) for progress, _ in reports[4:]]
    reports = reports[:4]
    assert [progress.step for progress, _ in reports] == [1, 2, 3, 4]
    assert phases == [("decoding", 4), ("measuring", 4)]
    assert {"shape of castle", "shape of rocket"} <= dict(reports[0][0].energies).keys()
    assert all(pixels(preview).shape == (60, 112, 3) for _, preview in reports)  # the artist's frame


def test_what_a_report_raises_stops_the_painting(engine):
    class Enough(Exception):
        pass

    steps = []

    def stop(progress):
        steps.append(progress.step)
        raise Enough

    with pytest.raises(Enough):
        engine.paint(ASKED, stop)
    assert steps == [1]


def test_a_phrase_the_prompt_does_not_say(engine):
    with pytest.raises(Unpaintable, match="rocket"):
        engine.paint(replace(ASKED, prompt="a castle"), unwatched)


def test_a_prompt_that_is_too_long_says_what_would_not_be_read(engine):
    """In an artist's words: no tokens, no paths."""
    long = "a castle and a rocket and a castle and a rocket and a castle and a blue rocket"
    with pytest.raises(PromptTooLong) as caught:
        engine.paint(replace(ASKED, prompt=long), unwatched)
    problem = caught.value.problem()
    assert problem.detail == "The prompt is too long for tiny: it would not read “… a castle and a blue rocket”."
    assert (problem.type, problem.fix, problem.path) == ("prompt-too-long", "Shorten it.", "")
    with pytest.raises(PromptTooLong, match="What to avoid is too long for tiny"):
        engine.paint(replace(ASKED, negative=long), unwatched)


def test_an_open_vocabulary_is_read_as_it_stands(engine, tiny):
    """The tiny tokenizer knows these words; a model that says it knows fewer paints as if they were not there."""
    closed = DiffusionEngine()
    closed.load(replace(tiny, words=("a", "and")))
    long = replace(ASKED, prompt="a blue castle and a castle and a rocket", strength=0.5)
    read = replace(long, prompt="a castle and a castle and a rocket")
    painted = closed.paint(long, unwatched)
    assert np.array_equal(pixels(painted.full), pixels(engine.paint(read, unwatched).full))
    assert painted.achieved == engine.paint(read, unwatched).achieved
    assert loads(Blockout, Image.open(io.BytesIO(painted.picture)).text["maquette.blockout"]) == stated(long, tiny)
    nothing = replace(ASKED, prompt="blue", regions=())
    empty = pixels(closed.paint(nothing, unwatched).full)
    assert not np.array_equal(empty, pixels(engine.paint(nothing, unwatched).full))


def test_toybox_paints_an_ordinary_prompt():
    (toybox,) = offered(())
    engine = DiffusionEngine()
    engine.load(toybox)
    prompt = "a huge medieval castle on a green hill with a red rocket beside it, golden light at sunset"
    assert engine.paint(replace(ASKED, prompt=prompt, model="toybox", steps=2), unwatched).achieved
    long = ", ".join(["a castle and a rocket on the grass"] * 4)
    with pytest.raises(PromptTooLong, match="for toybox: it would not read “… a rocket on the grass”"):
        engine.paint(replace(ASKED, prompt=long), unwatched)


def test_a_size_the_model_cannot_paint(engine):
    with pytest.raises(Unpaintable):
        engine.paint(replace(ASKED, width=125), unwatched)


@pytest.mark.parametrize("name", ["toybox", "stable-diffusion-1.5", "tiny"])
def test_server_and_method_say_the_same_of_a_model(name, tiny, engine):
    """The server reads Cards without torch, the method without the wire: from the same files."""
    card = sg_core.load(tiny.source).card if name == "tiny" else sg_core.CARDS[name]
    offer = tiny if name == "tiny" else described(name)
    shared = [field.name for field in fields(offer) if field.name not in OF_THE_SERVER]
    stated = json.loads(json.dumps({field: getattr(card, field) for field in shared}))  # tuples are lists in JSON
    assert {field: dump(getattr(offer, field)) for field in shared} == stated
    assert address(offer) == card.address


def test_weights_that_are_not_there(tmp_path):
    with pytest.raises(NoModel) as missing:
        DiffusionEngine().load(replace(TOYBOX, source=str(tmp_path)))
    assert "folder is there" in missing.value.problem().fix
    with pytest.raises(NoModel, match="neither a folder nor a hub repository") as unreachable:
        DiffusionEngine().load(replace(TOYBOX, source="no-owner", revision="0" * 40))
    assert "connection" in unreachable.value.problem().fix


def test_a_model_that_gives_no_numbers_fails_by_name(tiny):
    """Finite weights, too large for the network: never a black picture that is called done."""
    broken = DiffusionEngine()
    broken.load(tiny)
    assert broken._ready is not None
    for weight in broken._ready.fitting.model.network.parameters():
        weight.data.mul_(1e30)
    with pytest.raises(NoModel, match="tiny gave numbers that are none") as failed:
        broken.paint(ASKED, unwatched)
    assert "files again" in failed.value.problem().fix


def test_the_model_says_where_it_believes_each_region_is(engine):
    """The tiny model has no Judge, and an untrained one sees next to nothing: what counts is that all are answered."""
    achieved = engine.paint(ASKED, unwatched).achieved
    assert [(item.name, item.by) for item in achieved] == [("castle", "attention"), ("rocket", "attention")]
    assert engine.paint(replace(ASKED, regions=()), unwatched).achieved == ()


def test_an_unguided_picture_of_something_else_shows_nothing_of_a_region(engine):
    painting = engine.paint(replace(ASKED, prompt="a castle", strength=0.0), unwatched)
    rocket = painting.achieved[1]
    assert (rocket.name, rocket.mask, rocket.centroid, rocket.size) == ("rocket", None, None, 0.0)


def test_memory_is_planned_for_the_layers_that_are_heard(tiny):
    """Those of the owner's cards, with which the model was loaded."""
    planning, card = DiffusionEngine(room=lambda: 2**40), (("layers", ("mid_block",)),)
    planning.load(tiny, replace(PLAIN, card=card))
    planning.paint(ASKED, unwatched)
    model = (address(tiny), "float32", ASKED.width, ASKED.height)
    (estimate,) = planning._estimates.values()
    assert estimate == counted(*model, changes=dict(card))


def test_the_whole_way_through_a_real_server(tmp_path, tiny, engine):
    """Socket, queue, worker process, torch, shelf: the bytes that arrive are those the engine paints here."""

    async def paint():
        async with at_home(ServerSettings(home=tmp_path, models=(tiny,), preview_seconds=0.0)) as client:
            job = await ended(client, await client.submit(ASKED, "key"))
            assert "measuring" in {event.phase async for event in client.events(job=job.id)}
            return job, {a.kind: await client.artifact(a.sha256) for a in job.artifacts}, await client.health()

    job, files, health = asyncio.run(paint())
    assert (job.state, job.step, health.model) == ("done", 4, "tiny")
    assert job.achieved == engine.paint(ASKED, unwatched).achieved != ()
    assert np.array_equal(pixels(files["picture"]), pixels(engine.paint(ASKED, unwatched).picture))
    assert loads(Blockout, Image.open(io.BytesIO(files["picture"])).text["maquette.blockout"]) == stated(ASKED, tiny)
