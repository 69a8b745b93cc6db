# SPDX-License-Identifier: MIT
"""Law 3: listening changes nothing, hears everything, leaves nothing behind."""

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sg_core.attention.tape import Grid, Tape, forgetting_after, listening
from sg_core.conditioning import Conditioning
from sg_core.errors import AttentionError
from sg_core.models.model import Step
from sg_core.models.stable_diffusion_1 import StableDiffusion1, cross_attention
from sg_core.tokens import Phrase, Words

STEP = Step(index=0, total=4, time=700, alpha=0.3, sigma=0.95)
FIRST = "down_blocks.0.attentions.0.transformer_blocks.0.attn2"


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def gradient(model: StableDiffusion1, forgetting: bool = False) -> torch.Tensor:
    """Of a function of all that was heard, by the latent."""
    latent, text = draw(1, 4, 6, 10).requires_grad_(), model.encode(["a castle"])
    layers = model.layers(latent)
    quiet = forgetting_after(model.network, layers) if forgetting else nullcontext()
    with listening(model.network, layers) as tape, quiet:
        model.predict(latent, STEP, text)
    heard = sum(attention[..., 2].square().sum() for attention in tape.attention.values())
    return torch.autograd.grad(heard, latent)[0]


class Speaker(nn.Module):
    """One attention layer that passes on whatever options it is given."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.options = options

    def forward(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(query, key, key, **self.options)


class Network(nn.Module):
    """Something with one layer called ``layer``, which speaks ``times`` times."""

    def __init__(self, layer: nn.Module, times: int = 1) -> None:
        super().__init__()
        self.layer = layer
        self.times = times

    def forward(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        for _ in range(self.times):
            self.layer(query, key)
        return query


def overhear(network: Network, columns: int = 3) -> torch.Tensor:
    """Six places, five words."""
    with listening(network, {"layer": Grid(6 // columns, columns)}) as tape:
        network(draw(1, 2, 6, 4), draw(1, 2, 5, 4, seed=1))
    return tape.attention["layer"]


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (5, 7)])
def test_output_is_bit_identical_and_no_hook_stays(model: StableDiffusion1, size: tuple[int, int]) -> None:
    latent, text = draw(2, 4, *size), model.encode(["a castle", "a rocket"])
    alone = model.predict(latent, STEP, text)
    layers = model.layers(latent)
    with listening(model.network, layers) as tape, forgetting_after(model.network, layers):
        heard = model.predict(latent, STEP, text)
    assert torch.equal(alone, heard)
    assert hooks(model.network) == 0
    assert list(tape.attention) == list(layers)
    assert torch.is_grad_enabled()
    for name, grid in layers.items():
        assert tape.attention[name].shape == (2, grid.rows, grid.columns, 16)


def test_hooks_go_when_the_network_raises(model: StableDiffusion1) -> None:
    layers = model.layers(torch.zeros(1, 4, 8, 8))
    with pytest.raises(RuntimeError), listening(model.network, layers), forgetting_after(model.network, layers):
        model.predict(torch.zeros(1, 3, 8, 8), STEP, model.encode(["a castle"]))
    assert hooks(model.network) == 0
    assert torch.is_grad_enabled()


def test_a_planted_vertical_gradient_comes_back_unflipped(model: StableDiffusion1) -> None:
    """A layer told to compare with a word what is brighter towards the bottom says: more of it towards the bottom."""
    layer = model.network.get_submodule(FIRST)
    nn.init.constant_(layer.to_q.weight, 0.1)
    nn.init.constant_(layer.to_k.weight, 0.1)
    rows, columns = 6, 10
    ramp = torch.linspace(-1, 1, rows).repeat_interleave(columns)
    text = torch.zeros(1, 16, layer.to_k.in_features)
    text[0, 3] = 0.1
    words = Words({Phrase("rocket"): ((3,),)}, ((3,),))
    planted = layer.register_forward_pre_hook(lambda module, args: (ramp[None, :, None].expand_as(args[0]),))
    latent = draw(1, 4, rows, columns)
    layers = {FIRST: model.layers(latent)[FIRST]}
    with torch.no_grad(), planted, listening(model.network, layers, words) as tape:
        model.predict(latent, STEP, Conditioning({"encoder_hidden_states": text}))
    seen = tape.map(Phrase("rocket"))[0]
    assert seen.shape == (rows, columns)
    assert (seen.diff(dim=0) > 0).all()
    assert (seen.diff(dim=1).abs() < 1e-6).all()


@pytest.mark.parametrize(("size", "halved"), [((8, 8), (4, 4)), ((6, 10), (3, 5)), ((5, 7), (3, 4)), ((16, 4), (8, 2))])
def test_grids_follow_the_latent(model: StableDiffusion1, size: tuple[int, int], halved: tuple[int, int]) -> None:
    layers = model.layers(torch.zeros(1, 4, *size))
    grids = {name.partition(".attentions")[0]: (grid.rows, grid.columns) for name, grid in layers.items()}
    assert grids == {
        "down_blocks.0": size,
        "down_blocks.1": halved,
        "mid_block": halved,
        "up_blocks.0": halved,
        "up_blocks.1": size,
    }


def test_a_card_chooses_blocks(model: StableDiffusion1) -> None:
    chosen = cross_attention(model.network, (6, 10), ["mid_block", "up_blocks.1"])
    assert {name.partition(".attentions")[0] for name in chosen} == {"mid_block", "up_blocks.1"}
    with pytest.raises(AttentionError, match=r"no cross-attention in up_blocks\.7"):
        cross_attention(model.network, (6, 10), ["up_blocks.7"])


def test_checkpointing_records_once_with_the_same_gradient(model: StableDiffusion1) -> None:
    plain = gradient(model)
    model.network.train()
    model.network.enable_gradient_checkpointing()
    assert torch.equal(gradient(model), plain)


def test_checkpointing_inside_the_listening_block_is_not_heard_again(model: StableDiffusion1) -> None:
    plain = gradient(model)
    model.network.train()
    model.network.enable_gradient_checkpointing()
    latent, text = draw(1, 4, 6, 10).requires_grad_(), model.encode(["a castle"])
    with listening(model.network, model.layers(latent)) as tape:
        model.predict(latent, STEP, text)
        heard = sum(attention[..., 2].square().sum() for attention in tape.attention.values())
        assert torch.equal(torch.autograd.grad(heard, latent)[0], plain)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_forgetting_keeps_the_gradient(model: StableDiffusion1, checkpointing: bool) -> None:
    plain = gradient(model)
    if checkpointing:
        model.network.train()
        model.network.enable_gradient_checkpointing()
    assert torch.equal(gradient(model, forgetting=True), plain)


def test_forgetting_keeps_fewer_activations(model: StableDiffusion1) -> None:
    def kept(forgetting: bool) -> int:
        total = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel()
            return tensor

        latent, text = draw(1, 4, 8, 8).requires_grad_(), model.encode(["a castle"])
        layers = cross_attention(model.network, (8, 8), ["down_blocks.1"])
        quiet = forgetting_after(model.network, layers) if forgetting else nullcontext()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t), quiet:
            model.predict(latent, STEP, text)
        return total

    assert kept(True) < 0.5 * kept(False)


def test_gradients_agree_with_differences(model: StableDiffusion1) -> None:
    double = model.network.double()
    text = model.encode(["a castle"]).inputs["encoder_hidden_states"].double()

    def energy(latent: torch.Tensor) -> torch.Tensor:
        layers = cross_attention(double, (2, 3), ["down_blocks.0", "mid_block"])
        with listening(double, layers) as tape:
            double(latent, 700, encoder_hidden_states=text)
        return torch.stack([attention[..., 2].mean() for attention in tape.attention.values()]).sum()

    assert torch.autograd.gradcheck(energy, (draw(1, 4, 2, 3).double().requires_grad_(),))


def test_a_compiled_network_is_refused() -> None:
    compiled = torch.compile(Network(Speaker()), backend="eager")
    with pytest.raises(AttentionError, match="compiled"), listening(compiled, {}):
        pass
    inside = Network(Speaker())
    inside.layer.compile(backend="eager")
    with pytest.raises(AttentionError, match="compiled"):
        overhear(inside)


def test_a_layer_that_does_not_exist_is_named() -> None:
    with pytest.raises(AttentionError, match="no layer attn9"), listening(Network(Speaker()), {"attn9": Grid(2, 3)}):
        pass


def test_a_layer_that_does_not_speak_is_named() -> None:
    with pytest.raises(AttentionError, match="not heard: layer"):
        overhear(Network(Speaker(), times=0))
    with pytest.raises(AttentionError, match="not heard: layer"):
        overhear(Network(Silent()))


class Silent(nn.Module):
    """Attention that is not scaled_dot_product_attention."""

    def forward(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return (query @ key.mT).softmax(-1) @ key


def test_a_tape_holds_one_pass() -> None:
    with pytest.raises(AttentionError, match="layer spoke twice"):
        overhear(Network(Speaker(), times=2))


@pytest.mark.parametrize("option", [{"dropout_p": 0.1}, {"is_causal": True}])
def test_what_cannot_be_overheard_is_refused(option: dict[str, object]) -> None:
    with pytest.raises(AttentionError, match=next(iter(option))):
        overhear(Network(Speaker(**option)))


def test_a_wrong_grid_is_refused() -> None:
    with pytest.raises(AttentionError, match="6 places, not 1 x 4"):
        overhear(Network(Speaker()), columns=4)


def test_maps_are_sums_over_columns_means_over_layers_and_each_row_has_its_own() -> None:
    fine, coarse = draw(2, 4, 6, 5).softmax(-1), draw(2, 2, 3, 5, seed=1).softmax(-1)
    rocket = Phrase("rocket")
    tape = Tape({"fine": fine, "coarse": coarse}, Words({rocket: ((1, 2), (3,))}, ((1, 2, 3), (3,))))
    one = fine[0, ..., 1:3].sum(-1)
    other = coarse[0, ..., 1:3].sum(-1).repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert tape.grid == (4, 6)
    assert torch.allclose(tape.map(rocket)[0], (one + other) / 2, atol=1e-6)
    assert torch.allclose(tape.map(rocket)[1], tape.content()[1])
