# SPDX-License-Identifier: MIT
"""A ControlNet beside self-guidance: the pipeline's own picture, the energy's true gradient, and nothing when off."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import ControlNetModel
from safetensors.torch import load_file, save_file
from torch import Tensor

import sg_core
from sg_core import RequestError, WeightsError, control, generate, place
from sg_core.attention.tape import Tape
from sg_core.energy import Energy, Measure, Term
from sg_core.models.cards import read_card
from sg_core.models.companions.controlnet import Control, controlled, controlnet
from sg_core.models.folder import quiet
from sg_core.models.loading import load
from sg_core.models.model import Model
from sg_core.sample import Texts, conditional_pass, guided_output
from sg_core.schedule import always
from sg_core.tokens import Phrase
from tests.sg_core.flow_model import TinyFlow
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import networks
from tests.sg_core.models.families.pipelines import CASES, Case

PROMPT, STEPS = "a huge castle and a red rocket", 4
PHRASES = (Phrase("castle"), Phrase("red rocket"))
LEFT = torch.zeros(16, 24)
LEFT[:, :8] = 1.0
ENERGY = place({PHRASES[0]: LEFT, PHRASES[1]: LEFT.flip(1)})
KINDS = {"two": "StableDiffusionControlNetPipeline", "xl": "StableDiffusionXLControlNetPipeline"}
RAMP = torch.linspace(0, 1, 96).expand(1, 3, 64, 96)
SQUARE = torch.zeros(1, 3, 64, 96)
SQUARE[..., 16:48, 24:72] = 1.0


@pytest.fixture(scope="module", params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    return next(case for case in CASES if case.name == request.param)


@pytest.fixture(scope="module")
def folder(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("controlled") / case.name
    with quiet():
        pipeline = case.build()
        pipeline.save_pretrained(path)
        networks.controlnet(pipeline.unet).save_pretrained(path.with_suffix(".control"))
    return path


@pytest.fixture(scope="module")
def files(folder: Path) -> Path:
    return folder.with_suffix(".control")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load(folder, card=replace(read_card(folder), layers=()))


def painted(model: Model, case: Case, layout: Any = None, seeds: tuple[int, ...] = (1,), **changes: Any) -> Tensor:
    options = {"width": 96, "height": 64, "steps": STEPS, "scale": case.scale, "scheduler": case.scheduler}
    return generate(model, PROMPT, layout, seeds=seeds, negative="dog", **{**options, **changes})


def theirs(case: Case, folder: Path, files: Path, picture: Tensor, **options: Any) -> Tensor:
    """The pipeline's own picture."""
    with quiet():
        beside = ControlNetModel.from_pretrained(files, low_cpu_mem_usage=False)
        kind = getattr(diffusers, KINDS[case.name])
        extra = {"safety_checker": None, "requires_safety_checker": False} if case.name == "two" else {}
        pipeline = kind.from_pretrained(
            folder, controlnet=beside, local_files_only=True, low_cpu_mem_usage=False, **extra
        )
    pipeline.set_progress_bar_config(disable=True)
    generator = [torch.Generator().manual_seed(1)]
    asked = {"guidance_scale": case.scale, "num_inference_steps": STEPS, "output_type": "pt", "negative_prompt": "dog"}
    return pipeline(PROMPT, image=picture, width=96, height=64, generator=generator, **asked, **options).images


