# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a split laid over domains of the server's own compiles to, for any such domains and tables.

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    LAID_OVER_TABLES,
    HeldDomains,
    lay_over_domains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import compile_split
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

TABLES = TableNames("/etc/postfix/split_domain", "lmdb")
DOMAINS = ("example.com", "a.example", "b-1.example.org")
TABLE_LISTS = st.lists(
    st.sampled_from(["hash:/etc/postfix/a", "proxy:pgsql:/etc/postfix/b.cf", "inline:{ {x = y} }"]), unique=True
).map(tuple)


@st.composite
def held_domains(draw: st.DrawFn) -> HeldDomains:
    """Each of some domains in one of the two lists or in none, and any tables."""
    places = {name: draw(st.sampled_from(["mailboxes", "destinations", "none"])) for name in DOMAINS}
    return HeldDomains(
        mailbox_domains=tuple(sorted(name for name, place in places.items() if place == "mailboxes")),
        destinations=tuple(sorted(name for name, place in places.items() if place == "destinations")),
        mailboxes=draw(TABLE_LISTS),
        users=draw(st.one_of(st.none(), TABLE_LISTS.filter(bool))),
        aliases=draw(TABLE_LISTS),
        rewritten=draw(TABLE_LISTS),
        transports=draw(TABLE_LISTS),
        delimiters=draw(st.sampled_from(["", "+", "-", "+-", "^]-", "/!", "^", "^-"])),
    )


def settings(domain: str, unknown: str | None) -> DomainSettings:
    return DomainSettings(domain, "master", (Peer("cloud", Relay("192.0.2.1"), ("192.0.2.1",)),), unknown)


@given(held_domains(), st.sampled_from([None, "cloud"]))
def test_all_names_and_files_that_are_used_are_there_and_braces_are_closed(
    held: HeldDomains, unknown: str | None
) -> None:
    entries = [settings(name, unknown) for name in DOMAINS]
    compiled = compile_split(entries, {entry.peers[0]: () for entry in entries}, held, TABLES)
    texts = [*compiled.values.values()]
    texts += [element for edits in (compiled.first, compiled.last) for group in edits.values() for element in group]
    assert {name for text in texts for name in re.findall(r"\$(\w+)", text)} <= set(compiled.values)
    files = {name for text in texts for name in re.findall(r"split_domain/(\w+)", text)}
    assert files <= {*compiled.indexed_tables, *compiled.plain_tables, "routes", "aliases"}
    assert all(text.count("{") == text.count("}") for text in texts)


@given(held_domains())
def test_tables_are_there_for_such_domains_alone_and_their_removal_knows_them(held: HeldDomains) -> None:
    laid_over = lay_over_domains(held, TABLES)
    names = {*laid_over.plain_tables, *laid_over.indexed_tables}
    assert names <= set(LAID_OVER_TABLES)
    assert bool(names) == bool(held.names)
    if not held.names:
        assert not laid_over.values
        assert not laid_over.first
        assert not laid_over.last


@given(held_domains(), st.sampled_from([None, "cloud"]))
def test_a_domain_of_mydestination_never_becomes_a_virtual_mailbox_domain(
    held: HeldDomains, unknown: str | None
) -> None:
    entries = [settings(name, unknown) for name in DOMAINS]
    compiled = compile_split(entries, {entry.peers[0]: () for entry in entries}, held, TABLES)
    keys = {
        name: {line.split("\t")[0] for line in compiled.indexed_tables.get(name, "").splitlines()}
        for name in ("mail_domains", "local_domains")
    }
    for name in DOMAINS:
        places = ("mail_domains", "local_domains")
        place, other = reversed(places) if name in held.destinations else places
        assert {name, f"?{name}"} <= keys[place]
        assert not {name, f"?{name}"} & keys[other]
    assert "$split_domain_destinations" not in compiled.first["transport_maps"]


@given(held_domains(), st.text("abc+-^]/!.", min_size=1, max_size=8))
def test_patterns_find_just_their_domains_and_the_user_before_the_first_delimiter(
    held: HeldDomains, local_part: str
) -> None:
    rules = lay_over_domains(held, TABLES).plain_tables
    if not held.names:
        return
    for name in DOMAINS:
        for table, own in (("own_address", held.mailbox_domains), ("own_user", held.destinations)):
            if table in rules:
                pattern = re.search(r"^/(.+)/ \$1$", rules[table], re.MULTILINE)
                assert pattern is not None
                assert bool(re.search(pattern[1], f"ann@{name}")) == (name in own)
                assert not re.search(pattern[1], f"ann@x{name}")
                assert not re.search(pattern[1], f"ann@{name.replace('.', 'x')}")
    if "bare_address" in rules:
        edge, body = rules["bare_address"][0], rules["bare_address"][1:]
        pattern_text = body.partition(f"{edge} $1$2")[0]
        found = re.match(pattern_text, f"{local_part}@example.com")
        end = next((place for place, letter in enumerate(local_part) if letter in held.delimiters), 0)
        assert (found[1] if found else "") == local_part[:end]
