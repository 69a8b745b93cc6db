# SPDX-License-Identifier: MIT
"""One battery for every family, on tiny networks of the real classes that came through the real loader."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import sg_core
from sg_core import AttentionError, TokenError, generate, listening, place
from sg_core.attention.hooks import active_inside
from sg_core.attention.masks import masking
from sg_core.conditioning import Conditioning
from sg_core.grounding import reread
from sg_core.models.cards import read_card
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from sg_core.models.model import Model, Step
from sg_core.sample import Texts, conditional_pass
from sg_core.tokens import Phrase
from tests.sg_core.models.families.pipelines import Case

PROMPT, OTHER = "a huge castle and a red rocket", "a cat on the sky and a huge dog"
PHRASES = (Phrase("castle"), Phrase("red rocket"))
STEPS = 4
UNENCODED = {"dev-2", "klein", "base", "qwen", "if"}


def half(flipped: bool = False) -> Tensor:
    """The left third, or the right."""
    mask = torch.zeros(16, 24)
    mask[:, :8] = 1.0
    return mask.flip(1) if flipped else mask


ENERGY = place({PHRASES[0]: half(), PHRASES[1]: half(flipped=True)})


def asked(case: Case, seeds: tuple[int, ...] = (1,)) -> dict[str, Any]:
    """How our own loop is asked for a case's picture."""
    width, height = case.size
    options = {"width": width, "height": height, "steps": STEPS, "scale": case.scale, "scheduler": case.scheduler}
    return options | {"seeds": seeds, "negative": case.negative or ""}


def theirs(case: Case, folder: Path, prompt: str) -> Tensor:
    """The pipeline's own picture."""
    with quiet():
        pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
    pipeline.scheduler = type(pipeline.scheduler).from_config({**pipeline.scheduler.config, **case.changes})
    pipeline.set_progress_bar_config(disable=True)
    scale = case.scale if case.theirs is None else case.theirs
    options = {case.scale_name: scale, "num_inference_steps": STEPS, "output_type": "pt", **case.asked}
    if case.negative:
        options["negative_prompt"] = case.negative
    width, height = case.size
    generator = [torch.Generator().manual_seed(1)]
    return pipeline(prompt=prompt, width=width, height=height, generator=generator, **options).images


def prepared(model: Model, case: Case) -> tuple[Tensor, Step, Texts]:
    """A latent in the middle of its way, as the network sees it."""
    shape = model.latent_shape(*case.size)
    step = model.steps(STEPS, case.scheduler, shape[1:]).steps[1]
    latent = torch.randn(1, *shape, generator=torch.Generator().manual_seed(2))
    text = model.encode([PROMPT])
    if model.card.guided_by == "input":
        text = text.guided(case.scale)
    return latent, step, Texts(text, None, model.words([PROMPT], PHRASES))


def gradient(model: Model, case: Case) -> Tensor:
    latent, step, texts = prepared(model, case)
    slope = conditional_pass(model, latent, step, texts, ENERGY, follow=True).gradient
    assert slope is not None
    return slope


def test_a_folder_is_taken_for_its_family(case: Case, folder: Path, model: Model) -> None:
    assert read_card(folder).family == model.card.family == case.family
    assert not any(weight.requires_grad for weight in model.network.parameters())
    assert not model.network.training


def test_our_loop_paints_the_pipeline_s_picture(case: Case, folder: Path, model: Model) -> None:
    picture, expected = generate(model, PROMPT, **asked(case)), theirs(case, folder, PROMPT)
    if case.name == "if":  # its pictures are -1 to 1
        expected = expected / 2 + 0.5
    assert picture.shape == (1, 3, case.size[1], case.size[0]) and picture.std() > 0.005
    assert (picture - expected).abs().max() < 1e-4
    assert (generate(model, OTHER, **asked(case)) - picture).abs().max() > 5e-4


def test_listening_changes_nothing(case: Case, model: Model) -> None:
    latent, step, texts = prepared(model, case)
    layers = model.layers(latent)
    with torch.no_grad():
        before = model.predict(latent, step, texts.conditional)
        with listening(model.network, layers, texts.words) as tape:
            heard = model.predict(latent, step, texts.conditional)
    assert torch.equal(before, heard)
    assert list(tape.attention) == list(layers) == list(model.attention(latent))
    for name, grid in layers.items():
        assert tape.attention[name].shape[1:3] == (grid.rows, grid.columns)
    assert all(not module._forward_pre_hooks for module in model.network.modules())


