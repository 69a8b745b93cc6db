# SPDX-License-Identifier: MIT
"""What a request may cost: counted before it is parsed, and before the model is asked."""

import time

import pytest

from addon.capture.canvas import canvas
from addon.protocol.blockout import Frame
from addon.protocol.strict_json import dump
from server.catalogue import described
from server.http.admission import LARGEST, LONGEST
from tests.server.serving import block, blockout, encoded

KEYS = 600_000
MANY = {
    "keys": ("{" + ",".join(f'"k{number}":1' for number in range(KEYS)) + "}").encode(),
    "keys that end in a backslash": ("{" + ",".join(f'"{number}\\\\":1' for number in range(KEYS)) + "}").encode(),
    "numbers": b"[" + b"1," * 4_000_000 + b"1]",
}
MODEL = described("toybox")


@pytest.mark.parametrize("what", MANY)
def test_a_body_of_very_many_things_is_not_parsed(served, what):
    assert len(MANY[what]) < 8 * 2**20
    served.request("GET", "/v1/health")
    began = time.process_time(), time.monotonic()
    status, problem = served.json_of("POST", "/v1/jobs", MANY[what])
    assert (status, problem["type"]) == (413, "too-large")
    assert time.monotonic() - began[1] < 2.0


def test_the_largest_request_of_all_is_let_in(served):
    """64 regions with every field, all texts as long as may be, in characters that JSON escapes."""
    regions = tuple(
        block(f"cat {number}", (0, 0, 32, 32), name="'" * 200, description=',"\\ ' * 500, colour=(0.1, 0.2, 0.3))
        for number in range(64)
    )
    asked = blockout(prompt=',"' * 1000, negative=',"' * 1000, regions=regions)
    assert served.request("POST", "/v1/jobs", encoded(dump(asked)))[0] == 201


def sized(side: int, steps: int):
    return dump(blockout(width=side, height=side, frame=Frame(left=0, top=0, width=side, height=side), steps=steps))


@pytest.mark.parametrize(("factor", "steps", "path"), [(5, 1, "width"), (2, 300, "steps"), (1, LONGEST, None)])
def test_work_is_bounded_by_the_model(served, factor, steps, path):
    side = factor * round(MODEL.area**0.5)
    status, answer = served.json("POST", "/v1/jobs", sized(side, steps))
    if path is None:
        assert status == 201
    else:
        assert (status, answer["type"], answer["path"]) == (422, "too-costly", path) and answer["fix"]


def test_both_passes_of_an_enlarged_picture_are_counted(served):
    """Of twice the sides the first is of a quarter of the area, and the second a part of the steps."""
    side = 2 * round(MODEL.area**0.5)
    asked = {**sized(side, 300), "enlargement": 2.0}
    assert served.json("POST", "/v1/jobs", asked | {"denoising": 0.4})[0] == 201, "300 of 1 and 120 of 4"
    status, answer = served.json("POST", "/v1/jobs", asked | {"denoising": 0.9})
    assert (status, answer["type"], answer["path"]) == (422, "too-costly", "steps")
    most = int(answer["detail"].split(" takes ")[1].split()[0])
    assert served.json("POST", "/v1/jobs", asked | {"denoising": 0.9, "steps": most})[0] == 201
    assert served.json("POST", "/v1/jobs", asked | {"denoising": 0.9, "steps": most + 2})[0] == 422


@pytest.mark.parametrize("aspect", [0.2, 0.56, 1.0, 16 / 9, 21 / 9, 5.0])
def test_a_picture_of_the_model_s_own_area_takes_all_the_steps_there_are(served, aspect):
    """Whatever the artist's frame: its sides are rounded up, and the area with them."""
    size = canvas(aspect, MODEL)
    asked = blockout(width=size.width, height=size.height, frame=size.frame, steps=LONGEST, refinement=1.0)
    assert served.json("POST", "/v1/jobs", dump(asked))[0] == 201


def test_the_bounds_are_those_of_the_model_s_own_area(served):
    side = round((LARGEST * MODEL.area) ** 0.5)
    most = LONGEST // LARGEST
    assert served.json("POST", "/v1/jobs", sized(side, most))[0] == 201
    assert served.json("POST", "/v1/jobs", sized(side, most + 1))[1]["type"] == "too-costly"
