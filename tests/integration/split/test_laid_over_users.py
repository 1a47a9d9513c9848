# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a split laid over domains of mydestination: Unix users, aliases(5) and .forward files go on as before.

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from mailbox_server import PATIENCE, arrives, everything_in, mailbox_server, queue_is_empty, send
from split_network import Network
from split_server import SplitServer

# Users that every Debian has, each of them somebody here: games has a mailbox, lp forwards to it, news has moved.
SETTINGS = """\
mydestination = $myhostname, localhost, example.com, texthash:{config}/destinations
myorigin = example.com
alias_maps = lmdb:{config}/local_aliases
mail_spool_directory = {directory}/mailboxes
forward_path = {directory}/home/$user.forward
virtual_mailbox_domains = example.net hosted.example
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps = lmdb:{config}/aliases
transport_maps =
"""
HQ = {
    "destinations": "example.org x\n",
    "local_aliases": ("sales: games\nteam: games, news, bob\nnewspaper: games\ncrew: games, cyd\nowner-crew: games\n"),
    "mailboxes": "carl@example.net carl\ndan@hosted.example dan\n",
    "aliases": "office@example.org games@example.com\nfront-desk games\n",
}
CLOUD_SETTINGS = """\
mydestination = localhost
alias_maps =
virtual_mailbox_domains = example.com example.net
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps =
transport_maps =
"""
CLOUD = {
    "mailboxes": (
        "bob@example.com bob\nnews@example.com news\ncyd@example.com cyd\neve@example.net eve\ngus@example.net gus\n"
    ),
}
AS_BEFORE = [
    "games@example.com",
    "Games@Example.COM",
    "games+news@example.com",
    "lp@example.com",
    "sales@example.com",
    "team@example.com",
    "crew@example.com",
    "newspaper@example.com",
    "front-desk@example.com",
    "postmaster@example.com",
    "games@example.org",
    "office@example.org",
    "nobody.here@example.org",
    "games@hq.example.net",
    "nobody.here@hq.example.net",
    "games@[{address}]",
    "carl@example.net",
    "dan@hosted.example",
    "nobody@sub.example.com",
    "someone@elsewhere.test",
]


@dataclass(frozen=True)
class Pair:
    """A server of Unix users and another site."""

    hq: SplitServer
    cloud: SplitServer
    before: dict[str, str]
    """What hq said to each recipient before."""


def peer(server: SplitServer) -> dict[str, Any]:
    return {"site": "cloud", "relay": {"host": server.address, "port": server.port}}


def split_hq(hq: SplitServer, cloud: SplitServer) -> dict[str, Any]:
    to_cloud = f"[{cloud.address}]:{cloud.port}"
    for domain, names in (("example.com", ("bob", "news")), ("example.net", ("eve",)), ("example.org", ())):
        routes = [{"address": f"{name}@{domain}", "to": to_cloud} for name in names]
        hq.routes(domain, state="exact", routes=[*routes, {"address": f"games@{domain}", "to": "local"}])
    return hq.split(
        {"domain": "example.com", "unknown": "cloud", "peers": [peer(cloud)]},
        {"domain": "example.net", "unknown": "cloud", "peers": [peer(cloud)]},
        {"domain": "example.org", "peers": [peer(cloud)]},
    )


def let_users_in(server: SplitServer) -> None:
    """Give Unix users a place for their mailboxes, and one of them a .forward file."""
    (server.directory / "mailboxes").chmod(0o1777)
    home = server.directory / "home"
    home.mkdir()
    forward = home / "lp.forward"
    forward.write_text("games\n")
    os.chown(forward, pwd.getpwnam("lp").pw_uid, pwd.getpwnam("lp").pw_gid)


def mailbox(server: SplitServer, name: str) -> str:
    """Give what lies in a mailbox of the server."""
    return everything_in(server).get(name, "")


def times_deferred(server: SplitServer, user: str) -> int:
    """Give how often the server has put off a message for a user of example.com."""
    return len(re.findall(rf"to=<{user}@example\.com>.* status=deferred", server.log()))