class Kept(TorchFunctionMode):
    """Query and key of one layer."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            named = dict(zip(("query", "key"), args, strict=False)) | (kwargs or {})
            self.query, self.key = named["query"], named["key"]
        return func(*args, **(kwargs or {}))


def seen(model: Model, layer: str, latent: Tensor, step: Step, text: Conditioning) -> tuple[Tensor, Tensor]:
    """What one layer asks with and what it is asked, (place, heads * channels) each."""
    kept = Kept()
    with torch.no_grad(), active_inside(model.network.get_submodule(layer), kept):
        model.predict(latent, step, text)
    return kept.query[0].transpose(0, 1).flatten(1), kept.key[0].transpose(0, 1).flatten(1)


def test_the_grid_lies_where_the_picture_and_the_words_are(case: Case, model: Model) -> None:
    """One cell of the latent moves, and that query moves most; one token's state, and that key does."""
    latent, step, texts = prepared(model, case)
    layer, grid = next(iter(model.layers(latent).items()))
    name = next(name for name in ("cap_feats", "encoder_hidden_states") if name in texts.conditional.rows)
    query, key = seen(model, layer, latent, step, texts.conditional)
    row, column = grid.rows // 2, grid.columns - 2
    high, wide = latent.shape[2] // grid.rows, latent.shape[3] // grid.columns
    moved = latent.clone()
    moved[:, :, row * high : (row + 1) * high, column * wide : (column + 1) * wide] += 5.0
    change = (seen(model, layer, moved, step, texts.conditional)[0] - query).abs().amax(1)[grid.image]
    y, x = divmod(int(change.argmax()), grid.columns)
    near = 1 if isinstance(model.network, diffusers.UNet2DConditionModel) else 0  # convolutions come before
    assert len(change) == grid.rows * grid.columns and max(abs(y - row), abs(x - column)) <= near
    token = texts.words.phrases[PHRASES[0]][0][0]
    states = texts.conditional.rows[name].clone()
    states[:, token] += 5.0
    told = replace(texts.conditional, rows={**texts.conditional.rows, name: states})
    asked_for = (seen(model, layer, latent, step, told)[1] - key).abs().amax(1)[grid.text]
    assert int(asked_for.argmax()) == token


def test_the_words_are_the_prompt_s(case: Case, model: Model) -> None:
    words = model.words([PROMPT], PHRASES)
    content = set(words.content[0])
    for phrase in PHRASES:
        assert words.phrases[phrase][0] and set(words.phrases[phrase][0]) <= content
    with pytest.raises(TokenError, match="does not say 'moon'"):
        model.words([PROMPT], [Phrase("moon")])
    long = " Huge Castle" * 600
    with pytest.raises(sg_core.TooLong) as caught:
        model.encode([long])
    assert caught.value.prompt == long and long.endswith(caught.value.lost)  # as it was said, not as it is read


def test_a_picture_is_encoded_or_that_is_said(case: Case, model: Model) -> None:
    width, height = case.size
    pictures = torch.rand(1, 3, height, width)
    if case.name in UNENCODED:
        with pytest.raises(sg_core.RequestError, match="cannot encode pictures here yet"):
            model.latent(pictures)
        return
    latent = model.latent(pictures)
    assert latent.shape == (1, *model.latent_shape(width, height)) and latent.isfinite().all()


def test_the_words_stand_where_they_are_read(case: Case, model: Model) -> None:
    """Behind the padding, where that comes first: of another word the network is told something else there."""
    told = [model.encode([text]).rows for text in (PROMPT, PROMPT.replace("castle", "rocket"))]
    one, other = (rows.get("cap_feats", rows.get("encoder_hidden_states")) for rows in told)
    columns = list(model.words([PROMPT], PHRASES).phrases[PHRASES[0]][0])
    assert ((one - other)[0, columns].abs().amax(1) > 0).all()


