# SPDX-License-Identifier: MIT
"""Attention by values against the explicit matrix: the same numbers and gradients, in every kind of attention."""

from contextlib import ExitStack

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from sg_core import Grid, Phrase, forgetting_after, listening, load, place
from sg_core.attention.hooks import active_inside
from sg_core.attention.mass import attention_mass, condensed, key_values
from sg_core.attention.tape import Tape
from sg_core.errors import AttentionError
from sg_core.tokens import Words
from tests.sg_core.flow_model import build_network

CASTLE, ROCKET = Phrase("castle"), Phrase("rocket")
LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0
REGIONS = {"castle": LEFT, "rocket": 1 - LEFT}


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def explicit(grid: Grid, query, key, mask=None, scale=None) -> torch.Tensor:
    """The definition: a softmax over all keys of every place, (batch, head, place, token)."""
    if key.shape[1] != query.shape[1]:
        key = key.repeat_interleave(query.shape[1] // key.shape[1], 1)
    scores = query[:, :, grid.image] @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        rows = mask if mask.shape[-2] == 1 else mask[..., grid.image, :]
        scores = scores.masked_fill(~rows, float("-inf")) if rows.dtype == torch.bool else scores + rows
    return scores.softmax(-1)[..., grid.text]


class Explicitly(TorchFunctionMode):
    """Records a layer as the definition says."""

    def __init__(self, layer: str, grid: Grid, tape: Tape) -> None:
        super().__init__()
        self.layer, self.grid, self.tape = layer, grid, tape

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is F.scaled_dot_product_attention:
            options = kwargs or {}
            attention = explicit(self.grid, *args[:2], options.get("attn_mask"), options.get("scale")).mean(1)
            self.tape.attention[self.layer] = attention.unflatten(1, (self.grid.rows, self.grid.columns))
        return func(*args, **(kwargs or {}))


def compared(network: nn.Module, layers: dict[str, Grid], words: Words, latent: torch.Tensor, predict) -> None:
    """Bit-identical output; energies to 1e-5 and gradients to 1e-4 of the explicit form, forgetting and not."""
    energy = place(REGIONS)
    with torch.no_grad():
        alone = predict(latent)

    def through(tape: Tape, leaf: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value = energy(tape).energy.sum()
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    leaf = latent.clone().requires_grad_()
    tape = Tape({}, words)
    with ExitStack() as hooks:
        for name, grid in layers.items():
            hooks.enter_context(active_inside(network.get_submodule(name), Explicitly(name, grid, tape)))
        predict(leaf)
    expected = through(tape, leaf)
    leaf = latent.clone().requires_grad_()
    with listening(network, layers, words) as heard, forgetting_after(network, layers):
        output = predict(leaf)
    seen = through(heard, leaf)
    assert torch.equal(output, alone)
    assert (seen[0] - expected[0]).abs() < 1e-5
    assert (seen[1] - expected[1]).abs().max() < 1e-4 * expected[1].abs().max()


def test_toybox_is_heard_as_the_definition_says() -> None:
    model, prompt = load("toybox"), "a castle and a rocket on a meadow"
    latent, step, text = draw(1, *model.latent_shape(128, 128)), model.steps(8, "ddim").steps[1], model.encode([prompt])
    words = model.words([prompt], [CASTLE, ROCKET])
    compared(model.network, model.layers(latent), words, latent, lambda z: model.predict(z, step, text))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_joint_attention_is_heard_as_the_definition_says(dtype: torch.dtype) -> None:
    """Stable Diffusion 3: the picture's places and then the words' in one sequence, both changed by every block."""
    network = build_network().to(dtype)
    rows, columns, tokens = 4, 6, 10
    grid = Grid(rows, columns, image=slice(0, rows * columns), text=slice(rows * columns, None))
    layers = {f"transformer_blocks.{i}.attn": grid for i in range(3)}
    text, pooled = draw(1, tokens, 16, seed=1).to(dtype), draw(1, 16, seed=2).to(dtype)
    words = Words({CASTLE: ((2,),), ROCKET: ((5, 6),)}, ((1, 2, 3, 4, 5, 6),))
    latent, time = draw(1, 4, 2 * rows, 2 * columns).to(dtype), torch.tensor([700.0])

    def predict(z: torch.Tensor) -> torch.Tensor:
        return network(z, text, pooled, time.to(dtype), return_dict=False)[0]

    compared(network, layers, words, latent, predict)


@pytest.mark.parametrize("heads", [4, 2, 1])
def test_scales_masks_and_shared_heads_are_obeyed(heads: int) -> None:
    query, key = draw(2, 4, 6, 4), draw(2, heads, 5, 4, seed=1)
    allowed, grid = torch.tensor([True, True, False, True, False]), Grid(2, 3)
    values = key_values((tuple(range(5)),) * 2, 0, 5, query)
    for mask in (None, allowed.expand(6, 5), allowed.expand(1, 1, 1, 5), draw(6, 5, seed=2)):
        seen = attention_mass(query, key, values, mask, 0.3)
        assert torch.allclose(seen, explicit(grid, query, key, mask, 0.3).mean(1), atol=1e-6)


def test_more_words_than_a_head_has_channels() -> None:
    query, key = draw(1, 2, 6, 4), draw(1, 2, 11, 4, seed=1)
    values = key_values((tuple(range(11)),), 0, 11, query)
    assert torch.allclose(attention_mass(query, key, values), explicit(Grid(2, 3), query, key).mean(1), atol=1e-6)


def test_half_precision_is_heard_in_single() -> None:
    query, key = draw(1, 2, 6, 4).bfloat16(), draw(1, 2, 5, 4, seed=1).bfloat16()
    seen = attention_mass(query, key, key_values(((1, 3),), 0, 5, query))
    assert seen.dtype == torch.float32
    assert torch.equal(seen, attention_mass(query.float(), key.float(), key_values(((1, 3),), 0, 5, query)))


def test_only_query_and_key_are_kept_for_the_gradient() -> None:
    kept: list[torch.Tensor] = []
    query, key = draw(1, 2, 64, 4).requires_grad_(), draw(1, 2, 80, 4, seed=1)
    values = key_values(((1, 3),), 0, 80, query)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        attention_mass(query, key, values).square().sum().backward()
    assert 64 * 80 not in {tensor.numel() // (tensor.shape[0] * 2) for tensor in kept}
    assert query.grad is not None


def test_each_row_has_its_own_columns() -> None:
    together, (content, rocket) = condensed([((1, 2, 4), (3,)), ((2, 4), (3,))])
    assert together == ((1, 2, 4), (3,))
    assert (content, rocket) == (((0, 1, 2), (0,)), ((1, 2), (0,)))
    values = key_values(together, 10, 16, torch.zeros(()))
    assert values.nonzero().tolist() == [[0, 11, 0], [0, 12, 1], [0, 14, 2], [1, 13, 0]]


class Speaker(nn.Module):
    """Attention whose keys have fewer heads than its queries."""

    def forward(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(query, key, key, enable_gqa=True)


def test_shared_heads_are_overheard_and_wrong_grids_refused() -> None:
    network = nn.Sequential()
    network.layer = Speaker()
    query, key = draw(1, 4, 6, 4), draw(1, 2, 5, 4, seed=1)
    with listening(network, {"layer": Grid(2, 3)}) as tape:
        network.layer(query, key)
    assert torch.allclose(tape.attention["layer"].flatten(1, 2), explicit(Grid(2, 3), query, key).mean(1), atol=1e-6)
    with pytest.raises(AttentionError, match="6 places, not 1 x 4"), listening(network, {"layer": Grid(1, 4)}):
        network.layer(query, key)
