# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a split laid over domains of virtual_mailbox_domains: their users stay where they are, and nobody lists them.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from mailbox_server import arrives, everything_in, fill, mailbox_server, queue_is_empty, send
from postfix_instance import Instance
from split_network import Network
from split_server import SplitServer

SETTINGS = """\
mydestination = localhost
alias_maps =
virtual_mailbox_domains = example.com texthash:{config}/domains
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps = lmdb:{config}/aliases
canonical_maps = lmdb:{config}/canonical
recipient_canonical_maps =
transport_maps = lmdb:{config}/transport
"""
HQ = {
    "domains": "example.net x\nb.example.com x\nhosted.example x\nfull.example x\n",
    "mailboxes": (
        "ann@example.com ann\nmoved@example.com moved\nclosed@example.com closed\nlists-ann@example.com lists\n"
        "carl@example.net carl\ndan@b.example.com dan\nhugo@hosted.example hugo\n@full.example full\n"
    ),
    "aliases": (
        "sales@example.com ann@example.com\nteam@example.com ann@example.com, moved@example.com, bob@example.com\n"
        "@hosted.example hugo@hosted.example\n"
    ),
    "canonical": "formerly@example.com ann@example.com\n",
    "transport": (
        "closed@example.com error:5.2.1 this mailbox is closed\nhosted.example virtual:\n"
        "slow.example.net smtp:[192.0.2.1]\n"
    ),
}
CLOUD = {
    "domains": "example.org x\n",
    "mailboxes": (
        "bob@example.com bob\nmoved@example.com moved\ncyd@example.com cyd\nrob@hosted.example rob\n"
        "rob@full.example rob\n"
    ),
    "aliases": "",
    "canonical": "",
    "transport": "",
}
RELAYING_DENIED = "554 5.7.1"


@dataclass(frozen=True)
class Pair:
    """Two servers that had example.com, and more, before it was split between them."""

    hq: SplitServer
    cloud: SplitServer
    before: dict[str, str]
    """What hq said to each recipient before."""


def peer(site: str, server: SplitServer) -> dict[str, Any]:
    return {"site": site, "relay": {"host": server.address, "port": server.port}}


# Who is not touched by the split, wherever its mail comes from.
AS_BEFORE = [
    "ann@example.com",
    "ANN@Example.COM",
    "ann+news@example.com",
    "lists-ann@example.com",
    "sales@example.com",
    "team@example.com",
    "formerly@example.com",
    "closed@example.com",
    "carl@example.net",
    "nobody@example.net",
    "dan@b.example.com",
    "anybody@hosted.example",
    "anybody@full.example",
    "nobody@sub.example.com",
    "someone@elsewhere.test",
]


def split_hq(hq: SplitServer, cloud: SplitServer) -> None:
    to_cloud = f"[{cloud.address}]:{cloud.port}"
    for domain, names in (
        ("example.com", ("bob", "moved")),
        ("hosted.example", ("rob",)),
        ("full.example", ("rob",)),
    ):
        routes = [{"address": f"{name}@{domain}", "to": to_cloud} for name in names]
        hq.routes(domain, routes=[*routes, {"address": f"ann@{domain}", "to": "local"}])
    peers = [peer("cloud", cloud)]
    hq.split(
        *({"domain": name, "unknown": "cloud", "peers": peers} for name in ("example.com", "hosted.example")),
        {"domain": "full.example", "peers": peers},
    )


@pytest.fixture(scope="module")
def pair(network: Network) -> Iterator[Pair]:
    with ExitStack() as servers:
        hq = servers.enter_context(mailbox_server(network, "hq", SETTINGS, HQ))
        domains = SETTINGS.replace("example.com tex", "example.com hosted.example full.example tex")
        cloud = servers.enter_context(mailbox_server(network, "cloud", domains, CLOUD))
        hq.start()
        cloud.start()
        before = {address: str(hq.ask(address)) for address in AS_BEFORE}
        split_hq(hq, cloud)
        cloud.split({"domain": "example.com", "unknown": "hq", "peers": [peer("hq", hq)]})
        yield Pair(hq, cloud, before)


