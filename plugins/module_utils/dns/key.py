# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The TSIG key that signs requests: from options or from a BIND key file. Private to this collection.

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import MAX_NAME

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

# A key's name is a domain name in form only, so it may well end in a number.
_KEY_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
# A quoted string is no comment, though a secret in base64 may well hold two slashes.
_COMMENT_OR_STRING = re.compile(r'(?P<string>"[^"\n]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)
_KEY = re.compile(r'\bkey\s+"?(?P<name>[^\s"{;]+)"?\s*\{(?P<body>[^}]*)\}')
_STATEMENT = re.compile(r'\b(algorithm|secret)\s+"?([^\s";]+)"?\s*;')


@dataclass(frozen=True)
class SigningKey:
    """A TSIG key: canonical name without a trailing dot, one of ALGORITHMS, and the secret's octets."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)


def signing_key(name: str | None, secret: str | None, algorithm: str, file: str | None) -> SigningKey | None:
    """Give the key that the options name, or None where they name none and requests go unsigned.

    ``secret`` is base64. ``file`` is a BIND key file (``tsig-keygen``), ``name`` then chooses one of its keys. Raises
    InvalidInput, never with the secret in its text.
    """
    if file is not None:
        try:
            path = Path(file).expanduser()
        except RuntimeError as error:
            raise InvalidInput(
                f"the key file {file!r} is below the home of a user who is not known: correct it"
            ) from error
        return _from_file(path, name)
    if name is None and secret is None:
        return None
    if name is None or secret is None:
        missing, given = ("key_name", "key_secret") if name is None else ("key_secret", "key_name")
        raise InvalidInput(f"{given} is given without {missing}: give both, or key_file, or none of them")
    return _key(name, secret, algorithm, "key_secret")


def _from_file(path: Path, name: str | None) -> SigningKey:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text, or its name no path"
        raise InvalidInput(
            f"the key file {path} cannot be read on the host that runs the module ({reason}): "
            "name a BIND key file that this task's user may read"
        ) from error
    keys = {_key_name(match["name"]): match["body"] for match in _KEY.finditer(_without_comments(text))}
    if not keys:
        raise InvalidInput(f"the key file {path} holds no key: it should look as tsig-keygen writes it")
    if name is None and len(keys) > 1:
        raise InvalidInput(f"the key file {path} holds several keys ({', '.join(keys)}): choose one with key_name")
    chosen = next(iter(keys)) if name is None else _key_name(name)
    if chosen not in keys:
        raise InvalidInput(f"the key file {path} holds no key {chosen}, only {', '.join(keys)}: correct key_name")
    statements = dict(_STATEMENT.findall(keys[chosen]))
    if "secret" not in statements:
        raise InvalidInput(f"the key {chosen} in the key file {path} has no secret: write it with tsig-keygen")
    return _key(chosen, statements["secret"], statements.get("algorithm", DEFAULT_ALGORITHM), f"key file {path}")


def _without_comments(text: str) -> str:
    return _COMMENT_OR_STRING.sub(lambda found: found["string"] or " ", text)


def _key(name: str, secret: str, algorithm: str, source: str) -> SigningKey:
    chosen = algorithm.lower().rstrip(".")
    chosen = next((short for short, wire in ALGORITHMS.items() if chosen in (short, wire)), chosen)
    if chosen not in ALGORITHMS:
        raise InvalidInput(
            f"the algorithm {algorithm!r} of the key {name} is not known: use one of {', '.join(ALGORITHMS)}"
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
    return SigningKey(_key_name(name), chosen, octets)


def _key_name(name: str) -> str:
    bare = name.strip().rstrip(".").lower()
    if not _KEY_NAME.fullmatch(bare) or len(bare) > MAX_NAME:
        raise InvalidInput(
            f"the key's name {name!r} is no domain name of letters, digits, hyphens and underscores: "
            "write it as the server's configuration has it"
        )
    return bare
