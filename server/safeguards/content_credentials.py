# SPDX-License-Identifier: MIT
"""Content Credentials: a C2PA manifest in a picture's file, signed with the owner's certificate; and their reading.

The package c2pa-python does the work (the extra ``credentials``); it is imported on first use. Nothing is fetched: no
time stamp is asked for, no list of trust, no manifest from elsewhere.

Source: C2PA Technical Specification 2.2 (actions, digital source types, validation states).
"""

import io
import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from addon.protocol.png import plain

from ..errors import CommandError
from .choices import Safeguards
from .digital_source import NEWSCODES, SourceType
from .refusals import NotSigned

EXTRA = "maquette[server,credentials]"
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


class NoSigner(CommandError):
    """Pictures cannot be signed as the settings say, and what to do."""


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials say: ``state`` is C2PA's own word ("Trusted", "Valid", "Invalid"), ``issuer`` who
    signed, ``source`` the last part of the source type's address, ``faults`` C2PA's codes of what is wrong."""

    state: str
    issuer: str = ""
    source: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class CertifiedSigner:
    """The owner's certificate chain and private key, in PEM, and the algorithm that they sign with."""

    chain: bytes
    key: bytes
    algorithm: str

    def signed(self, png: bytes, source: SourceType, tool: str, version: str, model: str) -> bytes:
        """The PNG file with a manifest. Raises NotSigned."""
        import c2pa

        result = io.BytesIO()
        try:
            info = c2pa.C2paSignerInfo(self.algorithm, self.chain, self.key, None)
            context = c2pa.Context.from_dict(OFFLINE)
            with c2pa.Signer.from_info(info) as signer:
                builder = c2pa.Builder(manifest(source, tool, version, model), context)
                builder.sign(signer, "image/png", io.BytesIO(png), result)
        except c2pa.C2paError as error:
            raise NotSigned(f"The picture cannot be signed: {error}") from error
        return result.getvalue()


def manifest(source: SourceType, tool: str, version: str, model: str) -> str:
    """What is signed: a picture, created by a model, with the source type that IPTC has for it."""
    created = {
        "action": "c2pa.created",
        "digitalSourceType": NEWSCODES + source,
        "softwareAgent": {"name": tool, "version": version},
        "parameters": {"model": model},
    }
    return json.dumps(
        {
            "claim_generator_info": [{"name": tool, "version": version}],
            "format": "image/png",
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}, "created": True}],
        }
    )


def signer_of(choices: Safeguards) -> CertifiedSigner | None:
    """Who signs, by these settings; None where nobody is to. Raises NoSigner, after a try at a picture of one pixel."""
    if choices.certificate is None and choices.private_key is None:
        return None
    if choices.certificate is None or choices.private_key is None:
        raise NoSigner("Signing needs both: name --certificate and --private-key, or neither")
    if not installed():
        raise NoSigner(f"Signing needs c2pa-python, which is not installed: pip install '{EXTRA}'")
    chain, key = _read(choices.certificate), _private(choices.private_key)
    reasons = []
    for algorithm in ALGORITHMS:  # a key fits one kind; which, only whoever signs with it knows
        signer = CertifiedSigner(chain, key, algorithm)
        try:
            signed = signer.signed(plain(1, 1, bytes(3)), "trainedAlgorithmicMedia", "Maquette", "0", "")
        except NotSigned as error:
            reasons.append(error.detail)
            continue
        stated = credentials(signed)
        if stated is not None and stated.state in ("Trusted", "Valid"):
            return signer
        reasons.append(", ".join(stated.faults) if stated is not None else "nothing was signed")
    fix = "name a PEM file of the whole chain, the signing certificate first, and its key"
    raise NoSigner(f"{choices.certificate} and {choices.private_key} sign nothing that holds ({reasons[0]}): {fix}")


def credentials(file: bytes, media_type: str = "image/png", anchors: str = "") -> Credentials | None:
    """The credentials in a file, held against trusted roots in PEM; None where it carries none, or what it carries is
    none that c2pa-python reads. It must be installed."""
    import c2pa

    trust = {"trust": {"user_anchors": anchors}} if anchors else {}
    try:
        with c2pa.Reader(media_type, io.BytesIO(file), context=c2pa.Context.from_dict(OFFLINE | trust)) as reader:
            active, state = reader.get_active_manifest() or {}, reader.get_validation_state() or "Invalid"
            results = reader.get_validation_results() or {}
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        return Credentials("Invalid", faults=(str(error),))
    failures = results.get("activeManifest", {}).get("failure", [])
    issuer = str(active.get("signature_info", {}).get("issuer", ""))
    return Credentials(state, issuer, _source(active), tuple(str(failure["code"]) for failure in failures))


def installed() -> bool:
    """Whether c2pa-python is."""
    return find_spec("c2pa") is not None


def _source(active: dict[str, Any]) -> str:
    """The last part of the first action's source type."""
    for assertion in active.get("assertions", []):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in assertion["data"].get("actions", []):
                return str(action.get("digitalSourceType", "")).rpartition("/")[2]
    return ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoSigner(f"{path} cannot be read ({error.strerror or error}): name the right file") from error


def _private(path: Path) -> bytes:
    """A file that its owner alone can read. Raises NoSigner."""
    content = _read(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise NoSigner(f"{path} can be read by others: chmod 600 {path}")
    return content
