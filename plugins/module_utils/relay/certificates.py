# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a server's certificate says and what it has to match: names, fingerprints, TLSA records. Pure. Private.
#
# The standard library proves chains (ssl), and gives no public key of a certificate: a strict reader of DER does.

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# RFC 6698 section 2.1, RFC 7672 section 3.1: DANE-TA and DANE-EE, the usages that mail servers take.
TRUST_ANCHOR, END_ENTITY = 2, 3
_WHOLE, _KEY = 0, 1
_FULL = 0
_DIGESTS = {1: "sha256", 2: "sha512"}
_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
_LONG_LENGTH, _MOST_LENGTH_OCTETS = 0x80, 4
# OpenSSL's X509_check_host, which Postfix and Python ask: a wildcard is one whole label, and two stand behind it.
_WILDCARD, _LABELS_BEHIND_A_WILDCARD = "*.", 2


class NotReadable(ValueError):
    """What a server sent is no certificate in DER."""


@dataclass(frozen=True)
class Tlsa:
    """A TLSA record (RFC 6698 section 2.1): which certificate of a chain, which part of it, and as which digest."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """Whether mail servers take it: usage 2 or 3, and a form that is known (RFC 7672 section 3.1)."""
        if self.usage not in (TRUST_ANCHOR, END_ENTITY) or self.selector not in (_WHOLE, _KEY):
            return False
        if self.matching == _FULL:
            return bool(self.data)
        return self.matching in _DIGESTS and len(self.data) == hashlib.new(_DIGESTS[self.matching]).digest_size

    @property
    def is_certificate(self) -> bool:
        """Whether the record holds the whole certificate that it means."""
        return (self.selector, self.matching) == (_WHOLE, _FULL)

    def matches(self, certificate: bytes) -> bool:
        """Tell whether this is the certificate (DER) that the record means."""
        part = certificate if self.selector == _WHOLE else public_key_of(certificate)
        found = part if self.matching == _FULL else hashlib.new(_DIGESTS[self.matching], part).digest()
        return found == self.data


def read_tlsa(data: bytes) -> Tlsa | None:
    """Read the data of a TLSA record from the wire; None where there is no such record in it."""
    head = 3
    return Tlsa(data[0], data[1], data[2], data[head:]) if len(data) > head else None


def usable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """Give the records that count: those that mail servers take, and of two digests of one thing the stronger.

    RFC 7671 section 9, as OpenSSL has it (postconf(5), tls_dane_digests).
    """
    taken = [record for record in dict.fromkeys(records) if record.is_usable]
    strongest: dict[tuple[int, int], int] = {}
    for record in taken:
        place = (record.usage, record.selector)
        strongest[place] = max(strongest.get(place, _FULL), record.matching)
    return tuple(record for record in taken if record.matching in (_FULL, strongest[record.usage, record.selector]))


def public_key_of(certificate: bytes) -> bytes:
    """Give the public key of a certificate, as its SubjectPublicKeyInfo in DER (RFC 5280 section 4.1).

    Raises NotReadable for what is no certificate in DER.
    """
    content = _whole(certificate, _SEQUENCE)
    to_be_signed, after = _element(content, 0, _SEQUENCE)
    if not after < len(content):
        raise NotReadable("a certificate without a signature")
    place = 0
    if to_be_signed[:1] == bytes([_VERSION]):
        _version, place = _element(to_be_signed, place, _VERSION)
    _serial, place = _element(to_be_signed, place, _INTEGER)
    for _part in ("signature", "issuer", "validity", "subject"):
        _content, place = _element(to_be_signed, place, _SEQUENCE)
    _content, end = _element(to_be_signed, place, _SEQUENCE)
    return to_be_signed[place:end]


def fingerprints_of(certificate: bytes) -> tuple[str, str]:
    """Give the SHA-256 of a certificate (DER) and of its public key, in hexadecimal with colons; raises NotReadable."""
    return _printed(certificate), _printed(public_key_of(certificate))


def names_of(described: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the DNS names of a certificate as ``ssl.SSLSocket.getpeercert()`` describes it.

    The common name counts where no other name does, as for OpenSSL (X509_check_host(3)).
    """
    names = tuple(str(value) for kind, value in described.get("subjectAltName", ()) if kind == "DNS")
    if names:
        return names
    subject = described.get("subject", ())
    return tuple(str(value) for group in subject for kind, value in group if kind == "commonName")


def is_named(names: Iterable[str], wanted: Collection[str]) -> bool:
    """Tell whether one of a certificate's names is one of those that are wanted, canonical host names."""
    # Those of a certificate are A-labels. In lower case KELVIN SIGN would be a k, and the name another's.
    return any(_is_name(name.lower(), one) for name in names if name.isascii() for one in wanted)


def _is_name(name: str, wanted: str) -> bool:
    if not name.startswith(_WILDCARD):
        return name == wanted
    behind = name[len(_WILDCARD) :]
    _label, _dot, rest = wanted.partition(".")
    return rest == behind and len(behind.split(".")) >= _LABELS_BEHIND_A_WILDCARD and all(behind.split("."))


def _printed(part: bytes) -> str:
    return hashlib.sha256(part).digest().hex(":").upper()


def _whole(data: bytes, tag: int) -> bytes:
    content, end = _element(data, 0, tag)
    if end != len(data):
        raise NotReadable("something behind the certificate")
    return content


def _element(data: bytes, start: int, tag: int) -> tuple[bytes, int]:
    """Give the content of the element at ``start``, and where it ends; raises NotReadable where there is another."""
    head: Sequence[int] = data[start : start + 2]
    if len(head) < len("TL") or head[0] != tag:
        raise NotReadable(f"no element with the tag {tag} at {start}")
    length, at = head[1], start + 2
    if length >= _LONG_LENGTH:
        octets = length - _LONG_LENGTH
        written = data[at : at + octets]
        length = int.from_bytes(written, "big")
        # DER has one way to write a length: the shortest.
        if not 1 <= octets <= _MOST_LENGTH_OCTETS or len(written) < octets or not written[0] or length < _LONG_LENGTH:
            raise NotReadable(f"a length at {start} that DER does not know")
        at += octets
    if at + length > len(data):
        raise NotReadable(f"an element at {start} beyond the end")
    return data[at : at + length], at + length
