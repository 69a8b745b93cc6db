# SPDX-License-Identifier: MIT
"""The cost bench: it counts what it says it counts, and prints one line."""

import json

import pytest
import torch

from benchmarks.cost import REGIONS, Seconds, in_turns, main
from benchmarks.cost_paths import attend_and_excite, bare_step, guided_step, plain_step, setting_of
from benchmarks.flops import flops
from sg_core import load
from sg_core.errors import RequestError
from sg_core.models.live_bytes import peak


@pytest.fixture(scope="module")
def setting():
    return setting_of(load("toybox"), 2)


def test_flops_of_a_product_are_counted_forwards_and_backwards():
    one, other = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7)
    product = 2 * 3 * 5 * 7
    assert flops(lambda: one.detach() @ other) == product
    assert flops(lambda: torch.autograd.grad((one @ other).sum(), one)) == 2 * product


def test_attention_is_counted_too():
    query = torch.ones(1, 2, 16, 8)
    counted = flops(lambda: torch.nn.functional.scaled_dot_product_attention(query, query, query))
    assert counted == 2 * (2 * 2 * 16 * 16 * 8)


def test_bytes_live_as_long_as_anything_needs_them():
    block = torch.zeros(1000, 256)

    def one_after_the_other():
        for _ in range(5):
            block + 1

    def all_at_once():
        return [block + 1 for _ in range(5)]

    def held_by_the_graph():
        leaf = block.clone().requires_grad_()
        return leaf.exp().exp().exp().sum()

    assert peak(one_after_the_other) == block.nbytes
    assert peak(all_at_once) == 5 * block.nbytes
    assert peak(held_by_the_graph) >= 4 * block.nbytes
    assert peak(one_after_the_other, [block]) == 2 * block.nbytes
    assert peak(lambda: block.T, [block]) == block.nbytes  # a view is no more bytes


def test_a_guided_step_costs_what_its_layers_cost(setting):
    plain, guided, bare = (flops(lambda work=work: work(setting)) for work in (plain_step, guided_step, bare_step))
    assert plain < bare <= guided < 1.05 * bare


def test_a_guided_step_is_another_than_a_plain_one(setting):
    assert torch.equal(plain_step(setting), plain_step(setting))
    assert not torch.equal(plain_step(setting), guided_step(setting))
    assert torch.is_grad_enabled()
    bare_step(setting)
    assert torch.is_grad_enabled()
    assert not any(module._forward_hooks for module in setting.model.network.modules())


def test_diffusers_own_pipeline_runs_on_the_same_network(setting):
    processors = dict(setting.model.network.attn_processors)
    pictures = attend_and_excite(setting, 2)
    assert pictures.shape == (1, 3, 256, 256)
    assert setting.model.network.attn_processors == processors


def test_only_models_that_diffusers_pipeline_takes():
    with pytest.raises(RequestError, match="StableDiffusion1"):
        setting_of(Other(), 1)  # type: ignore[arg-type]


class Other:
    """A model of another family, as far as that is asked."""

    card = load("toybox").card


def test_turns_are_taken_in_turns():
    order = []
    seconds = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2, "test")
    assert order == ["a", "b"] * 3
    assert len(seconds.durations["a"]) == 2
    known = Seconds({"a": [2.0, 4.0, 9.0], "b": [1.0, 2.0, 3.0]})
    assert known.ratio("a", "b") == 2.0
    assert known.spread("a", "b") == (2.0, 3.0)


@pytest.mark.timeout(600)
def test_the_command_prints_one_line_of_ratios(capsys):
    assert main(["--json", "--turns", "1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    asked = ["guided_step_ratio", "flop_limit", "run_ratio", "vs_attend_and_excite", "overhead", "memory_ratio"]
    assert list(figures)[:7] == [*asked, "regions"]
    assert list(figures["regions"]) == [str(count) for count in REGIONS]
    assert 1.0 < figures["flop_limit"] < 2.0
    assert 1.0 < figures["memory_ratio"] < 3.0
    assert figures["regions"]["1"] == 1.0