@pytest.mark.parametrize("address", AS_BEFORE)
def test_who_was_here_before_is_answered_as_before(pair: Pair, address: str) -> None:
    assert str(pair.hq.ask(address)) == pair.before[address]


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "bob@example.com", "250"),
        ("outside", "BOB+news@example.com", "250"),
        ("outside", "moved@example.com", "250"),
        ("outside", "cyd@example.com", "250"),  # only call-ahead knows
        ("outside", "cyd-news@example.com", "250"),
        ("outside", "nobody@example.com", "550"),
        ("outside", "rob@hosted.example", "250"),
        ("cloud", "ann@example.com", "250"),
        ("cloud", "sales@example.com", "250"),
        ("cloud", "formerly@example.com", "250"),
        ("cloud", "bob@example.com", "554 5.4.6"),
        ("cloud", "moved-news@example.com", "554 5.4.6"),
        ("cloud", "nobody@example.com", "550 5.1.1"),
        ("cloud", "cyd@example.com", "550 5.1.1"),
        ("cloud", "carl@example.net", "250"),
        ("cloud", "someone@elsewhere.test", RELAYING_DENIED),
        ("hq", "nobody@sub.example.com", "250"),
    ],
)
def test_hq_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.hq.ask(recipient, client)).startswith(reply)


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "bob@example.com", "250"),
        ("outside", "ann@example.com", "250"),
        ("outside", "sales@example.com", "250"),
        ("outside", "nobody@example.com", "550"),
        ("hq", "cyd@example.com", "250"),
        ("hq", "ann@example.com", "550 5.1.1"),
    ],
)
def test_cloud_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.cloud.ask(recipient, client)).startswith(reply)


DELIVERIES = [
    ("hq", "ann@example.com", "hq", "ann"),
    ("hq", "Ann+news@example.com", "hq", "ann"),
    ("hq", "lists-ann@example.com", "hq", "lists"),
    ("hq", "sales@example.com", "hq", "ann"),
    ("hq", "formerly@example.com", "hq", "ann"),
    ("hq", "bob@example.com", "cloud", "bob"),
    ("hq", "bob-news@example.com", "cloud", "bob"),
    ("hq", "moved@example.com", "cloud", "moved"),
    ("hq", "moved+x@example.com", "cloud", "moved"),
    ("hq", "cyd@example.com", "cloud", "cyd"),
    ("hq", "carl@example.net", "hq", "carl"),
    ("hq", "dan@b.example.com", "hq", "dan"),
    ("hq", "anybody@hosted.example", "hq", "hugo"),
    ("hq", "rob@hosted.example", "cloud", "rob"),
    ("hq", "anybody@full.example", "hq", "full"),
    ("hq", "rob+x@full.example", "cloud", "rob"),
    ("cloud", "ann@example.com", "hq", "ann"),
    ("cloud", "sales@example.com", "hq", "ann"),
    ("cloud", "bob@example.com", "cloud", "bob"),
]


def test_mail_comes_to_the_mailbox_of_each_and_to_no_other(pair: Pair) -> None:
    for number, (at, recipient, _site, _mailbox) in enumerate(DELIVERIES):
        send(getattr(pair, at), recipient, f"message {number} for {recipient}")
    for number, (_at, recipient, site, mailbox) in enumerate(DELIVERIES):
        text = f"message {number} for {recipient}"
        assert arrives(getattr(pair, site), mailbox, text), f"{text}: {pair.hq.log()}"
        found = [
            (server.host, name)
            for server in (pair.hq, pair.cloud)
            for name, held in everything_in(server).items()
            if text in held
        ]
        assert found == [(site, mailbox)]
    assert queue_is_empty(pair.hq)
    assert queue_is_empty(pair.cloud)


def test_an_alias_still_has_all_its_members_wherever_they_live(pair: Pair) -> None:
    send(pair.hq, "team@example.com", "message for the team")
    assert arrives(pair.hq, "ann", "message for the team")
    assert arrives(pair.cloud, "bob", "message for the team")
    assert arrives(pair.cloud, "moved", "message for the team")
    assert "message for the team" not in everything_in(pair.hq).get("moved", "")


