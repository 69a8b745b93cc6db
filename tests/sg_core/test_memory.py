# SPDX-License-Identifier: MIT
"""A network may guide only as a test has seen it guide: what would give a false gradient in silence is refused."""

import pytest
import torch
from torch import nn

from sg_core import RequestError, generate, masks, place
from sg_core.memory import precision, refuse_untested
from tests.sg_core.flow_model import TinyFlow

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
