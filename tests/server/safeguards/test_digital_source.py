# SPDX-License-Identifier: MIT
"""IPTC's word for what a picture is, read by others: Pillow finds the packet, an XML parser the property in it."""

import io
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from PIL import Image, PngImagePlugin

from addon.protocol.blockout import ReferencePicture
from server.safeguards.digital_source import digital_source, source_type, with_digital_source
from server.worker.png_files import png
from tests.server.serving import blockout, serving

NAMESPACE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PHOTOGRAPH = png(Image.new("RGB", (8, 8), (1, 2, 3)))


def stated(picture: bytes) -> str:
    """The property as other programs find it."""
    packet = Image.open(io.BytesIO(picture)).info["xmp"]
    (value,) = {element.get(f"{NAMESPACE}DigitalSourceType") for element in ElementTree.fromstring(packet).iter()} - {
        None
    }
    return value


def painted(served, **changes) -> list[bytes]:
    """Both pictures of a job."""
    job = served.reaches(served.submit(**changes))
    assert job["state"] == "done", job
    digests = [artifact["sha256"] for artifact in job["artifacts"] if artifact["kind"] != "preview"]
    return [served.request("GET", f"/v1/artifacts/{digest}")[2] for digest in digests]


def refer(served, picture: bytes) -> str:
    status, _, answer = served.request("POST", "/v1/references", picture, Content_Type="image/png")
    assert status == 201
    return answer.decode().split('"')[3]


def test_every_picture_says_that_a_model_made_it(served):
    for picture in painted(served):
        assert stated(picture) == f"{NEWSCODES}trainedAlgorithmicMedia"
        assert digital_source(picture) == "trainedAlgorithmicMedia"
        assert "maquette.blockout" in Image.open(io.BytesIO(picture)).text


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_it(served, tmp_path):
    for picture in painted(served, seed=8):
        (tmp_path / "picture.png").write_bytes(picture)
        words = ["exiftool", "-s3", "-n", "-XMP-iptcExt:DigitalSourceType", "-validate", str(tmp_path / "picture.png")]
        answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        assert answer[0] == f"{NEWSCODES}trainedAlgorithmicMedia"


def test_an_edit_of_a_real_picture_is_a_composite_and_so_is_an_edit_of_that(served):
    composite = f"{NEWSCODES}compositeWithTrainedAlgorithmicMedia"
    (edited, _) = painted(served, reference=ReferencePicture(picture=refer(served, PHOTOGRAPH), caption="a cat"))
    assert stated(edited) == composite
    (again, _) = painted(served, reference=ReferencePicture(picture=refer(served, edited), caption="a cat"), seed=9)
    assert stated(again) == composite
    (own, _) = painted(served, seed=10)
    (third, _) = painted(served, reference=ReferencePicture(picture=refer(served, own), caption="a cat"), seed=11)
    assert stated(third) == f"{NEWSCODES}trainedAlgorithmicMedia"


def test_a_picture_of_a_release_that_said_nothing_is_a_models():
    own = png(Image.new("RGB", (8, 8)), blockout())
    assert source_type([own, own]) == source_type([]) == "trainedAlgorithmicMedia"
    for others in ([PHOTOGRAPH], [b"no PNG"], [own, PHOTOGRAPH]):
        assert source_type(others) == "compositeWithTrainedAlgorithmicMedia"


def test_names_are_written_as_xml_has_them():
    picture = with_digital_source(PHOTOGRAPH, "trainedAlgorithmicMedia", 'Maquette 1 (my "<best>" & other)')
    assert stated(picture) == f"{NEWSCODES}trainedAlgorithmicMedia"
    assert 'my "<best>" & other' in str(
        ElementTree.fromstring(Image.open(io.BytesIO(picture)).info["xmp"])[0][0].attrib
    )


def test_other_ways_to_write_it_are_read():
    element = f"<Iptc4xmpExt:DigitalSourceType>{NEWSCODES}digitalCapture</Iptc4xmpExt:DigitalSourceType>".encode()
    resource = f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{NEWSCODES}composite"/>'.encode()
    assert digital_source(b"\xff\xd8 of a JPEG " + element) == "digitalCapture"
    assert digital_source(resource) == "composite"
    assert digital_source(b"DigitalSourceType https://example.org/x") == ""


def test_text_that_only_speaks_of_it_is_not_taken_for_it():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", f"DigitalSourceType={NEWSCODES}trainedAlgorithmicMedia")
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=text)
    assert digital_source(file.getvalue()) == ""


def test_its_owner_may_leave_it_out(tmp_path):
    with serving(tmp_path / "home", "--no-digital-source", "--no-request") as served:
        for picture in painted(served):
            image = Image.open(io.BytesIO(picture))
            assert "xmp" not in image.info and not image.text
            assert digital_source(picture) == ""
