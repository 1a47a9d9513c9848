# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the simulation against servers: a sample of topologies, each a domain of its own, on three real ones.

from __future__ import annotations

import os
import random
import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sent_mail import DISCARDED, delivered, send
from simulated_sites import (
    NOTHING_IS_DOWN,
    ExternalSite,
    Outage,
    Sites,
    sites_of_plans,
)
from simulation import (
    DELIVERED,
    Fate,
    WayIn,
    simulate,
)
from split_network import network_with_lab_apart
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import plan_server
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import MappedDomain, parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import forwarding_circle
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import show

HOSTS = ("hq", "cloud", "lab")
DRAWN = 7
CIRCLE, EXTERNAL = "circle.example", "external.example"
AT_THE_EXTERNAL_SITE = (Address(EXTERNAL, "gil"), Address(EXTERNAL, "hal"))
# One half is asked for while all is well, the other, without any cached verdict, while the lab is down.
PEOPLE = {
    NOTHING_IS_DOWN: ("ann", "bob", "cyd", "gil", "nobody", "", ".."),
    Outage(frozenset({"lab"})): ("dan", "eve", "fay", "hal", "noone", ""),
}
LISTED = ("ann", "bob", "cyd", "dan", "eve", "fay")
# A question goes over two servers at most, and a busy machine may take its time for each.
GROWN_LONGER = GROWN_MAIN_CF + "\naddress_verify_poll_count = 8\n"
SESSIONS = 12


@dataclass(frozen=True)
class Laboratory:
    """Three servers, the domains that they share, and the same as values."""

    servers: dict[str, SplitServer]
    mapped: tuple[MappedDomain, ...]
    sites: Sites

    def way_in(self, host: str, client: str) -> WayIn:
        """Give the way on which a host of the network speaks to a server."""
        place = self.sites.servers[host]
        if client == host:
            return WayIn(place, own_user=True)
        return WayIn(place, self.sites.servers.get(client))

    def foretold(self, session: Session, outage: Outage) -> dict[Address, Fate]:
        """Give what the simulation says of all recipients of a session."""
        way_in = self.way_in(session.host, session.client)
        return {one: simulate(self.sites, one, way_in, outage) for one in session.recipients}


@dataclass(frozen=True)
class Session:
    """An SMTP session in which a host of the network asks a server for recipients, one after the other."""

    host: str
    client: str
    recipients: tuple[Address, ...]


def drawn_entry(dice: random.Random, domain: str, servers: dict[str, SplitServer]) -> dict[str, Any]:
    """Draw a domain of three sites, whose users are listed for all, at home, or nowhere but in the next site's list."""
    entry: dict[str, Any] = {"domain": domain, "directory": [], "sites": []}
    lists: dict[str, list[dict[str, str]]] = {host: [] for host in HOSTS}
    for name in LISTED:
        row = {"address": f"{name}@{domain}", "site": dice.choice(HOSTS)}
        dice.choice([entry["directory"], lists[row["site"]], lists[row["site"]]]).append(row)
    for host, server in servers.items():
        site = {
            "name": host,
            "role": "master",
            "hosts": [host],
            "relay": {"host": server.address, "port": server.port},
            "clients": [server.address],
            "unknown": dice.choice([None, *HOSTS, *HOSTS]),
            "call_ahead": dice.random() < 0.85,
            "local_transport": DISCARDED,
            "directory": lists[host] or None,
        }
        entry["sites"].append({**site, "unknown": None if site["unknown"] == host else site["unknown"]})
    targets = {site["name"]: site["unknown"] for site in entry["sites"]}
    for site in entry["sites"]:
        # Sites that forward to each other have to ask first.
        site["call_ahead"] = site["call_ahead"] or targets.get(site["unknown"]) == site["name"]
    return {**entry, "directory": entry["directory"] or None}


def let_through(dice: random.Random, domain: str, servers: dict[str, SplitServer]) -> MappedDomain:
    """Draw until there is no circle of three."""
    while True:
        entry = drawn_entry(dice, domain, servers)
        targets = {site["name"]: site["unknown"] for site in entry["sites"]}
        if len(set(targets.values()) - {None}) < len(HOSTS):
            return parse_split_map([entry])[0]


