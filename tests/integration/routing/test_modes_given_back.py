# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what email_routing leaves to others: the server's own settings, split domains, and main.cf in the end.

from __future__ import annotations

import itertools
import smtplib
import time
from typing import Any

import pytest
from routing_runs import refusal, route
from split_server import SplitServer

SPLIT: dict[str, Any] = {"domain": "split.example", "unknown": "lab"}
MODES = [
    {"domain": "example.com", "mode": "backup", "queue_lifetime": "9d", "recipients": ["ann@example.com"]},
    {"domain": "example.org", "mode": "remote"},
    {"domain": "sub.example.org", "mode": "local"},
]


def split(server: SplitServer, state: str) -> None:
    peers = [{"site": "lab", "relay": {"host": server.network.lab, "port": 25}}]
    server.split({**SPLIT, "peers": peers, "state": state})


def modes(server: SplitServer, state: str) -> None:
    asked = MODES if state == "present" else [{"domain": entry["domain"], "state": "absent"} for entry in MODES]
    route(server, *asked, own_addresses=["203.0.113.77"])


# Big letters come, small ones go: S and s a split, M and m the modes.
ORDERS = [
    order
    for order in itertools.permutations("SMsm")
    if all(order.index(one) < order.index(one.lower()) for one in "SM")
]


@pytest.mark.parametrize("order", ORDERS)
def test_main_cf_is_given_back_whatever_comes_and_goes_first(server: SplitServer, order: tuple[str, ...]) -> None:
    before = server.main_cf.read_bytes()
    done = {"S": (split, "present"), "s": (split, "absent"), "M": (modes, "present"), "m": (modes, "absent")}
    for step in order:
        work, state = done[step]
        work(server, state)
    assert server.main_cf.read_bytes() == before
    assert not server.ours.exists()


def test_split_and_modes_leave_each_other_alone(server: SplitServer) -> None:
    split(server, "present")
    modes(server, "present")
    text = server.main_cf.read_text()
    split(server, "present")
    modes(server, "present")
    assert server.main_cf.read_text() == text
    route(server, {"domain": "sub.example.org", "state": "absent"})
    assert server.command("postmap", "-q", "split.example", f"lmdb:{server.ours}/mail_domains").stdout[:7] == "relay:["


def test_a_domain_that_the_server_delivers_itself_is_local_already(server: SplitServer) -> None:
    before = server.main_cf.read_bytes()
    result = route(server, {"domain": "example.net", "mode": "local"})
    assert result["domains"][0]["effective"] == "local"
    server.start()
    server.wait_for_smtp()
    assert server.ask("carl@example.net").code == 250
    assert server.ask("nobody@example.net").code == 550
    assert not route(server, {"domain": "example.net", "mode": "local"})["changed"]
    route(server, {"domain": "example.net", "state": "absent"})
    assert server.main_cf.read_bytes() == before


@pytest.mark.parametrize("mode", ["backup", "remote"])
def test_a_domain_that_the_server_has_itself_is_in_no_second_class(server: SplitServer, mode: str) -> None:
    said = refusal(server, {"domain": "other.example", "mode": "remote"}, {"domain": "example.net", "mode": mode})
    assert (
        f"example.net is in virtual_mailbox_domains of this server already (example.net), and it cannot be {mode}"
        in said
    )


def test_a_domain_is_not_split_and_routed_at_once(server: SplitServer) -> None:
    split(server, "present")
    assert "split.example is split on this server" in refusal(server, {"domain": "split.example", "mode": "local"})
    split(server, "absent")
    route(server, {"domain": "split.example", "mode": "remote"})
    peers = [{"site": "lab", "relay": {"host": server.network.lab}}]
    result = server.run("split_domains", domains=[{**SPLIT, "peers": peers}])
    assert "split.example has the routing mode remote on this server" in result["msg"]


def test_no_domain_goes_while_mail_for_it_waits(server: SplitServer) -> None:
    local = {"domain": "example.com", "mode": "local", "recipients": ["ann@example.com"]}
    # A socket that nobody listens on, so that mail waits.
    route(server, {**local, "local_transport": "lmtp:unix:private/nobody"})
    server.start()
    server.wait_for_smtp()
    server.network.at("outside", _deliver, server, "ann@example.com")
    deadline = time.monotonic() + 20
    while "ann@example.com" not in server.command("postqueue", "-j").stdout:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.1)
    assert "1 recipient(s) of example.com wait in the queue" in refusal(
        server, {"domain": "example.com", "state": "absent"}
    )
    assert server.command("postsuper", "-d", "ALL").returncode == 0
    assert route(server, {"domain": "example.com", "state": "absent"})["changed"]


def _deliver(server: SplitServer, recipient: str) -> None:
    with smtplib.SMTP(server.address, server.port, timeout=30) as smtp:
        smtp.sendmail("sender@example.org", recipient, "Subject: held\n\nheld\n")


@pytest.mark.parametrize(
    ("domains", "message"),
    [
        ([], "the option domains is empty"),
        ([{"domain": "example.com"}], "example.com has no routing mode"),
        ([{"domain": "example com", "mode": "local"}], "white space"),
        ([{"domain": "192.0.2.1", "mode": "local"}], "is an IP address"),
        ([{"domain": "a.example", "mode": "local"}, {"domain": "A.example.", "mode": "remote"}], "a.example twice"),
        ([{"domain": "a.example", "mode": "local", "recipients": ["bob@b.example"]}], "does not belong to a.example"),
        ([{"domain": "a.example", "mode": "local", "recipients": ["b ob@a.example"]}], "white space"),
        ([{"domain": "a.example", "mode": "local", "recipients": ["${x}@a.example"]}], "cannot stand in a mail table"),
        ([{"domain": "a.example", "mode": "backup", "queue_lifetime": "ten days"}], "queue_lifetime 'ten days'"),
        ([{"domain": "a.example", "mode": "backup", "queue_lifetime": "0d"}], "a number above 0"),
        ([{"domain": "a.example", "mode": "backup", "queue_lifetime": "24856d"}], "that make no more than 24855d"),
        ([{"domain": "a.example", "mode": "local", "call_ahead": False}], "a.example would take no mail at all"),
        ([{"domain": "a.example", "mode": "local", "local_transport": "virtual:"}], "virtual(8)"),
        ([{"domain": "a.example", "mode": "local", "local_transport": "lmtp:x, static:y"}], "write transport:nexthop"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(
    server: SplitServer, domains: list[dict[str, Any]], message: str
) -> None:
    assert message in refusal(server, *domains)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"own_addresses": ["mx1.example.com"]}, "'mx1.example.com' is no IP address"),
        ({"resolver": ["ns1.example.com"]}, "'ns1.example.com' is no IP address"),
        ({"resolver_port": 0}, "resolver_port"),
        (
            {"mx_sets": [{"name": "other.example", "published": "nothing", "mx": [], "exchanges": []}]},
            "says nothing of example.com",
        ),
        ({"mx_sets": [{"name": "example.com"}]}, "nothing that mx_info returns"),
    ],
)
def test_options_that_cannot_be_used_are_told_too(server: SplitServer, options: dict[str, Any], message: str) -> None:
    assert message in refusal(server, {"domain": "example.com", "mode": "auto"}, **options)
