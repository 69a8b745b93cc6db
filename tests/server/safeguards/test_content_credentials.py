# SPDX-License-Identifier: MIT
"""A C2PA manifest, signed with a chain that the test makes, and verified by c2pa-python against its root."""

import io
import os
import signal
from dataclasses import replace

import pytest
from PIL import Image

from addon.protocol.png import plain
from server.cli.serve import main
from server.safeguards.choices import Safeguards
from server.safeguards.content_credentials import NoSigner, credentials, signer_of
from server.safeguards.refusals import NotSigned
from tests.server.processes import workers_of
from tests.server.safeguards.certificates import Chain, issued
from tests.server.safeguards.test_digital_source import painted
from tests.server.serving import serving, wait_until

pytest.importorskip("c2pa", reason="c2pa-python, the extra “credentials”, is not installed")
pytest.importorskip("cryptography", reason="cryptography, which c2pa-python brings, is not installed")


def choices(chain: Chain) -> Safeguards:
    return Safeguards(certificate=chain.certificate, private_key=chain.key)


def flags(chain: Chain) -> list[str]:
    return ["--certificate", str(chain.certificate), "--private-key", str(chain.key)]


def test_every_picture_is_signed_and_holds(tmp_path):
    chain = issued(tmp_path)
    with serving(tmp_path / "home", *flags(chain)) as served:
        pictures = painted(served)
    assert len(pictures) == 2
    for picture in pictures:
        trusted, own = credentials(picture, anchors=chain.root), credentials(picture)
        assert (trusted.state, trusted.issuer, trusted.faults) == ("Trusted", "A Studio", ())
        assert trusted.source == "trainedAlgorithmicMedia"
        assert (own.state, own.faults) == ("Valid", ("signingCredential.untrusted",))
        image = Image.open(io.BytesIO(picture))
        image.load()
        assert "maquette.blockout" in image.text and image.info["xmp"]


def test_a_changed_byte_is_noticed(tmp_path):
    chain = issued(tmp_path)
    signer = signer_of(choices(chain))
    signed = signer.signed(plain(16, 16, bytes(768)), "trainedAlgorithmicMedia", "Maquette", "1", "toybox")
    changed = bytearray(signed)
    changed[signed.index(b"IDAT") + 12] ^= 1
    stated = credentials(bytes(changed), anchors=chain.root)
    assert stated.state == "Invalid" and "assertion.dataHash.mismatch" in stated.faults
    assert credentials(plain(1, 1, bytes(3))) is None
    assert credentials(signed[:-60] + bytes(60)).state == "Invalid"


def test_another_studios_root_does_not_vouch(tmp_path):
    (tmp_path / "other").mkdir()
    chain, other = issued(tmp_path), issued(tmp_path / "other", studio="Another")
    signed = signer_of(choices(chain)).signed(plain(1, 1, bytes(3)), "trainedAlgorithmicMedia", "Maquette", "1", "t")
    assert credentials(signed, anchors=other.root).state == "Valid"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda chain: chain.key.chmod(0o644), "can be read by others: chmod 600"),
        (lambda chain: chain.key.unlink(), "cannot be read"),
        (lambda chain: chain.certificate.write_text("no certificate"), "sign nothing that holds"),
        (lambda chain: chain.key.write_text("no key"), "sign nothing that holds"),
        (lambda chain: issued(chain.key.parent, days=-2), "not valid at time of signing"),
    ],
    ids=["open to others", "no key", "no certificate", "no key in it", "expired"],
)
def test_what_cannot_sign_is_said_before_anything_starts(tmp_path, damage, words):
    chain = issued(tmp_path)
    damage(chain)
    with pytest.raises(NoSigner, match=words):
        main(["--home", str(tmp_path / "home"), *flags(chain)])
    assert not (tmp_path / "home").exists()


def test_one_without_the_other_is_refused(tmp_path):
    chain = issued(tmp_path)
    with pytest.raises(NoSigner, match="both"):
        main(flags(chain)[:2])
    assert signer_of(Safeguards()) is None


def test_a_worker_that_cannot_sign_any_more_paints_nothing(tmp_path):
    chain = issued(tmp_path)
    with serving(tmp_path / "home", *flags(chain)) as served:
        served.reaches(served.submit())  # the worker has read them by now
        issued(tmp_path, days=-2)
        for worker in workers_of(served.process.pid):
            os.kill(worker, signal.SIGKILL)
        job = served.submit(seed=3)
        wait_until(lambda: "not valid at time of signing" in served.json("GET", "/v1/health")[1]["trouble"])
        assert served.job(job)["state"] == "queued"


def test_a_picture_that_cannot_be_signed_is_refused_by_name(tmp_path):
    chain = issued(tmp_path)
    signer = signer_of(choices(chain))
    issued(tmp_path, days=-2)
    expired = replace(signer, chain=chain.certificate.read_bytes(), key=chain.key.read_bytes())
    with pytest.raises(NotSigned, match="cannot be signed") as refused:
        expired.signed(plain(1, 1, bytes(3)), "trainedAlgorithmicMedia", "Maquette", "1", "toybox")
    assert refused.value.problem().type == "not-signed" and "expired" in refused.value.fix
