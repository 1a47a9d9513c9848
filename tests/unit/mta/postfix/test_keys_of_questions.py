# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that no address, and no part of one that Postfix looks up, is the key of a restriction class in a table of ours.

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import RoutingSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.modes import compile_modes
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    SplitConfiguration,
    compile_split,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.trusted_sites import (
    JUDGING_LISTS,
    with_trusted_sites,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

TABLES = TableNames("/etc/postfix/split_domain", "lmdb")
CLOUD = Peer("cloud", Relay("192.0.2.1"), ("192.0.2.1",), verification_address="v@example.com", managed=True)
FULL = DomainSettings(
    "example.com", "slave", (CLOUD,), "cloud", subdomain="hq.example.com", alias_domains=("example.org",), site="hq"
)
SERVERS = {
    "asked ahead": FULL,
    "taken unasked": replace(FULL, call_ahead=False),
    "refused": replace(FULL, unknown=None),
    "caught": replace(FULL, unknown=None, catch_all="ann@example.com"),
}
HELD = {
    "new": HeldDomains(),
    "mailboxes": HeldDomains(mailbox_domains=("example.com",), mailboxes=("lmdb:/m",), aliases=("lmdb:/a",)),
    "destination": HeldDomains(destinations=("example.com",), users=("lmdb:/u",), aliases=("lmdb:/a",)),
}
MODES = [RoutingSettings(f"{mode}.example", mode, mode, call_ahead=mode != "remote") for mode in ("backup", "remote")]


def configuration(settings: DomainSettings, held: HeldDomains) -> SplitConfiguration:
    networks = {CLOUD: (ipaddress.IPv4Network("192.0.2.1/32"),)}
    compiled = compile_split([settings], networks, held, TABLES, compile_modes(MODES, "reject_unauth_destination"))
    return with_trusted_sites(compiled, [settings], networks, TABLES, JUDGING_LISTS)


def rows(text: str) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in text.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("settings", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_no_address_and_no_domain_is_the_key_of_an_answer_of_restrictions(
    settings: DomainSettings, held: HeldDomains
) -> None:
    compiled = configuration(settings, held)
    classes = {*compiled.last["smtpd_restriction_classes"], "OK"}
    keys = [key for text in compiled.indexed_tables.values() for key, answer in rows(text).items() if answer in classes]
    assert len(keys) > len(MODES)
    for key in keys:
        assert "@" not in key, "every address has one"
        assert not re.fullmatch(r"[\w.-]+", key), "trivial-rewrite(8) looks up every name that a domain may have"


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_each_question_is_found_from_the_wildcard_of_its_domain(held: HeldDomains) -> None:
    compiled = configuration(FULL, held)
    tables = [rows(compiled.indexed_tables.get(name, "")) for name in ("mail_domains", "local_domains")]
    questions = {key for table in tables for key in table if key.startswith("?")}
    assert rows(compiled.indexed_tables["wildcard_questions"]) == {f"@{key[1:]}": key for key in questions}
    assert {"?example.com", "?example.org", "?hq.example.com", "?remote.example"} <= questions
