# SPDX-License-Identifier: MIT
"""A chain of certificates of a studio's own: a root, and what it issued to sign pictures with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Chain:
    """PEM files: the chain with the signing certificate first, its key; and the text of the root's certificate."""

    certificate: Path
    key: Path
    root: str


def issued(folder: Path, *, days: int = 30, studio: str = "A Studio") -> Chain:
    """A chain whose signing certificate is good for so many days from yesterday on."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(
        f"{studio}'s Root", f"{studio}'s Root", root_key.public_key(), root_key, days=3650, authority=True
    )
    leaf = _certificate(studio, f"{studio}'s Root", leaf_key.public_key(), root_key, days=days, authority=False)
    pem = serialization.Encoding.PEM
    certificate, key = folder / "chain.pem", folder / "key.pem"
    certificate.write_bytes(leaf.public_bytes(pem) + root.public_bytes(pem))
    key.touch(mode=0o600)
    plain = serialization.NoEncryption()
    key.write_bytes(leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return Chain(certificate, key, root.public_bytes(pem).decode())


def _certificate(subject: str, issuer: str, public: Any, issuer_key: Any, *, days: int, authority: bool) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    begin = datetime.now() - timedelta(days=60)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(datetime.now() + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_usage(authority), critical=True)
    )
    if not authority:
        use = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(use, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> Any:
    from cryptography import x509

    oid = x509.NameOID
    parts = ((oid.COUNTRY_NAME, "DE"), (oid.ORGANIZATION_NAME, name), (oid.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _usage(authority: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
