# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of mx_records share: one server of each make for all of them, with fresh sets for each test.

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authoritative_server import CLOSED, LOCKED, AuthoritativeServer, Zone
from knot_primary import started_knot_primary
from named_server import Named, started_named
from powerdns_server import started_powerdns
from update_relay import Relay, relay_to

ZONES = {
    "example.com": Zone("alias CNAME mx1\nsub NS ns.sub\nns.sub A 127.0.0.9\n"),
    "example.net": Zone("child NS ns1.child\nns1.child A 127.0.0.1\n"),
    "child.example.net": Zone(),
    "xn--bcher-kva.example": Zone("xn--mil-qla A 127.0.0.1\n"),
    "closed.example": Zone(policy=CLOSED),
    "locked.example": Zone("@ MX 10 mx1.example.com.\n", policy=LOCKED),
}
STARTERS = {"BIND": started_named, "Knot DNS": started_knot_primary, "PowerDNS": started_powerdns}


@pytest.fixture(scope="session")
def shared_named() -> Iterator[Named]:
    with started_named(ZONES) as running:
        yield running


@pytest.fixture
def named(shared_named: Named) -> Iterator[Named]:
    """The shared BIND; what a test writes is removed after it."""
    yield shared_named
    _remove_all_sets(shared_named)


@pytest.fixture
def relay(named: Named) -> Iterator[Relay]:
    with relay_to(named) as running:
        yield running


@pytest.fixture(scope="session", params=STARTERS)
def shared_server(request: pytest.FixtureRequest) -> Iterator[AuthoritativeServer]:
    with STARTERS[request.param](ZONES) as running:
        yield running


@pytest.fixture
def server(shared_server: AuthoritativeServer) -> Iterator[AuthoritativeServer]:
    """A shared server of each make in turn; what a test writes is removed after it."""
    yield shared_server
    _remove_all_sets(shared_server)


@pytest.fixture
def server_relay(server: AuthoritativeServer) -> Iterator[Relay]:
    """A relay in front of the same server."""
    with relay_to(server) as running:
        yield running


def _remove_all_sets(server: AuthoritativeServer) -> None:
    for name, zone in ZONES.items():
        owners = server.held_mx(name) if zone.policy not in (LOCKED, CLOSED) else {}
        if owners:
            server.nsupdate(f"zone {name}", *[f"update delete {owner} MX" for owner in owners])
