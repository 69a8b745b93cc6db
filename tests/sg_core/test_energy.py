# SPDX-License-Identifier: MIT
"""Energies of tapes drawn by hand: what they want, and how they add."""

import numpy as np
import pytest
import torch

from sg_core.attention.tape import Tape
from sg_core.edits.recipes import others, place
from sg_core.energy import Energy, centroid, keep_out, presence, shape, size
from sg_core.errors import EnergyError
from sg_core.schedule import always, fading, times, until
from sg_core.terms.properties import cell_centres
from sg_core.tokens import Phrase, Words

CASTLE, ROCKET = Phrase("castle"), Phrase("rocket")
TERMS = {
    "shape": shape("castle", torch.ones(4, 6)),
    "centroid": centroid("castle", 0.3, 0.6),
    "size": size("castle", 0.2),
    "presence": presence("castle"),
    "keep_out": keep_out("castle", torch.eye(4, 6)),
}


def blob(x: float, y: float, radius: float = 0.15, rows: int = 16, columns: int = 24) -> torch.Tensor:
    """Coverage of a disc, radius in fractions of the height: (y, x)."""
    ys, xs = cell_centres(torch.zeros(rows, columns))
    return torch.sigmoid((radius - torch.hypot((xs - x) * columns / rows, ys[:, None] - y)) * 60)


def tape(*castles: torch.Tensor, strength: float = 0.02) -> Tape:
    """One row a castle: columns are start, castle, rocket (always a disc on the right), end."""
    rows = []
    for castle in castles:
        rocket = 0.002 + 0.02 * blob(0.75, 0.5, rows=castle.shape[0], columns=castle.shape[1])
        seen = 0.002 + strength * castle
        rows.append(torch.stack([0.9 - seen - rocket, seen, rocket, torch.full_like(seen, 0.1)], -1))
    attention = torch.stack(rows)
    count = len(castles)
    words = Words({CASTLE: ((1,),) * count, ROCKET: ((2,),) * count}, ((1, 2),) * count)
    return Tape({"layer": attention}, words)


def error(energy: Energy, heard: Tape) -> list[float]:
    (values,) = energy(heard).errors.values()
    return values.tolist()


def test_errors_vanish_where_wishes_are_met() -> None:
    there = blob(0.3, 0.4)
    heard = tape(there)
    assert error(shape("castle", there), heard)[0] < 0.2
    assert error(centroid("castle", 0.3, 0.4), heard)[0] < 0.01
    assert error(size("castle", there.mean().item()), heard)[0] < 0.01
    assert error(presence("castle"), heard)[0] < 0.35
    assert error(keep_out("castle", blob(0.75, 0.5)), heard)[0] < 0.01


def test_errors_are_large_where_they_are_not() -> None:
    heard = tape(blob(0.3, 0.4))
    assert error(shape("castle", blob(0.75, 0.5)), heard)[0] > 0.95
    assert error(centroid("castle", 0.3, 0.9), heard)[0] == pytest.approx(0.5, abs=0.01)
    assert error(size("castle", 0.5), heard)[0] > 0.4
    assert error(keep_out("castle", blob(0.3, 0.4, 0.3)), heard)[0] > 0.95


def test_presence_sees_a_thing_vanish_that_keeps_its_outline() -> None:
    there = blob(0.3, 0.4)
    strong, faint = tape(there), tape(there, strength=0.0002)
    assert error(shape("castle", there), faint)[0] == pytest.approx(error(shape("castle", there), strong)[0], abs=1e-3)
    assert error(presence("castle"), faint)[0] > error(presence("castle"), strong)[0] + 0.2


@pytest.mark.parametrize("name", TERMS)
def test_going_down_the_gradient_lowers_the_energy(name: str) -> None:
    energy = TERMS[name]
    weights = torch.log(tape(blob(0.55, 0.5)).attention["layer"]).requires_grad_()
    words = tape(blob(0.5, 0.5)).words

    def value(logits: torch.Tensor) -> torch.Tensor:
        return energy(Tape({"layer": logits.softmax(-1)}, words)).energy.sum()

    before = value(weights)
    (slope,) = torch.autograd.grad(before, weights)
    assert slope.abs().sum() > 0
    assert value(weights - 0.02 * slope / slope.abs().max()) < before


@pytest.mark.parametrize("name", TERMS)
def test_rows_do_not_touch_each_other(name: str) -> None:
    one, other = blob(0.3, 0.4), blob(0.6, 0.5)
    both, alone = TERMS[name](tape(one, other)), TERMS[name](tape(other))
    assert torch.allclose(both.energy[1:], alone.energy, atol=1e-6)
    assert torch.allclose(both.worst[1:], alone.worst, atol=1e-4)


def test_rows_may_have_targets_of_their_own() -> None:
    one, other = blob(0.3, 0.4), blob(0.6, 0.5)
    heard = tape(one, other)
    assert max(error(shape("castle", torch.stack([one, other])), heard)) < 0.2
    assert min(error(shape("castle", torch.stack([other, one])), heard)) > 0.8
    assert max(error(centroid("castle", [0.3, 0.6], torch.tensor([0.4, 0.5])), heard)) < 0.01
    assert max(error(keep_out("castle", torch.stack([other, one])), heard)) < 0.1
    areas = [one.mean().item(), other.mean().item()]
    assert max(error(size("castle", areas), heard)) < 0.01


