# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What dual delivery adds to the tables of a Postfix server: the names of copies, and where they go. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.peer_groups import PeerGroup
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    ALIASES,
    LOOP,
    NO_ANSWER,
    UNLISTED_CLASS,
    TableNames,
    inline,
    question_key,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of

# The table by which every name of an address leads to the one that its copies are made for.
COPIED_NAMES = "copied_names"
# What the names of a group's tables begin with.
_FOUND, _MARKS = COPY_GUARDS = ("copies_", "marks")


def copy_rows(settings: DomainSettings, local_transport: str) -> list[tuple[str, str]]:
    """Give the rows of ``mail_domains`` for copies: those of this site are delivered here, others go to their relays.

    Nobody has an address there but who has one in ``aliases``.
    """
    if settings.site is None:
        return []
    places = {copy_domain(settings.site, settings.domain): local_transport}
    places.update((copy_domain(peer.site, settings.domain), transport_of(peer.relay)) for peer in settings.peers)
    rows = (((name, transport), (question_key(name), UNLISTED_CLASS)) for name, transport in places.items())
    return [row for pair in rows for row in pair]


def generic_rows(settings: Sequence[DomainSettings]) -> list[tuple[str, str]]:
    """Give the entries of ``generic``: copies get their address back where they leave for a mailbox.

    That is at this site, and at the door to sites that are not managed.
    """
    return [
        (f"@{copy_domain(site, entry.domain)}", f"@{entry.domain}")
        for entry in settings
        if entry.site is not None
        for site in (entry.site, *(peer.site for peer in entry.peers if not peer.managed))
    ]


def guard_tables(settings: Sequence[DomainSettings], groups: Iterable[PeerGroup]) -> dict[str, str]:
    """Give the regexp tables by which copies for sites that are not managed do not come back, by name.

    Such a site cannot tell a copy from other mail. What it sends for a user whose copies it gets would be
    copied again. A server with the mailbox finds that in the value of ``aliases``, all others by the copy's own name,
    which they know.
    """
    guards = {name: text for group in set(groups) for name, text in _guards_of(settings, group).items()}
    return {COPIED_NAMES: _copied_names(settings), **guards} if guards else {}


def copy_guard(group: PeerGroup, texts: Mapping[str, str], tables: TableNames) -> str:
    """Give the restriction by which a group's own copies do not come back, with a comma behind it; "" for none."""
    copies = _copies_table(group)
    if copies not in texts:
        return ""
    # Joined tables are asked for user@domain of user+extension@domain where the first of them is no pattern.
    found = [inline({"@": NO_ANSWER})]
    for name in (COPIED_NAMES, *sorted(name for name in texts if _marks(name, group))):
        found.append(f"pipemap:{{regexp:{tables.path(name)},${ALIASES},regexp:{tables.path(copies)}}}")
    return f"check_recipient_access unionmap:{{{','.join(found)}}}, "


def _guards_of(settings: Sequence[DomainSettings], group: PeerGroup) -> dict[str, str]:
    """Give the tables of a group: one that finds its copies in ``aliases``, and those that name the copy of an address.

    A regexp table has one answer to an address: hence one for each site of a domain that the group stands for.
    """
    rules: dict[int, list[str]] = {}
    found: set[str] = set()
    for entry in settings:
        if entry.site is None:
            continue
        unmanaged = [one for one in entry.peers if not one.managed and transport_of(one.relay) in group.transports]
        for number, peer in enumerate(unmanaged, 1):
            copies = copy_domain(peer.site, entry.domain)
            found.add(copies)
            rules.setdefault(number, []).append(_naming((*_names_of(entry), copies), copies))
    if not found:
        return {}
    return {
        _copies_table(group): "".join(f"/@{_pattern(domain)}(,|$)/ {LOOP}\n" for domain in sorted(found)),
        **{f"{_MARKS}{number}_{group.restriction_class}": "".join(sorted(lines)) for number, lines in rules.items()},
    }


def _copied_names(settings: Sequence[DomainSettings]) -> str:
    """Give the regexp table that turns each name that an address has into the one in the domain itself."""
    return "".join(sorted(_naming(_names_of(entry), entry.domain) for entry in settings if entry.site is not None))


def _names_of(entry: DomainSettings) -> tuple[str, ...]:
    own = () if entry.subdomain is None else (entry.subdomain,)
    return (entry.domain, *entry.alias_domains, *own)


def _naming(names: Iterable[str], name: str) -> str:
    return f"/^(.+)@({'|'.join(map(_pattern, names))})$/ $1@{name}\n"


def _pattern(domain: str) -> str:
    return domain.replace(".", "[.]")


def _copies_table(group: PeerGroup) -> str:
    return f"{_FOUND}{group.restriction_class}"


def _marks(name: str, group: PeerGroup) -> bool:
    """Tell whether a table is one that names copies for this group."""
    kind, _separator, restriction_class = name.partition("_")
    return kind.startswith(_MARKS) and restriction_class == group.restriction_class
