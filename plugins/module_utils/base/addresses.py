# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Mail addresses of a split domain: checked, and brought to the form in which tables hold them. Private.

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import MAX_SHOWN, canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted

MAX_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
MAX_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3: a path of 256 octets less its angle brackets
# The atoms of RFC 5321 section 4.1.2 without those that mean something to Postfix itself: "$" and braces (parameter
# expansion), "!" and "%" (source routes), "|" and "`" (commands), "#" (comments in tables).
_ATOM = r"[a-z0-9&'*+/=?^_~-]+"
DOT_ATOM_PATTERN = rf"{_ATOM}(?:\.{_ATOM})*"
_DOT_ATOM = re.compile(DOT_ATOM_PATTERN, re.ASCII)


@dataclass(frozen=True, order=True)
class Address:
    """A mail address in canonical form: lower case, the domain as A-labels."""

    domain: str
    local_part: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"


def parse_address(text: str) -> Address:
    """Parse ``local-part@domain`` and give it in canonical form.

    The local part is folded to lower case, as Postfix folds the keys of its tables. Raises InvalidInput for what is
    no address, for quoted local parts, and for characters that Postfix gives a meaning of their own.
    """
    shown = quoted(text, MAX_SHOWN)
    bare = text.strip(" \t")
    local_part, at_sign, domain = bare.rpartition("@")
    if not at_sign or not local_part or not domain:
        raise InvalidInput(f"{shown} is not a mail address: write it as user@example.com")
    # Before it is folded: some characters that are not ASCII become ASCII letters when they are, such as KELVIN SIGN.
    local_part = local_part.lower() if local_part.isascii() else local_part
    # canonical_domain forgives white space around a name, but here it would stand in the middle of the address.
    fault = _character_fault(domain[0]) if domain[0].isspace() else _local_part_fault(local_part)
    if fault:
        raise InvalidInput(f"the address {shown} {fault}")
    address = Address(_domain_of_many(domain), local_part)
    if len(local_part) + 1 + len(address.domain) > MAX_ADDRESS:
        raise InvalidInput(f"the address {shown} is longer than {MAX_ADDRESS} characters (RFC 5321): shorten it")
    return address


def parse_recipient(text: str, domain: str) -> Address:
    """Parse an address that must belong to the canonical ``domain``; raises InvalidInput when it does not."""
    address = parse_address(text)
    if address.domain != domain:
        raise InvalidInput(
            f"the address {quoted(text, MAX_SHOWN)} does not belong to the split domain {domain}: "
            f"remove it, or list it under the domain {address.domain}"
        )
    return address


# A directory has one domain and a hundred thousand addresses.
_domain_of_many = lru_cache(maxsize=256)(canonical_domain)


def _local_part_fault(local_part: str) -> str | None:
    """Tell what is wrong with a lower-cased local part and what to do, or None."""
    if _DOT_ATOM.fullmatch(local_part) and len(local_part) <= MAX_LOCAL_PART and not local_part.startswith("-"):
        return None
    if not local_part.isascii():
        return "has a non-ASCII local part, which needs SMTPUTF8 (RFC 6531) on every hop: give the mailbox an ASCII one"
    if local_part.startswith('"'):
        return "has a quoted local part, which is not supported: give the mailbox an address without quotes"
    if len(local_part) > MAX_LOCAL_PART:
        return f"has a local part of more than {MAX_LOCAL_PART} characters (RFC 5321): shorten it"
    if local_part.startswith("-"):
        return "begins with a hyphen, which Postfix refuses (allow_min_user): choose another"
    return _character_fault(local_part)


def _character_fault(local_part: str) -> str:
    for character in local_part:
        if character.isspace() or not character.isprintable():
            return f"holds white space or a control character ({character!r}): remove it"
        if character != "." and not re.fullmatch(_ATOM, character):
            return f"holds the character {character!r}, which cannot stand in a mail table: choose another address"
    return "has a dot at an end of its local part, or two in a row (RFC 5321): remove it"
