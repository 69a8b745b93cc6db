# SPDX-License-Identifier: MIT
"""Terms beside the paper's: each does what it says, composes, and is bit for bit off when it weighs nothing."""

import pytest
import torch

from sg_core import Layout, Moment, apart, appended, colour, confined, generate, leakage, place, score, shaped_noise
from sg_core.attention.tape import Tape
from sg_core.energy import Energy
from sg_core.errors import EnergyError, RequestError, TokenError
from sg_core.layout import as_layout
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.schedule import until
from sg_core.terms.leakage import winning
from sg_core.terms.noise_shaping import NoiseShaping, low_power, lowest, shaped
from sg_core.tokens import Phrase, Words, occurrences

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 12)
LEFT[:, :6] = 1.0
REGIONS = {"castle": LEFT, "rocket": 1 - LEFT}
CASTLE, ROCKET = Phrase("castle"), Phrase("rocket")


def paint(model: StableDiffusion1, layout: Energy | Layout | None, **options) -> torch.Tensor:
    options = {"width": 96, "height": 64, "steps": 6, "strength": 1.0, **options}
    return generate(model, options.pop("prompts", PROMPT), layout, **options)


def errors(model: StableDiffusion1, layout: Energy | Layout, **options) -> list[float]:
    moments: list[Moment] = []
    paint(model, layout, watch=moments.append, **options)
    return [sum(moment.energies.values()) for moment in moments if moment.energies]


def tape(*attention: float, content: tuple[int, ...] = (1, 2)) -> Tape:
    """Two places; columns are start, castle, rocket, end."""
    maps = torch.tensor(attention).view(1, 1, 2, 4)
    return Tape({"layer": maps}, Words({CASTLE: ((1,),), ROCKET: ((2,),)}, (content,)))


def test_a_leak_is_a_word_that_wins_where_another_should() -> None:
    faint = tape(0.9, 0.05, 0.01, 0.04, 0.9, 0.01, 0.05, 0.04)
    assert winning(faint, CASTLE)[0, 0].tolist() == pytest.approx([0.982, 0.018], abs=1e-3)
    here, there = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert leakage("castle", here)(faint).energy.item() == pytest.approx(0.982, abs=1e-3)
    assert apart({"castle": here, "rocket": there})(faint).energy.item() == pytest.approx(0.018, abs=1e-3)
    assert apart({"castle": there, "rocket": here})(faint).energy.item() == pytest.approx(0.982, abs=1e-3)
    assert apart({"castle": here}).terms == ()


@pytest.mark.parametrize("layout", [apart(REGIONS), score(colour(LEFT, (1.0, 0.0, 0.0)), tolerance=0.01)])
def test_each_energy_falls_under_guidance(model: StableDiffusion1, layout: Energy) -> None:
    guided, free = (errors(model, layout, strength=strength, steps=8)[-1] for strength in (1.0, 0.0))
    assert guided < 0.95 * free


def test_a_colour_is_that_of_the_mean_inside_the_mask() -> None:
    picture = torch.zeros(1, 3, 16, 24)
    picture[:, 0, :, :12] = 1.0
    assert colour(LEFT, (1, 0, 0))(picture).item() < 1e-3
    assert colour(LEFT, (0, 0, 0))(picture).item() == pytest.approx(3**-0.5, abs=1e-3)
    assert colour(1 - LEFT, (0, 0, 0))(picture).item() < 1e-3


def test_a_score_gives_one_number_a_picture(model: StableDiffusion1) -> None:
    with pytest.raises(EnergyError, match=r"sharpness gives \(\) for 1 pictures"):
        paint(model, score(lambda picture: picture.mean(), name="sharpness"))
    with pytest.raises(EnergyError, match="no gradient"):
        paint(model, score(lambda picture: picture.detach().mean((1, 2, 3))))


def test_scores_and_what_is_heard_add_up(model: StableDiffusion1) -> None:
    together = place(REGIONS) + 0.5 * score(colour(LEFT, (1, 0, 0)), until(0.5))
    moments: list[Moment] = []
    paint(model, together, watch=moments.append)
    assert ["score" in moment.energies for moment in moments] == [True] * 3 + [False] * 3
    assert all(not m._forward_hooks for m in model.network.modules())


OFF = [
    place(REGIONS) + 0.0 * apart(REGIONS),
    place(REGIONS) + score(colour(LEFT, (1, 0, 0)), 0.0),
    place(REGIONS) + shaped_noise(0),
    place(REGIONS) + confined(torch.ones(8, 12)),
]


