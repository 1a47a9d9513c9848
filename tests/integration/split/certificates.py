# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Certificates that servers of the tests have made themselves.

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A certificate signed by its own key, and the key."""

    file: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, in lower case without colons."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.file.read_text())).hexdigest()

    @property
    def tlsa(self) -> str:
        """The TLSA record that lets just its key in (RFC 7671 section 5.1): DANE-EE, of the key, its SHA-256."""
        command = ["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"]
        public = subprocess.run(command, check=True, capture_output=True).stdout
        return f"3 1 1 {hashlib.sha256(public).hexdigest()}"


def make_certificate(folder: Path, *names: str) -> Certificate:
    """Make a certificate for these host names."""
    made = Certificate(folder / f"{names[0]}.pem", folder / f"{names[0]}.key")
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={names[0]}"),
            *("-addext", f"subjectAltName={alternatives}", "-keyout", made.key, "-out", made.file),
        ],
        check=True,
        capture_output=True,
    )
    return made
