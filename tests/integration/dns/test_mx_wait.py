# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of wait: mx_records returns only when every authoritative server gives the new set.

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from named_server import ADDRESS, SECRETS, WRITABLE, WRITER, Named, Zone, free_port, started_named
from update_relay import relay_to

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.agreement import wait_for_agreement
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.connection import Connection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import ServersDisagree
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.key_options import KeyOptions, signing_key
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records
from ansible_collections.mailops.split_domain.plugins.module_utils.mx import MxRecord, MxSet

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
AFTER = MxSet.of([MxRecord(10, "mx1.example.com")], 3600)
PRIMARY, SECONDARY = "127.0.0.71", "127.0.0.72"


@contextmanager
def two_servers(port: int, notify: bool) -> Iterator[tuple[Named, Named]]:
    """A primary and a secondary of example.com; without notify the secondary learns nothing after its start.

    named listens on addresses of interfaces only, so a relay gives each of the two one of its own.
    """
    lines = f"@ NS ns2\nns2 A {SECONDARY}\n"
    with ExitStack() as stack:
        secondary_port = free_port()
        statement = f"notify explicit; also-notify {{ {ADDRESS} port {secondary_port}; }};" if notify else "notify no;"
        primary = stack.enter_context(started_named({"example.com": Zone(lines, WRITABLE, statement)}, PRIMARY))
        follows = (
            'zone "example.com" { type secondary; file "secondary.zone"; '
            f"primaries port {primary.port} {{ {ADDRESS}; }}; }};\n"
        )
        secondary = stack.enter_context(started_named({}, extra=follows, port=secondary_port))
        _until_loaded(secondary)
        stack.enter_context(relay_to(primary, address=PRIMARY, port=port))
        stack.enter_context(relay_to(secondary, address=SECONDARY, port=port))
        yield primary, secondary


def _until_loaded(secondary: Named) -> None:
    deadline = time.monotonic() + 20
    while not secondary.query("example.com", "SOA").answer:
        assert time.monotonic() < deadline, secondary.log()
        time.sleep(0.05)


def agree(primary: Named, port: int, after: MxSet, wait_timeout: float) -> None:
    key = signing_key(KeyOptions(WRITER, SECRETS[WRITER]))
    change = Change("example.com", "example.com", MxSet(), after)
    with Connection(primary.address, primary.port, timeout=5, key=key) as connection:
        wait_for_agreement(connection, [change], wait_timeout, 5, port=port)


def test_waiting_ends_when_the_secondary_has_followed():
    port = free_port()
    with two_servers(port, notify=True) as (primary, secondary):
        publish_mx_records(primary.params({"name": "example.com", "mx": [MX1]}), False)
        agree(primary, port, AFTER, 30)
        assert secondary.mx("example.com") == [(10, "mx1.example.com.", 3600)]


def test_a_secondary_that_stays_behind_is_named_with_what_it_says():
    port = free_port()
    with two_servers(port, notify=False) as (primary, _secondary):
        publish_mx_records(primary.params({"name": "example.com", "mx": [MX1]}), False)
        with pytest.raises(ServersDisagree, match=rf"ns2\.example\.com \({SECONDARY}\) gives .*no MX record"):
            agree(primary, port, AFTER, 1.0)


def test_a_secondary_that_does_not_run_is_named():
    port = free_port()
    with two_servers(port, notify=True) as (primary, secondary):
        secondary.stop()
        publish_mx_records(primary.params({"name": "example.com", "mx": [MX1]}), False)
        with pytest.raises(ServersDisagree, match=rf"ns2\.example\.com \({SECONDARY}\) cannot be asked"):
            agree(primary, port, AFTER, 1.0)


def test_the_option_wait_returns_when_all_servers_on_the_port_of_dns_agree():
    with two_servers(53, notify=True) as (primary, secondary):
        outcome = publish_mx_records(primary.params({"name": "example.com", "mx": [MX1]}, wait=True), False)
        assert outcome.changed
        assert secondary.mx("example.com") == [(10, "mx1.example.com.", 3600)]
