# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what several domains of one server share: names of restriction classes, and TLS policies of relays.

from __future__ import annotations

import ipaddress
import re

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import compile_split
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

TABLES = TableNames("/etc/postfix/split_domain", "lmdb")


def settings(domain: str, site: str, address: str) -> DomainSettings:
    return DomainSettings(domain, "master", (Peer(site, Relay(address), (address,)),), unknown=site)


def test_sites_whose_names_look_alike_have_guards_of_their_own() -> None:
    domains = [
        settings("a.example", "b", "192.0.2.1"),
        settings("c.example", "b", "192.0.2.2"),
        settings("d.example", "b_2", "192.0.2.3"),
        settings("e.example", "b-2", "192.0.2.4"),
    ]
    networks = {peer: (ipaddress.ip_network(peer.relay.host),) for entry in domains for peer in entry.peers}
    compiled = compile_split(domains, networks, HeldDomains(), TABLES)
    rows = re.findall(r"^(\S+)/32 (\S+)$", compiled.plain_tables["peers"], re.MULTILINE)
    assert len({name for _address, name in rows}) == len(rows) == len(domains)
    for address, name in rows:
        assert f"relay:[{address}]:25 = 554" in compiled.values[name]


def test_the_rewriting_to_a_parent_domain_makes_a_key_of_domains_only() -> None:
    entry = settings("a.example", "b", "192.0.2.1")
    compiled = compile_split([entry], {entry.peers[0]: ()}, HeldDomains(), TABLES)
    pattern = re.search(r"^/(.+)/ \?\$1$", compiled.plain_tables["question_of_parent"], re.MULTILINE)
    assert pattern is not None
    parent = re.compile(pattern[1])
    assert parent.match("x.a.example")[1] == "a.example"  # type: ignore[index]
    assert not any(
        map(parent.match, ("nobody@a.example", "nobody.@a.example", "no.body@a.example", "a.b.@x.a.example"))
    )


def test_one_relay_with_two_tls_policies_is_refused() -> None:
    def domain(name: str, tls: str) -> dict[str, object]:
        return {
            "domain": name,
            "sites": [
                {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]},
                {"name": "cloud", "relay": {"host": "192.0.2.1", "tls": tls}},
            ],
        }

    with pytest.raises(InvalidInput, match=r"\[192\.0\.2\.1\]:25 is named with tls encrypt and with tls none"):
        parse_split_map([domain("a.example", "encrypt"), domain("c.example", "none")])
    assert len(parse_split_map([domain("a.example", "encrypt"), domain("c.example", "encrypt")])) == 2
