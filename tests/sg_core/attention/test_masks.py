# SPDX-License-Identifier: MIT
"""Masks: words are heard only where they may be, energies hear them all the same, and off is bit for bit off."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from sg_core import Layout, generate, masks
from sg_core.attention.hooks import active_inside
from sg_core.attention.masks import RegionMask, bias, masking, openness
from sg_core.attention.tape import Grid, listening
from sg_core.edits.recipes import place
from sg_core.energy import Energy
from sg_core.errors import AttentionError, EnergyError
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.schedule import always, until
from sg_core.tokens import Phrase, Words

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 12)
LEFT[:, :6] = 1.0
REGIONS = {"castle": LEFT, "rocket": 1 - LEFT}
CASTLE, ROCKET = Phrase("castle"), Phrase("rocket")
NEGATIVE = float("-inf")


def paint(model: StableDiffusion1, layout: Energy | Layout | None, **options) -> torch.Tensor:
    options = {"width": 96, "height": 64, "steps": 6, **options}
    return generate(model, options.pop("prompts", PROMPT), layout, **options)


def opened(*coverages: torch.Tensor, softness: float = 0.0, grid: tuple[int, int] = (1, 4)) -> list[list[float]]:
    terms = [RegionMask(Phrase(str(i)), c, always, softness) for i, c in enumerate(coverages)]
    return [cells.flatten().tolist() for cells in openness(terms, grid, 1, torch.zeros(()))]


class AttentionMasks(TorchFunctionMode):
    """What the network's own attention is given as a mask, call by call; attached first, so that it sees calls last."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor | None] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is F.scaled_dot_product_attention:
            self.seen.append(args[3] if len(args) > 3 else (kwargs or {}).get("attn_mask"))
        return func(*args, **(kwargs or {}))


def test_a_cell_belongs_to_the_nearest_region_that_covers_it() -> None:
    near, far = torch.tensor([[0.0, 1.0, 0.3, 0.0]]), torch.tensor([[0.0, 1.0, 0.7, 1.0]])
    assert opened(near, far) == [[0, 1, 1, 0], [0, 1, 0, 1]]  # both keep their best cells
    assert opened(far, near) == [[0, 1, 1, 1], [0, 1, 0, 0]]


def test_a_region_smaller_than_a_cell_keeps_its_best() -> None:
    assert opened(torch.tensor([[0.0, 0.02, 0.004, 0.0]])) == [[0, 1, 0, 0]]
    assert opened(torch.ones(1, 4), torch.tensor([[0.0, 0.02, 0.01, 0.0]])) == [[1, 1, 1, 1], [0, 1, 0, 0]]
    assert opened(torch.zeros(1, 4)) == [[0, 0, 0, 0]]


def test_soft_edges_let_through_as_much_as_is_covered() -> None:
    edge = torch.tensor([[0.0, 0.2, 0.6, 1.0]])
    assert opened(edge) == [[0, 0, 1, 1]]
    assert opened(edge, softness=1.0)[0] == pytest.approx([0, 0.2, 0.6, 1.0])


def test_a_mask_that_does_not_fit_the_batch_is_refused() -> None:
    with pytest.raises(EnergyError, match="the mask of 0"):
        opened(torch.ones(3, 1, 4))


def test_what_is_let_through_is_a_factor_of_attention() -> None:
    """Weight 1 forbids, weight one half halves; words between regions stay free, and so do other words."""
    query, key = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 5, 8)
    words = Words({CASTLE: ((1, 2), (3,)), ROCKET: ((2, 4), ())}, ((), ()))
    half = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    terms = [RegionMask(CASTLE, half, always), RegionMask(ROCKET, 1 - half, lambda progress: 0.5)]
    added = bias(terms, Grid(1, 4), words, 0.0, query, key)[:, 0]
    assert added[0, :, 1].tolist() == [0, 0, NEGATIVE, NEGATIVE]
    assert added[0, :, 4].exp().tolist() == [0.5, 0.5, 1, 1]
    assert (added[0, :, [0, 2, 3]] == 0).all()  # 2 is said of both
    assert added[1, :, 3].tolist() == [0, 0, NEGATIVE, NEGATIVE]
    attention = (query @ key.mT / math.sqrt(8)).softmax(-1)
    masked = (query @ key.mT / math.sqrt(8) + added[:, None]).softmax(-1)
    factor = masked / attention
    assert torch.allclose(factor[0, :, :2, 4] / factor[0, :, :2, 0], torch.tensor(0.5), atol=1e-5)


def test_emphasis_is_a_factor_inside_that_fades_with_progress() -> None:
    query, key = torch.randn(1, 3, 4, 8), torch.randn(1, 3, 5, 8)
    words = Words({CASTLE: ((1, 2),), ROCKET: ((2,),)}, ((),))
    half = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    terms = [RegionMask(CASTLE, half, always, emphasis=3.0), RegionMask(ROCKET, 1 - half, always)]
    for progress, inside in ((0.0, 3.0), (0.75, 0.75), (1.0, 0.0)):
        added = bias(terms, Grid(1, 4), words, progress, query, key)[0, 0]
        assert added[:, 1].tolist() == [inside, inside, NEGATIVE, NEGATIVE]
        assert added[:, 2].tolist() == [inside, inside, 0, 0], "of a shared word each region says what holds in it"
    grid = Grid(1, 4, image=slice(None, 4), text=slice(4, None), both=True)
    joint = torch.randn(1, 3, 7, 8)
    added = bias(terms[:1], grid, Words({CASTLE: ((1,),)}, ((),)), 0.0, joint, joint)[0, 0]
    assert added[:4, 5].tolist() == [3, 3, NEGATIVE, NEGATIVE]
    assert added[5, :4].tolist() == [0, 0, NEGATIVE, NEGATIVE], "words look at the picture as ever"


