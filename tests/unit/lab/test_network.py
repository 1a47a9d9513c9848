# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The laboratory takes no network in which this machine has something: it would cut itself off from it.

from __future__ import annotations

import ipaddress
import json

import pytest
from laboratory.description import lab_description
from laboratory.network import free_subnets, used_subnets

CANDIDATES = list(ipaddress.IPv4Network("198.18.0.0/26").subnets(new_prefix=28))
RESOLVER = "# made by hand\nsearch example.com\nnameserver 198.18.0.53\nnameserver fd00::53\noptions ndots:1\n"


def routes(*destinations: str) -> str:
    return json.dumps([{"dst": destination, "dev": "eth0"} for destination in destinations])


def test_a_network_with_a_route_or_a_name_server_in_it_is_taken():
    used = used_subnets(routes("default", "198.18.0.0/28", "198.18.0.17"), RESOLVER)
    free = list(free_subnets(CANDIDATES, used, "a checkout"))
    assert free == [ipaddress.IPv4Network("198.18.0.32/28")]


def test_the_default_route_takes_nothing():
    assert used_subnets(routes("default"), "") == []


@pytest.mark.parametrize("checkout", ["one", "two", "three"])
def test_every_free_network_is_offered_once_from_wherever_a_checkout_begins(checkout):
    assert sorted(free_subnets(CANDIDATES, [], checkout)) == CANDIDATES


@pytest.mark.parametrize("documents", ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"])
def test_the_ranges_for_documents_are_left_to_the_machine(documents):
    # Seen: a machine whose package mirror has an address of such a range. The laboratory's route to it hid the mirror.
    taken = ipaddress.IPv4Network(documents)
    assert not any(taken.overlaps(subnet) for subnet in lab_description().subnets())