def with_targets(mapped: MappedDomain, targets: dict[str, str | None]) -> MappedDomain:
    """Give a domain with other targets of unknown recipients, also such as validation refuses."""
    sites = tuple(replace(site, unknown=targets[site.name]) for site in mapped.split_domain.sites)
    return replace(mapped, split_domain=replace(mapped.split_domain, sites=sites), call_ahead_off=frozenset())


def with_external_lab(mapped: MappedDomain) -> MappedDomain:
    """Give a domain whose site lab is not managed."""
    sites = tuple(replace(one, hosts=() if one.name == "lab" else one.hosts) for one in mapped.split_domain.sites)
    return replace(mapped, split_domain=replace(mapped.split_domain, sites=sites))


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a network and run a Postfix in it")
    with ExitStack() as started:
        network = started.enter_context(network_with_lab_apart())
        users = ", ".join(f"{address}=x" for address in AT_THE_EXTERNAL_SITE)
        lab_main_cf = GROWN_LONGER.replace(
            "virtual_mailbox_domains   =   example.net", f"virtual_mailbox_domains = example.net {EXTERNAL}"
        ).replace("lmdb:{config}/mailboxes", f"lmdb:{{config}}/mailboxes inline:{{{{{users}}}}}")
        servers = {
            host: started.enter_context(
                configured_server(network, host, lab_main_cf if host == "lab" else GROWN_LONGER)
            )
            for host in HOSTS
        }
        dice = random.Random(4)  # noqa: S311 - a test's choice, to be drawn again with the same seed
        drawn = [let_through(dice, f"drawn{number}.example", servers) for number in range(DRAWN)]
        circle = with_targets(let_through(dice, CIRCLE, servers), {"hq": "cloud", "cloud": "lab", "lab": "hq"})
        external = with_targets(let_through(dice, EXTERNAL, servers), {"hq": "lab", "cloud": "hq", "lab": None})
        external = with_external_lab(replace(external, directory=(), site_directories={}))
        mapped = (*drawn, circle, external)
        lab = external.split_domain.site("lab")
        facts = ExternalSite(EXTERNAL, "lab", lab.relay, frozenset(AT_THE_EXTERNAL_SITE))
        sites = sites_of_plans([plan_server(mapped, host) for host in HOSTS], [facts])
        for host, server in servers.items():
            for domain, planned in sites.servers[host].domains.items():
                routes = [{"address": str(one), "to": show(to)} for one, to in planned.routes.items()]
                server.routes(domain, state="exact", routes=routes, local_transport=DISCARDED)
            server.split(*(one.settings.as_arguments() for one in sites.servers[host].domains.values()))
            server.start()
        yield Laboratory(servers, mapped, sites)


def sessions(laboratory: Laboratory, outage: Outage) -> list[Session]:
    """Give every way into every server that is up, with recipients of every domain."""
    return [
        Session(host, client, tuple(Address(domain, name) for name in PEOPLE[outage]))
        for host in HOSTS
        for client in ("outside", *HOSTS)
        for domain in laboratory.sites.servers[host].domains
        if host not in outage.down
    ]


def answers(laboratory: Laboratory, asked: list[Session]) -> list[dict[Address, int]]:
    """Ask the servers, many sessions at a time."""
    network = next(iter(laboratory.servers.values())).network

    def ask_all(mine: list[Session]) -> list[dict[Address, int]]:
        with ThreadPoolExecutor(SESSIONS) as threads:
            return list(threads.map(lambda session: ask(laboratory.servers[session.host], session), mine))

    found: dict[Session, dict[Address, int]] = {}
    for client in dict.fromkeys(session.client for session in asked):
        mine = [session for session in asked if session.client == client]
        # Threads are where their parent is.
        found.update(zip(mine, network.at(client, ask_all, mine)))
    return [found[session] for session in asked]


def ask(server: SplitServer, session: Session) -> dict[Address, int]:
    source = (server.network.address(session.client), 0)
    with smtplib.SMTP(server.address, server.port, timeout=60, source_address=source) as smtp:
        smtp.ehlo("client.example.org")
        smtp.mail("sender@example.org")
        # Just as it is written: smtplib would leave some forms out.
        return {recipient: smtp.docmd("RCPT", f"TO:<{recipient}>")[0] for recipient in session.recipients}


