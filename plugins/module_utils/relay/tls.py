# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# TLS on the way to a relay: which policies there are, and what the relay's certificate has to match. Pure. Private.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.plain_forms import SHA256
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, read_list, shown_host

NONE = "none"
MAY = "may"
ENCRYPT = "encrypt"
VERIFY = "verify"
FINGERPRINT = "fingerprint"
DANE = "dane"
DANE_ONLY = "dane-only"
# The words of Postfix (postconf(5), smtp_tls_security_level). A relay is a literal host: its secure is its verify.
TLS_POLICIES = (NONE, MAY, ENCRYPT, VERIFY, FINGERPRINT, DANE, DANE_ONLY)
# With these nothing is sent in clear, whatever the relay offers and whoever is in between.
ALWAYS_ENCRYPTED = (ENCRYPT, VERIFY, FINGERPRINT, DANE_ONLY)
# With these, beyond that, whoever answers has proven first who it is.
PROVEN_BEFORE_LOGIN = (VERIFY, FINGERPRINT, DANE_ONLY)
NAMES_KEY = "tls_names"
FINGERPRINTS_KEY = "fingerprints"


@dataclass(frozen=True)
class Authorities:
    """The certificate authorities that a client trusts, by files as OpenSSL reads them, and what it does with SNI.

    ``anchors`` are files with certificates that are believed in place of all these, whoever has signed them (Postfix's
    smtp_tls_trust_anchor_file). ``servername`` is as its smtp_tls_servername: nothing, a name to send, or ``hostname``.
    """

    file: str | None = None
    folder: str | None = None
    and_of_the_system: bool = True
    anchors: tuple[str, ...] = ()
    servername: str = "hostname"

    def name_sent_to(self, host: str) -> str | None:
        """Give the name to send (SNI) to a host; None for none, as to an address."""
        name = host if self.servername in _OF_THE_HOST else self.servername
        return None if not name or is_ip_address(name) else name


OF_THE_SYSTEM = Authorities()
_OF_THE_HOST = ("hostname", "nexthop")


def parse_tls(value: Mapping[str, Any], host: str, owner: str) -> tuple[str, tuple[str, ...]]:
    """Read the TLS policy of a relay, and the names or fingerprints that its certificate has to match.

    ``host`` is the relay's canonical host, which its certificate names unless others are given. Raises InvalidInput.
    """
    policy = value.get("tls") or MAY
    if policy not in TLS_POLICIES:
        raise InvalidInput(f"{owner} has tls {kind_of(policy, TLS_POLICIES)}: use one of {', '.join(TLS_POLICIES)}")
    names = _read(value, NAMES_KEY, owner)
    fingerprints = _read(value, FINGERPRINTS_KEY, owner)
    if names and policy != VERIFY:
        raise InvalidInput(f"{owner} has {NAMES_KEY} with tls {policy}: names are matched with tls verify alone")
    if bool(fingerprints) != (policy == FINGERPRINT):
        raise InvalidInput(
            f"{owner} has tls {policy} and {len(fingerprints)} fingerprint(s): "
            f"tls fingerprint and a list of fingerprints go together"
        )
    if policy in (VERIFY, DANE, DANE_ONLY) and is_ip_address(host) and not names:
        raise InvalidInput(
            f"{owner} has tls {policy} and the address {host} for its host, which no certificate and no record names: "
            f"give the host's name{f', or the names in its certificate in {NAMES_KEY}' if policy == VERIFY else ''}"
        )
    if policy == FINGERPRINT:
        return policy, tuple(sorted({_fingerprint(one, owner) for one in fingerprints}))
    return policy, tuple(sorted({_name(one, owner) for one in names}))


def match_arguments(policy: str, match: tuple[str, ...]) -> dict[str, list[str]]:
    """Give what a certificate has to match under the key that ``parse_tls`` reads it from, {} for nothing."""
    return {FINGERPRINTS_KEY if policy == FINGERPRINT else NAMES_KEY: list(match)} if match else {}


def _read(value: Mapping[str, Any], key: str, owner: str) -> tuple[Any, ...]:
    written = value.get(key)
    return () if written is None else tuple(read_list(written, f"'{key}' of {owner}", "a list"))


def _fingerprint(value: Any, owner: str) -> str:
    # Some characters that are not ASCII become ASCII letters in upper case, such as the ligature ff.
    text = value.strip(" \t").upper() if isinstance(value, str) and value.isascii() else ""
    if not SHA256.fullmatch(text):
        raise InvalidInput(
            f"{owner} has the fingerprint {kind_of(value)}: write the SHA-256 of its certificate or public key, 32 "
            f"bytes in hexadecimal"
        )
    bare = text.replace(":", "")
    return ":".join(bare[start : start + 2] for start in range(0, len(bare), 2))


def _name(value: Any, owner: str) -> str:
    name = canonical_host(value) if isinstance(value, str) else ""
    if "." not in name:
        # Words without a dot mean something else to Postfix: hostname, nexthop, dot-nexthop.
        raise InvalidInput(
            f"{owner} has the TLS name {shown_host(value)}: write the full name that its certificate has"
        )
    return name
