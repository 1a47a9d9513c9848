# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that route_info tells what a real Postfix does: mail is sent, and arrives where it was foretold.

from __future__ import annotations

import os
from typing import Any

import pytest
from recording_postfix import Arrival, recording_postfix
from route_configurations import CONFIGURATIONS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a Postfix instance can only be run by root")

LOOP = "alias database loop"


def foretold(traced: dict[str, Any]) -> set[Arrival]:
    """Give the arrivals that a trace foretells."""
    found: set[Arrival] = set()
    for destination in traced["destinations"]:
        transport, nexthop, recipient = destination["transport"], destination["nexthop"], destination["address"]
        if transport in ("error", "retry"):
            status, space, text = nexthop.partition(" ")
            nexthop = text if space and status[:1].isdigit() else nexthop
        elif transport in ("local", "discard"):
            nexthop = ""
        found.add((transport, nexthop, recipient.removeprefix("|")))
    return found


def comparable(arrivals: set[Arrival]) -> set[Arrival]:
    """Give arrivals without what nobody looks at: the case of recipients, and where in a circle it was noticed."""
    return {
        (transport, "", "") if LOOP in nexthop else (transport, nexthop, recipient.lower())
        for transport, nexthop, recipient in arrivals
    }


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_mail_goes_where_route_info_says_and_strangers_hear_what_it_says(name: str) -> None:
    configuration = CONFIGURATIONS[name]
    addresses = configuration.addresses
    with recording_postfix(configuration.main_cf, **configuration.files) as postfix:
        traced = postfix.route_info(*addresses, sender="<>")
        arrived = postfix.arrivals(addresses)
        differences = []
        for address, one in zip(addresses, traced, strict=True):
            expected = set() if "Alias expansion error" in str(one["nexthop"]) else foretold(one)
            if comparable(arrived[address]) != comparable(expected):
                differences.append((address, "goes", arrived[address], "foretold", expected))
            answer = postfix.instance.answer_to(address)
            if answer != one["at_rcpt"]["code"]:
                differences.append((address, "hears", answer, "foretold", one["at_rcpt"]))
        assert differences == [], "\n".join(map(str, differences))


def test_mail_of_a_sender_goes_where_route_info_says() -> None:
    configuration = CONFIGURATIONS["one table for all"]
    addresses = configuration.addresses
    with recording_postfix(configuration.main_cf, **configuration.files) as postfix:
        for name in ("", "bulk@sender.example", "plain@sender.example", "other@sender.example", "a@b.example"):
            traced = postfix.route_info(*addresses, sender=name or "<>")
            arrived = postfix.arrivals(addresses, name)
            assert {address: foretold(one) for address, one in zip(addresses, traced, strict=True)} == arrived