def differences(laboratory: Laboratory, asked: list[Session], outage: Outage = NOTHING_IS_DOWN) -> list[str]:
    return [
        f"{session.client} -> {session.host}, {one}: {said}, and not {foretold[one].reply}"
        for session, heard in zip(asked, answers(laboratory, asked))
        for foretold in [laboratory.foretold(session, outage)]
        for one, said in heard.items()
        if said != foretold[one].reply.code
    ]


def test_the_sample_has_every_kind_of_answer(laboratory: Laboratory) -> None:
    fates = [
        fate
        for outage in PEOPLE
        for session in sessions(laboratory, outage)
        for fate in laboratory.foretold(session, outage).values()
    ]
    assert {fate.reply.code for fate in fates} == {250, 450, 550, 554}
    assert any(fate.reply.questions for fate in fates if fate.reply.code == 250)
    assert max(len(fate.reply.questions) for fate in fates) > 1
    assert any(fate.reply.circle for fate in fates)
    assert [bool(forwarding_circle(one.split_domain)) for one in laboratory.mapped].count(True) == 1


def test_servers_answer_every_recipient_as_simulated(laboratory: Laboratory) -> None:
    assert differences(laboratory, sessions(laboratory, NOTHING_IS_DOWN)) == []


def test_mail_arrives_where_it_is_simulated_to_and_once(laboratory: Laboratory) -> None:
    expected: dict[tuple[str, Address], int] = {}
    for host in HOSTS:
        for domain in laboratory.sites.servers[host].domains:
            for name in PEOPLE[NOTHING_IS_DOWN]:
                address = Address(domain, name)
                fate = simulate(laboratory.sites, address, laboratory.way_in(host, "outside"))
                # What is delivered at the external site is none of this collection's deliveries.
                if not fate.those(DELIVERED) or domain == EXTERNAL:
                    continue
                send(laboratory.servers[host], str(address), "outside")
                for end in fate.ends:
                    assert end.what == DELIVERED
                    expected[end.place, end.recipient] = expected.get((end.place, end.recipient), 0) + 1
    # Mail goes on over three servers at most.
    for server in [*laboratory.servers.values()] * len(HOSTS):
        server.wait_for_empty_queue()
    arrived = {
        (host, recipient): delivered(laboratory.servers[host], str(recipient))
        for host in HOSTS
        for recipient in {one for _place, one in expected}
    }
    assert {place: count for place, count in arrived.items() if count} == expected
    assert max(expected.values()) == len(HOSTS)


def test_servers_answer_as_simulated_while_one_of_them_is_down(laboratory: Laboratory) -> None:
    (outage,) = (one for one in PEOPLE if one.down)
    laboratory.servers["lab"].stop()
    try:
        assert differences(laboratory, sessions(laboratory, outage), outage) == []
    finally:
        laboratory.servers["lab"].start()


def test_servers_answer_as_simulated_where_another_domain_has_two_of_them_at_one_site(laboratory: Laboratory) -> None:
    relays = {host: {"host": server.address, "port": server.port} for host, server in laboratory.servers.items()}
    addresses = {host: server.address for host, server in laboratory.servers.items()}
    both = {
        "hosts": ["hq", "lab"],
        "relay": [relays["hq"], relays["lab"]],
        "clients": [addresses["hq"], addresses["lab"]],
    }
    cloud = {"hosts": ["cloud"], "relay": relays["cloud"], "clients": [addresses["cloud"]]}
    sites = [{"name": "both", "role": "master", **both}, {"name": "cloud", **cloud}]
    mapped = (*laboratory.mapped, *parse_split_map([{"domain": "grouped.example", "sites": sites}]))
    plans = [plan_server(mapped, host) for host in HOSTS]
    grouped = replace(laboratory, mapped=mapped, sites=sites_of_plans(plans, laboratory.sites.external.values()))
    asked = [
        one for one in sessions(laboratory, NOTHING_IS_DOWN) if one.host == "cloud" and one.client in ("hq", "lab")
    ]
    settings = grouped.sites.servers["cloud"].domains["grouped.example"].settings
    laboratory.servers["cloud"].split(settings.as_arguments())
    assert differences(grouped, asked) == []
    before, after = (
        [fate.reply.code for session in asked for fate in one.foretold(session, NOTHING_IS_DOWN).values()]
        for one in (laboratory, grouped)
    )
    assert (250, 554) in zip(before, after)
