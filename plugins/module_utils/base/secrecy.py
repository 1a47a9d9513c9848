# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What may be a secret in what users write, also where none belongs; nobody is shown it. Pure. Private.
#
# A password stands in a wrong place before anybody has told so: under a misspelt key, in a URL, behind a user name.
# Then it is in the arguments of a module, which Ansible shows with its results, and in the sentence that refuses it.

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.plain_forms import (
    KNOWN_KEYS,
    SHA256,
    as_mapping,
    beside_a_host,
    beside_a_name,
    is_like,
    is_next_hop,
    is_odd,
    is_one_of_several,
    pieces,
)

# What stands where a secret would.
HIDDEN = "********"
# Shorter ones are no secrets; to hide them would make holes in every other word.
_SHORTEST = 4
_LONGEST = 4096
# What keys are called under which secrets stand, and how like a misspelt one has to be.
_SECRET_KEYS = ("password", "passwords", "passwd", "passphrase", "pass", "pwd", "secret", "keysecret", "token")
_LIKENESS = 0.8
_LONGEST_KEY = 24
# Keys of names behind whose colon a secret may stand, as sasl_passwd and dig -y write it, and of those among them that
# have no white space in them.
_NAMES = ("username", "user", "login", "key_name", "key_file", "key_algorithm", "site", "unknown")
_WORDS = ("key_name", "key_algorithm", "site", "unknown")
_KEYS_OF_SIGNATURES = ("key_name", "key_file", "key_algorithm", "server")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
# Keys of hosts, which have nobody's name before them.
_HOSTS = (
    "host", "hosts", "server", "servers", "relay", "relays", "clients", "resolver", "wait_servers", "helo", "addresses",
    "own_addresses", "tls_names", "domain", "subdomain", "alias_domains", "exchange",
)  # fmt: skip
_ADDRESSES = "addresses"
# Where mail goes, as recipient_routes has it: by address, and by site.
_NEXT_HOP, _NEXT_HOPS = "to", "sites"
_ONE_OF_SEVERAL = "to[]"
_PORT, _A_PORT = "port", re.compile(r"-?[0-9]{0,6}")
# Keys of texts that show nothing at all where they have another form.
_FORMS: Mapping[str, Callable[[str], Any]] = {
    _NEXT_HOP: is_next_hop,
    _ONE_OF_SEVERAL: is_one_of_several,
    "expect": re.compile(r"[a-z]{1,12}").fullmatch,
    "fingerprints": lambda text: SHA256.fullmatch(text.strip().upper()),
    "tls": re.compile(r"[a-z-]{1,12}").fullmatch,
}
# user:secret@host, with or without a scheme before it. What is before the colon is a name. All have bounds, for the
# time that they take: nobody's secret is longer.
_BEHIND_A_NAME = re.compile(
    r"(?:^|(?<=//)|(?<=[\s'\"]))[^\s/:@'\"]{0,64}:(?!//)(?P<secret>[^\s@]\S{0,255})@(?=[^\s@])", re.MULTILINE
)
_IN_A_URL = re.compile(r"://(?P<secret>[^\s/:@]{1,255})@")
_IN_A_KEY_FILE = re.compile(r"\bsecret\s{1,20}\"?(?P<secret>[^\s\";]{1,255})\"?\s{0,20};", re.IGNORECASE)
_PATTERNS = (_BEHIND_A_NAME, _IN_A_URL, _IN_A_KEY_FILE)
# Keys of entries that an argument spec says nothing of.
_KEYS_OF_ENTRIES = {
    "recipients": frozenset(("address", "expect")),
    "to": frozenset(("host", "port", "tls", "tls_names", "fingerprints", "username")),
}
# Parameters of Postfix that name tables of passwords, and tables whose name holds what is in them.
TABLES_OF_LOGINS = "_sasl_password_maps"
_TABLE_IN_ITSELF = re.compile(r"(?:static|inline):(?P<text>[^,]{1,4096})")
_BETWEEN = re.compile(r"[\s:=,{}]+")
Spec = Mapping[str, Mapping[str, Any]]


