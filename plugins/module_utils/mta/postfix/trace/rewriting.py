# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What becomes of an address before it is resolved: its full form, canonical(5) and virtual(5). Pure. Private.

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.journal import Journal
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    Hit,
    parts_of,
    together,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.resolving import find_rewriting
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import TraceSettings

# cleanup(8) rewrites an address no more often.
_CANONICAL_ROUNDS = 10
# Items of a list, commas in quotes being part of an item, and what stands between white space in an item.
# A quotation that is never closed goes on to the end, so that nothing in it is looked at twice.
_QUOTED = r'"(?:\\.|[^"\\])*(?:"|\\?\Z)'
_ITEM = re.compile(rf'(?:{_QUOTED}|[^,"])+', re.DOTALL)
_WORD = re.compile(rf'(?:{_QUOTED}|[^\s"])+', re.DOTALL)
_BRACKETED = re.compile(r"<([^<>]*)>")
_COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Expansion:
    """What virtual_alias_maps makes of an address."""

    addresses: tuple[str, ...]
    circle: Hit | None = None
    """The entry that leads back to an address before it. Postfix takes no mail for an address with such aliases."""


def full_address(settings: TraceSettings, address: str) -> str:
    """Give an address with its domain, as trivial-rewrite(8) completes it."""
    if "@" not in address:
        if not settings.is_on("append_at_myorigin"):
            return address
        address = f"{address}@{settings.value('myorigin')}"
    domain = parts_of(address)[1]
    if "." not in domain and settings.is_on("append_dot_mydomain"):
        address = f"{address}.{settings.value('mydomain')}"
    return address.removesuffix(".")


def listed_items(value: str) -> Iterator[str]:
    """Give the items of a list of addresses in the value of a table: bare, without names and comments around them."""
    for item in _ITEM.findall(value):
        bracketed = _BRACKETED.findall(item)
        yield from bracketed or _WORD.findall(_COMMENT.sub(" ", item))


def listed_addresses(settings: TraceSettings, hit: Hit, address: str, kind: str) -> tuple[str, ...]:
    """Give the addresses that an entry puts in the place of ``address``.

    ``@other.domain`` keeps the user. An extension that no key had goes to every address, if tables of this ``kind`` do
    that (propagate_unmatched_extensions).
    """
    value = hit.value or ""
    if value.startswith("@"):
        local_part = parts_of(address)[0]
        value = local_part.removesuffix(hit.extension) + value
    found = []
    for item in listed_items(value):
        full = full_address(settings, item)
        if hit.extension and settings.propagates(kind):
            local_part, domain = parts_of(full)
            full = f"{local_part}{hit.extension}@{domain}"
        found.append(full)
    return tuple(found)


def rewrite_canonical(settings: TraceSettings, address: str, journal: Journal) -> Asking[str]:
    """Rewrite an envelope recipient by recipient_canonical_maps, then canonical_maps, each until nothing changes."""
    for parameter, classes in (
        ("recipient_canonical_maps", "recipient_canonical_classes"),
        ("canonical_maps", "canonical_classes"),
    ):
        if "envelope_recipient" not in settings.words(classes):
            continue
        for _round in range(_CANONICAL_ROUNDS):
            hit = yield from find_rewriting(settings, parameter, address)
            listed = listed_addresses(settings, hit, address, "canonical") if hit else ()
            if hit is None or not listed:
                break
            journal.note("canonical", address, hit, listed[0])
            before, address = address, listed[0]
            if before.lower() == address.lower():
                break
    return address


def expand_aliases(settings: TraceSettings, address: str, journal: Journal) -> Asking[Expansion]:
    """Give the addresses that virtual_alias_maps makes of one, nested aliases followed to the end, each once.

    An address that is in its own expansion is final there.
    """
    final: dict[str, str] = {}
    of_itself: set[str] = set()
    level: list[tuple[str, frozenset[str]]] = [(address, frozenset())]
    while level:
        hits = yield from together(
            [find_rewriting(settings, "virtual_alias_maps", current) for current, _before in level]
        )
        next_level: list[tuple[str, frozenset[str]]] = []
        for (current, before), hit in zip(level, hits):
            listed = listed_addresses(settings, hit, current, "virtual") if hit else ()
            if hit is None or not listed:
                final.setdefault(current.lower(), current)
                continue
            journal.note("alias", current, hit, ", ".join(listed))
            names = [other.lower() for other in listed]
            if current.lower() in names:
                of_itself.add(current.lower())
            for other, name in zip(listed, names):
                if name in of_itself:
                    final.setdefault(name, other)
                elif name in before:
                    return Expansion((), hit)
                else:
                    next_level.append((other, before | {current.lower()}))
        level = next_level
    return Expansion(tuple(final.values()))
