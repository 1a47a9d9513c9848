# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A certificate authority of the tests' own, and certificates of every kind: expired, for others, by others.

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
KEYS = {
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key, and who has signed it, if another."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuer: Optional[Issued] = None

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def public_key(self) -> bytes:
        """The public key in DER (SubjectPublicKeyInfo)."""
        return self.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def key_fingerprint(self) -> str:
        """The SHA-256 of the public key."""
        return hashlib.sha256(self.public_key).hexdigest()

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the chain, as a server shows it, and the key, and return where."""
        chain, key = folder / f"{self.fingerprint}.pem", folder / f"{self.fingerprint}.key"
        whole, one = b"", self
        while one is not None:
            whole += one.certificate.public_bytes(Encoding.PEM)
            one = one.issuer  # type: ignore[assignment]
        chain.write_bytes(whole)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return chain, key

    def tlsa(self, usage: int, selector: int, matching: int) -> str:
        """Give the text of the TLSA record for it (RFC 6698)."""
        part = self.public_key if selector else self.der
        data = [part.hex(), hashlib.sha256(part).hexdigest(), hashlib.sha512(part).hexdigest()][matching]
        return f"{usage} {selector} {matching} {data}"


def issue(
    *names: str,
    by: Issued | None = None,
    is_authority: bool = False,
    days: tuple[int, int] = (-1, 2),
    kind: str = "ec",
    common_name: str | None = None,
) -> Issued:
    """Issue a certificate for these names, signed by somebody or by itself, and valid from and to these days."""
    key = KEYS[kind]()
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or (names or ("nobody",))[0])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    signer = by.key if by else key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return Issued(builder.sign(signer, algorithm), key, by)