def flush_until(server: SplitServer, done: Callable[[], bool]) -> None:
    """Have the server try all that waits, until something has come of it."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, server.log()
        server.command("postqueue", "-f")
        time.sleep(0.1)


def asked_for(hq: SplitServer) -> list[str]:
    return [address.format(address=hq.address) for address in AS_BEFORE]


@pytest.fixture(scope="module")
def pair(network: Network) -> Iterator[Pair]:
    with ExitStack() as servers:
        hq = servers.enter_context(mailbox_server(network, "hq", SETTINGS, HQ))
        cloud = servers.enter_context(mailbox_server(network, "cloud", CLOUD_SETTINGS, CLOUD))
        let_users_in(hq)
        hq.start()
        cloud.start()
        before = {address: str(hq.ask(address)) for address in asked_for(hq)}
        split_hq(hq, cloud)
        cloud.split(
            {
                "domain": "example.com",
                "unknown": "hq",
                "peers": [{"site": "hq", "relay": {"host": hq.address, "port": hq.port}}],
            }
        )
        yield Pair(hq, cloud, before)


def test_who_was_here_before_is_answered_as_before(pair: Pair) -> None:
    after = {address: str(pair.hq.ask(address)) for address in asked_for(pair.hq)}
    assert after.pop("nobody.here@example.org").startswith("550 5.1.1")
    assert pair.before.pop("nobody.here@example.org").startswith("550 5.1.1")
    assert after == pair.before


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "bob@example.com", "250"),
        ("outside", "BOB+news@example.com", "250"),
        ("outside", "news@example.com", "250"),
        ("outside", "cyd@example.com", "250"),  # only call-ahead knows
        ("outside", "cyd-x@example.com", "250"),
        ("outside", "nobody.here@example.com", "550"),
        ("outside", "eve@example.net", "250"),
        ("outside", "gus@example.net", "250"),
        ("outside", "nobody.here@example.net", "550"),
        ("cloud", "games@example.com", "250"),
        ("cloud", "sales@example.com", "250"),
        ("cloud", "front-desk@example.com", "250"),
        ("cloud", "bob@example.com", "554 5.4.6"),
        ("cloud", "news-x@example.com", "554 5.4.6"),
        ("cloud", "cyd@example.com", "550 5.1.1"),
        ("cloud", "nobody.here@example.com", "550 5.1.1"),
        ("cloud", "nobody.here@example.org", "550 5.1.1"),
        ("cloud", "someone@elsewhere.test", "554 5.7.1"),
    ],
)
def test_hq_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.hq.ask(recipient, client)).startswith(reply)


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "games@example.com", "250"),
        ("outside", "sales@example.com", "250"),
        ("outside", "nobody.here@example.com", "550"),
        ("hq", "cyd@example.com", "250"),
        ("hq", "games@example.com", "550 5.1.1"),
    ],
)
def test_cloud_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.cloud.ask(recipient, client)).startswith(reply)


DELIVERIES = [
    ("hq", "games@example.com", "hq", "games"),
    ("hq", "Games+news@example.com", "hq", "games"),
    ("hq", "lp@example.com", "hq", "games"),
    ("hq", "sales@example.com", "hq", "games"),
    ("hq", "newspaper@example.com", "hq", "games"),
    ("hq", "front-desk@example.com", "hq", "games"),
    ("hq", "office@example.org", "hq", "games"),
    ("hq", "games@example.org", "hq", "games"),
    ("hq", "games@hq.example.net", "hq", "games"),
    ("hq", "carl@example.net", "hq", "carl"),
    ("hq", "dan@hosted.example", "hq", "dan"),
    ("hq", "bob@example.com", "cloud", "bob"),
    ("hq", "news@example.com", "cloud", "news"),
    ("hq", "news-x@example.com", "cloud", "news"),
    ("hq", "cyd@example.com", "cloud", "cyd"),
    ("hq", "eve@example.net", "cloud", "eve"),
    ("hq", "gus@example.net", "cloud", "gus"),
    ("cloud", "games@example.com", "hq", "games"),
    ("cloud", "lp@example.com", "hq", "games"),
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
    assert arrives(pair.hq, "games", "message for the team")
    assert arrives(pair.cloud, "bob", "message for the team")
    assert arrives(pair.cloud, "news", "message for the team")
    assert "news" not in everything_in(pair.hq)


def test_no_member_of_an_alias_gets_a_second_copy_while_the_other_site_is_away(pair: Pair) -> None:
    # Members of team who are elsewhere are listed; crew has one whom only call-ahead knows, and an owner.
    aliases = {"team": "bob", "crew": "cyd"}
    pair.cloud.stop()
    try:
        for alias in aliases:
            send(pair.hq, f"{alias}@example.com", f"outage message for {alias}")
        for attempt in (1, 2, 3):
            for member in aliases.values():
                flush_until(pair.hq, lambda who=member, times=attempt: times_deferred(pair.hq, who) >= times)
    finally:
        pair.cloud.start()
    for alias, member in aliases.items():
        flush_until(pair.hq, lambda who=member, text=alias: f"outage message for {text}" in mailbox(pair.cloud, who))
    flush_until(pair.hq, lambda: pair.hq.command("postqueue", "-j").stdout == "")
    for alias in aliases:
        assert mailbox(pair.hq, "games").count(f"Subject: outage message for {alias}\n") == 1
    assert mailbox(pair.cloud, "cyd").count("Subject: outage message for crew\n") == 1


def test_own_users_mail_to_nobody_comes_back(pair: Pair) -> None:
    send(pair.hq, "nobody.here@example.com", "message for nobody", client="hq", sender="games@example.com")
    assert arrives(pair.hq, "games", "User unknown on this site and on the one that sent this")


def test_a_second_run_changes_nothing(pair: Pair) -> None:
    before, reloads = pair.hq.files(), pair.hq.reloads()
    assert not split_hq(pair.hq, pair.cloud)["changed"]
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
        "games@example.com": ("local", True, "accepted", "local:hq.example.net"),
        "games+x@example.com": ("local", True, "accepted", "local:hq.example.net"),
        "lp@example.com": ("local", True, "accepted", "local:hq.example.net"),
        "sales@example.com": ("local", True, "accepted", "local:hq.example.net"),
        "bob@example.com": ("local", True, "accepted", to_cloud),
        "news@example.com": ("local", True, "accepted", to_cloud),
        "nobody.here@example.com": ("local", True, "asked_ahead", to_cloud),
        "games@example.org": ("local", True, "accepted", "local:hq.example.net"),
        "carl@example.net": ("virtual_mailbox", True, "accepted", "virtual:example.net"),
        "eve@example.net": ("virtual_mailbox", True, "accepted", to_cloud),
    }
    result = pair.hq.run("route_info", addresses=list(foretold))
    told = {
        one["address"]: (
            one["class"],
            one["known"],
            one["at_rcpt"]["verdict"],
            f"{one['transport']}:{one['nexthop']}",
        )
        for one in result["addresses"]
    }
    assert told == foretold


@pytest.mark.parametrize("more", ["", "local_recipient_maps =\nluser_relay = games\n"])
def test_the_old_server_comes_back_byte_for_byte(network: Network, more: str) -> None:
    with ExitStack() as servers:
        hq = servers.enter_context(mailbox_server(network, "hq", SETTINGS + more, HQ))
        cloud = servers.enter_context(mailbox_server(network, "cloud", CLOUD_SETTINGS, CLOUD))
        before = hq.files()
        if more:
            hq.split({"domain": "example.com", "peers": [peer(cloud)]})
        else:
            split_hq(hq, cloud)
        assert hq.files() != before
        hq.split(purge=True)
        assert hq.files() == before


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("local_recipient_maps =\n", "its local_recipient_maps is empty, so that everybody is taken for known"),
        ("luser_relay = games\n", "its luser_relay (games) takes whoever is unknown"),
        ("mailbox_transport = lmtp:unix:x\n", "its mailbox_transport (lmtp:unix:x) takes whoever is unknown"),
        ("fallback_transport = lmtp:unix:x\n", "its fallback_transport (lmtp:unix:x) takes whoever is unknown"),
        ("local_transport = lmtp:unix:x\n", "its mail goes to lmtp:unix:x, and not to local(8)"),
        ("transport_maps = inline:{{example.com=lmtp:x}}\n", "its mail goes to lmtp:x, and not to local(8)"),
    ],
)
def test_a_server_that_could_not_find_out_who_is_unknown_is_told_so(network: Network, more: str, reason: str) -> None:
    settings = SETTINGS.replace("transport_maps =\n", "") + more
    with mailbox_server(network, "hq", settings, HQ) as hq:
        before = hq.files()
        cloud = {"site": "cloud", "relay": {"host": network.cloud}}
        result = hq.run("split_domains", domains=[{"domain": "example.com", "unknown": "cloud", "peers": [cloud]}])
        assert result["failed"]
        assert reason in result["msg"]
        assert hq.files() == before
        hq.split({"domain": "example.com", "peers": [cloud]})


def test_users_of_two_domains_who_are_unknown_go_to_one_site_alone(network: Network) -> None:
    with mailbox_server(network, "hq", SETTINGS, HQ) as hq:
        sites = [{"site": name, "relay": {"host": network.address(name)}} for name in ("cloud", "lab")]
        domains = [
            {"domain": "example.com", "unknown": "cloud", "peers": sites},
            {"domain": "example.org", "unknown": "lab", "peers": sites},
        ]
        result = hq.run("split_domains", domains=domains)
        assert result["failed"]
        assert "local(8) has one fallback for all domains" in result["msg"]
        domains[1]["unknown"] = "cloud"
        hq.split(*domains)
