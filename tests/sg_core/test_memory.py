# SPDX-License-Identifier: MIT
"""A network may guide only as a test has seen it guide: what would give a false gradient in silence is refused."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from sg_core import RequestError, generate, masks, place
from sg_core.memory import GIBIBYTE, MARGIN, TILE, MemoryPlan, Sparing, counted, plan, precision, refuse_untested
from sg_core.models.adapters import modules
from sg_core.models.cards import CONFIGURATIONS
from sg_core.models.estimate import Estimate
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from sg_core.models.model import Model
from tests.sg_core.flow_model import TinyFlow
from tests.sg_core.models.families import pipelines

LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0


def paint(flow: TinyFlow, layout=None) -> torch.Tensor:
    return generate(flow, "a castle", layout, width=64, height=64, scheduler="euler", steps=2, strength=1.0)


def test_casting_may_paint_and_may_not_guide(flow: TinyFlow) -> None:
    plain = paint(flow, masks({"castle": LEFT}))
    flow.network.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    with pytest.raises(RequestError, match=r"layerwise casting and weights in torch\.float8_e4m3fn"):
        paint(flow, place({"castle": LEFT}))
    assert (paint(flow, masks({"castle": LEFT})) - plain).abs().mean() < 0.1


def test_offloading_to_disk_may_not_guide(flow: TinyFlow, tmp_path) -> None:
    options = {"offload_type": "leaf_level", "offload_to_disk_path": str(tmp_path)}
    flow.network.enable_group_offload(onload_device=torch.device("cpu"), **options)
    with pytest.raises(RequestError, match="group offloading, and gradients"):
        paint(flow, place({"castle": LEFT}))


class Packed(torch.Tensor):
    """Weights of another kind than plain ones, as quantisers make them."""


def test_weights_of_another_kind_may_not_guide() -> None:
    network = nn.Linear(2, 2)
    refuse_untested(network)
    refuse_untested(network.bfloat16())
    network.weight = nn.Parameter(torch.zeros(2, 2).as_subclass(Packed), requires_grad=False)
    with pytest.raises(RequestError, match="weights of the kind Packed"):
        refuse_untested(network)


@pytest.mark.parametrize("family", ["stable-diffusion-1", "stable-diffusion-xl"])
def test_a_processor_computes_in_float32(family: str) -> None:
    assert precision("cpu", family) == torch.float32
    assert precision("cuda", "stable-diffusion-1") == torch.float32


PARTS = Estimate(encoders=15, network=48, decoder=2, free=5, guided=39, checkpointed=5, decoding=15)
"""As Stable Diffusion XL has them at 1024, in tenths of a gibibyte."""


@pytest.mark.parametrize(
    ("room", "chosen"),
    [
        (104, MemoryPlan(needed=104)),
        (103, MemoryPlan(parks=True, needed=89)),
        (88, MemoryPlan(checkpoints=True, needed=80)),
        (79, MemoryPlan(parks=True, checkpoints=True, needed=65)),
        (10, MemoryPlan(parks=True, checkpoints=True, needed=65)),
    ],
)
def test_the_cheapest_plan_that_fits_is_taken(room: int, chosen: MemoryPlan) -> None:
    """Parked encoders are on the device while they read, together with the rest."""
    expected = replace(chosen, needed=chosen.needed + MARGIN)
    assert plan(PARTS, room + MARGIN) == expected


def test_tiles_are_the_last_resort() -> None:
    """They change pixels, so everything else is tried before."""
    parts = replace(PARTS, encoders=5, tiled=3)
    whole, tiled = 48 + 2 + 15, 48 + 2 + 5
    assert plan(parts, whole + MARGIN) == MemoryPlan(True, True, False, whole + MARGIN)
    assert plan(parts, whole + MARGIN - 1) == MemoryPlan(False, True, True, tiled + 5 + MARGIN)
    assert plan(parts, 1) == MemoryPlan(True, True, True, tiled + MARGIN)


def test_what_may_not_be_checkpointed_is_not() -> None:
    parts = Estimate(encoders=15, network=48, decoder=2, free=5, guided=39, checkpointed=None, decoding=15)
    assert plan(parts, 1) == MemoryPlan(parks=True, needed=89 + MARGIN)


def test_stable_diffusion_xl_fits_eight_gibibytes() -> None:
    estimate = counted(str(CONFIGURATIONS / "stable-diffusion-xl"), "bfloat16", 1024, 1024)
    assert estimate is not None
    assert not plan(estimate, 12 * GIBIBYTE).checkpoints
    eight = plan(estimate, 8 * GIBIBYTE)
    assert eight.checkpoints and not eight.tiles and eight.needed <= 8 * GIBIBYTE
    assert estimate.tiled is not None and estimate.tiled < estimate.decoding / 2


def test_what_cannot_be_counted_is_not_planned(tmp_path) -> None:
    assert counted(str(tmp_path / "nowhere"), "float32", 64, 64) is None


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "xl"
    torch.manual_seed(0)
    with quiet():
        pipelines.stable_diffusion_xl().save_pretrained(folder)
    return load(folder)


def guided(model: Model, prompt: str = "a huge castle", seed: int = 0) -> torch.Tensor:
    options = {"width": 96, "height": 64, "steps": 3, "scale": 3.0, "strength": 1.0}
    return generate(model, prompt, place({"castle": LEFT}), seeds=[seed], negative="fog", **options)


@pytest.mark.parametrize("parks", [False, True])
@pytest.mark.parametrize("checkpoints", [False, True])
def test_a_plan_changes_no_bit(tiny: Model, parks: bool, checkpoints: bool) -> None:
    plain, sparing = guided(tiny), Sparing(tiny)
    sparing.follow(MemoryPlan(parks, checkpoints))
    assert tiny.network.is_gradient_checkpointing == checkpoints
    assert torch.equal(guided(sparing), plain) and torch.equal(guided(sparing), plain)
    sparing.follow(MemoryPlan())
    assert not tiny.network.is_gradient_checkpointing and torch.equal(guided(sparing), plain)


def test_encoders_and_network_take_turns(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves does so before the other comes; and a prompt that was read before moves nothing."""
    moves: list[tuple[nn.Module, str]] = []
    move = nn.Module.to

    def watched(part: nn.Module, device: object) -> nn.Module:
        moves.append((part, str(device)))
        return move(part, device)

    monkeypatch.setattr(nn.Module, "to", watched)
    plain, sparing = guided(tiny, "a castle by night"), Sparing(tiny)
    sparing._device = torch.device("cpu:0")  # the same, under a name that tells it from where things wait
    sparing.follow(MemoryPlan(parks=True, alternates=True))
    one, two, network = (modules(tiny)[name] for name in ("text_encoder", "text_encoder_2", "unet"))
    moves.clear()
    assert (guided(sparing, "a castle by night") - plain).abs().max() < 1e-5  # weights lie elsewhere now
    reading = [(network, "cpu"), (one, "cpu:0"), (two, "cpu:0")]
    painting = [(one, "cpu"), (two, "cpu"), (network, "cpu:0")]
    assert moves == 2 * [*reading, *painting], "the prompt, and what to avoid"
    moves.clear()
    guided(sparing, "a castle by night", seed=1)
    assert not moves
    sparing._device = torch.device("cpu")
    sparing.follow(MemoryPlan())


