# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of routing modes: what follows from a domain's exchangers and a server's own addresses.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    hosts_by_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    BACKUP_MODE,
    LOCAL_MODE,
    REMOTE_MODE,
    UNRESOLVABLE,
    decide_routing,
    parse_addresses,
)

OURS = parse_addresses(["192.0.2.1", "2001:db8::1"])
US = Host("us.example.net", ("192.0.2.1",))
US_ON_IPV6 = Host("us6.example.net", ("198.51.100.9", "2001:db8::1"))
THEM = Host("them.example.net", ("198.51.100.1",))
LOST = Host("lost.example.net", exists=False)
SILENT = Host("silent.example.net", problem="the resolver did not answer")
ALL = hosts_by_name([US, US_ON_IPV6, THEM, LOST, SILENT])


def exchangers(*records: tuple[int, Host], **others: object) -> MailExchangers:
    mx_set = MxSet.of([MxRecord(preference, host.name) for preference, host in records], 300)
    return MailExchangers("example.com", mx_set, **{"hosts": ALL, **others})


@pytest.mark.parametrize(
    ("records", "mode"),
    [
        ([(10, US)], LOCAL_MODE),
        ([(10, US_ON_IPV6)], LOCAL_MODE),
        ([(10, US), (20, THEM)], LOCAL_MODE),
        ([(10, US), (10, THEM)], LOCAL_MODE),
        ([(10, US), (10, SILENT), (10, LOST)], LOCAL_MODE),
        ([(10, THEM), (20, US)], BACKUP_MODE),
        ([(10, THEM), (20, US), (30, SILENT)], BACKUP_MODE),
        ([(10, THEM), (10, LOST), (20, US)], BACKUP_MODE),
        ([(10, THEM)], REMOTE_MODE),
        ([(10, THEM), (20, LOST)], REMOTE_MODE),
        ([(10, SILENT)], UNRESOLVABLE),
        ([(10, SILENT), (20, US)], UNRESOLVABLE),
        ([(10, SILENT), (10, THEM), (20, US)], UNRESOLVABLE),
        ([(10, LOST), (20, US)], UNRESOLVABLE),
        ([(10, LOST), (20, THEM)], UNRESOLVABLE),
        ([(10, THEM), (20, SILENT)], UNRESOLVABLE),
    ],
)
def test_the_mode_follows_from_the_place_of_this_server_in_the_set(records, mode):
    assert decide_routing(exchangers(*records), OURS).mode == mode


def test_a_set_that_is_not_known_gives_no_mode_and_the_reason():
    decision = decide_routing(exchangers(problem="the resolver said SERVFAIL"), OURS)
    assert decision.mode == UNRESOLVABLE
    assert decision.reason == "the MX set of example.com is not known: the resolver said SERVFAIL"


def test_a_null_mx_is_remote_since_nobody_takes_mail_for_the_domain():
    null = MxSet.of([MxRecord(0, ".")], 300)
    assert decide_routing(MailExchangers("example.com", null), OURS).mode == REMOTE_MODE


def test_a_null_mx_beside_other_records_is_passed_over():
    mixed = MxSet.of([MxRecord(0, "."), MxRecord(10, US.name)], 300)
    assert decide_routing(MailExchangers("example.com", mixed, ALL), OURS).mode == LOCAL_MODE


@pytest.mark.parametrize(("address", "mode"), [("192.0.2.1", LOCAL_MODE), ("198.51.100.1", REMOTE_MODE)])
def test_without_mx_records_the_domains_own_address_is_its_exchange(address, mode):
    own = hosts_by_name([Host("example.com", (address,))])
    assert decide_routing(MailExchangers("example.com", hosts=own), OURS).mode == mode


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        (MailExchangers("example.com", exists=False), "example.com does not exist"),
        (
            MailExchangers("example.com", hosts={"example.com": Host("example.com")}),
            "example.com has neither an MX record nor an address",
        ),
        (
            MailExchangers("example.com", hosts={"example.com": Host("example.com", problem="it was silent")}),
            "example.com has no MX record, and whether it has an address is not known: it was silent",
        ),
    ],
)
def test_a_domain_without_any_exchanger_gives_no_mode(domain, reason):
    decision = decide_routing(domain, OURS)
    assert (decision.mode, decision.reason) == (UNRESOLVABLE, reason)


@pytest.mark.parametrize("spelling", ["2001:DB8:0::0001", "::ffff:192.0.2.1", " 192.0.2.1 "])
def test_every_spelling_of_an_own_address_is_the_same_address(spelling):
    assert parse_addresses([spelling]) <= OURS


@pytest.mark.parametrize("value", ["", "mx1.example.com", "192.0.2.0/24", "192.0.2.1.", "fe80::1%eth0", "192.0.2.01"])
def test_what_is_no_address_is_refused(value):
    with pytest.raises(InvalidInput, match="is no IP address"):
        parse_addresses([value])


RECORDS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([US, THEM, LOST, SILENT])), min_size=1, max_size=6)


@given(RECORDS)
def test_a_server_that_is_no_exchange_is_never_local_nor_backup(records):
    strangers = parse_addresses(["203.0.113.1"])
    assert decide_routing(exchangers(*records), strangers).mode in (REMOTE_MODE, UNRESOLVABLE)


@given(RECORDS)
def test_what_is_not_known_yet_never_contradicts_what_is_decided(records):
    decided = decide_routing(exchangers(*records), OURS).mode
    for found in (Host(SILENT.name, US.addresses), Host(SILENT.name, THEM.addresses)):
        later = decide_routing(exchangers(*records, hosts={**ALL, SILENT.name: found}), OURS).mode
        assert decided in (later, UNRESOLVABLE)
