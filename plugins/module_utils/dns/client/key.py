# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A TSIG key, which signs requests. Pure. Private to this collection.

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import MAX_NAME
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown_name

# RFC 8945 section 6, by the names that BIND and its tools use; the values are the names on the wire.
ALGORITHMS = {
    "hmac-md5": "hmac-md5.sig-alg.reg.int",
    "hmac-sha1": "hmac-sha1",
    "hmac-sha224": "hmac-sha224",
    "hmac-sha256": "hmac-sha256",
    "hmac-sha256-128": "hmac-sha256-128",
    "hmac-sha384": "hmac-sha384",
    "hmac-sha384-192": "hmac-sha384-192",
    "hmac-sha512": "hmac-sha512",
    "hmac-sha512-256": "hmac-sha512-256",
}
DEFAULT_ALGORITHM = "hmac-sha256"
# RFC 8945 section 6: not to be used, and not recommended.
_FORBIDDEN = ("hmac-md5",)
_DISCOURAGED = ("hmac-sha1", "hmac-sha224")
# A key's name is a domain name in form only, so it may well end in a number.
_KEY_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True)
class SigningKey:
    """A TSIG key: canonical name without a trailing dot, one of ALGORITHMS, and the secret's octets.

    ``warnings`` tell what is amiss in the key or in how it is kept.
    """

    name: str
    algorithm: str
    secret: bytes = field(repr=False)
    warnings: tuple[str, ...] = ()


def key_of(name: str, secret: str, algorithm: str, source: str) -> SigningKey:
    """Give the key of a name, a secret in base64 and an algorithm, which all come from ``source``.

    Raises InvalidInput, never with the secret in its text.
    """
    chosen = algorithm.lower().rstrip(".")
    chosen = next((short for short, wire in ALGORITHMS.items() if chosen in (short, wire)), chosen)
    if chosen not in ALGORITHMS:
        raise InvalidInput(
            f"the algorithm {shown_name(algorithm)} of the key {name} is not known: use one of {', '.join(ALGORITHMS)}"
        )
    try:
        octets = base64.b64decode(secret.strip(), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        # The cause is not chained: its text may hold parts of the secret.
        raise InvalidInput(
            f"the secret of the key {name} ({source}) is no base64: give it as tsig-keygen prints it"
        ) from None
    canonical = canonical_key_name(name)
    return SigningKey(canonical, chosen, octets, tuple(_weaknesses(canonical, chosen, len(octets), source)))


def _weaknesses(name: str, algorithm: str, size: int, source: str) -> Iterator[str]:
    """Give a warning for each way in which a key protects less than it seems to."""
    cure = "make a new key on the server (tsig-keygen -a hmac-sha256) and use it here"
    if algorithm in (*_FORBIDDEN, *_DISCOURAGED):
        word = "must not be used any more" if algorithm in _FORBIDDEN else "is not recommended any more"
        yield f"the key {name} ({source}) is for {algorithm}, which {word} (RFC 8945 section 6): {cure}"
    digest = algorithm.split("-")[1]
    least = hashlib.new(digest, usedforsecurity=False).digest_size
    if size < least:
        yield (
            f"the secret of the key {name} ({source}) has {size} octets, fewer than the {least} of a signature by "
            f"{algorithm}, and is easier to guess (RFC 2104 section 3): {cure}"
        )


def canonical_key_name(name: str) -> str:
    """Give a key's name in lower case without a trailing dot. Raises InvalidInput."""
    # Folded last: some characters that are not ASCII become ASCII letters when they are.
    bare = name.strip(" \t").rstrip(".")
    bare = bare.lower() if bare.isascii() else bare
    if not _KEY_NAME.fullmatch(bare) or len(bare) > MAX_NAME:
        raise InvalidInput(
            f"the key's name {shown_name(name)} is no domain name of letters, digits, hyphens and underscores: "
            "write it as the server's configuration has it"
        )
    return bare