def prepared(model: Model, case: Case) -> tuple[Tensor, Any, Texts]:
    shape = model.latent_shape(96, 64)
    step = model.steps(STEPS, case.scheduler, shape[1:]).steps[1]
    latent = torch.randn(1, *shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return latent, step, Texts(model.encode([PROMPT]), None, model.words([PROMPT], PHRASES))


@pytest.mark.parametrize(("scale", "until"), [(1.0, 1.0), (0.6, 0.5)])
def test_our_loop_paints_the_pipeline_s_picture(
    case: Case, folder: Path, files: Path, model: Model, scale: float, until: float
) -> None:
    told = {"controlnet_conditioning_scale": scale, "control_guidance_end": until}
    network = controlnet(model, files)
    ours = painted(model, case, control(network, RAMP, scale=scale, until=until))
    assert (ours - theirs(case, folder, files, RAMP, **told)).abs().max() < 1e-4
    assert (ours - painted(model, case, control(network, SQUARE, scale=scale, until=until))).abs().max() > 5e-4
    assert (ours - painted(model, case)).abs().max() > 5e-4


def test_off_it_is_off_bit_for_bit(case: Case, files: Path, model: Model) -> None:
    network = controlnet(model, files)
    plain, guided = painted(model, case), painted(model, case, ENERGY, strength=0.8)
    for nothing in (control(network, RAMP, scale=0.0), control(network, RAMP, until=0.0), control(network, RAMP) * 0):
        assert torch.equal(painted(model, case, nothing), plain)
        assert torch.equal(painted(model, case, ENERGY + nothing, strength=0.8), guided)
    assert not model.network._forward_pre_hooks


def test_two_add_up(case: Case, files: Path, model: Model) -> None:
    network = controlnet(model, files)
    halves = control(network, RAMP, scale=0.5) + control(network, RAMP, scale=0.5)
    assert (painted(model, case, halves) - painted(model, case, control(network, RAMP))).abs().max() < 1e-4


def test_rows_of_a_batch_do_not_touch(case: Case, files: Path, model: Model) -> None:
    network = controlnet(model, files)
    both = painted(model, case, ENERGY + control(network, torch.cat([RAMP, SQUARE])), seeds=(1, 2))
    alone = painted(model, case, ENERGY + control(network, SQUARE), seeds=(2,))
    assert (both[1:] - alone).abs().max() < 1e-4


def test_listening_beside_it_changes_no_bit_and_hears_every_layer(case: Case, files: Path, model: Model) -> None:
    latent, step, texts = prepared(model, case)
    latent, controls = latent.float(), (Control(controlnet(model, files), RAMP, always),)
    with torch.no_grad(), controlled(model.network, controls, 0.0):
        silent = model.predict(latent, step, texts.conditional)
    with controlled(model.network, controls, 0.0):
        passed = conditional_pass(model, latent, step, texts, ENERGY, follow=True)
        listened = conditional_pass(model, latent, step, texts, ENERGY, follow=False, listen=True)
        guided, _ = guided_output(model, latent, step, texts, 1.0, passed.output)
    assert torch.equal(passed.output, silent) and torch.equal(listened.output, silent) and torch.equal(guided, silent)
    assert listened.tape is not None and set(listened.tape.attention) == set(model.layers(latent))


def presence(tape: Tape) -> Measure:
    """Without the floor and range that our own energies take as given, so that differences can tell its slope."""
    squares = tape.map(PHRASES[0]).square().sum((1, 2))
    return Measure(squares, squares)


SMOOTH = Energy((Term("how much it looks", PHRASES[0], 0.1, presence),))


def test_a_gradient_is_that_of_finite_differences_through_both_networks(case: Case, folder: Path) -> None:
    model = load(folder, card=replace(read_card(folder), layers=()), dtype=torch.float64)
    network: Any = model.network
    latent, step, texts = prepared(model, case)
    controls = (Control(controlnet(model, folder.with_suffix(".control")), RAMP, always),)

    def read(at: Tensor, energy: Energy = SMOOTH, follow: bool = False) -> Any:
        with controlled(network, controls, 0.0):
            return conditional_pass(model, at, step, texts, energy, follow=follow)

    slope = read(latent, follow=True).gradient
    along = slope / slope.norm()
    there, here = (read(latent + sign * 1e-3 * along).reading.energy.sum() for sign in (1, -1))
    assert torch.isclose((there - here) / 2e-3, slope.norm(), rtol=1e-3)
    ours = read(latent, ENERGY, follow=True).gradient
    without = conditional_pass(model, latent, step, texts, ENERGY, follow=True).gradient
    assert without is not None and (without - ours).norm() > 0.1 * ours.norm()
    network.enable_gradient_checkpointing()
    assert torch.equal(read(latent, ENERGY, follow=True).gradient, ours)
    assert controls[0].network.is_gradient_checkpointing


def test_energies_pull_beside_it(case: Case, files: Path, model: Model) -> None:
    layout = control(controlnet(model, files), RAMP)
    guided = painted(model, case, ENERGY + layout, strength=1.0)
    assert (guided - painted(model, case, layout)).abs().max() > 2e-5
    shaped = ENERGY + layout + sg_core.shaped_noise(1)
    assert (painted(model, case, shaped, strength=1.0) - guided).abs().max() > 1e-3


def test_a_second_pass_looks_at_it_too(case: Case, files: Path, model: Model) -> None:
    network, large = controlnet(model, files), {"width": 192, "height": 128, "enlargement": 2.0, "denoising": 0.5}
    ours = painted(model, case, control(network, RAMP), **large)
    assert (ours - painted(model, case, **large)).abs().max() > 5e-4


@pytest.mark.parametrize("first", [False, True])
def test_a_single_file_is_the_same(case: Case, files: Path, model: Model, tmp_path: Path, first: bool) -> None:
    own = files / "diffusion_pytorch_model.safetensors"
    if first:
        tensors = checkpoint_file.controlnet(ControlNetModel.from_pretrained(files, low_cpu_mem_usage=False))
        save_file({name: weight.contiguous() for name, weight in tensors.items()}, tmp_path / "depth.safetensors")
    else:
        (tmp_path / "depth.safetensors").write_bytes(own.read_bytes())
    expected = controlnet(model, files).state_dict()
    for file in (tmp_path / "depth.safetensors", own):
        weights = controlnet(model, file).state_dict()
        assert weights.keys() == expected.keys()
        assert all(torch.equal(weight, expected[name]) for name, weight in weights.items())


def changed(folder: Path, files: Path, **document: Any) -> Path:
    """A copy of the folder with another configuration."""
    folder.mkdir()
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(
        (files / "diffusion_pytorch_model.safetensors").read_bytes()
    )
    config = json.loads((files / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | document))
    return folder


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"_class_name": "UNet2DConditionModel"}, "holds a UNet2DConditionModel, and a ControlNetModel is needed"),
        ({"quantization_config": {}}, "asks for quantization_config"),
        ({"auto_map": {"AutoModel": "code.py"}}, "asks for auto_map"),
        ({"cross_attention_dim": 48}, "cross_attention_dim differs"),
        ({"block_out_channels": [512, 512]}, "do not belong together|another kind|cannot be read"),
        ({"conditioning_channels": 4}, "is no ControlNet for"),
    ],
)
def test_a_folder_of_another_kind_is_refused(
    files: Path, model: Model, tmp_path: Path, document: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(WeightsError, match=sentence):
        controlnet(model, changed(tmp_path / "x", files, **document))


def test_what_is_damaged_or_no_controlnet_is_refused(files: Path, model: Model, tmp_path: Path) -> None:
    tensors, file = load_file(files / "diffusion_pytorch_model.safetensors"), tmp_path / "x.safetensors"
    name = "controlnet_mid_block.weight"
    for changes, sentence in (
        ({name: tensors[name] / 0}, "numbers that are none"),
        ({name: None}, "lacks controlnet_mid_block.weight"),
        ({name: torch.zeros(3)}, "is no ControlNet for"),
        ({"task_embedding": torch.zeros(3)}, "holds task_embedding: it is no ControlNet of a kind"),
    ):
        whole = {name: weight for name, weight in (tensors | changes).items() if weight is not None}
        save_file(whole, file)
        with pytest.raises(WeightsError, match=sentence):
            controlnet(model, file)
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(WeightsError, match="nothing in it looks at a picture"):
        controlnet(model, file)
    file.write_bytes(b"torn")
    with pytest.raises(WeightsError, match="torn or no safetensors"):
        controlnet(model, file)
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(WeightsError, match="may run code when it is read, and is not opened"):
        controlnet(model, tmp_path / "pickled")


def test_a_model_that_takes_none_says_so(files: Path, flow: TinyFlow, model: Model) -> None:
    with pytest.raises(WeightsError, match="takes no ControlNet"):
        controlnet(flow, files)
    with pytest.raises(RequestError, match="takes no ControlNet"):
        generate(flow, "a castle", control(controlnet(model, files), RAMP), width=96, height=64, steps=1)
