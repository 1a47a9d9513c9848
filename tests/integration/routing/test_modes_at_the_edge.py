# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of modes where records, aliases or other settings of the server say something else than the mode.

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from name_server_host import network_with_names
from named_server import Zone
from routing_runs import effective, refusal, route
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

DEBIAN = GROWN_MAIN_CF.replace("reject_unauth_destination", "defer_unauth_destination")
NAT = "203.0.113.25"


@pytest.fixture
def named_first(network: Network) -> Iterator[SplitServer]:
    """A server that the MX records of own.example name first; they may have changed a minute ago."""
    zones = {"own.example": Zone(f"@ MX 10 me\nme A {network.cloud}\n")}
    with network_with_names(network, zones) as names, configured_server(names, "cloud") as server:
        yield server


def start(server: SplitServer) -> None:
    server.start()
    server.wait_for_smtp()


def waiting(server: SplitServer) -> str:
    """Give the reasons for which mail waits, when some does."""
    deadline = time.monotonic() + 20
    while "delay_reason" not in (queue := server.command("postqueue", "-j").stdout):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.1)
    return queue


def _deliver(server: SplitServer, recipient: str) -> None:
    with smtplib.SMTP(server.address, server.port, timeout=30) as smtp:
        smtp.sendmail("carl@example.net", recipient, "Subject: held\n\nheld\n")


def test_a_backup_that_the_records_name_first_bounces_nothing(named_first: SplitServer) -> None:
    route(named_first, {"domain": "own.example", "mode": "backup", "recipients": ["ann@own.example"]})
    start(named_first)
    named_first.network.at("outside", _deliver, named_first, "ann@own.example")
    queue = waiting(named_first)
    assert "ann@own.example" in queue
    assert "the MX records name this server itself first" in queue
    assert named_first.ask("bob@own.example").code == 450
    assert named_first.logged("status=bounced") == 0


@pytest.mark.parametrize("own", ["", "\nbest_mx_transport = local\n", "\nbest_mx_transport=\n"])
def test_where_such_mail_goes_is_the_servers_own_where_it_says_so(network: Network, own: str) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + own) as server:
        before = server.main_cf.read_bytes()
        domains = [{"domain": "own.example", "mode": "backup"}, {"domain": "b.example", "mode": "remote"}]
        for _time in range(2):
            route(server, *domains)
            said = server.command("postconf", "-h", "best_mx_transport").stdout.strip()
            assert said == "local" if "local" in own else said.startswith("retry:")
        assert not route(server, *domains)["changed"]
        route(server, *({"domain": entry["domain"], "mode": "local"} for entry in domains))
        assert server.command("postconf", "-h", "best_mx_transport").stdout.strip() == "local" * ("local" in own)
        route(server, *({"domain": entry["domain"], "state": "absent"} for entry in domains))
        assert server.main_cf.read_bytes() == before


def test_a_remote_domain_that_the_records_name_here_bounces_nothing(named_first: SplitServer) -> None:
    route(named_first, {"domain": "own.example", "mode": "remote"})
    start(named_first)
    named_first.deliver("ann@own.example", "sent by an own user", client="lab")
    assert "the MX records name this server itself first" in waiting(named_first)
    assert named_first.logged("status=bounced") == 0


def test_a_parameter_that_stands_twice_in_main_cf_stops_nothing(network: Network) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + "\nmydestination = lmdb:{config}/aliases\n") as server:
        before = server.main_cf.read_bytes()
        route(server, {"domain": "example.com", "mode": "backup"})
        route(server, {"domain": "example.com", "state": "absent"})
        assert server.main_cf.read_bytes() == before


def test_remote_is_refused_for_good_where_an_alias_is_left_of_it(network: Network) -> None:
    with configured_server(network, "hq", DEBIAN) as server:
        route(server, {"domain": "example.com", "mode": "remote"})
        start(server)
        # postmaster@example.com is in virtual_alias_maps, which makes nobody's mail wanted (ADDRESS_CLASS_README).
        assert str(server.ask("postmaster@example.com")).startswith("554 5.7.1")
        assert str(server.ask("bob@example.com")).startswith("554 5.7.1")
        assert server.ask("postmaster@example.com", client="lab").code == 250


def test_remote_is_refused_below_a_domain_that_the_server_relays_for(network: Network) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + "\nrelay_domains = example.com\n") as server:
        route(server, {"domain": "sub.example.com", "mode": "remote"})
        start(server)
        assert str(server.ask("bob@sub.example.com")).startswith("554 5.7.1")
        assert server.ask("bob@sub.example.com", client="lab").code == 250
        assert server.ask("bob@other.example.com").code == 250
        assert server.ask("bob@example.com").code == 250


@pytest.mark.parametrize("mode", ["local", "backup"])
@pytest.mark.parametrize("relayed", ["example.com", "lmtp.example .example.com\nparent_domain_matches_subdomains ="])
def test_a_domain_below_one_that_the_server_relays_for_is_in_no_second_class(
    network: Network, mode: str, relayed: str
) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + f"\nrelay_domains = {relayed}\n") as server:
        before = server.main_cf.read_bytes()
        said = refusal(server, {"domain": "a.sub.example.com", "mode": mode})
        assert "a.sub.example.com is in relay_domains of this server already" in said
        assert server.main_cf.read_bytes() == before
        route(server, {"domain": "sub.example.net", "mode": mode})


def test_a_backup_behind_nat_is_put_back_with_its_address(server: SplitServer) -> None:
    def proxies() -> str:
        return server.command("postconf", "-h", "proxy_interfaces").stdout.strip()

    first: dict[str, Any] = {"domain": "example.com", "mode": "backup"}
    route(server, first, own_addresses=[NAT])
    away = route(server, {"domain": "example.com", "mode": "remote"})
    assert proxies() == ""
    back = route(server, *(entry["before"] for entry in away["domains"]))
    assert effective(back) == {"example.com": "backup"}
    assert proxies() == NAT
    assert not route(server, first, own_addresses=[NAT])["changed"]