def test_in_one_sequence_words_are_held_from_the_picture_where_asked() -> None:
    tokens, places = 3, 4
    joint = torch.randn(1, 2, tokens + places, 8)
    grid = Grid(1, 4, image=slice(tokens, None), text=slice(None, tokens))
    words = Words({CASTLE: ((1,),)}, ((1,),))
    added = bias([RegionMask(CASTLE, torch.eye(1, 4), always)], grid, words, 0.0, joint, joint)[0, 0]
    assert added.shape == (7, 7)
    assert added[tokens:, 1].tolist() == [0, NEGATIVE, NEGATIVE, NEGATIVE]
    both = bias([RegionMask(CASTLE, torch.eye(1, 4), always)], replace(grid, both=True), words, 0.0, joint, joint)[0, 0]
    assert both[1, tokens:].tolist() == [0, NEGATIVE, NEGATIVE, NEGATIVE]
    added[tokens:, 1] = both[tokens:, 1] = both[1] = 0
    assert (added == 0).all() and (both == 0).all()


@pytest.mark.parametrize(
    "off", [masks(REGIONS, until=0.0), masks(REGIONS, emphasis=8.0) * 0.0, masks(REGIONS) * until(0.0)]
)
def test_off_is_bit_for_bit_off(model: StableDiffusion1, off: Layout) -> None:
    assert torch.equal(paint(model, off), paint(model, None))
    assert torch.equal(paint(model, place(REGIONS) + off), paint(model, place(REGIONS)))
    assert torch.equal(paint(model, off + place(REGIONS)), paint(model, place(REGIONS)))


def test_masks_hold_in_every_layer_while_they_last_and_never_in_the_plain_pass(model: StableDiffusion1) -> None:
    network = AttentionMasks()
    with active_inside(model.network, network):
        paint(model, masks(REGIONS, until=0.5), steps=4)
    per_pass = len(network.seen) // 8
    cross = len(model.attention(torch.zeros(1, 4, 8, 12)))
    given = [sum(mask is not None for mask in network.seen[i * per_pass : (i + 1) * per_pass]) for i in range(8)]
    assert given == [cross, 0] * 2 + [0] * 4


def test_masks_change_the_picture_with_energies_and_without(model: StableDiffusion1) -> None:
    pictures = [
        paint(model, layout) for layout in (None, masks(REGIONS), place(REGIONS), place(REGIONS) + masks(REGIONS))
    ]
    assert all(not torch.equal(a, b) for i, a in enumerate(pictures) for b in pictures[:i])
    assert torch.equal(pictures[-1], paint(model, sum([place(REGIONS), masks(REGIONS)], Layout())))


def test_layers_choose_where_masks_hold(model: StableDiffusion1) -> None:
    network = AttentionMasks()
    with active_inside(model.network, network):
        paint(model, masks(REGIONS, layers=["mid_block"]), steps=1)
    assert sum(mask is not None for mask in network.seen) == 1
    with pytest.raises(AttentionError, match="no layer of this network is masked for castle, rocket"):
        paint(model, masks(REGIONS, layers=["mid"]))


def test_energies_hear_what_is_not_masked(model: StableDiffusion1) -> None:
    """Of the first layer, which nothing before has changed: the very same attention."""
    latent, step = torch.randn(1, 4, 8, 12), model.steps(4, "ddim").steps[0]
    words, layers, text = model.words([PROMPT], [CASTLE, ROCKET]), model.attention(latent), model.encode([PROMPT])
    first, *_, last = layers
    tapes = []
    for layout in (Layout(), masks(REGIONS)):
        with (
            torch.no_grad(),
            masking(model.network, layers, words, layout.masks, 0.0),
            listening(model.network, layers, words) as tape,
        ):
            model.predict(latent, step, text)
        tapes.append(tape)
    assert torch.equal(tapes[0].attention[first], tapes[1].attention[first])
    assert not torch.equal(tapes[0].attention[last], tapes[1].attention[last])


def test_recomputed_activations_are_masked_too(model: StableDiffusion1) -> None:
    seen = []
    layout = place(REGIONS) + masks(REGIONS)
    for checkpointing in (False, True):
        if checkpointing:
            model.network.train().enable_gradient_checkpointing()
        seen.append(paint(model, layout, steps=3))
    assert torch.equal(*seen)
    model.network.eval().disable_gradient_checkpointing()
    assert torch.equal(paint(model, layout, steps=3), seen[0])


def test_each_row_has_its_own_mask(model: StableDiffusion1) -> None:
    both = torch.stack([LEFT, LEFT.flip(1)])
    together = paint(model, masks({"castle": both}), seeds=[1, 2])
    for row in range(2):
        assert (together[row] - paint(model, masks({"castle": both[row]}), seeds=[row + 1])[0]).abs().max() < 1e-4


def test_nothing_is_left_behind_even_by_a_layer_that_raises(model: StableDiffusion1) -> None:
    layers = model.attention(torch.zeros(1, 4, 8, 12))
    words = Words({CASTLE: ((99,),), ROCKET: ((2,),)}, ((),))
    with pytest.raises(IndexError), masking(model.network, layers, words, masks(REGIONS).masks, 0.0):
        model.predict(torch.zeros(1, 4, 8, 12), model.steps(4, "ddim").steps[0], model.encode([PROMPT]))
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.network.modules())
    assert torch.equal(paint(model, None), paint(model, Layout()))