def test_tiles_change_a_picture_a_little(tiny: Model) -> None:
    """Larger than a tile, for one that is not is decoded whole."""
    sparing = Sparing(tiny)
    latent = torch.randn(1, 4, TILE, TILE + 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, small = sparing.decode(latent), sparing.decode(latent[..., :TILE])
        sparing.follow(MemoryPlan(tiles=True))
        tiled, one = sparing.decode(latent), sparing.decode(latent[..., :TILE])
        sparing.follow(MemoryPlan())
    assert tiled.shape == whole.shape and torch.equal(one, small)
    assert 0 < (tiled - whole).abs().mean() < 0.1
    with torch.no_grad():
        assert torch.equal(sparing.decode(latent), whole), "and off again"


def test_a_prompt_is_read_once(tiny: Model) -> None:
    calls: list[int] = []
    handle = modules(tiny)["text_encoder_2"].register_forward_hook(lambda *_: calls.append(1))
    try:
        sparing = Sparing(tiny)
        first, other = guided(sparing), guided(sparing, seed=1)
        assert len(calls) == 2, "the prompt, and what to avoid"
        assert not torch.equal(first, other)
        guided(sparing, "a castle and a rocket")
        assert len(calls) == 3
        for number in range(100):
            sparing.encode([f"castle {number}"])
        guided(sparing)
        assert len(calls) == 3 + 100 + 2, "what was read long ago is forgotten"
    finally:
        handle.remove()
