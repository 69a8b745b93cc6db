# SPDX-License-Identifier: MIT
"""The detector, in the real format, with random weights: it reads a picture as the library's own processor does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

from benchmarks.model_check import owl
from sg_core import WeightsError
from sg_core.models.parts import Hardware
from tests.benchmarks.model_check import tiny_detector

SIDE = 64


@pytest.fixture(scope="module", params=["owlv2", "owlvit"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector.save(tmp_path_factory.mktemp("judges") / kind, kind)


def smooth_picture(height: int, width: int) -> torch.Tensor:
    """(3, height, width), whose 8 bits lose little."""
    rows, columns = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)[None]
    return torch.stack([rows.expand(height, width), columns.expand(height, width), rows * columns])


def test_it_sees_the_pixels_that_the_library_would_have_it_see(kind: str, folder: Path) -> None:
    """OWLv2's own processor needs scipy; it does as OWL-ViT's with a picture that is filled up to a square."""
    detector, picture = owl.load_detector(folder, Hardware()), smooth_picture(96, 128)
    whole = torch.nn.functional.pad(picture, (0, 0, 0, 32)) if kind == "owlv2" else picture
    image = Image.fromarray((whole.permute(1, 2, 0) * 255).round().byte().numpy())
    processor = OwlViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    expected = torch.as_tensor(np.asarray(processor(image, return_tensors="np")["pixel_values"]))
    assert expected.shape == (1, 3, SIDE, SIDE)
    difference = (detector.prepared(picture) - expected).abs()
    assert difference.mean() < 0.02  # of some four units
    assert difference.median() < 0.02


def test_a_phrase_gets_the_box_that_the_network_thinks_likeliest(kind: str, folder: Path) -> None:
    detector, picture = owl.load_detector(folder, Hardware(), threshold=0.0), smooth_picture(96, 128)
    areas = detector.areas(picture, ["castle", "rocket"])
    words = detector.tokenizer(
        ["a photo of a castle", "a photo of a rocket"], padding="max_length", max_length=16, return_tensors="pt"
    )
    with torch.no_grad():
        answer = detector.network(pixel_values=detector.prepared(picture), **words)
    whole = (128, 128) if kind == "owlv2" else (128, 96)
    for column, phrase in enumerate(("castle", "rocket")):
        x, y, wide, high = answer.pred_boxes[0][answer.logits[0, :, column].argmax()].tolist()
        box = [
            (x - wide / 2) * whole[0],
            (y - high / 2) * whole[1],
            (x + wide / 2) * whole[0],
            (y + high / 2) * whole[1],
        ]
        rows, columns = areas[phrase].nonzero(as_tuple=True)
        got = [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
        inside = [max(box[0], 0), max(box[1], 0), min(box[2], 128), min(box[3], 96)]
        assert got == pytest.approx(inside, abs=1)


def test_what_is_not_likely_enough_is_absent(folder: Path) -> None:
    detector = owl.load_detector(folder, Hardware(), threshold=1.0)
    assert detector.areas(smooth_picture(64, 64), ["castle"]) == {}


def test_it_is_read_as_warily_as_a_model(folder: Path, tmp_path: Path) -> None:
    assert load_file(folder / "model.safetensors")
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="may run code"):
        owl.load_detector(tmp_path, Hardware())
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(WeightsError, match="holds a BertModel, and a Owlv2ForObjectDetection"):
        owl.load_detector(tmp_path, Hardware())