@pytest.mark.parametrize("layout", OFF)
def test_off_is_bit_for_bit_off(model: StableDiffusion1, layout: Energy | Layout) -> None:
    assert torch.equal(paint(model, layout), paint(model, place(REGIONS)))


def test_shaped_noise_lowers_the_energy_before_the_first_step(model: StableDiffusion1) -> None:
    layout = place(REGIONS)
    first = [errors(model, layout + shaped_noise(n), steps=4)[0] for n in (0, 1, 3)]
    assert first[0] > first[1] > first[2]
    assert not torch.equal(paint(model, layout + shaped_noise(1), steps=1), paint(model, layout, steps=1))
    assert torch.equal(paint(model, shaped_noise(3)), paint(model, None))  # no energy, nothing to follow
    apart = [paint(model, layout + shaped_noise(3, inside=inside), steps=1, strength=0.0) for inside in (LEFT, None)]
    assert not torch.equal(*apart)
    batch = paint(model, layout + shaped_noise(2), seeds=[1, 2])
    assert (batch[1] - paint(model, layout + shaped_noise(2), seeds=[2])[0]).abs().max() < 1e-4


def test_shaped_noise_keeps_mean_spread_and_spectrum() -> None:
    noise = torch.randn(2, 4, 16, 24, generator=torch.Generator().manual_seed(0))
    flat = torch.ones_like(noise)
    flat[..., 12:] = -1.0
    pushed = shaped(noise, NoiseShaping(3, length=0.5, bound=1.5), lambda z: flat)
    free = shaped(noise, NoiseShaping(3, length=0.5, bound=1e9), lambda z: flat)
    for result in (pushed, free):
        assert torch.allclose(result.mean((1, 2, 3)), noise.mean((1, 2, 3)), atol=1e-5)
        assert torch.allclose(result.std((1, 2, 3)), noise.std((1, 2, 3)), atol=1e-4)
    assert (low_power(free) > 3 * low_power(noise)).all()
    assert (low_power(pushed) < 1.8 * low_power(noise)).all()
    assert lowest(noise).float().mean() < 0.1
    with pytest.raises(RequestError, match="0 to 3 times, not 4"):
        shaped_noise(4)


def test_what_is_confined_changes_nothing_else_in_the_first_step(model: StableDiffusion1) -> None:
    moments: list[Moment] = []
    for layout in (None, place(REGIONS) + confined(LEFT)):
        paint(model, layout, steps=4, watch=lambda moment: moments.append(moment) if moment.step == 1 else None)
    plain, guided = (moment.latent for moment in moments)
    assert torch.equal(plain[..., 6:], guided[..., 6:])
    assert not torch.equal(plain[..., :6], guided[..., :6])


def test_words_are_appended_and_found_where_they_were_appended() -> None:
    prompt, phrases = appended("a blue castle", ["blue", "a rock", "blue"])
    assert prompt == "a blue castle, blue, a rock, blue"
    assert phrases == [Phrase("blue", 2), Phrase("a rock", 1), Phrase("blue", 3)]
    assert [occurrences(prompt, phrase) for phrase in phrases] == [[(15, 19)], [(21, 27)], [(29, 33)]]


@pytest.mark.parametrize("signs", ["-", "()", ""])
def test_mere_signs_are_not_appended(signs: str) -> None:
    with pytest.raises(TokenError, match="says no word"):
        appended("a blue castle", ["a rock", signs])


def test_a_region_that_the_prompt_does_not_name_is_guided_all_the_same(model: StableDiffusion1) -> None:
    prompt, (rock,) = appended("a castle", ["blue rock"])
    layout = place({"castle": LEFT, rock: 1 - LEFT})
    guided, free = (errors(model, layout, prompts=prompt, strength=strength)[-1] for strength in (1.0, 0.0))
    assert guided < free


def test_layouts_scale_and_add_whatever_they_hold() -> None:
    layout = 0.5 * (place(REGIONS) + shaped_noise(2) + confined(LEFT))
    assert layout.noise is not None and layout.noise.iterations == 2
    assert [term.weight(0.0) for term in layout.energy.terms] == [w.weight(0.0) * 0.5 for w in place(REGIONS).terms]
    assert len((layout + confined(1 - LEFT)).confined) == 2
    assert (layout + as_layout(place(REGIONS))).noise is layout.noise
    assert (layout + shaped_noise(1)).noise.iterations == 1
