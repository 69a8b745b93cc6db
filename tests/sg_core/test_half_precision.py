# SPDX-License-Identifier: MIT
"""float16 may guide: scaled on its way through the network, a gradient is that of float32 where it would vanish."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from sg_core import generate, place
from sg_core.attention.tape import listening
from sg_core.memory import gradient_of, is_narrow, precision
from sg_core.models.adapters import modules
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from sg_core.models.model import Model
from sg_core.tokens import Phrase
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines

PROMPT, CASTLE = "a huge castle and a red rocket", Phrase("castle")
LEFT = torch.zeros(8, 12)
LEFT[:, :4] = 1.0
SMALL = 2.0**-20  # of an energy: unscaled, nothing of its gradient is left in float16


@pytest.fixture(scope="module", params=["stable_diffusion_xl", "stable_diffusion_2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / request.param
    torch.manual_seed(0)
    with quiet():
        getattr(pipelines, request.param)().save_pretrained(path)
    return path


def gradient(model: Model, weight: float, *, scaled: bool) -> Tensor:
    """Of an energy of so little weight, through the whole network."""
    latent = torch.randn(1, *model.latent_shape(96, 64), generator=torch.Generator().manual_seed(2))
    step, leaf = model.steps(4, "ddim").steps[1], latent.requires_grad_(True)
    with listening(model.network, model.layers(leaf), model.words([PROMPT], [CASTLE])) as tape:
        model.predict(leaf, step, model.encode([PROMPT]))
    result = gradient_of(place({CASTLE: LEFT})(tape).energy * weight, leaf, scaled=scaled)
    assert result is not None and result.dtype == torch.float32
    return result / weight


def alike(one: Tensor, other: Tensor) -> float:
    return float(torch.cosine_similarity(one.flatten(), other.flatten(), dim=0))


@pytest.mark.parametrize("weight", [1.0, SMALL])
def test_a_scaled_gradient_is_that_of_float32(folder: Path, weight: float) -> None:
    exact = gradient(load(folder), 1.0, scaled=False)
    narrow = load(folder, dtype=torch.float16)
    assert is_narrow(narrow.network) and not is_narrow(load(folder).network)
    got = gradient(narrow, weight, scaled=True)
    assert alike(got, exact) > 0.99
    assert float(got.norm() / exact.norm()) == pytest.approx(1.0, abs=0.05)


def test_unscaled_it_vanishes(folder: Path) -> None:
    """Which is why it is scaled; in float32 so small an energy is no trouble."""
    exact, narrow = load(folder), load(folder, dtype=torch.float16)
    assert alike(gradient(exact, SMALL, scaled=False), gradient(exact, 1.0, scaled=False)) > 0.99
    assert not gradient(narrow, SMALL, scaled=False).any()


def test_a_checkpointed_gradient_is_scaled_as_well(folder: Path) -> None:
    narrow = load(folder, dtype=torch.float16)
    plain = gradient(narrow, 1.0, scaled=True)
    narrow.network.enable_gradient_checkpointing()
    assert (gradient(narrow, 1.0, scaled=True) - plain).abs().max() <= 1e-3 * plain.abs().max()


def test_in_a_network_that_is_not_narrow_nothing_is_scaled() -> None:
    leaf = torch.randn(2, 3, requires_grad=True)
    energy = (leaf**2).sum(1)
    assert torch.equal(gradient_of(energy, leaf, scaled=False), 2 * leaf)
    assert gradient_of(torch.ones(2), leaf, scaled=False) is None
    assert gradient_of(torch.ones(2), leaf, scaled=True) is None


def test_a_row_that_overflows_is_tried_with_less_and_touches_no_other() -> None:
    """The first needs the largest scale, the second takes only a small one, and the third none at all."""
    leaf = torch.ones(3, 4, requires_grad=True)
    narrow = leaf.half() * torch.tensor([[2.0**-14], [2.0**4], [1.0]]).half()
    rows = (narrow.float() * torch.tensor([[2.0**-20], [2.0**10], [float("inf")]])).sum(1)
    slope = gradient_of(rows, leaf, scaled=True)
    assert slope is not None
    assert torch.equal(slope, torch.tensor([[2.0**-34], [2.0**14], [0.0]]).expand(3, 4))
    assert not torch.autograd.grad(rows[0], leaf)[0][0].any(), "unscaled it vanishes"


def test_a_picture_is_painted_and_guided(folder: Path) -> None:
    narrow = load(folder, dtype=torch.float16)
    options = {"width": 96, "height": 64, "steps": 3, "scale": 3.0, "seeds": [1]}
    plain, guided = (generate(narrow, PROMPT, place({CASTLE: LEFT}), strength=s, **options) for s in (0.0, 1.0))
    exact = generate(load(folder), PROMPT, place({CASTLE: LEFT}), strength=1.0, **options)
    assert guided.isfinite().all() and not torch.equal(guided, plain)
    assert (guided - exact).abs().mean() < 0.3 * (guided - plain).abs().mean() + 0.01


def test_an_autoencoder_that_overflows_stays_wide(tmp_path: Path) -> None:
    """As XL's does: of a folder, and of a file."""
    with quiet():
        pipeline = pipelines.stable_diffusion_xl()
        pipeline.vae.register_to_config(force_upcast=True)
        pipeline.save_pretrained(tmp_path / "xl")
        checkpoint_file.save(pipeline, tmp_path / "xl.safetensors")
    for source in (tmp_path / "xl", tmp_path / "xl.safetensors"):
        parts = modules(load(source, dtype=torch.float16))
        dtypes = {name: next(part.parameters()).dtype for name, part in parts.items()}
        assert dtypes.pop("vae") == torch.float32 and set(dtypes.values()) == {torch.float16}
        wide = modules(load(source, dtype=torch.bfloat16))
        assert {next(part.parameters()).dtype for part in wide.values()} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("own", "emulated", "family", "chosen"),
    [
        (True, True, "stable-diffusion-xl-turbo", torch.bfloat16),
        (False, True, "stable-diffusion-xl", torch.float16),
        (False, True, "flux-1-dev", torch.bfloat16),
        (False, False, "flux-1-dev", torch.float32),
        (False, True, "stable-diffusion-1", torch.float32),
    ],
)
def test_a_card_without_bfloat16_computes_in_what_is_published(
    monkeypatch: pytest.MonkeyPatch, own: bool, emulated: bool, family: str, chosen: torch.dtype
) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: emulated if including_emulation else own
    )
    assert precision("cuda", family) == chosen