def test_a_finished_picture_is_read_as_it_was_painted(case: Case, model: Model) -> None:
    """With its guidance, where the network is told that as a number."""
    latent = prepared(model, case)[0]
    louder = copy.copy(model)
    object.__setattr__(louder, "card", replace(model.card, scale=model.card.scale + 1))
    one, other = (reread(read, PROMPT, ["red rocket"], latent).map(PHRASES[1]) for read in (model, louder))
    assert one.isfinite().all() and torch.equal(one, other) == (model.card.guided_by != "input")


def test_a_checkpointed_gradient_is_the_gradient(case: Case, model: Model) -> None:
    plain = gradient(model, case)
    assert plain.isfinite().all() and plain.abs().max() > 0
    model.network.enable_gradient_checkpointing()
    try:
        saved = gradient(model, case)
    finally:
        model.network.disable_gradient_checkpointing()
    same = bool((saved - plain).abs().max() <= 1e-4 * plain.abs().max())
    assert same == case.checkpoints


def test_the_energy_falls(case: Case, model: Model) -> None:
    def last(strength: float) -> float:
        readings: list[dict[str, float]] = []
        options = asked(case) | {"steps": 8, "strength": strength}
        generate(model, PROMPT, ENERGY, **options, watch=lambda moment: readings.append(dict(moment.energies)))
        return sum([sum(reading.values()) for reading in readings if reading][-1:])

    assert last(1.0) < last(0.0)


def test_a_strength_of_nothing_is_nothing(case: Case, model: Model) -> None:
    free = generate(model, PROMPT, **asked(case))
    assert torch.equal(generate(model, PROMPT, ENERGY, **asked(case), strength=0.0), free)
    assert not torch.equal(generate(model, PROMPT, ENERGY, **asked(case), strength=1.0), free)


def test_masks_shut_what_is_outside(case: Case, model: Model) -> None:
    """Heard under the mask: outside its region a phrase is not looked at, inside as before or more."""
    latent, step, texts = prepared(model, case)
    layers = model.layers(latent)
    masks = sg_core.masks({PHRASES[0]: half()}).masks
    masked = masking(model.network, model.attention(latent), texts.words, masks, step.progress)
    with torch.no_grad(), listening(model.network, layers, texts.words) as tape, masked:
        model.predict(latent, step, texts.conditional)
    for name, attention in tape.attention.items():
        alone = replace(tape, attention={name: attention}).map(PHRASES[0])[0]
        columns = alone.shape[1]
        assert alone[:, : columns // 3].min() > 0
        assert alone[:, columns // 2 :].max() == 0


def test_rows_do_not_touch(case: Case, model: Model) -> None:
    both = generate(model, PROMPT, ENERGY, **asked(case, (1, 2)))
    for row, seed in enumerate((1, 2)):
        alone = generate(model, PROMPT, ENERGY, **asked(case, (seed,)))
        assert (both[row] - alone[0]).abs().max() < 1e-3
    assert (both[0] - both[1]).abs().max() > 1e-3


def test_half_precision_points_the_same_way(case: Case, model: Model, folder: Path) -> None:
    low = load(folder, card=model.card, dtype=torch.bfloat16)
    assert {weight.dtype for weight in low.network.parameters()} == {torch.bfloat16}
    expected, got = gradient(model, case), gradient(low, case)
    assert got.dtype == torch.float32 and got.isfinite().all()
    assert torch.cosine_similarity(expected.flatten(), got.flatten(), dim=0) > 0.8
    assert generate(low, PROMPT, **asked(case)).isfinite().all()


def test_a_layer_that_is_not_heard_is_named(case: Case, model: Model) -> None:
    latent, step, texts = prepared(model, case)
    deaf = next(name for name, module in model.network.named_modules() if isinstance(module, nn.Linear))
    grid = next(iter(model.layers(latent).values()))
    hearing = listening(model.network, {deaf: grid}, texts.words)
    with pytest.raises(AttentionError, match=f"not heard: {deaf}"), torch.no_grad(), hearing:
        model.predict(latent, step, texts.conditional)
    elsewhere = copy.copy(model)
    object.__setattr__(elsewhere, "card", replace(model.card, layers=("nowhere",)))
    with pytest.raises(AttentionError, match="nowhere"):
        elsewhere.layers(latent)
