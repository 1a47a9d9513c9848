# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The keys under which Postfix looks for an address, in their order: virtual(5), transport(5), access(5). Pure. Private.

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lookups import Key

# Postfix never takes these apart (RFC 5321, section 4.5.1, and its own names).
_WHOLE_NAMES = ("postmaster", "mailer-daemon")


@dataclass(frozen=True)
class ExtensionRules:
    """How a local part falls into user and extension."""

    delimiters: str
    """The characters of recipient_delimiter, each of which is one."""
    owner_request_special: bool = True
    """Whether owner-list and list-request stay whole where the hyphen is a delimiter."""
    double_bounce: str = "double-bounce"

    def split(self, local_part: str) -> tuple[str, str]:
        """Give user and extension, the delimiter being the extension's first character; the extension may be empty."""
        folded = local_part.lower()
        if folded in (*_WHOLE_NAMES, self.double_bounce.lower()):
            return local_part, ""
        is_of_list = folded.startswith("owner-") or (folded.endswith("-request") and folded != "-request")
        if is_of_list and "-" in self.delimiters and self.owner_request_special:
            return local_part, ""
        end = next((place for place, letter in enumerate(local_part) if letter in self.delimiters), 0)
        return (local_part[:end], local_part[end:]) if end else (local_part, "")


def parts_of(address: str) -> tuple[str, str]:
    """Give the local part and the domain of an address."""
    local_part, _at_sign, domain = address.rpartition("@")
    return local_part, domain


def rewriting_keys(address: str, rules: ExtensionRules, is_local: bool) -> tuple[Key, ...]:
    """Give the keys of canonical(5), virtual(5), relocated(5) and of recipient tables.

    ``is_local`` tells whether the domain is $myorigin or in $mydestination, where a user alone is a key too.
    """
    local_part, domain = parts_of(address)
    keys = list(_whole_and_user(address, rules))
    if is_local:
        keys += [Key(key.text.rpartition("@")[0], True, key.extension) for key in keys]
    return (*keys, Key(f"@{domain}"))


def transport_keys(address: str, rules: ExtensionRules, parents_match: bool) -> tuple[Key, ...]:
    """Give the keys of transport(5), the wildcard last."""
    # The wildcard is asked of every table, patterns included.
    return (*_whole_and_user(address, rules), *_domains(address, parents_match), Key("*", is_part=False))


def access_keys(address: str, rules: ExtensionRules, parents_match: bool) -> tuple[Key, ...]:
    """Give the keys of access(5) for a mail address."""
    whole = tuple(_whole_and_user(address, rules))
    users = (Key(key.text.rpartition("@")[0] + "@", True, key.extension) for key in whole)
    return (*whole, *_domains(address, parents_match), *users)


def domain_keys(domain: str, parents_match: bool) -> Iterator[Key]:
    """Give a domain and its parents: ``example.com`` where parents match sub-domains, else ``.example.com``."""
    name, is_part = domain, False
    while name:
        yield Key(name, is_part)
        is_part = True
        place = name.find(".", 1)
        name = "" if place < 0 else name[place + 1 :] if parents_match else name[place:]


def _domains(address: str, parents_match: bool) -> Iterator[Key]:
    return (Key(key.text) for key in domain_keys(parts_of(address)[1], parents_match))


def _whole_and_user(address: str, rules: ExtensionRules) -> Iterator[Key]:
    local_part, domain = parts_of(address)
    yield Key(address, is_part=False)
    user, extension = rules.split(local_part)
    if extension:
        yield Key(f"{user}@{domain}", True, extension)
