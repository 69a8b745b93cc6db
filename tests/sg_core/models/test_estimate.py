# SPDX-License-Identifier: MIT
"""What is counted on shapes alone is what real tensors take; and the real Stable Diffusion fits where it should."""

from pathlib import Path

import pytest
import torch

from benchmarks import memory
from sg_core.attention.tape import forgetting_after, listening
from sg_core.models.adapters import modules
from sg_core.models.cards import CONFIGURATIONS
from sg_core.models.estimate import GIBIBYTE, PHRASE, PROMPT, Estimate, estimate, outline
from sg_core.models.folder import quiet
from sg_core.models.live_bytes import peak
from sg_core.models.loading import load
from sg_core.models.model import Model
from tests.sg_core.models.families import pipelines

MADE = {
    "stable_diffusion_xl": pipelines.stable_diffusion_xl,
    "flux": lambda: pipelines.flux_1(True),
    "qwen_image": pipelines.qwen_image,
    "z_image": pipelines.z_image,
}


@pytest.fixture(scope="module", params=MADE)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / request.param
    with quiet():
        MADE[request.param]().save_pretrained(path)
    return path


def guided(model: Model) -> int:
    """Bytes of real tensors that one heard pass takes beside the weights."""
    held = [weight for part in modules(model).values() for weight in (*part.parameters(), *part.buffers())]
    latent = torch.zeros(1, *model.latent_shape(96, 64))
    step = model.steps(2, "ddim", (8, 12)).steps[0]

    def work() -> None:
        leaf, layers = latent.detach().requires_grad_(True), model.layers(latent)
        text = model.encode([PROMPT])
        text = text.guided(3.5) if model.card.guided_by == "input" else text
        quiet_later = forgetting_after(model.network, layers)
        with listening(model.network, layers, model.words([PROMPT], [PHRASE])) as tape, quiet_later:
            model.predict(leaf, step, text)
        torch.autograd.grad(tape.map(PHRASE).sum(), leaf)

    work()  # once uncounted, for some networks keep tables from their first pass on
    return peak(work, held) - sum({w.untyped_storage()._cdata: w.nbytes for w in held}.values())


def test_shapes_alone_say_what_real_tensors_take(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = load(folder)
    tokens = next(iter(real.encode([PROMPT]).rows.values())).shape[1]
    monkeypatch.setattr("sg_core.models.estimate.TOKENS", tokens)  # where it is not encoded
    outlined = estimate(outline(folder, torch.float32), 96, 64)
    sizes = {n: sum(w.nbytes for w in part.parameters()) for n, part in modules(real).items()}
    assert outlined.weights == sum(sizes.values()) and outlined.decoder == sizes["vae"]
    assert outlined.guided == pytest.approx(guided(real), rel=0.1)
    assert outlined.checkpointed is not None and outlined.checkpointed <= outlined.guided
    assert 0 < outlined.free < outlined.guided


def test_stable_diffusion_fits_four_gibibytes() -> None:
    """In half precision, with everything on the card at once; 860 million weights of the network."""
    figures = estimate(outline(CONFIGURATIONS / "stable-diffusion-1"), 512, 512)
    assert figures.network == 859_520_964 * 2
    assert figures.guided / GIBIBYTE == pytest.approx(0.38, abs=0.05)
    assert figures.least < 3 * GIBIBYTE


def test_the_table_has_a_line_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert memory.main(["--model", str(folder), "--width", "96", "--height", "64"]) == 0
    assert folder.name in capsys.readouterr().out
    assert memory.main(["--model", str(folder), "--width", "95"]) == 1
    assert memory.main(["--model", "nowhere"]) == 1
    with pytest.raises(SystemExit):
        memory.main(["--card", '{"loudness": 2}'])
    assert "is no object of name, family" in capsys.readouterr().err


def test_checkpointing_counts_where_it_may_be_used() -> None:
    parts = {"encoders": 1, "network": 10, "decoder": 1, "free": 2, "guided": 8, "decoding": 3}
    assert Estimate(**parts, checkpointed=2).least == 12 + 3
    assert Estimate(**parts, checkpointed=None).least == 12 + 8
