# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of mx_records share: one named for all of them, with fresh sets for each.

from __future__ import annotations

from collections.abc import Iterator

import dns.query
import dns.rdatatype
import dns.zone
import pytest
from named_server import LOCKED, Named, Zone, started_named
from update_relay import Relay, relay_to

ZONES = {
    "example.com": Zone("alias CNAME mx1\nsub NS ns.sub\nns.sub A 127.0.0.9\n"),
    "example.net": Zone(),
    "child.example.net": Zone(),
    "xn--bcher-kva.example": Zone(),
    "locked.example": Zone("@ MX 10 mx1.example.com.\n", policy=LOCKED),
}


@pytest.fixture(scope="session")
def shared_named() -> Iterator[Named]:
    with started_named(ZONES) as running:
        yield running


@pytest.fixture
def named(shared_named: Named) -> Iterator[Named]:
    """The shared server; what a test writes is removed after it."""
    yield shared_named
    for zone in ("example.com", "example.net", "child.example.net", "xn--bcher-kva.example"):
        lines = [f"update delete {owner} MX" for owner in _owners_with_mx(shared_named, zone)]
        if lines:
            shared_named.nsupdate(f"zone {zone}", *lines)


@pytest.fixture
def relay(named: Named) -> Iterator[Relay]:
    with relay_to(named) as running:
        yield running


def _owners_with_mx(named: Named, zone: str) -> list[str]:
    whole = dns.zone.from_xfr(dns.query.xfr(named.address, zone, port=named.port, relativize=False), relativize=False)
    return [name.to_text() for name, _rdataset in whole.iterate_rdatasets(dns.rdatatype.MX)]