def test_masks_come_at_any_resolution_and_kind() -> None:
    heard = tape(blob(0.3, 0.4))
    fine = blob(0.3, 0.4, rows=160, columns=240)
    expected = error(shape("castle", blob(0.3, 0.4)), heard)[0]
    for mask in (fine, fine.numpy(), fine[None], fine.double().tolist(), np.asarray(fine, dtype=np.float16)):
        assert error(shape("castle", mask), heard)[0] == pytest.approx(expected, abs=0.06)


def test_targets_that_do_not_fit_the_batch_are_refused() -> None:
    heard = tape(blob(0.3, 0.4), blob(0.3, 0.4))
    with pytest.raises(EnergyError, match=r"mask of castle is \(3, 4, 6\).*2 rows"):
        shape("castle", torch.ones(3, 4, 6))(heard)
    with pytest.raises(EnergyError, match=r"target of castle has shape \(3,\)"):
        centroid("castle", [0.1, 0.2, 0.3], 0.5)(heard)
    with pytest.raises(EnergyError, match="without terms"):
        Energy()(heard)


def test_energies_add_and_scale() -> None:
    heard = tape(blob(0.3, 0.4))
    one, other = shape("castle", blob(0.6, 0.5)), centroid("rocket", 0.2, 0.2)
    layout = one + 0.5 * other
    assert layout.phrases == (CASTLE, ROCKET)
    assert torch.allclose(layout(heard).energy, one(heard).energy + 0.5 * other(heard).energy)
    assert torch.allclose((2 * (layout * 3))(heard).energy, 6 * layout(heard).energy)
    assert set(layout(heard).errors) == {"shape of castle", "centroid of rocket"}
    assert torch.equal(layout(heard).errors["centroid of rocket"], other(heard).errors["centroid of rocket"])
    assert sum([one, other], Energy()).terms == (one + other).terms


def test_schedules_scale_terms_and_silence_them() -> None:
    heard = tape(blob(0.3, 0.4))
    one, other = shape("castle", blob(0.6, 0.5)), size("castle", 0.4) * until(0.5) * fading(1.0)
    layout = one + other
    assert torch.allclose(layout(heard, 0.25).energy, one(heard).energy + 0.75 * other(heard, 0.0).energy)
    assert layout.at(0.25).terms == layout.terms
    assert layout.at(0.5).terms == one.terms
    assert other.at(0.5).terms == ()


def test_schedules() -> None:
    assert [always(p) for p in (0.0, 0.9)] == [1.0, 1.0]
    assert [until(0.5)(p) for p in (0.0, 0.49, 0.5, 0.9)] == [1.0, 1.0, 0.0, 0.0]
    assert [fading(0.5)(p) for p in (0.0, 0.25, 0.5, 0.9)] == [1.0, 0.5, 0.0, 0.0]
    assert times(fading(1.0), until(0.5))(0.25) == 0.75


def test_worst_is_the_error_furthest_beyond_its_tolerance() -> None:
    heard = tape(blob(0.3, 0.4))
    reading = (size("castle", 0.5, tolerance=0.1) + centroid("castle", 0.3, 0.9, tolerance=1.0))(heard)
    assert reading.worst[0] == reading.errors["size of castle"][0] / 0.1
    assert reading.means()["size of castle"] == reading.errors["size of castle"][0].item()


def test_the_larger_of_two_errors_with_one_name_is_told() -> None:
    heard = tape(blob(0.3, 0.4))
    far, near = centroid("castle", 0.9, 0.9), centroid("castle", 0.3, 0.4)
    for layout in (far + near, near + far):
        assert torch.equal(layout(heard).errors["centroid of castle"], far(heard).errors["centroid of castle"])


def test_keeping_out_of_all_others_at_once_is_the_mean_of_keeping_out_of_each() -> None:
    masks = torch.zeros(3, 12, 12)
    masks[0, :5], masks[1, 5:8, :6], masks[2, 8:] = 1, 0.6, 1
    regions = {"castle": masks[0], "rocket": masks[1, ::2, ::2], "tree": masks[2].expand(2, -1, -1)}
    away = others(regions)
    assert {tuple(mask.shape) for mask in away.values()} == {(2, 12, 12)}
    heard = tape(blob(0.3, 0.4), blob(0.7, 0.6))
    pairs = [keep_out("castle", regions[other])(heard).energy for other in ("rocket", "tree")]
    assert torch.allclose(0.5 * keep_out("castle", away["castle"])(heard).energy, sum(pairs) / 2, atol=0.02)
    even = others({"castle": masks[0], "rocket": masks[1], "tree": masks[2]})["castle"]
    pairs = [keep_out("castle", mask)(heard).energy for mask in masks[1:]]
    assert torch.allclose(0.5 * keep_out("castle", even)(heard).energy, sum(pairs) / 2, atol=1e-6)
    assert others({"castle": masks[0]}) == {}


def test_place_keeps_things_on_their_masks_apart_and_present() -> None:
    castle, rocket = blob(0.3, 0.4), blob(0.75, 0.5)
    layout = place({"castle": castle, "rocket": rocket})
    good, swapped = layout(tape(castle)), place({"castle": rocket, "rocket": castle})(tape(castle))
    kinds = {f"{kind} of {phrase}" for kind in ("shape", "presence", "keep_out") for phrase in ("castle", "rocket")}
    assert set(good.errors) == kinds
    assert good.worst < 1 < swapped.worst
    assert good.energy < 0.5 * swapped.energy
    assert set(place({"castle": castle})(tape(castle)).errors) == {"shape of castle", "presence of castle"}
