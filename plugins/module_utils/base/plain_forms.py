# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What hosts, names, next hops, known words and values of options look like: all else may be a secret. Pure. Private.
#
# The form decides and never the content: nobody can tell a password from another word.

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

# All have bounds, for the time that they take.
_IPV6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4})(?:%[\w.]{1,20})?"
_HOST = re.compile(rf"\[?(?:{_IPV6}(?=[\]/\s]|\Z)|[^\s/:@?#;,=&'\"\\]*)")
_QUOTES = "'\"\\"
_BEHIND_A_HOST = re.compile(r"\]?(?::[0-9]{0,5})?(?:/[0-9]{0,3})?\s*")
_NEXT_HOP = re.compile(
    rf"(?:\[(?:{_IPV6}|[\w.-]{{1,255}})\]|[\w.-]{{1,255}})(?::[0-9]{{1,5}})?|{_IPV6}|[^\s:@/]{{0,64}}@[\w.-]{{1,255}}"
)
# SHA-256 of a certificate or public key, as openssl prints it or without its colons.
SHA256 = re.compile(r"[0-9A-F]{2}(?::?[0-9A-F]{2}){31}")
_BETWEEN = re.compile(r"[\s:=,{}\[\]'\"]+")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,24}", re.ASCII)
# What Ansible takes for the types of options.
_NUMBER = re.compile(r"\s*[+-]?[0-9_.]{1,24}\s*")
_TRUTHS = ("y", "yes", "on", "1", "true", "t", "n", "no", "off", "0", "false", "f", "1.0", "0.0")
# Of all mappings in a split map and in the options of modules: one of these in a wrong place is no secret.
KNOWN_KEYS = (
    *("domain", "sites", "site", "name", "role", "hosts", "host", "relay", "relays", "port", "tls", "tls_names"),
    *("fingerprints", "username", "password", "unknown", "call_ahead", "local_transport", "directory", "clients"),
    *("allow_wide_clients", "subdomain", "subdomain_mx", "alias_domains", "catch_all", "verification_address", "mx"),
    *("mx_ttl", "state", "address", "copy", "expect", "preference", "exchange", "peers", "managed"),
)
_LIKENESS, _SHORTEST_BEGINNING = 0.75, 3
_LONGEST_LOOKED_AT = 65536


def beside_a_host(text: str) -> Iterator[str]:
    """Give what stands in a text that is to be a host before its last ``@``, and behind its name and port."""
    before, _at, host = (text.partition("//")[2] or text).rpartition("@")
    yield before
    bare = host.strip(" \t")
    found = _HOST.match(bare)
    behind = bare[found.end() :] if found else bare
    if not _BEHIND_A_HOST.fullmatch(behind):
        # What parts it from the host stays, to be seen as the fault that it is.
        yield behind[1:]
        yield from behind[1:].split()
        # In no host by mistake, and no end of one.
        if behind[0] in _QUOTES:
            yield bare


def beside_a_name(text: str) -> tuple[str, str]:
    """Give a text that is to be a name up to its first colon, white space or sign that does not print, and the rest."""
    end = next((at for at, one in enumerate(text) if one in ":" or one.isspace() or not one.isprintable()), len(text))
    return text[:end], text[end:]


def is_next_hop(text: str) -> bool:
    """Tell whether a text may be where mail goes: hosts with ports, parted by commas, or an address."""
    hops = [one.strip() for one in text[:_LONGEST_LOOKED_AT].split(",")]
    return all(_NEXT_HOP.fullmatch(one) and not one.isdigit() for one in hops)


def is_one_of_several(text: str) -> bool:
    """Tell whether a text in a list may be where mail goes; a bare word there may be what belongs to the one before."""
    return is_next_hop(text) and (text.strip().lower() == "local" or any(sign in text for sign in ".:[@"))


def is_like(text: str, known: Iterable[str]) -> bool:
    """Tell whether a text is one of the ``known`` words, misspelt, or the beginning of one."""
    if not _WORD.fullmatch(text):
        return False
    words = list(known)
    folded = text.lower()
    begins = len(folded) >= _SHORTEST_BEGINNING and any(word.startswith(folded) for word in words)
    return begins or bool(get_close_matches(folded, words, 1, _LIKENESS))


def pieces(text: str) -> Iterator[str]:
    """Give a text as a whole, and what stands between signs that part a login from a host."""
    yield text
    yield text.strip()
    yield from _BETWEEN.split(text[:_LONGEST_LOOKED_AT])


def is_odd(entry: Any, kind: str) -> bool:
    """Tell whether a value is none of a type of options."""
    if not isinstance(entry, str):
        return (kind == "dict" and not isinstance(entry, (dict, type(None)))) or (
            kind in ("str", "path") and (isinstance(entry, (dict, list, tuple)))
        )
    if kind in ("int", "float"):
        return not _NUMBER.fullmatch(entry)
    if kind == "bool":
        return entry.lower().strip() not in _TRUTHS
    return kind == "dict" and not isinstance(as_mapping(entry), dict)


def as_mapping(value: Any) -> Any:
    """Give what Ansible makes of a text where a mapping is wanted: JSON, or words with ``=`` in them."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        words = [word.partition("=") for word in re.split(r"[\s,]+", value)]
        found = {key: word.strip("'\"").replace("\\", "") for key, equals, word in words if equals}
        return found or value