def secrets_in(value: Any, spec: Optional[Spec] = None) -> set[str]:
    """Give all texts of a value that may be secrets, each also as ``repr`` and str of a container write it.

    ``spec`` is the argument spec that the value is for: what stands under a key that it does not have may be anything.
    Without one the names of keys have to tell.
    """
    return as_written(_mapping(value, spec) if isinstance(value, dict) else _found(value, ""))


def as_written(secrets: Iterable[str]) -> set[str]:
    """Give texts that are to be hidden, each also as ``repr`` and str of a container write it."""
    return {form for secret in set(secrets) if len(secret) >= _SHORTEST for form in _forms(secret)}


def _forms(secret: str) -> tuple[str, ...]:
    """Give a secret as it is, and as Python writes it in a text, in a text in a text, and beside other quotes."""
    if len(secret) > _LONGEST:
        return (secret,)
    written = repr(secret)[1:-1]
    return (secret, written, repr(f'"{secret}')[2:-1], repr(written)[1:-1], repr(f'"{written}')[2:-1])


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Give a text with these secrets hidden, and whatever looks like one by itself."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: match.group().replace(match["secret"], HIDDEN), text)
    return text


def host_without_secrets(text: str) -> str:
    """Give what is to be a host with what stands before its last ``@``, or behind a colon and is no port, hidden."""
    for secret in sorted(beside_a_host(text), key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if secret else text
    return without_secrets(text)


def name_without_secrets(text: str) -> str:
    """Give a text that is to be a name with all hidden from its first sign on that stands in none."""
    name, rest = beside_a_name(text)
    return f"{name}{rest[0] if rest[0] in ': ' else ''}{HIDDEN}" if rest else name


def before_the_colon(text: str) -> str:
    """Give a text that is to be a path with what stands behind its first colon hidden."""
    path, colon, _secret = text.partition(":")
    return f"{path}:{HIDDEN}" if colon else path


def told(error: Exception, *given: Any) -> str:
    """Give the text of a failure without what may be a secret in what was ``given``."""
    return without_secrets(str(error), set().union(*map(secrets_in, given)))


def holds_passwords(tables: str) -> list[str]:
    """Give what stands in the value of a parameter of TABLES_OF_LOGINS itself, where its tables need no file."""
    return [match["text"] for match in _TABLE_IN_ITSELF.finditer(tables)]


def _mapping(value: Mapping[Any, Any], spec: Optional[Spec]) -> Iterator[str]:
    for key, entry in value.items():
        name = str(key)
        # What Ansible itself tells its modules.
        if spec is not None and name.startswith("_ansible_"):
            continue
        if spec is None:
            yield from _leaves(entry) if _is_of_a_secret(name) else _found(entry, name)
        elif name not in spec or spec[name].get("no_log"):
            # A key may be a secret, too; a misspelt one is shown.
            yield from () if name in spec or is_like(name, (*spec, *KNOWN_KEYS, *_SECRET_KEYS)) else pieces(name)
            yield from _leaves(entry)
        else:
            yield from _option(entry, name, spec[name])


def _option(value: Any, name: str, option: Mapping[str, Any]) -> Iterator[str]:
    """Give what may be secret in the value of an option that the spec has."""
    inner: Optional[Spec] = option.get("options")
    if inner is None:
        yield from _refused(value, option)
        yield from _found(value, name)
        return
    holds_secrets = _holds_secrets(inner)
    for entry in map(as_mapping, value if _is_list(value) else [value]):
        if isinstance(entry, dict) and not set(entry).isdisjoint(inner):
            yield from _mapping(entry, inner)
        elif holds_secrets and not isinstance(entry, str):
            # Not in the shape that is wanted, so that nobody can tell which part is the secret.
            yield from _leaves(entry)
        else:
            yield from _found(entry, name)
            yield from re.split(r"[\s,]+", entry) if holds_secrets and isinstance(entry, str) else ()


def _holds_secrets(spec: Spec) -> bool:
    """Tell whether a secret has its place in what an argument spec describes, however far down."""
    return any(one.get("no_log") or _holds_secrets(one.get("options") or {}) for one in spec.values())


def _refused(value: Any, option: Mapping[str, Any]) -> Iterator[str]:
    """Give what Ansible will refuse, and show, because it is of another type or none of the choices."""
    is_list = option.get("type") == "list"
    kind = option.get("elements", "raw") if is_list else option.get("type", "str")
    choices = option.get("choices")
    for entry in value if is_list and _is_list(value) else [value]:
        is_no_choice = choices and isinstance(entry, str) and entry not in choices and not is_like(entry, choices)
        if is_no_choice or is_odd(entry, kind):
            yield from _all_pieces(entry)


def _found(value: Any, name: str) -> Iterator[str]:
    """Give what may be secret in a value under a key of this name."""
    if isinstance(value, dict):
        yield from _in_a_mapping(value, name)
    elif _is_list(value):
        for entry in value:
            # In a list sites are mappings with keys of their own, as in the split map.
            yield from _found(entry, {_NEXT_HOP: _ONE_OF_SEVERAL, _NEXT_HOPS: ""}.get(name, name))
    elif name == _PORT and value is not None and not _A_PORT.fullmatch(str(value).strip()):
        yield from _all_pieces(value)
    elif isinstance(value, str):
        yield from _in_a_text(value, name)


def _in_a_mapping(value: Mapping[Any, Any], name: str) -> Iterator[str]:
    known = _KEYS_OF_ENTRIES.get(_NEXT_HOP if name == _ONE_OF_SEVERAL else name)
    if name.endswith(TABLES_OF_LOGINS):
        yield from _all_pieces(value)
    elif name == _NEXT_HOPS:
        for entry in value.values():
            yield from _found(entry, _NEXT_HOP)
    elif known is None or known.issuperset(value):
        yield from _mapping(value, None)
    else:
        yield from _mapping({key: found for key, found in value.items() if key in known}, None)
        yield from _leaves([found for key, found in value.items() if key not in known])
        yield from (one for key in value if not is_like(str(key), (*known, *KNOWN_KEYS)) for one in pieces(str(key)))


def _in_a_text(value: str, name: str) -> Iterator[str]:
    # Looked at first, for the time that it takes: most texts are addresses.
    if (":" in value and "@" in value) or ";" in value:
        yield from (match["secret"] for pattern in _PATTERNS for match in pattern.finditer(value))
    if name in _NAMES:
        yield from _beside_a_name(value, name)
    if name in _KEYS_OF_SIGNATURES:
        yield from _BASE64.findall(value)
    if name.endswith(TABLES_OF_LOGINS) or name == "elements":
        yield from (word for found in holds_passwords(value) for word in _BETWEEN.split(found))
    # Addresses are of hosts in one module, and of users in another.
    if name in _HOSTS and not (name == _ADDRESSES and "@" in value):
        yield from beside_a_host(value)
    is_form = _FORMS.get(name)
    if is_form is not None and not is_form(value):
        yield from (value, value.strip())
        # Of a next hop the host is shown; all behind it is none.
        yield from beside_a_host(value) if name in (_NEXT_HOP, _ONE_OF_SEVERAL) else pieces(value)


def _beside_a_name(text: str, key: str) -> Iterator[str]:
    """Give what stands behind a name in its text, where that cannot be one name."""
    is_name = text == text.strip() and all(one == " " or one.isprintable() for one in text) and ":" not in text
    if is_name and not (key in _WORDS and " " in text):
        return
    rest = beside_a_name(text)[1]
    yield from (rest[1:], rest.strip(), rest.rpartition(":")[2])
    yield from rest.split()


def _all_pieces(value: Any) -> Iterator[str]:
    """Give all that a value of no known shape holds."""
    for leaf in _leaves(value):
        yield from pieces(leaf)


def _leaves(value: Any) -> Iterator[str]:
    """Give all texts and numbers in a value, keys left out."""
    if isinstance(value, dict):
        for entry in value.values():
            yield from _leaves(entry)
    elif _is_list(value):
        for entry in value:
            yield from _leaves(entry)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value)
        yield text
        yield text.strip()


@lru_cache(maxsize=4096)
def _is_of_a_secret(name: str) -> bool:
    """Tell whether a key is called as those of secrets are, or nearly so."""
    if len(name) > _LONGEST_KEY or "@" in name or "." in name:
        return False
    words = [re.sub(r"[^a-z]", "", name.lower()), re.split(r"[^a-z]+", name.lower())[-1]]
    return any(get_close_matches(word, _SECRET_KEYS, 1, _LIKENESS) for word in words if word)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