def test_a_user_who_is_added_or_goes_is_known_or_unknown_at_once(pair: Pair) -> None:
    assert pair.hq.ask("new@example.com").code == 550
    fill(pair.hq, "mailboxes", HQ["mailboxes"] + "new@example.com new\n")
    assert pair.hq.ask("new@example.com").code == 250
    assert pair.hq.ask("new@example.com", "cloud").code == 250
    send(pair.hq, "new@example.com", "message for new")
    assert arrives(pair.hq, "new", "message for new")
    fill(pair.hq, "mailboxes", HQ["mailboxes"])
    assert str(pair.hq.ask("new@example.com", "cloud")).startswith("550 5.1.1")


def test_a_second_run_changes_nothing(pair: Pair) -> None:
    before, reloads = pair.hq.files(), pair.hq.reloads()
    split_hq(pair.hq, pair.cloud)
    assert pair.hq.files() == before
    assert pair.hq.reloads() == reloads


def test_nothing_was_logged_that_an_administrator_would_look_into(pair: Pair) -> None:
    for server in (pair.hq, pair.cloud):
        assert server.command("postfix", "check").stderr == ""
        words = ("warning", "error:", "fatal", "panic", " 451 ")
        lines = [line for line in server.log().splitlines() if any(word in line for word in words)]
        assert lines == []


def test_route_info_tells_where_mail_goes(pair: Pair) -> None:
    to_cloud = f"relay:[{pair.cloud.address}]:{pair.cloud.port}"
    foretold = {
        "ann@example.com": (True, "accepted", "virtual:example.com"),
        "ANN+news@example.com": (True, "accepted", "virtual:example.com"),
        "sales@example.com": (True, "accepted", "virtual:example.com"),
        "bob@example.com": (True, "accepted", to_cloud),
        "bob-x@example.com": (True, "accepted", to_cloud),
        "moved@example.com": (True, "accepted", to_cloud),
        "nobody@example.com": (True, "asked_ahead", to_cloud),
        "anybody@hosted.example": (True, "accepted", "virtual:hosted.example"),
        "rob@hosted.example": (True, "accepted", to_cloud),
        "anybody@full.example": (True, "accepted", "virtual:full.example"),
        "carl@example.net": (True, "accepted", "virtual:example.net"),
        "dan@b.example.com": (True, "accepted", "virtual:b.example.com"),
    }
    result = pair.hq.run("route_info", addresses=list(foretold))
    told = {
        one["address"]: (one["known"], one["at_rcpt"]["verdict"], f"{one['transport']}:{one['nexthop']}")
        for one in result["addresses"]
    }
    assert told == foretold
    assert {one["class"] for one in result["addresses"]} == {"virtual_mailbox"}


def test_the_old_server_comes_back_byte_for_byte(network: Network) -> None:
    with ExitStack() as servers:
        hq = servers.enter_context(mailbox_server(network, "hq", SETTINGS, HQ))
        cloud = servers.enter_context(mailbox_server(network, "cloud", SETTINGS, CLOUD))
        before = hq.files()
        split_hq(hq, cloud)
        assert hq.files() != before
        hq.split({"domain": "example.com", "state": "absent"})
        hq.split(purge=True)
        assert hq.files() == before


def test_a_run_warns_where_nobody_is_unknown(pair: Pair) -> None:
    # As a program of its own: one that tests started may have Ansible's controller in it, which prints warnings.
    settings = {"domain": "full.example", "unknown": "cloud", "peers": [peer("cloud", pair.cloud)]}
    result = Instance.run(pair.hq, "split_domains", check=True, domains=[settings])
    warnings = sorted(str(text) for text in result["warnings"] if "takes every address of it" in str(text))
    assert len(warnings) == 2
    for domain, warning in zip(["full.example", "hosted.example"], warnings):
        assert f"{domain} forwards" in warning
