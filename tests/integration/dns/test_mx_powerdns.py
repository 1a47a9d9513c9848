# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on a PowerDNS into whose database others write as well: rows as no zone file could have them.

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from authoritative_server import Zone
from powerdns_server import PowerDns, started_powerdns

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}
NAME = "a.example.com"

Insert = Callable[[int, int, str], None]


@pytest.fixture(scope="module")
def shared_powerdns() -> Iterator[PowerDns]:
    with started_powerdns({"example.com": Zone()}) as running:
        yield running


@pytest.fixture
def powerdns(shared_powerdns: PowerDns) -> Iterator[PowerDns]:
    yield shared_powerdns
    shared_powerdns.nsupdate("zone example.com", f"update delete {NAME} MX")


def insert(powerdns: PowerDns, ttl: int, preference: int, exchange: str) -> None:
    """Write one row past the server, as a web panel does."""
    row = (NAME, ttl, preference, exchange)
    database = sqlite3.connect(powerdns.folder / "database")
    with contextlib.closing(database), database:
        database.execute(
            "INSERT INTO records (domain_id, name, type, ttl, prio, content) VALUES (1, ?, 'MX', ?, ?, ?)", row
        )


def test_of_different_ttls_in_one_set_the_lowest_counts_and_a_change_makes_them_equal(powerdns):
    insert(powerdns, 600, 10, "mx1.example.com")
    insert(powerdns, 60, 20, "mx2.example.com")
    outcome = publish_mx_records(powerdns.params({"name": NAME, "ttl": 300, "mx": [MX1, MX2]}), False)
    assert outcome.values["record_sets"][0]["before"]["ttl"] == 60
    assert powerdns.mx(NAME) == [(10, "mx1.example.com.", 300), (20, "mx2.example.com.", 300)]


def test_capitals_in_the_database_are_no_difference(powerdns):
    insert(powerdns, 300, 10, "MX1.Example.COM")
    assert not publish_mx_records(powerdns.params({"name": NAME, "mx": [MX1]}), False).changed
    assert publish_mx_records(powerdns.params({"name": NAME, "mx": [MX2]}), False).changed
    assert powerdns.mx(NAME) == [(20, "mx2.example.com.", 300)]


@pytest.mark.parametrize("second", ["mx1.example.com", "MX1.example.com"])
def test_a_record_that_stands_there_twice_is_told_and_not_taken_for_somebody_who_writes(powerdns, second):
    insert(powerdns, 300, 10, "mx1.example.com")
    insert(powerdns, 300, 10, second)
    with pytest.raises(failures.ServerRefused, match=r"NXRRSET.*stand there twice"):
        publish_mx_records(powerdns.params({"name": NAME, "mx": [MX2]}), False)
    assert powerdns.mx(NAME) == [(10, "mx1.example.com.", 300)]


def test_a_row_that_the_servers_cache_does_not_show_yet_is_never_overwritten(powerdns):
    insert(powerdns, 300, 10, "mx1.example.com")
    assert not publish_mx_records(powerdns.params({"name": NAME, "mx": [MX1]}), False).changed
    insert(powerdns, 300, 30, "theirs.example.org")
    try:
        publish_mx_records(powerdns.params({"name": NAME, "state": "present", "mx": [MX2]}), False)
    except failures.ServerRefused as error:
        assert "caches" in str(error)
    held = powerdns.held_mx("example.com")[NAME]
    assert (30, "theirs.example.org") in held and (10, "mx1.example.com") in held
